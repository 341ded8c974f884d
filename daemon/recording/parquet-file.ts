// Makes a Parquet file of a closed journal, a group of rows at a time, so that the thread can write rows in between.
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UNFINISHED } from '../../measure/segment.ts';
import { type ColumnType, type TableName, tables } from '../../measure/tables.ts';
import { journalPieces } from './journal-lines.ts';

/** Rows of a group: about 40 ms of work. */
const GROUP_ROWS = 8_192;

const TYPES = { text: 'STRING', integer: 'INT64', small: 'INT32' } as const satisfies Record<ColumnType, string>;
/** Columns of random digits: dictionary, compression and bounds would only cost time. */
const RANDOM = new Set(['guid', 'source']);
const SMALL_MAX = 2 ** 31 - 1;
const AS_IT_IS = { encoding: 'PLAIN', codec: 'UNCOMPRESSED', statistics: false } as const;

export interface ParquetFacts {
  rows: number;
  /** Lines of the journal that were not whole. */
  broken: number;
  from: number | null;
  to: number | null;
}

/** Writes `parquet`; each step is a group. It gets its name when all of it is on the disk. Throws what the system says. */
export async function* writeParquet(
  journal: string,
  parquet: string,
  table: TableName,
): AsyncGenerator<void, ParquetFacts> {
  const { fileWriter, ParquetWriter, schemaFromColumnData } = await import('hyparquet-writer');
  const unfinished = parquet + UNFINISHED;
  const facts: ParquetFacts = { rows: 0, broken: 0, from: null, to: null };
  const columns = Object.entries<{ type: ColumnType }>(tables[table].columns);
  const columnsOf = (rows: readonly Record<string, unknown>[]) =>
    columns.map(([name, { type }]) => ({
      name,
      type: TYPES[type],
      nullable: false,
      data: valuesOf(rows, name, type),
      ...(RANDOM.has(name) ? AS_IT_IS : {}),
    }));
  try {
    const kvMetadata = [{ key: 'servent.table', value: table }];
    const schema = schemaFromColumnData({ columnData: columnsOf([]) });
    writeFileSync(unfinished, '', { mode: 0o600 }); // as journals: for the owner alone
    const writer = new ParquetWriter({ writer: fileWriter(unfinished), schema, kvMetadata });
    for (const { rows, broken } of journalPieces(journal, GROUP_ROWS)) {
      facts.broken += broken;
      if (rows.length === 0) continue;
      for (const { at_ms: at } of rows) {
        if (typeof at !== 'number') continue;
        facts.from = Math.min(facts.from ?? at, at);
        facts.to = Math.max(facts.to ?? at, at);
      }
      facts.rows += rows.length;
      await writer.write({ columnData: columnsOf(rows), rowGroupSize: GROUP_ROWS });
      yield;
    }
    writer.kvMetadata = [
      ...kvMetadata,
      ...Object.entries({ from: facts.from, to: facts.to }).map(([key, value]) => ({
        key: `servent.${key}`,
        value: String(value ?? ''),
      })),
    ];
    await writer.finish();
    sync(unfinished);
    renameSync(unfinished, parquet);
    syncFolder(dirname(parquet));
    return facts;
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

type Rows = readonly Readonly<Record<string, unknown>>[];

/** A column; typed arrays leave no object a value to be collected. What has another type than declared is empty or 0. */
function valuesOf(rows: Rows, name: string, type: ColumnType): string[] | BigInt64Array | Int32Array {
  if (type === 'text')
    return rows.map(row => {
      const value = row[name];
      return typeof value === 'string' ? value : '';
    });
  const numbers = type === 'integer' ? new BigInt64Array(rows.length) : new Int32Array(rows.length);
  for (const [i, row] of rows.entries()) {
    const value = row[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) continue;
    if (numbers instanceof BigInt64Array) numbers[i] = BigInt(value);
    else numbers[i] = Math.max(-SMALL_MAX, Math.min(value, SMALL_MAX));
  }
  return numbers;
}

/** Waits until a file is on the disk. */
function sync(path: string): void {
  const fd = openSync(path, 'r+');
  try {
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
