// Numbers the folders that contain files, so that each path is held once. A folder without files is dropped.
import type { SharedFolder } from './shared-folder.ts';

export interface Place {
  readonly number: number;
  readonly path: string;
  /** The shared folder that it belongs to. */
  readonly folder: SharedFolder;
  dev: number;
  files: number;
}

export class Places {
  readonly #byPath = new Map<string, Place>();
  readonly #places: (Place | undefined)[] = [];
  readonly #unused: number[] = [];
  /** The result of the last find(): scans visit the files of a folder one after another. */
  #last: Place | null = null;

  get(number: number): Place {
    const place = this.#places[number];
    if (place === undefined) throw new RangeError('no such place');
    return place;
  }

  /** Null for a folder without files. */
  find(path: string): Place | null {
    if (this.#last?.path === path) return this.#last;
    const place = this.#byPath.get(path) ?? null;
    if (place !== null) this.#last = place;
    return place;
  }

  numbersOf(isWanted: (place: Place) => boolean): Set<number> {
    const numbers = new Set<number>();
    for (const place of this.#places) if (place !== undefined && isWanted(place)) numbers.add(place.number);
    return numbers;
  }

  /** Adds a file to a folder. */
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

  /** Removes a file from a folder. */
  leave(place: Place): void {
    if (--place.files > 0) return;
    if (this.#byPath.get(place.path) === place) this.#byPath.delete(place.path);
    if (this.#last === place) this.#last = null;
    this.#places[place.number] = undefined;
    this.#unused.push(place.number);
  }
}
