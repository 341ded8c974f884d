// Asks questions of the segments of recordings through DuckDB, which is loaded when it is first used.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { duckdb, duckdbView } from '../../measure/dialect.ts';
import type { Row, Value } from '../../measure/question.ts';
import { parseSegmentFile, segmentFile, segmentsAmong } from '../../measure/segment.ts';
import { tableNames } from '../../measure/tables.ts';
import { writeParquet } from '../segments/parquet-file.ts';
import { AnalysisError } from './analysis-error.ts';
import type { Engine } from './engine.ts';

/** Files may become Parquet files between being listed and being read. */
const TRIES = 3;

/** Of the engine, for a process that has other things to do. */
export interface Share {
  readonly threads: number;
  readonly memoryBytes: number;
}

/** `paths`: folders of recordings, and segments. Without a share it takes what the machine has. Rejects with AnalysisError. */
export async function openDuckDb(paths: readonly string[], share: Share | null = null): Promise<Engine> {
  const { DuckDBInstance } = await load();
  const options = share === null ? {} : { threads: `${share.threads}`, memory_limit: `${share.memoryBytes}B` };
  // What has no room in memory goes there, for the owner alone, not into the folder that the user happens to be in.
  const spill = mkdtempSync(join(tmpdir(), 'servent-analyse-'));
  const instance = await DuckDBInstance.create(':memory:', {
    ...options,
    temp_directory: spill,
    autoinstall_known_extensions: 'false', // it would fetch them from the network
  });
  const connection = await instance.connect();
  const close = async (): Promise<void> => {
    connection.closeSync();
    instance.closeSync();
    rmSync(spill, { recursive: true, force: true });
  };
  const read = async (sql: string): Promise<Row[]> => {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowObjectsJS().map(rowOf);
  };
  /** Of the tables that the question names: journals are copied for them. */
  const makeViews = async (sql: string): Promise<void> => {
    const files = segmentsOf(paths);
    for (const table of tableNames.filter(name => sql.includes(name))) {
      const own: string[] = [];
      for (const [i, { path, segment }] of files.entries()) {
        if (segment.table !== table) continue;
        if (segment.kind === 'parquet') own.push(path);
        else {
          // several folders may have a segment of the same name
          const copy = join(spill, `${i}-${segmentFile({ ...segment, kind: 'parquet' })}`);
          writeParquet(path, copy, table);
          own.push(copy);
          await nextTurn(); // a daemon has other things to do
        }
      }
      await connection.run(duckdbView(table, own));
    }
  };
  return {
    name: 'duckdb',
    dialect: duckdb,
    rows: async sql => {
      for (let attempt = 1; ; attempt++) {
        try {
          await makeViews(sql);
          return await read(sql);
        } catch (error) {
          const text = error instanceof Error ? error.message : String(error);
          const gone = /no files found|cannot open file|no such file/i.test(text);
          if (!gone || attempt === TRIES) throw error instanceof AnalysisError ? error : new AnalysisError(text);
        }
      }
    },
    stop: () => connection.interrupt(),
    close,
  };
}

async function load(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    throw new AnalysisError(
      'DuckDB is not installed: run "npm install" in the folder of servent without --omit=optional, or ask a ClickHouse server with --clickhouse URL',
      { cause },
    );
  }
}

function segmentsOf(
  paths: readonly string[],
): { path: string; segment: ReturnType<typeof segmentsAmong>[number]['segment'] }[] {
  return paths.flatMap(path => {
    const kind = statSync(path, { throwIfNoEntry: false });
    if (kind === undefined)
      throw new AnalysisError(
        `there is no recording at ${path}: start the servent with --recording-mode files, or name its folder with --recording`,
      );
    if (kind.isDirectory())
      return segmentsAmong(readdirSync(path)).map(({ file, segment }) => ({ path: join(path, file), segment }));
    const segment = parseSegmentFile(basename(path));
    if (segment === null)
      throw new AnalysisError(
        `${path} is no segment of a recording: name a file such as queries-00000001-0a1b2c3d.parquet, or the folder ${dirname(path)}`,
      );
    return [{ path, segment }];
  });
}

function rowOf(row: Record<string, unknown>): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]));
}

function plain(value: unknown): Value {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' || typeof value === 'number' ? value : value === null ? null : String(value);
}
