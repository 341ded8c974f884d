// Folders that files lie in: each path is kept once, under a small number, as long as a file is in it.
import type { SharedFolder } from './shared-folder.ts';

export interface Place {
  readonly number: number;
  readonly path: string;
  /** What it is shared with. */
  readonly folder: SharedFolder;
  dev: number;
  files: number;
}

export class Places {
  readonly #byPath = new Map<string, Place>();
  readonly #places: (Place | undefined)[] = [];
  readonly #unused: number[] = [];
  /** The one asked for last: a scan asks for all files of one folder in turn. */
  #last: Place | null = null;

  get(number: number): Place {
    const place = this.#places[number];
    if (place === undefined) throw new RangeError('no such place');
    return place;
  }

  /** Null for a folder in which no file is known. */
  find(path: string): Place | null {
    if (this.#last?.path === path) return this.#last;
    const place = this.#byPath.get(path) ?? null;
    if (place !== null) this.#last = place;
    return place;
  }

  /** Counts one more file. */
  enter(path: string, folder: SharedFolder, dev: number): Place {
    let place = this.find(path);
    if (place === null || place.folder !== folder) {
      const number = this.#unused.pop() ?? this.#places.length;
      place = { number, path, folder, dev, files: 0 };
      this.#places[number] = place;
      this.#byPath.set(path, place);
      this.#last = place;
    }
    place.dev = dev;
    place.files++;
    return place;
  }

  /** Counts one file less. */
  leave(place: Place): void {
    if (--place.files > 0) return;
    if (this.#byPath.get(place.path) === place) this.#byPath.delete(place.path);
    if (this.#last === place) this.#last = null;
    this.#places[place.number] = undefined;
    this.#unused.push(place.number);
  }
}
