// Reads the queries and hits of a recording, from journals and Parquet files.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { blockRows } from '../../measure/block-slices.ts';
import { parseSegmentFile, type SegmentName, segmentsAmong } from '../../measure/segment.ts';
import { type Workload, WorkloadReader, type WorkloadRow } from '../../measure/workload.ts';
import { journalContent } from '../segments/journal-frame.ts';

/** What is read of each table. */
const COLUMNS = { queries: ['guid', 'at_ms', 'text', 'urns'], hits: ['guid', 'source'] } as const;
type ReadTable = keyof typeof COLUMNS;

export class ReplayError extends Error {}

/** `path`: a folder of segments, or one segment of queries. Rejects with ReplayError. */
export async function readWorkload(path: string): Promise<Workload> {
  const segments = segmentsAt(path);
  const reader = new WorkloadReader();
  for (const table of ['queries', 'hits'] as const)
    for (const { file, segment } of segments) {
      if (segment.table !== table) continue;
      try {
        if (segment.kind === 'parquet') await readParquet(file, table, reader);
        else readJournal(file, table, reader);
      } catch (error) {
        if (error instanceof ReplayError) throw error;
        const text = error instanceof Error ? error.message : String(error);
        throw new ReplayError(`${file} is damaged or of another version (${text}): leave it out, or record again`);
      }
    }
  return reader.workload();
}

interface Found {
  readonly file: string;
  readonly segment: SegmentName;
}

function segmentsAt(path: string): Found[] {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind === undefined)
    throw new ReplayError(
      `there is no recording at ${path}: name a folder that "servent start --recording-mode files" wrote`,
    );
  if (kind.isDirectory()) {
    const segments = segmentsAmong(readdirSync(path)).map(({ file, segment }) => ({ file: join(path, file), segment }));
    if (segments.length === 0)
      throw new ReplayError(`${path} is no recording: it has no segments such as queries-00000001-0a1b2c3d.parquet`);
    return segments;
  }
  const segment = parseSegmentFile(basename(path));
  if (segment === null)
    throw new ReplayError(
      `${path} is no segment of a recording: name a file such as queries-00000001-0a1b2c3d.parquet, or the folder ${dirname(path)}`,
    );
  if (segment.table !== 'queries')
    throw new ReplayError(
      `${path} has the table ${segment.table}: name a segment of the table queries, or the folder ${dirname(path)}`,
    );
  return [{ file: path, segment }];
}

function take(reader: WorkloadReader, table: ReadTable, row: WorkloadRow): void {
  if (table === 'queries') reader.query(row);
  else reader.hit(row);
}

function readJournal(file: string, table: ReadTable, reader: WorkloadReader): void {
  const { blocks, broken } = journalContent(table, readFileSync(file));
  for (const block of blocks) for (const row of blockRows(block)) take(reader, table, row);
  if (table === 'queries') reader.unreadable(broken);
}

async function readParquet(file: string, table: ReadTable, reader: WorkloadReader): Promise<void> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const buffer = await asyncBufferFromFile(file);
  const metadata = await parquetMetadataAsync(buffer);
  const names = new Set(metadata.schema.map(({ name }) => name));
  const missing = COLUMNS[table].filter(name => !names.has(name));
  if (missing.length > 0)
    throw new ReplayError(
      `${file} is of another version: it has no column ${missing.join(', ')}. Use the version of servent that recorded it`,
    );
  // a group is read as a whole: for some of its rows the reader decodes all of it
  let rowStart = 0;
  for (const { num_rows: rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(rows);
    const read = await parquetReadObjects({
      ...{ file: buffer, metadata, columns: [...COLUMNS[table]] },
      ...{ rowStart, rowEnd },
    });
    for (const row of read) take(reader, table, row);
    rowStart = rowEnd;
  }
}
