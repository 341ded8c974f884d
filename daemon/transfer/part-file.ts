// Stores the bytes of an unfinished download: a sparse file and the set of ranges that are written in it. Who puts bytes sees to it
// that no two puts of the same bytes are under way.
import { writev } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RangeSet } from '../../protocol/transfer/range-set.ts';
import { Slab } from '../net/slab.ts';
import { diskError } from './disk-error.ts';

export const PART_SUFFIX = '.part';
/** Files whose hashes contradict each other. */
export const quarantineFolder = (downloads: string): string => join(partsFolder(downloads), 'quarantine');
export const partsFolder = (downloads: string): string => join(downloads, '.incomplete');

/** Most bytes queued for writing; above it put() says that there is no room. */
const QUEUED_BYTES_MAX = 8 << 20;
/** Most buffers written in one call. */
const RUN_BUFFERS_MAX = 64;

interface Run {
  readonly start: number;
  end: number;
  readonly buffers: Buffer[];
}

export class PartFile {
  readonly path: string;
  /** Written, and not dropped since. */
  readonly done: RangeSet;
  /** Bytes have been written. */
  onWritten: ((start: number, end: number) => void) | null = null;
  readonly #handle: FileHandle;
  /** By their ends, in order of arrival; QUEUED_BYTES_MAX together and one chunk a source. */
  readonly #runs = new Map<number, Run>();
  #queuedBytes = 0;
  #writing: Promise<void> | null = null;
  #failure: Error | null = null;
  /** Told when there is room. */
  #waiting: (() => void)[] = [];

  private constructor(path: string, handle: FileHandle, done: RangeSet) {
    this.path = path;
    this.#handle = handle;
    this.done = done;
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

  /** Of the open file. */
  get fd(): number {
    return this.#handle.fd;
  }

  /** Queues `chunk`, which must not change until it is written, and whose memory is a slab's no longer then. False: await room() before the next. Throws DiskError when a write failed. */
  put(offset: number, chunk: Buffer): boolean {
    if (this.#failure !== null) throw this.#failure;
    const end = offset + chunk.length;
    this.#queuedBytes += chunk.length;
    const run = this.#runs.get(offset);
    if (run !== undefined && run.buffers.length < RUN_BUFFERS_MAX) {
      this.#runs.delete(offset);
      append(run.buffers, chunk);
      run.end = end;
      this.#runs.set(end, run);
    } else this.#runs.set(end, { start: offset, end, buffers: [chunk] });
    this.#writing ??= this.#write();
    return this.#queuedBytes <= QUEUED_BYTES_MAX;
  }

  /** Resolves when put() may be called again. Throws DiskError. */
  async room(): Promise<void> {
    while (this.#writing !== null && this.#queuedBytes > QUEUED_BYTES_MAX / 2)
      await new Promise<void>(told => this.#waiting.push(told));
    if (this.#failure !== null) throw this.#failure;
  }

  /** Resolves when all queued bytes are written. Throws DiskError. */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
    if (this.#failure !== null) throw this.#failure;
  }

  /** These bytes are wrong: they count as not written. */
  drop(start: number, end: number): void {
    this.done.remove(start, end);
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

  read(buffer: Buffer, position: number): Promise<{ bytesRead: number }> {
    return this.#handle.read(buffer, 0, buffer.length, position);
  }

  async close(): Promise<void> {
    this.#runs.clear();
    while (this.#writing !== null) await this.#writing;
    await this.#handle.close();
  }

  /** Writes the queue, one write at a time. Never rejects: the next call of the part file throws the error. */
  async #write(): Promise<void> {
    try {
      for (let run = this.#next(); run !== null; run = this.#next()) {
        await writeWhole(this.#handle, run);
        for (const buffer of run.buffers) Slab.written(buffer);
        this.#queuedBytes -= run.end - run.start;
        this.done.add(run.start, run.end);
        this.onWritten?.(run.start, run.end);
        if (this.#queuedBytes <= QUEUED_BYTES_MAX / 2) this.#tellWaiting();
      }
    } catch (error) {
      this.#failure = diskError(error, dirname(this.path));
      this.#runs.clear();
      this.#queuedBytes = 0;
    } finally {
      this.#writing = null;
      this.#tellWaiting();
    }
  }

  #next(): Run | null {
    for (const [end, run] of this.#runs) {
      this.#runs.delete(end);
      return run;
    }
    return null;
  }

  #tellWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const told of waiting) told();
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

/** Buffers that follow each other in memory become one. */
function append(buffers: Buffer[], chunk: Buffer): void {
  const last = buffers.at(-1);
  if (last === undefined || last.buffer !== chunk.buffer || last.byteOffset + last.length !== chunk.byteOffset)
    buffers.push(chunk);
  else buffers[buffers.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + chunk.length);
}

async function writeWhole(handle: FileHandle, run: Run): Promise<void> {
  // by callback: each promise of Node.js for a file costs memory outside its heap
  const bytesWritten = await new Promise<number>((written, failed) => {
    writev(handle.fd, run.buffers, run.start, (error, bytes) => (error === null ? written(bytes) : failed(error)));
  });
  if (bytesWritten === run.end - run.start) return;
  // a nearly full disk writes only a part; writing the rest reports the error
  const rest = Buffer.concat(run.buffers).subarray(bytesWritten);
  for (let at = 0; at < rest.length; ) {
    const more = await handle.write(rest, at, rest.length - at, run.start + bytesWritten + at);
    at += more.bytesWritten;
  }
}
