// The ClickHouse server that rows are sent to: makes and checks its tables, says which rows of a batch it has, inserts.
import { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import { DATABASE, databaseColumns, databaseSchema } from '../../measure/clickhouse-schema.ts';
import { type BatchAnswer, columnFault } from '../../measure/delivery.ts';
import { type TableName, tableNames } from '../../measure/tables.ts';

/** Rows of one table that one run of a servent wrote, by their numbers. */
export interface BatchRange {
  readonly id: string;
  readonly table: TableName;
  readonly servent: string;
  readonly run: string;
  readonly first: number;
  readonly last: number;
}

/** After this an attempt is given up here; the server gives it up sooner. */
const REQUEST_MS = 40_000;
const SERVER_SECONDS = 30;
/** More rows than a segment has: the rows of one INSERT are one block, which is there as a whole or not at all. */
const BLOCK_ROWS = 4_000_000;

export class Database {
  /** HOST:PORT, for people. */
  readonly host: string;
  readonly #client: ClickHouseClient;
  readonly #database: string;

  private constructor(client: ClickHouseClient, host: string, database: string) {
    this.#client = client;
    this.host = host;
    this.#database = database;
  }

  static async at(address: string): Promise<Database> {
    const { createClient, ClickHouseLogLevel } = await import('@clickhouse/client');
    const url = new URL(address);
    const database = url.pathname === '/' ? DATABASE : url.pathname.slice(1);
    url.pathname = '/';
    const client = createClient({
      url,
      request_timeout: REQUEST_MS,
      max_open_connections: 2,
      log: { level: ClickHouseLogLevel.OFF },
    });
    return new Database(client, url.host, database);
  }

  /** Makes tables that are missing. Rejects when one is not as it should be. */
  async prepare(): Promise<void> {
    for (const query of databaseSchema(this.#database, null)) await this.#client.command({ query });
    const columns = await this.#rows<{ table: string; name: string; type: string }>(
      `SELECT table, name, type FROM system.columns WHERE database = '${this.#database}'`,
    );
    for (const table of tableNames) {
      const fault = columnFault(
        databaseColumns(table),
        columns.filter(column => column.table === table),
      );
      if (fault !== null)
        throw new Error(
          `its table ${this.#database}.${table} ${fault}: rename or mend it, as "servent recordings --schema" says`,
        );
    }
  }

  async look(batch: BatchRange): Promise<BatchAnswer> {
    const [found] = await this.#rows<{ running: number }>(
      `SELECT count() AS running FROM system.processes WHERE query_id = '${batch.id}'`,
    );
    // in this order: what ended in between is counted
    const seqs = Number(found?.running) > 0 ? 0 : (await this.present(batch)).size;
    return { running: Number(found?.running) > 0, present: seqs };
  }

  /** Numbers of the rows of a batch that are there. */
  async present({ table, servent, run, first, last }: BatchRange): Promise<Set<number>> {
    const rows = await this.#rows<{ seq: number }>(
      `SELECT DISTINCT seq FROM ${this.#database}.${table} WHERE servent = '${servent}' AND run = '${run}' AND seq BETWEEN ${first} AND ${last}`,
    );
    return new Set(rows.map(({ seq }) => Number(seq)));
  }

  /** Resolves when the server has the rows, which rowBinary() gave. After a rejection it may have them, or get them still. */
  async insert({ id, table }: BatchRange, rows: Buffer): Promise<void> {
    const columns = databaseColumns(table).map(({ name }) => name);
    const { stream } = await this.#client.exec({
      query: `INSERT INTO ${this.#database}.${table} (${columns.join(', ')}) FORMAT RowBinary`,
      values: Readable.from([rows], { objectMode: false }),
      query_id: id,
      clickhouse_settings: {
        max_insert_block_size: String(BLOCK_ROWS),
        max_execution_time: SERVER_SECONDS,
      },
    });
    for await (const _ of stream); // the connection is free when the answer, which is empty, is read
  }

  async #rows<T>(query: string): Promise<T[]> {
    const answer = await this.#client.query({
      query,
      format: 'JSONEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    });
    return answer.json<T>();
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
