// Asks questions of recordings in ClickHouse; over all shards, each of which does its part. A question that loses a shard is run again.
import { setTimeout as sleep } from 'node:timers/promises';
import { DATABASE, databaseSchema } from '../../measure/clickhouse-schema.ts';
import { clickhouse } from '../../measure/dialect.ts';
import type { Row } from '../../measure/question.ts';
import { AnalysisError } from './analysis-error.ts';
import type { Engine } from './engine.ts';

const TRIES = 6;
const AGAIN_MS = 1_000;
const REQUEST_MS = 10 * 60_000;
/** Codes of the server for a shard that cannot be reached, or that went away or was too slow in the middle. */
const LOST_SHARD = /^(32|159|198|209|210|279|394)$/;

/**
 * `cluster`: ask all its shards, and make the tables for that if they are missing. Without it they are asked when there are such
 * tables. `say` is told when a question is run again. Rejects with AnalysisError.
 */
export async function openClickHouse(
  address: string,
  cluster: string | null,
  say: (text: string) => void,
): Promise<Engine> {
  if (!URL.canParse(address))
    throw new AnalysisError(
      `expected the address of a ClickHouse server such as http://127.0.0.1:8123, got ${address}`,
    );
  const { createClient, ClickHouseLogLevel } = await import('@clickhouse/client');
  const url = new URL(address);
  const database = url.pathname === '/' ? DATABASE : url.pathname.slice(1);
  url.pathname = '/';
  const client = createClient({ url, request_timeout: REQUEST_MS, log: { level: ClickHouseLogLevel.OFF } });

  const stopped = new AbortController();
  const read = async (query: string): Promise<Row[]> => {
    const answer = await client.query({
      query,
      format: 'JSONEachRow',
      abort_signal: stopped.signal,
      // an error in the middle of an answer is one then, not the end of the answer
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0, wait_end_of_query: 1 },
    });
    return answer.json<Row>();
  };
  const rows = async (query: string): Promise<Row[]> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await read(query);
      } catch (error) {
        const why = textOf(error);
        if (stopped.signal.aborted || !isPassing(error) || attempt === TRIES)
          throw new AnalysisError(`ClickHouse at ${url.host}: ${why}`, { cause: error });
        say(`a server was lost during the question (${why}); it is run again, ${attempt + 1} of ${TRIES}`);
        await sleep(AGAIN_MS * attempt);
      }
    }
  };
  const close = (): Promise<void> => client.close();
  try {
    if (cluster !== null) for (const query of databaseSchema(database, cluster)) await client.command({ query });
    const [found] = await rows(
      `SELECT count() AS tables FROM system.tables WHERE database = '${database}' AND name = 'all_queries'`,
    );
    return {
      name: 'clickhouse',
      dialect: clickhouse(database, Number(found?.['tables']) > 0),
      rows,
      stop: () => stopped.abort(),
      close,
    };
  } catch (error) {
    await close();
    throw error instanceof AnalysisError
      ? error
      : new AnalysisError(`ClickHouse at ${url.host}: ${textOf(error)}`, { cause: error });
  }
}

/** Errors that may be over soon: a connection, or a shard of the server. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  // the client reads no code out of messages of old servers
  const [, told = ''] = /^Code: (\d+)/.exec(error.message) ?? [];
  return /^E[A-Z]+$/.test(code ?? '') || LOST_SHARD.test(code ?? '') || LOST_SHARD.test(told);
}

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error);
  return text.split('\n')[0] ?? text;
}
