// Cuts one page out of a list, filtered and sorted as asked, and makes the cursor that leads to the next.
import type { ListRequest, Page } from './control.ts';
import { ApiError } from './errors.ts';
import { type Direct, type Reader, readerOf } from './reader.ts';
import { FirstFew, type Place, type RowOrder, type Sort, type SortValue } from './sort.ts';

interface Position {
  /** Where the last item given stood. */
  at: number;
  /** Its key and those of the rows before it, nearest first: the list may move, and any of them go. */
  keys: readonly string[];
}

const KEYS_MAX = 4;

/**
 * The rows after `cursor`, at most `limit`, shown through `view`. A list may change between two pages: the last row given is looked for by
 * its key, first where it stood, then around there; when it has gone, the one before it, and so on; without all of them the page starts where it
 * stood. A sorted page starts at the values of
 * the last row given. Views are made for the page alone, unless the filter or the order needs a field that `direct` does not read.
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

/** The same of rows that are filtered and sorted already. */
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
    if (!first.wantsLooked()) continue; // cheaper than most filters
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
  const at = Math.min(position.at, rows.length); // anybody can make up a cursor
  for (const key of position.keys) {
    const found = nearest(rows, at, row => keyOf(row) === key);
    if (found !== null) return found + 1;
  }
  return at;
}

/** Looked for outwards from where it stood: most lists change a little at their ends. */
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

/** For lists that make their own cursors, too. */
export function badCursor(cause?: unknown): ApiError {
  const detail = 'not a cursor of this list in this order: take it from `next`, or leave it out to start over';
  return new ApiError('INVALID', `cursor: ${detail}`, { faults: [{ in: 'query', field: 'cursor', detail }], cause });
}
