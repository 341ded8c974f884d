// Holds the rows of the files of each word in ascending order. A list of up to 1,024 rows is one run of cells. A longer list is divided
// into chunks of at most 1,024 rows, which bounds the cost of insertion and deletion.
import { CellRuns, RUN_BITS_MAX } from './cell-runs.ts';
import { Column } from './column.ts';
import { type Chunk, PostingCursor } from './posting-cursor.ts';

const CHUNK_CELLS = 1 << RUN_BITS_MAX;
/** Marks a list of chunks. */
const CHUNKED = 15;

export class PostingLists {
  readonly #runs = new CellRuns();
  /** By list: place of its run, number of rows, log2 of the cells of its run. */
  readonly #places = new Column(Uint32Array);
  readonly #lengths = new Column(Uint32Array);
  readonly #bits = new Column(Uint8Array);
  /** Chunks of long lists, in order; none is empty. */
  readonly #chunks = new Map<number, Chunk[]>();

  /** Number of cells allocated to lists. */
  get cells(): number {
    return this.#runs.cells;
  }

  /** Number of rows; 0 for an unknown list. */
  length(list: number): number {
    return this.#lengths.get(list);
  }

  /** The rows of a list, none for an unknown one; valid until the next change. */
  cursor(list: number): PostingCursor {
    return new PostingCursor(this.#runs, this.#chunksOf(list));
  }

  #chunksOf(list: number): readonly Chunk[] {
    if (this.#bits.get(list) === CHUNKED) return this.#chunks.get(list) ?? [];
    const length = this.length(list);
    return length === 0 ? [] : [{ place: this.#places.get(list), length, first: 0 }];
  }

  insert(list: number, row: number): void {
    const length = this.length(list);
    this.#lengths.set(list, length + 1);
    let bits = this.#bits.get(list);
    if (bits === CHUNKED) {
      this.#insertChunked(list, row);
      return;
    }
    if (length === 0) {
      bits = 0;
      this.#bits.set(list, 0);
      this.#places.set(list, this.#runs.take(0));
    } else if (length === 1 << bits) {
      if (bits === RUN_BITS_MAX) {
        const place = this.#places.get(list);
        this.#chunks.set(list, [{ place, length, first: this.#view(place, 1)[0] ?? 0 }]);
        this.#bits.set(list, CHUNKED);
        this.#insertChunked(list, row);
        return;
      }
      this.#move(list, bits + 1);
    }
    this.#insertAt(this.#places.get(list), length, row);
  }

  /** Deletes a row. An empty list frees its cells. */
  delete(list: number, row: number): void {
    const length = this.length(list);
    if (length === 0) return;
    if (this.#bits.get(list) === CHUNKED) {
      this.#deleteChunked(list, row);
      return;
    }
    const place = this.#places.get(list);
    if (!this.#deleteAt(place, length, row)) return;
    this.#lengths.set(list, length - 1);
    const bits = this.#bits.get(list);
    if (length === 1) {
      this.#runs.give(place);
      this.#places.set(list, 0);
      this.#bits.set(list, 0);
    } else if (bits > 1 && length - 1 <= 1 << (bits - 2)) this.#move(list, bits - 1);
  }

  #insertChunked(list: number, row: number): void {
    const chunks = this.#chunks.get(list) ?? [];
    const at = chunkOf(chunks, row);
    let chunk = chunks[at];
    if (chunk === undefined) return;
    if (chunk.length === CHUNK_CELLS) {
      const last = this.#view(chunk.place, CHUNK_CELLS)[CHUNK_CELLS - 1] ?? 0;
      // Rows added in order leave full chunks behind.
      const kept = at === chunks.length - 1 && last < row ? CHUNK_CELLS : CHUNK_CELLS / 2;
      const next = { place: this.#runs.take(RUN_BITS_MAX), length: CHUNK_CELLS - kept, first: row };
      if (kept < CHUNK_CELLS) {
        const upper = this.#view(chunk.place, CHUNK_CELLS).subarray(kept);
        this.#view(next.place, CHUNK_CELLS).set(upper);
        next.first = upper[0] ?? 0;
      }
      chunk.length = kept;
      chunks.splice(at + 1, 0, next);
      if (row >= next.first) chunk = next;
    }
    this.#insertAt(chunk.place, chunk.length, row);
    chunk.length++;
    chunk.first = Math.min(chunk.first, row);
  }

  #deleteChunked(list: number, row: number): void {
    const chunks = this.#chunks.get(list) ?? [];
    const at = chunkOf(chunks, row);
    const chunk = chunks[at];
    if (chunk === undefined || !this.#deleteAt(chunk.place, chunk.length, row)) return;
    this.#lengths.set(list, this.length(list) - 1);
    chunk.length--;
    if (chunk.length > 0) {
      chunk.first = this.#view(chunk.place, 1)[0] ?? 0;
      this.#join(chunks, at);
    } else {
      this.#runs.give(chunk.place);
      chunks.splice(at, 1);
    }
    const [only] = chunks;
    if (only === undefined || chunks.length > 1 || only.length > CHUNK_CELLS / 2) return;
    this.#chunks.delete(list);
    this.#bits.set(list, RUN_BITS_MAX);
    this.#places.set(list, only.place);
  }

  /** Joins a chunk with the next one when they fill at most half a chunk. */
  #join(chunks: Chunk[], at: number): void {
    const [chunk, next] = [chunks[at], chunks[at + 1]];
    if (chunk === undefined || next === undefined || chunk.length + next.length > CHUNK_CELLS / 2) return;
    this.#view(chunk.place, CHUNK_CELLS).set(this.#view(next.place, next.length), chunk.length);
    chunk.length += next.length;
    this.#runs.give(next.place);
    chunks.splice(at + 1, 1);
  }

  #view(place: number, length: number): Uint32Array {
    const offset = this.#runs.offset(place);
    return this.#runs.pageOf(place).subarray(offset, offset + length);
  }

  /** Moves a list to a run of another length. */
  #move(list: number, bits: number): void {
    const place = this.#places.get(list);
    const to = this.#runs.take(bits);
    const rows = this.#view(place, Math.min(this.length(list), 1 << this.#bits.get(list), 1 << bits));
    this.#runs.pageOf(to).set(rows, this.#runs.offset(to));
    this.#runs.give(place);
    this.#places.set(list, to);
    this.#bits.set(list, bits);
  }

  /** Inserts into a run with a free cell. */
  #insertAt(place: number, length: number, row: number): void {
    const cells = this.#runs.pageOf(place);
    const start = this.#runs.offset(place);
    const end = start + length;
    if (length === 0 || (cells[end - 1] ?? 0) < row) cells[end] = row;
    else {
      const at = lowerBound(cells, start, end, row);
      cells.copyWithin(at + 1, at, end);
      cells[at] = row;
    }
  }

  #deleteAt(place: number, length: number, row: number): boolean {
    const cells = this.#runs.pageOf(place);
    const start = this.#runs.offset(place);
    const end = start + length;
    const at = cells[end - 1] === row ? end - 1 : lowerBound(cells, start, end, row);
    if (at === end || cells[at] !== row) return false;
    if (at < end - 1) cells.copyWithin(at, at + 1, end);
    return true;
  }
}

/** The last chunk whose first row is not above `row`, else the first chunk. */
function chunkOf(chunks: readonly Chunk[], row: number): number {
  let low = 0;
  let high = chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((chunks[middle]?.first ?? 0) <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

function lowerBound(ascending: Uint32Array, start: number, end: number, value: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
