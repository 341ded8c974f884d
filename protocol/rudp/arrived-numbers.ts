// Which numbers of segments have arrived, as ranges, the newest first. Old ranges are forgotten.
import { type NumberRange, RANGES_MAX } from './stream-packet.ts';

interface Range {
  first: number;
  last: number;
}

export class ArrivedNumbers {
  /** Descending, with gaps between them; at most RANGES_MAX. */
  readonly #ranges: Range[] = [];

  /** -1: none has arrived. */
  get newest(): number {
    return this.#ranges[0]?.last ?? -1;
  }

  get ranges(): readonly NumberRange[] {
    return this.#ranges;
  }

  /** False: it had arrived before, or is so old that nobody knows. */
  add(number: number): boolean {
    const ranges = this.#ranges;
    for (let i = 0; i <= ranges.length; i++) {
      const range = ranges[i];
      if (range !== undefined && number < range.first - 1) continue;
      if (range === undefined || number > range.last + 1) {
        if (i >= RANGES_MAX) return false;
        ranges.splice(i, 0, { first: number, last: number });
        if (ranges.length > RANGES_MAX) ranges.pop();
        return true;
      }
      if (number >= range.first && number <= range.last) return false;
      if (number === range.last + 1) range.last = number;
      else {
        range.first = number;
        const older = ranges[i + 1];
        if (older !== undefined && older.last === number - 1) {
          range.first = older.first;
          ranges.splice(i + 1, 1);
        }
      }
      return true;
    }
    return false;
  }
}
