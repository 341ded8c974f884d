// An open segment: blocks of rows are appended to a file and are on the disk when that returns. What cannot be written whole is cut off.
import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { RowBlock } from '../../measure/row-block.ts';
import type { TableName } from '../../measure/tables.ts';
import { type Author, encodeFrame } from './journal-frame.ts';

export class Journal {
  readonly path: string;
  rows = 0;
  bytes = 0;
  from: number | null = null;
  to: number | null = null;
  readonly #fd: number;
  readonly #table: TableName;
  readonly #author: Author;

  /** Throws when the file exists or cannot be made. */
  constructor(path: string, table: TableName, author: Author) {
    this.path = path;
    this.#table = table;
    this.#author = author;
    this.#fd = openSync(path, 'wx', 0o600);
  }

  /** Writes the rows of a block and waits for the disk; the block is empty then. Throws what the system says, with file and block as before. */
  append(block: RowBlock): void {
    const { rows, from, to } = block;
    const frame = encodeFrame(this.#table, block, this.#author, this.rows);
    try {
      for (let at = 0; at < frame.length; ) at += writeSync(this.#fd, frame, at, frame.length - at, this.bytes + at);
      fdatasyncSync(this.#fd);
    } catch (error) {
      ftruncateSync(this.#fd, this.bytes);
      throw error;
    }
    this.rows += rows;
    this.bytes += frame.length;
    this.from = Math.min(this.from ?? from, from);
    this.to = Math.max(this.to ?? to, to);
    block.clear();
  }

  close(): void {
    closeSync(this.#fd);
  }
}
