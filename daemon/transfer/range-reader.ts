// Reads one file: in the thread pool, or in this thread while its bytes come from the page cache, which saves the way to the pool and back.
import { readSync } from 'node:fs';
import { type FileHandle, statfs } from 'node:fs/promises';
import type { DiskWatch } from './disk-watch.ts';
import type { Turns } from './turns.ts';

/** Types of file systems for which the kernel counts blocks read from disk at the process that asks: ext2 to 4, XFS, Btrfs, F2FS, tmpfs. */
const COUNTED_TYPES = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x01021994]);

export class RangeReader {
  readonly #file: Pick<FileHandle, 'fd' | 'read'>;
  readonly #disk: DiskWatch;
  readonly #turns: Turns;
  readonly #isCounted: (fd: number) => Promise<boolean>;
  /** Whether disk reads of this file are counted; null: not known yet. */
  #counted: boolean | null = null;
  /** Whether the last read was answered by the page cache. */
  #cached = false;

  /** `turns`, `disk`: shared by all readers. */
  constructor(file: Pick<FileHandle, 'fd' | 'read'>, disk: DiskWatch, turns: Turns, isCounted = readsAreCounted) {
    this.#file = file;
    this.#disk = disk;
    this.#turns = turns;
    this.#isCounted = isCounted;
  }

  /** Reads until the buffer is full or the file ends; resolves with the bytes read. `more`: further reads follow, which need not wait for a limit. */
  async read(buffer: Buffer, position: number, more: boolean): Promise<number> {
    if (!more) return this.#fill(buffer, position); // too little to learn from
    this.#counted ??= await this.#isCounted(this.#file.fd);
    if (!this.#counted) return this.#fill(buffer, position);
    if (this.#cached && this.#disk.quiet) {
      await this.#turns.next(); // one such read a turn, of all uploads
      const before = this.#disk.look();
      const got = fillNow(this.#file.fd, buffer, position);
      this.#cached = this.#disk.look() === before;
      return got;
    }
    const before = this.#disk.look();
    const got = await this.#fill(buffer, position);
    this.#cached = this.#disk.look() === before;
    return got;
  }

  async #fill(buffer: Buffer, position: number): Promise<number> {
    let got = 0;
    while (got < buffer.length) {
      const { bytesRead } = await this.#file.read(buffer, got, buffer.length - got, position + got);
      if (bytesRead === 0) break;
      got += bytesRead;
    }
    return got;
  }
}

function fillNow(fd: number, buffer: Buffer, position: number): number {
  let got = 0;
  while (got < buffer.length) {
    const bytesRead = readSync(fd, buffer, got, buffer.length - got, position + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return got;
}

/** False where it cannot be known: network file systems, FUSE, systems other than Linux. */
async function readsAreCounted(fd: number): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  return statfs(`/proc/self/fd/${fd}`).then(
    ({ type }) => COUNTED_TYPES.has(type),
    () => false,
  );
}
