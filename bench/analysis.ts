// How long questions to large recordings take: top-words and zipf over a million and ten million queries in Parquet files, by DuckDB.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { analyse } from '../daemon/analysis/analysis.ts';
import { openDuckDb } from '../daemon/analysis/duckdb.ts';
import { segmentFile } from '../measure/segment.ts';

export const about = 'analysis: top-words and zipf over 1 and 10 million recorded queries of three words, by DuckDB';

const MILLIONS = [1, 10] as const;
const WORDS = 20_000;
/** About as many as a segment of 16 MiB has. */
const GROUP_ROWS = 150_000;

export async function run(): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'servent-bench-analysis-'));
  const result: Record<string, unknown> = { words: WORDS };
  try {
    let made = 0;
    for (const millions of MILLIONS) {
      for (; made < millions; made++) await makeMillion(folder, made);
      for (const question of ['top-words', 'zipf'] as const) {
        const engine = await openDuckDb([folder]);
        const before = process.cpuUsage();
        const { seconds, rows } = await analyse(engine, question, 50);
        const { user, system } = process.cpuUsage(before);
        await engine.close();
        result[`${question} ${millions}M`] = {
          seconds: Number(seconds.toFixed(2)),
          processor: Number(((user + system) / 1e6).toFixed(2)),
          first: rows[0],
        };
      }
    }
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A segment of a million queries; the word of rank r is drawn with a probability near 1/r, so that the exponent is near 1. */
async function makeMillion(folder: string, number: number): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const word = `'word' || CAST(floor(exp(ln(${WORDS + 1}) * random())) AS INTEGER)`;
  const first = number * 1_000_000;
  const name = segmentFile({ table: 'queries', number: number + 1, run: '0a1b2c3d', kind: 'parquet' });
  await connection.run(
    `COPY (SELECT '${'ab'.repeat(16)}' AS servent, '0a1b2c3d' AS run, n + ${first} AS seq, 1700000000000 + n AS at_ms, ` +
      `CAST(3 AS INTEGER) AS link, md5(CAST(n + ${first} AS VARCHAR)) AS guid, CAST(4 AS INTEGER) AS ttl, CAST(2 AS INTEGER) AS hops, ` +
      `CAST(40 AS INTEGER) AS bytes, CAST(0 AS INTEGER) AS own_hits, CAST(0 AS INTEGER) AS urns, words AS text, words ` +
      `FROM (SELECT n, ${word} || ' ' || ${word} || ' ' || ${word} AS words FROM range(1000000) AS numbers(n))) ` +
      `TO '${join(folder, name).replaceAll("'", "''")}' (FORMAT parquet, ROW_GROUP_SIZE ${GROUP_ROWS})`,
  );
  connection.closeSync();
  instance.closeSync();
}
