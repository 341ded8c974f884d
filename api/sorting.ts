// Sorts many rows in small steps between which the event loop can run.
import type { RowOrder, SortValue } from './sort.ts';

/** Rows read or moved in one step, at most 1 ms. */
const PIECE_ROWS = 2048;
/** Rows of a run; sorted runs are merged. */
const RUN_ROWS = 1024;

/** Yields after each step and returns the accepted rows in order. Does not change `rows`. */
export function* sorting<R>(
  rows: readonly R[],
  accepts: ((row: R) => boolean) | null,
  order: RowOrder<R>,
  keyOf: (row: R) => string,
): Generator<void, R[]> {
  const taken: R[] = [];
  const values: (readonly SortValue[])[] = [];
  for (let at = 0; at < rows.length; at++) {
    if (at % PIECE_ROWS === PIECE_ROWS - 1) yield;
    const row = rows[at] as R;
    if (accepts !== null && !accepts(row)) continue;
    order.look(row);
    values.push(order.placeOfLooked('').values);
    taken.push(row);
  }
  const keys: string[] = []; // read only for equal rows
  const keyAt = (index: number): string => (keys[index] ??= keyOf(taken[index] as R));
  const compare = (a: number, b: number): number =>
    order.compareValues(values[a] ?? [], values[b] ?? []) || (keyAt(a) < keyAt(b) ? -1 : 1);
  const sorted = yield* mergeSorted(taken.length, compare);
  const out: R[] = [];
  for (const index of sorted) out.push(taken[index] as R);
  return out;
}

/** Sorts the indices below `count`. */
function* mergeSorted(count: number, compare: (a: number, b: number) => number): Generator<void, Uint32Array> {
  let from = new Uint32Array(count);
  for (let i = 0; i < count; i++) from[i] = i;
  for (let start = 0; start < count; start += RUN_ROWS) {
    from.subarray(start, start + RUN_ROWS).sort(compare);
    yield;
  }
  let to = new Uint32Array(count);
  for (let width = RUN_ROWS; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const middle = Math.min(start + width, count);
      const end = Math.min(start + 2 * width, count);
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        if (at % PIECE_ROWS === 0) yield;
        const [a = 0, b = 0] = [from[left], from[right]];
        const isLeft = left < middle && (right >= end || compare(a, b) <= 0);
        to[at] = isLeft ? a : b;
        if (isLeft) left++;
        else right++;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}
