// Parses `sort=-size,name` and orders the rows of a list.
import type { Fields } from './fields.ts';
import type { Reader } from './reader.ts';

const KEYS_MAX = 3;
/** Characters of a text that are compared; the cursor contains them. */
const COMPARED_CHARACTERS = 100;

interface SortKey {
  readonly path: string;
  readonly descending: boolean;
  readonly caseless: boolean;
}

/** Value to sort by, as in a cursor; the value of a list is its length. */
export type SortValue = string | number | null;

/** Unknown field, or too many fields. */
export class SortError extends Error {
  override readonly name = 'SortError';
}

export class Sort {
  readonly text: string;
  readonly keys: readonly SortKey[];

  constructor(text: string, keys: readonly SortKey[]) {
    this.text = text;
    this.keys = keys;
  }

  compile<R>(reader: Reader<R>): RowOrder<R> {
    const reads = this.keys.map(({ path, caseless }) => {
      const read = reader(path);
      return (row: R): SortValue => sortValue(read(row), caseless);
    });
    return new RowOrder(
      reads,
      this.keys.map(({ descending }) => (descending ? -1 : 1)),
    );
  }
}

/** Throws SortError. */
export function parseSort(text: string, fields: Fields): Sort {
  const keys = text.split(',', KEYS_MAX + 1).map(part => {
    const word = part.trim();
    const path = word.replace(/^[+-]/, '');
    const field = fields.get(path);
    if (field === undefined) throw new SortError(`unknown field ${path}; fields are ${[...fields.keys()].join(', ')}`);
    return { path, descending: word.startsWith('-'), caseless: field.kind === 'text' };
  });
  if (keys.length > KEYS_MAX) throw new SortError(`at most ${KEYS_MAX} fields`);
  return new Sort(keys.map(({ path, descending }) => `${descending ? '-' : ''}${path}`).join(','), keys);
}

function sortValue(value: unknown, caseless: boolean): SortValue {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') {
    const start = value.length > COMPARED_CHARACTERS ? value.slice(0, COMPARED_CHARACTERS) : value;
    return caseless ? start.toLowerCase() : start;
  }
  if (typeof value === 'boolean') return value ? 1 : 0;
  return Array.isArray(value) ? value.length : null;
}

/** Position of a row in the order. */
export interface Place {
  readonly values: readonly SortValue[];
  /** Id of the row, compared last. */
  readonly key: string;
}

/** Compares rows with places. Reads each field of a row at most once, when needed. */
export class RowOrder<R> {
  readonly #reads: readonly ((row: R) => SortValue)[];
  readonly #signs: readonly number[];
  #row: R | undefined;
  #values: SortValue[] = [];
  /** Number of values read so far. */
  #read = 0;

  constructor(reads: readonly ((row: R) => SortValue)[], signs: readonly number[]) {
    this.#reads = reads;
    this.#signs = signs;
  }

  /** Sets the row for the next comparisons. */
  look(row: R): void {
    this.#row = row;
    this.#read = 0;
  }

  placeOfLooked(key: string): Place {
    for (let i = 0; i < this.#reads.length; i++) this.#valueAt(i);
    const values = this.#values;
    this.#values = []; // now owned by the place
    this.#read = 0;
    return { values, key };
  }

  /** Negative: the row comes first. */
  compareLooked(keyOf: (row: R) => string, place: Place): number {
    for (let i = 0; i < this.#reads.length; i++) {
      const order = compareValues(this.#valueAt(i), place.values[i] ?? null, this.#signs[i] ?? 1);
      if (order !== 0) return order;
    }
    const key = keyOf(this.#row as R);
    return key < place.key ? -1 : key > place.key ? 1 : 0;
  }

  compare(a: Place, b: Place): number {
    return this.compareValues(a.values, b.values) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  }

  /** Compares values without keys. */
  compareValues(a: Place['values'], b: Place['values']): number {
    for (let i = 0; i < this.#signs.length; i++) {
      const order = compareValues(a[i] ?? null, b[i] ?? null, this.#signs[i] ?? 1);
      if (order !== 0) return order;
    }
    return 0;
  }

  #valueAt(i: number): SortValue {
    if (i === this.#read) {
      this.#values[i] = this.#reads[i]?.(this.#row as R) ?? null;
      this.#read++;
    }
    return this.#values[i] ?? null;
  }
}

/** Null comes last in both directions; numbers come before texts. */
function compareValues(a: SortValue, b: SortValue, sign: number): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -sign : sign;
}

interface Placed<R> {
  readonly row: R;
  readonly place: Place;
}

/** Selects the first rows of an order with a heap whose top is the last of them. */
export class FirstFew<R> {
  readonly #max: number;
  readonly #order: RowOrder<R>;
  readonly #keyOf: (row: R) => string;
  readonly #heap: Placed<R>[] = [];
  /** Whether more rows were offered than are kept. */
  overflowed = false;

  constructor(max: number, order: RowOrder<R>, keyOf: (row: R) => string) {
    this.#max = max;
    this.#order = order;
    this.#keyOf = keyOf;
  }

  /** Whether the current row would be kept. */
  wantsLooked(): boolean {
    const [last] = this.#heap;
    return !this.overflowed || last === undefined || this.#order.compareLooked(this.#keyOf, last.place) < 0;
  }

  /** Adds the current row. */
  offer(row: R): void {
    const heap = this.#heap;
    if (heap.length < this.#max) {
      heap.push({ row, place: this.#order.placeOfLooked(this.#keyOf(row)) });
      this.#up(heap.length - 1);
      return;
    }
    this.overflowed = true;
    const [last] = heap;
    if (last === undefined || this.#order.compareLooked(this.#keyOf, last.place) >= 0) return;
    heap[0] = { row, place: this.#order.placeOfLooked(this.#keyOf(row)) };
    this.#down();
  }

  inOrder(): Placed<R>[] {
    return this.#heap.toSorted((a, b) => this.#order.compare(a.place, b.place));
  }

  #up(from: number): void {
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!this.#comesLater(at, above)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  #down(): void {
    for (let at = 0; ; ) {
      let latest = at;
      for (const below of [2 * at + 1, 2 * at + 2]) if (this.#comesLater(below, latest)) latest = below;
      if (latest === at) return;
      this.#swap(at, latest);
      at = latest;
    }
  }

  #comesLater(a: number, b: number): boolean {
    const one = this.#heap[a];
    const other = this.#heap[b];
    return one !== undefined && other !== undefined && this.#order.compare(one.place, other.place) > 0;
  }

  #swap(a: number, b: number): void {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}
