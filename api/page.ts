// Returns one page of a list, filtered and sorted, with the cursor of the next page.
import type { ListRequest, Page } from './control.ts';
import { ApiError } from './errors.ts';
import { type Direct, type Reader, readerOf } from './reader.ts';
import { FirstFew, type Place, type RowOrder, type Sort, type SortValue } from './sort.ts';

interface Position {
  /** Index of the last returned row. */
  at: number;
  /** Its key and the keys of the rows before it, nearest first: any of them may have moved or gone. */
  keys: readonly string[];
}

const KEYS_MAX = 4;

/**
 * Returns at most `limit` rows after `cursor` through `view`. As a list may change between two pages, an unsorted page searches the last
 * returned row by its key outwards from its old index, then the rows before it; without any it starts at the old index. A sorted page
 * starts after the values of the last returned row.
 * Views of other rows are only made when filter or order need a field that `direct` does not read.
 */
export function pageOf<R, T>(
  rows: readonly R[],
  request: ListRequest,
  keyOf: (row: R) => string,
  view: (row: R) => T,
  direct: Direct<R> = {},
): Page<T> {
  const reader = readerOf(view, direct);
  const accepts = request.filter?.compile(reader) ?? null;
  const listing: Listing<R> = { rows, request, keyOf, accepts };
  const { items, next } =
    request.sort === undefined ? nextInPlace(listing) : nextInOrder(listing, request.sort, reader);
  return { items: items.map(view), next };
}

/** Returns a page of rows that are already filtered and sorted. */
export function pageInOrder<R, T>(
  rows: readonly R[],
  { cursor, limit }: ListRequest,
  sort: Sort,
  keyOf: (row: R) => string,
  view: (row: R) => T,
  direct: Direct<R>,
): Page<T> {
  const order: RowOrder<R> = sort.compile(readerOf(view, direct));
  const start = cursor === undefined ? 0 : firstBehind(rows, parsePlace(cursor, sort), order, keyOf);
  const items = rows.slice(start, start + limit);
  const last = items.at(-1);
  if (last === undefined || start + limit >= rows.length) return { items: items.map(view), next: null };
  order.look(last);
  return { items: items.map(view), next: cursorBehind(sort, order.placeOfLooked(keyOf(last))) };
}

function firstBehind<R>(rows: readonly R[], place: Place, order: RowOrder<R>, keyOf: (row: R) => string): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    order.look(rows[middle] as R);
    if (order.compareLooked(keyOf, place) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Listing<R> {
  rows: readonly R[];
  request: ListRequest;
  keyOf: (row: R) => string;
  accepts: ((row: R) => boolean) | null;
}

function nextInPlace<R>({ rows, request, keyOf, accepts }: Listing<R>): Page<R> {
  const { cursor, limit } = request;
  const start = cursor === undefined ? 0 : startAfter(rows, parsePosition(cursor), keyOf);
  const items: R[] = [];
  let last = start;
  for (let at = start; at < rows.length; at++) {
    const row = rows[at] as R;
    if (accepts !== null && !accepts(row)) continue;
    if (items.length === limit) return { items, next: cursorAt(rows, last, keyOf) };
    items.push(row);
    last = at;
  }
  return { items, next: null };
}

function nextInOrder<R>({ rows, request, keyOf, accepts }: Listing<R>, sort: Sort, reader: Reader<R>): Page<R> {
  const order: RowOrder<R> = sort.compile(reader);
  const after = request.cursor === undefined ? null : parsePlace(request.cursor, sort);
  const first = new FirstFew(request.limit, order, keyOf);
  for (const row of rows) {
    order.look(row);
    if (!first.wantsLooked()) continue; // cheaper than the filter
    if (after !== null && order.compareLooked(keyOf, after) <= 0) continue;
    if (accepts === null || accepts(row)) first.offer(row);
  }
  const placed = first.inOrder();
  const last = placed.at(-1)?.place;
  return {
    items: placed.map(({ row }) => row),
    next: first.overflowed && last !== undefined ? cursorBehind(sort, last) : null,
  };
}

const cursorBehind = (sort: Sort, { values, key }: Place): string => encode(JSON.stringify([sort.text, values, key]));

function cursorAt<R>(rows: readonly R[], at: number, keyOf: (row: R) => string): string {
  const keys = rows.slice(Math.max(0, at + 1 - KEYS_MAX), at + 1).map(keyOf);
  return encode(JSON.stringify([at, ...keys.reverse()]));
}

function startAfter<R>(rows: readonly R[], position: Position, keyOf: (row: R) => string): number {
  const at = Math.min(position.at, rows.length); // a forged cursor may have any index
  for (const key of position.keys) {
    const found = nearest(rows, at, row => keyOf(row) === key);
    if (found !== null) return found + 1;
  }
  return at;
}

/** Finds the nearest matching row outwards from `at`. */
function nearest<R>(rows: readonly R[], at: number, is: (row: R) => boolean): number | null {
  const isAt = (index: number): boolean => index >= 0 && index < rows.length && is(rows[index] as R);
  const farthest = Math.max(at, rows.length - at);
  for (let distance = 0; distance <= farthest; distance++) {
    if (isAt(at + distance)) return at + distance;
    if (isAt(at - distance)) return at - distance;
  }
  return null;
}

const encode = (text: string): string => Buffer.from(text).toString('base64url');
const decode = (cursor: string): string => Buffer.from(cursor, 'base64url').toString();

function parsePosition(cursor: string): Position {
  const [at, ...keys] = parseCursor(cursor);
  const named = keys.length > 0 && keys.length <= KEYS_MAX && keys.every(key => typeof key === 'string');
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0 || !named) throw badCursor();
  return { at, keys };
}

function parseCursor(cursor: string): unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decode(cursor));
  } catch (cause) {
    throw badCursor(cause);
  }
  if (!Array.isArray(parsed)) throw badCursor();
  return parsed;
}

function parsePlace(cursor: string, sort: Sort): Place {
  const [text, values, key] = parseCursor(cursor);
  if (text !== sort.text || typeof key !== 'string' || !isPlace(values, sort.keys.length)) throw badCursor();
  return { values, key };
}

function isPlace(values: unknown, length: number): values is SortValue[] {
  return (
    Array.isArray(values) &&
    values.length === length &&
    values.every(value => value === null || typeof value === 'string' || typeof value === 'number')
  );
}

/** Error for an invalid cursor. */
export function badCursor(cause?: unknown): ApiError {
  const detail = 'not a cursor of this list in this order: use `next` of the last page, or none for the first page';
  return new ApiError('INVALID', `cursor: ${detail}`, { faults: [{ in: 'query', field: 'cursor', detail }], cause });
}
