// Lists of a fake daemon: a page of rows, the row of an id, the others.
import type { ListRequest } from '../../api/control.ts';
import { notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';

export function paged<T>(rows: readonly T[], input: ListRequest, keyOf: (row: T) => string) {
  return pageOf(rows, input, keyOf, row => row);
}

export function only<T extends { id: string }>(rows: readonly T[], what: string, id: string): T {
  const row = rows.find(row => row.id === id);
  if (row === undefined) throw notFound(what, id);
  return row;
}

export function without<T extends { id: string }>(rows: readonly T[], what: string, id: string): T[] {
  only(rows, what, id);
  return rows.filter(row => row.id !== id);
}
