// Moves, sorts, filters and marks in the list with the focus. Pure.
import { type ListState, type Model, type Sort, worldOf } from './model.ts';
import { type AnyList, cursorIn, type ListSpec, ordered } from './table.ts';

/** Screen lines that are not rows of the list. */
const CHROME_ROWS = 7;

export function withList(model: Model, list: Pick<AnyList, 'id'>, change: Partial<ListState>): Model {
  return { ...model, lists: { ...model.lists, [list.id]: { ...model.lists[list.id], ...change } } };
}

/** The filtered and sorted rows. */
export function rowsShown<T>(model: Model, list: ListSpec<T>): readonly T[] {
  return ordered(list, model.lists[list.id], list.rows(worldOf(model), model), model.now).rows;
}

export function rowUnder<T>(model: Model, list: ListSpec<T>): T | undefined {
  const rows = rowsShown(model, list);
  return rows[cursorIn(list, model.lists[list.id], rows)];
}

/** Rows for an action: the marked rows, or the one under the cursor. */
export function targets<T>(model: Model, list: ListSpec<T>): T[] {
  const { marks } = model.lists[list.id];
  if (marks.size > 0) {
    const marked = list.rows(worldOf(model), model).filter(row => marks.has(list.keyOf(row)));
    if (marked.length > 0) return marked;
  }
  const row = rowUnder(model, list);
  return row === undefined ? [] : [row];
}

export function moveTo<T>(model: Model, list: ListSpec<T>, index: number): Model {
  const rows = rowsShown(model, list);
  const at = Math.max(0, Math.min(rows.length - 1, index));
  const row = rows[at];
  // null keeps the cursor on the first row when new rows come in above
  return withList(model, list, { key: row === undefined || at === 0 ? null : list.keyOf(row), index: at });
}

export function moveBy<T>(model: Model, list: ListSpec<T>, by: number): Model {
  const rows = rowsShown(model, list);
  return moveTo(model, list, Math.max(0, cursorIn(list, model.lists[list.id], rows)) + by);
}

export function pageRows(model: Model): number {
  const split = model.view === 'searches' || model.view === 'library' ? 2 : 1;
  return Math.max(1, Math.floor((model.rows - CHROME_ROWS) / split));
}

export function sortBy<T>(model: Model, list: ListSpec<T>, sort: Sort | null): Model {
  return withList(model, list, { sort });
}

/** Sorts by the next or previous column; past the ends, rows keep the order of the daemon. */
export function sortStep<T>(model: Model, list: ListSpec<T>, step: 1 | -1): Model {
  const { sort } = model.lists[list.id];
  const places = list.columns.length + 1;
  const at = list.columns.findIndex(({ id }) => id === sort?.column) + 1;
  const column = list.columns[((at + step + places) % places) - 1];
  return sortBy(model, list, column === undefined ? null : { column: column.id, descending: column.right === true });
}

/** Sorts by a column; the same column again reverses the order. */
export function sortColumn<T>(model: Model, list: ListSpec<T>, id: string): Model {
  const { sort } = model.lists[list.id];
  const column = list.columns.find(column => column.id === id);
  if (column === undefined) return model;
  const descending = sort?.column === id ? !sort.descending : column.right === true;
  return sortBy(model, list, { column: id, descending });
}

export function sortTurned<T>(model: Model, list: ListSpec<T>): Model {
  const { sort } = model.lists[list.id];
  const first = list.columns[0]?.id ?? '';
  return sortBy(
    model,
    list,
    sort === null ? { column: first, descending: true } : { ...sort, descending: !sort.descending },
  );
}

export function markUnder<T>(model: Model, list: ListSpec<T>): Model {
  const row = rowUnder(model, list);
  if (row === undefined) return model;
  const marks = new Set(model.lists[list.id].marks);
  const key = list.keyOf(row);
  if (!marks.delete(key)) marks.add(key);
  return moveBy(withList(model, list, { marks }), list, 1);
}

export function markAll<T>(model: Model, list: ListSpec<T>): Model {
  return withList(model, list, { marks: new Set(rowsShown(model, list).map(list.keyOf)) });
}

export function unmark(model: Model, list: Pick<AnyList, 'id'>): Model {
  return model.lists[list.id].marks.size === 0 ? model : withList(model, list, { marks: new Set() });
}

/** Removes the marks of rows that no longer exist. */
export function dropLostMarks<T>(model: Model, list: ListSpec<T>): Model {
  const { marks } = model.lists[list.id];
  if (marks.size === 0) return model;
  const keys = new Set(list.rows(worldOf(model), model).map(list.keyOf));
  const left = new Set([...marks].filter(key => keys.has(key)));
  return left.size === marks.size ? model : withList(model, list, { marks: left });
}
