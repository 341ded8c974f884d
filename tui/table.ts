// Sorts, filters and lays out tables. Rows are sorted once per change; only visible ones are formatted. Pure.

import type { Fields } from '../api/fields.ts';
import type { Charset } from './graph.ts';
import { matcher } from './match.ts';
import type { ListId, ListState, Model, World } from './model.ts';
import type { Meaning } from './theme.ts';

export interface Column<T> {
  /** Name in `:sort` and filters; that of the API if it has one. */
  readonly id: string;
  readonly title: string;
  readonly of: (row: T, now: number) => string;
  /** Sort key; default: the text. */
  readonly by?: (row: T, now: number) => number | string;
  /** Width in cells. */
  readonly width: number;
  /** Share of the remaining width. */
  readonly grow?: number;
  /** When space is short, columns with the highest rank are dropped first. */
  readonly rank: number;
  readonly right?: boolean;
  /** Long text keeps its end, for paths. */
  readonly end?: boolean;
  readonly meaning?: (row: T, now: number) => Meaning;
  /** Draws a bar of this share. */
  readonly share?: (row: T) => number | null;
}

/** One line that is drawn to a width, in several colours. */
export type DrawnLine = (width: number, charset: Charset) => readonly (readonly [text: string, meaning: Meaning])[];

export type Detail = readonly [label: string, value: string | DrawnLine, meaning?: Meaning];

export interface ListSpec<T> {
  readonly id: ListId;
  readonly title: string;
  /** Noun for a row. */
  readonly one: string;
  readonly many: string;
  readonly columns: readonly Column<T>[];
  readonly rows: (world: World, model: Model) => readonly T[];
  readonly keyOf: (row: T) => string;
  /** Name of a row in messages. */
  readonly nameOf: (row: T) => string;
  /** Text for an empty list. */
  readonly empty: string;
  readonly details?: (row: T, now: number, world: World) => Detail[];
  /** Text to copy. */
  readonly copy?: (row: T) => string;
  /** Magnet link; null without a hash. */
  readonly magnet?: (row: T) => string | null;
  /** Fields for filters. */
  readonly fields: Fields;
  /** Values of computed fields. */
  readonly values?: Readonly<Record<string, (row: T) => unknown>>;
}

/** A list with rows of unknown type. */
export type AnyList = ListSpec<unknown>;
export const anyList = <T>(spec: ListSpec<T>): AnyList => spec as unknown as AnyList;

export interface Ordered<T> {
  readonly rows: readonly T[];
  /** Number of rows before the filter. */
  readonly total: number;
  /** Error of the filter. */
  readonly fault: string | null;
}

interface Memo {
  readonly sort: string;
  readonly filter: string;
  readonly ordered: Ordered<unknown>;
}
/** Cache by the array of rows, which is replaced on every change. */
const memos = new WeakMap<readonly unknown[], Map<string, Memo>>();

export function ordered<T>(spec: ListSpec<T>, state: ListState, rows: readonly T[], now: number): Ordered<T> {
  const sort = state.sort === null ? '' : `${state.sort.column} ${state.sort.descending}`;
  const memo = memos.get(rows)?.get(spec.id);
  if (memo !== undefined && memo.sort === sort && memo.filter === state.filter) return memo.ordered as Ordered<T>;
  const made = order(spec, state, rows, now);
  const forRows = memos.get(rows) ?? new Map<string, Memo>();
  forRows.set(spec.id, { sort, filter: state.filter, ordered: made });
  memos.set(rows, forRows);
  return made;
}

function order<T>(spec: ListSpec<T>, state: ListState, rows: readonly T[], now: number): Ordered<T> {
  const { accepts, fault } = matcher(state.filter, spec.fields, now, spec.values);
  const kept = state.filter === '' ? rows : rows.filter(accepts);
  const column = spec.columns.find(({ id }) => id === state.sort?.column);
  if (column === undefined || kept.length < 2) return { rows: kept, total: rows.length, fault };
  const by = column.by ?? column.of;
  const keys = kept.map(row => by(row, now));
  const turn = state.sort?.descending === true ? -1 : 1;
  const places = Array.from(keys, (_, i) => i);
  // a stable sort
  places.sort((a, b) => compare(keys[a], keys[b]) * turn || a - b);
  return { rows: places.map(i => kept[i] as T), total: rows.length, fault };
}

function compare(a: number | string | undefined, b: number | string | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const left = String(a);
  const right = String(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Index of the cursor; for a removed row, its last index. */
export function cursorIn<T>(spec: ListSpec<T>, state: ListState, rows: readonly T[]): number {
  if (rows.length === 0) return -1;
  if (state.key === null) return 0;
  const hinted = rows[state.index];
  if (hinted !== undefined && spec.keyOf(hinted) === state.key) return state.index;
  const found = rows.findIndex(row => spec.keyOf(row) === state.key);
  return found >= 0 ? found : Math.min(state.index, rows.length - 1);
}

export interface Placed<T> {
  readonly column: Column<T>;
  /** Column from the left edge of the table. */
  readonly x: number;
  readonly width: number;
}

const GAP = 2;

/** Chooses the columns that fit, with position and width. */
export function placeColumns<T>(columns: readonly Column<T>[], width: number): Placed<T>[] {
  const shown = new Set(columns);
  const needed = (): number => [...shown].reduce((sum, column) => sum + column.width + GAP, -GAP);
  for (const column of [...columns].sort((a, b) => b.rank - a.rank)) {
    if (needed() <= width || shown.size === 1) break;
    shown.delete(column);
  }
  const kept = columns.filter(column => shown.has(column));
  let left = Math.max(0, width - needed());
  let shares = kept.reduce((sum, column) => sum + (column.grow ?? 0), 0);
  let x = 0;
  return kept.map(column => {
    const grow = column.grow ?? 0;
    const more = shares === 0 ? 0 : Math.floor((left * grow) / shares);
    left -= more;
    shares -= grow;
    const placed = { column, x, width: Math.min(column.width + more, Math.max(0, width - x)) };
    x += placed.width + GAP;
    return placed;
  });
}

/** First visible row, moved as little as needed to show the cursor within `height` rows. */
export function scrollTop(top: number, cursor: number, height: number, count: number): number {
  const last = Math.max(0, count - height);
  let next = Math.min(Math.max(0, top), last);
  if (cursor < next) next = Math.max(0, cursor);
  else if (cursor >= next + height) next = cursor - height + 1;
  return Math.min(next, last);
}
