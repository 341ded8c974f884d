// Makes a Parquet file of a journal.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Block, numberAt } from '../../measure/block-slices.ts';
import { parquetParts } from '../../measure/parquet/parquet-parts.ts';
import { blockColumns } from '../../measure/row-block.ts';
import { UNFINISHED } from '../../measure/segment.ts';
import type { TableName } from '../../measure/tables.ts';
import { journalContent } from './journal-frame.ts';

export interface ParquetFacts {
  readonly rows: number;
  readonly from: number | null;
  readonly to: number | null;
}

/** Writes the rows of a journal that can be read. Throws what the system says. */
export function writeParquet(journal: string, parquet: string, table: TableName): ParquetFacts {
  return writeBlocks(journalContent(table, readFileSync(journal)).blocks, parquet, table);
}

/** Writes `parquet`, which gets its name when all of it is on the disk. Throws what the system says. */
export function writeBlocks(blocks: readonly Block[], parquet: string, table: TableName): ParquetFacts {
  const times = blockColumns(table).findIndex(({ name }) => name === 'at_ms');
  let rows = 0;
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const block of blocks) {
    rows += block.rows;
    const slice = block.slices[times];
    for (let row = 0; slice !== undefined && row < block.rows; row++) {
      const at = numberAt(slice, row);
      if (at < from) from = at;
      if (at > to) to = at;
    }
  }
  const facts = { rows, ...(rows === 0 ? { from: null, to: null } : { from, to }) };
  const parts = parquetParts(table, blocks, {
    'servent.table': table,
    'servent.from': String(facts.from ?? ''),
    'servent.to': String(facts.to ?? ''),
  });
  const unfinished = parquet + UNFINISHED;
  try {
    write(unfinished, Buffer.concat(parts));
    renameSync(unfinished, parquet);
    syncFolder(dirname(parquet));
    return facts;
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** Waits until all of a new file is on the disk. */
function write(path: string, bytes: Buffer): void {
  const fd = openSync(path, 'w', 0o600); // as journals: for the owner alone
  try {
    writeFileSync(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Waits until the names in a folder are on the disk; Windows opens no folders, and needs no such wait. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
