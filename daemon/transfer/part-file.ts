// Stores the bytes of an unfinished download: a sparse file and the set of ranges in it.
//
// A byte is in at most one of three sets, and moves from left to right only:
//   claimed (passed to put()) > done (written) > returned by checkpoint() (safe after a crash).
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ByteRange, RangeSet } from '../../protocol/transfer/range-set.ts';
import { diskError } from './disk-error.ts';

export const PART_SUFFIX = '.part';
export const partsFolder = (downloads: string): string => join(downloads, '.incomplete');

/** Most bytes queued for writing; above it put() returns a promise to wait for. */
const QUEUED_BYTES_MAX = 4 << 20;
/** Most buffers written in one call. */
const RUN_BUFFERS_MAX = 64;

interface Run {
  readonly start: number;
  end: number;
  readonly buffers: Buffer[];
}

export class PartFile {
  readonly path: string;
  /** Written. */
  readonly done: RangeSet;
  readonly #handle: FileHandle;
  readonly #claimed: RangeSet;
  /** At most QUEUED_BYTES_MAX and one chunk. */
  #runs: Run[] = [];
  #queuedBytes = 0;
  #writing: Promise<void> | null = null;
  #failure: Error | null = null;

  private constructor(path: string, handle: FileHandle, done: RangeSet) {
    this.path = path;
    this.#handle = handle;
    this.done = done;
    this.#claimed = done.clone();
  }

  /** Creates or opens the file. `ranges` beyond the end of an existing file are dropped. Throws DiskError. */
  static async open(path: string, ranges: RangeSet): Promise<PartFile> {
    try {
      const handle = await openOrMake(path);
      const { size } = await handle.stat();
      const done = ranges.clone();
      done.remove(size, Number.MAX_SAFE_INTEGER);
      return new PartFile(path, handle, done);
    } catch (error) {
      throw diskError(error, dirname(path));
    }
  }

  /**
   * Queues the missing bytes of `chunk`, which must not change until written. A returned promise must be awaited before the next call.
   * Throws DiskError when an earlier write failed.
   */
  put(offset: number, chunk: Buffer): Promise<void> | null {
    if (this.#failure !== null) throw this.#failure;
    const end = offset + chunk.length;
    for (let at = offset; at < end; ) {
      const gap = this.#claimed.gapWithin(at, end);
      if (gap === null) break;
      this.#queue(gap, chunk.subarray(gap.start - offset, gap.end - offset));
      at = gap.end;
    }
    if (this.#runs.length > 0) this.#writing ??= this.#write();
    return this.#queuedBytes > QUEUED_BYTES_MAX ? this.flush() : null;
  }

  /** Resolves when all queued bytes are written. Throws DiskError. */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
    if (this.#failure !== null) throw this.#failure;
  }

  /** Syncs the file; resolves with the ranges that are safe on the disk. Throws DiskError. */
  async checkpoint(): Promise<RangeSet> {
    const safe = this.done.clone();
    try {
      await this.#handle.datasync();
    } catch (error) {
      throw diskError(error, dirname(this.path));
    }
    return safe;
  }

  /** Truncates the file to `size`: an earlier attempt may have assumed a larger one. Throws DiskError. */
  async finish(size: number): Promise<void> {
    await this.flush();
    try {
      await this.#handle.truncate(size);
      await this.#handle.sync();
    } catch (error) {
      throw diskError(error, dirname(this.path));
    }
  }

  /** Drops all bytes and ranges. Throws DiskError. */
  async discard(): Promise<void> {
    await this.flush();
    this.#claimed.clear();
    this.done.clear();
    try {
      await this.#handle.truncate(0);
    } catch (error) {
      throw diskError(error, dirname(this.path));
    }
  }

  read(buffer: Buffer, position: number): Promise<{ bytesRead: number }> {
    return this.#handle.read(buffer, 0, buffer.length, position);
  }

  async close(): Promise<void> {
    this.#runs = [];
    while (this.#writing !== null) await this.#writing;
    await this.#handle.close();
  }

  #queue({ start, end }: ByteRange, bytes: Buffer): void {
    this.#claimed.add(start, end);
    this.#queuedBytes += bytes.length;
    const last = this.#runs.at(-1);
    if (last !== undefined && last.end === start && last.buffers.length < RUN_BUFFERS_MAX) {
      last.buffers.push(bytes);
      last.end = end;
    } else this.#runs.push({ start, end, buffers: [bytes] });
  }

  /** Writes the queue, one write at a time. Never rejects: the next call of the part file throws the error. */
  async #write(): Promise<void> {
    try {
      for (let run = this.#runs.shift(); run !== undefined; run = this.#runs.shift()) {
        await writeWhole(this.#handle, run);
        this.done.add(run.start, run.end);
        this.#queuedBytes -= run.end - run.start;
      }
    } catch (error) {
      this.#failure = diskError(error, dirname(this.path));
      this.#runs = [];
      this.#queuedBytes = 0;
    } finally {
      this.#writing = null;
    }
  }
}

async function openOrMake(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return open(path, 'w+');
  }
}

async function writeWhole(handle: FileHandle, run: Run): Promise<void> {
  const { bytesWritten } = await handle.writev(run.buffers, run.start);
  if (bytesWritten === run.end - run.start) return;
  // a nearly full disk writes only a part; writing the rest reports the error
  const rest = Buffer.concat(run.buffers).subarray(bytesWritten);
  for (let at = 0; at < rest.length; ) {
    const more = await handle.write(rest, at, rest.length - at, run.start + bytesWritten + at);
    at += more.bytesWritten;
  }
}
