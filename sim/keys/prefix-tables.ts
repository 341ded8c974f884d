// Tables of prefix routing (Plaxton, Rajaraman and Richa 1997), as in Pastry and Tapestry: row r of a node names, for each digit, a node that
// shares its first r digits and has that digit next.
import { countBelow, NOBODY } from './identifiers.ts';

/** Identifiers as so many digits of so many bits, 32 bits together at most. */
export class Digits {
  readonly bits: number;
  readonly digits: number;
  /** Different values of a digit. */
  readonly columns: number;

  constructor(bitsOfDigit: number, digits: number) {
    this.bits = bitsOfDigit;
    this.digits = digits;
    this.columns = 2 ** bitsOfDigit;
  }

  at(id: number, place: number): number {
    return (id >>> (this.bits * (this.digits - 1 - place))) & (this.columns - 1);
  }

  /** How many digits the two have in common at the start. */
  shared(a: number, b: number): number {
    const different = (a ^ b) >>> 0;
    return different === 0
      ? this.digits
      : Math.floor((Math.clz32(different) - 32 + this.bits * this.digits) / this.bits);
  }

  parse(text: string): number {
    return Number.parseInt(text, this.columns);
  }

  format(id: number): string {
    return id.toString(this.columns).padStart(this.digits, '0');
  }
}

export class PrefixTables {
  readonly rows: number;
  readonly #columns: number;
  readonly #cells: Uint32Array;

  /** As many rows as keep each two of the ascending identifiers apart. */
  constructor(ids: Uint32Array, digits: Digits) {
    let most = 0;
    for (let i = 1; i < ids.length; i++) most = Math.max(most, digits.shared(ids[i - 1] ?? 0, ids[i] ?? 0));
    this.rows = Math.min(digits.digits, most + 1);
    this.#columns = digits.columns;
    this.#cells = new Uint32Array(ids.length * this.rows * digits.columns).fill(NOBODY);
  }

  get(node: number, row: number, column: number): number {
    return row < this.rows ? (this.#cells[(node * this.rows + row) * this.#columns + column] ?? NOBODY) : NOBODY;
  }

  set(node: number, row: number, column: number, entry: number): void {
    if (row < this.rows) this.#cells[(node * this.rows + row) * this.#columns + column] = entry;
  }

  /** All cells of a node, row after row. */
  of(node: number): Uint32Array {
    const size = this.rows * this.#columns;
    return this.#cells.subarray(node * size, (node + 1) * size);
  }

  row(node: number, row: number): Uint32Array {
    return this.of(node).subarray(row * this.#columns, (row + 1) * this.#columns);
  }

  /** Empties the tables of a node. */
  clear(node: number): void {
    this.of(node).fill(NOBODY);
  }

  /** Takes the entry out of the table of a node; the places where it was, in `of`. */
  remove(node: number, entry: number): number[] {
    const cells = this.of(node);
    const places: number[] = [];
    for (let i = cells.indexOf(entry); i >= 0; i = cells.indexOf(entry, i + 1)) {
      cells[i] = NOBODY;
      places.push(i);
    }
    return places;
  }
}

/** Fills the tables of these nodes (ascending) with each other; `choose` picks one of nodes[from] to nodes[to - 1] for a cell of `node`. */
export function fillPrefixTables(
  tables: PrefixTables,
  digits: Digits,
  nodes: Uint32Array,
  ids: Uint32Array,
  choose: (node: number, from: number, to: number) => number,
): void {
  const own = nodes.map(node => ids[node] ?? 0);
  const fill = (from: number, to: number, row: number, prefix: number): void => {
    if (to - from < 2 || row >= digits.digits) return;
    const step = 2 ** (digits.bits * (digits.digits - 1 - row));
    const bounds = Array.from({ length: digits.columns + 1 }, (_, column) =>
      countBelow(own, prefix + column * step, from, to),
    );
    for (let column = 0; column < digits.columns; column++) {
      const [first = 0, last = 0] = [bounds[column], bounds[column + 1]];
      if (first === last) continue;
      for (let i = from; i < to; i++) {
        const node = nodes[i] ?? NOBODY;
        if (i < first || i >= last) tables.set(node, row, column, choose(node, first, last));
      }
      fill(first, last, row + 1, prefix + column * step);
    }
  };
  fill(0, nodes.length, 0, 0);
}
