// Collects rows of one table in columns, and gives them as a block of bytes: what a journal holds, and Parquet files are made of.
import { NumberColumn } from './number-column.ts';
import { type ColumnType, type TableName, tables } from './tables.ts';
import { TextColumn } from './text-column.ts';

/** Columns that all rows of a block share; they are no part of it. */
export const SHARED_COLUMNS: ReadonlySet<string> = new Set(['servent', 'run']);

const SMALL_MAX = 2 ** 31 - 1;

/** The columns of a block, in order. */
export function blockColumns(table: TableName): { name: string; type: ColumnType }[] {
  return Object.entries<{ type: ColumnType }>(tables[table].columns)
    .filter(([name]) => !SHARED_COLUMNS.has(name))
    .map(([name, { type }]) => ({ name, type }));
}

export class RowBlock {
  readonly #columns: readonly { name: string; type: ColumnType; values: NumberColumn | TextColumn }[];
  readonly #seq: NumberColumn;
  readonly #at: NumberColumn;
  #rows = 0;

  constructor(table: TableName) {
    this.#columns = blockColumns(table).map(column => ({
      ...column,
      values: column.type === 'text' ? new TextColumn() : new NumberColumn(column.type),
    }));
    this.#seq = this.numbers('seq');
    this.#at = this.numbers('at_ms');
  }

  get rows(): number {
    return this.#rows;
  }

  /** Times of the first row and the last. */
  get from(): number {
    return this.#at.min;
  }

  get to(): number {
    return this.#at.max;
  }

  /** A column of numbers, for rows that are added value by value after begin(). */
  numbers(name: string): NumberColumn {
    const values = this.#columns.find(column => column.name === name)?.values;
    if (values instanceof NumberColumn) return values;
    throw new RangeError(`${name} is no column of numbers`);
  }

  texts(name: string): TextColumn {
    const values = this.#columns.find(column => column.name === name)?.values;
    if (values instanceof TextColumn) return values;
    throw new RangeError(`${name} is no column of texts`);
  }

  /** Hot. Begins a row: each other column is given its value next. */
  begin(seq: number, at: number): void {
    this.#rows++;
    this.#seq.add(seq);
    this.#at.add(at);
  }

  /** Adds a row. What is missing or of another type than declared is empty or 0. */
  add(seq: number, at: number, row: Readonly<Record<string, unknown>>): void {
    this.begin(seq, at);
    for (const { name, type, values } of this.#columns) {
      const value = row[name];
      if (values instanceof TextColumn) values.add(typeof value === 'string' ? value : '');
      else if (values !== this.#seq && values !== this.#at) values.add(whole(value, type));
    }
  }

  /** Bytes that writeTo() writes. */
  get size(): number {
    return this.#columns.reduce((sum, { values }) => sum + values.size, 0);
  }

  /** Writes the rows so far from `at` on. */
  writeTo(out: Buffer, at: number): void {
    let to = at;
    for (const { values } of this.#columns) to = values.writeTo(out, to);
  }

  clear(): void {
    for (const { values } of this.#columns) values.clear();
    this.#rows = 0;
  }
}

function whole(value: unknown, type: ColumnType): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return 0;
  return type === 'small' ? Math.max(-SMALL_MAX, Math.min(value, SMALL_MAX)) : value;
}
