// Prints tables: columns as wide as their widest cell, numbers aligned right.
import { printable } from '../api/format.ts';

export interface Column<T> {
  title: string;
  of: (row: T) => string;
  right?: boolean;
}

export function table<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const cells = rows.map(row => columns.map(column => printable(column.of(row))));
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map(line => line[i]?.length ?? 0)));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (columns[i]?.right === true ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...cells.map(line)].join('\n');
}

/** Prints `name: value` lines with aligned values. */
export function facts(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 1;
  return rows.map(([name, value]) => `${`${name}:`.padEnd(width)}  ${printable(value)}`).join('\n');
}
