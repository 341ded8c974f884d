// Rows of a recording with any values, for properties.
import fc from 'fast-check';
import { blockColumns } from '../../measure/row-block.ts';
import { type ColumnType, type TableName, tableNames } from '../../measure/tables.ts';

export type AnyRow = Record<string, string | number>;

const numbers = (min: number, max: number) =>
  fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 0, max: 256 }),
    fc.integer({ min, max }),
    fc.constantFrom(0, -1, 255, 256, min, max),
  );

const VALUES = {
  // what no UTF-8 has would come back as U+FFFD
  text: fc.string({ unit: 'binary', maxLength: 20 }),
  small: numbers(-(2 ** 31 - 1), 2 ** 31 - 1),
  integer: numbers(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
} as const satisfies Record<ColumnType, fc.Arbitrary<string | number>>;

const rowOf = (table: TableName): fc.Arbitrary<AnyRow> =>
  fc.record(Object.fromEntries(blockColumns(table).map(({ name, type }) => [name, VALUES[type]])));

/** A table, and rows of it that were written one group after the other. */
export const anyGroups: fc.Arbitrary<{ table: TableName; groups: AnyRow[][] }> = fc
  .constantFrom(...tableNames)
  .chain(table =>
    fc.record({
      table: fc.constant(table),
      groups: fc.array(fc.array(rowOf(table), { minLength: 1, maxLength: 20 }), { maxLength: 4 }),
    }),
  );
