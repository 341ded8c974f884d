// The differences between the SQL of DuckDB and that of ClickHouse, as far as questions need them.
import { DATABASE, overAllShards } from './clickhouse-schema.ts';
import { type ColumnType, type TableName, tables } from './tables.ts';

export interface Dialect {
  /** What a query reads a table as. */
  from(table: TableName): string;
  /** A row for each word of a column of words with single spaces between. */
  eachWord(column: string): string;
  wordCount(column: string): string;
  /** The value of one of the rows of a group: cheaper than the greatest. */
  anyOf(column: string): string;
  /** The text before the first `mark`, which is one character. */
  before(column: string, mark: string): string;
}

export const duckdb: Dialect = {
  from: table => table,
  eachWord: column => `unnest(string_split(${column}, ' '))`,
  wordCount: column => `(length(${column}) - length(replace(${column}, ' ', '')) + 1)`,
  anyOf: column => `any_value(${column})`,
  before: (column, mark) => `split_part(${column}, '${mark}', 1)`,
};

/** `distributed`: tables over all shards. */
export function clickhouse(database = DATABASE, distributed = false): Dialect {
  return {
    from: table => `${database}.${distributed ? overAllShards(table) : table}`,
    eachWord: column => `arrayJoin(splitByChar(' ', ${column}))`,
    wordCount: column => `(length(${column}) - length(replaceAll(${column}, ' ', '')) + 1)`,
    anyOf: column => `any(${column})`,
    before: (column, mark) => `splitByChar('${mark}', ${column})[1]`,
  };
}

const DUCKDB_TYPES = { text: 'VARCHAR', integer: 'BIGINT', small: 'INTEGER' } as const satisfies Record<
  ColumnType,
  string
>;

/** A path that DuckDB takes as it is: no quote ends it, and no character stands for others. */
const quoted = (path: string): string => `'${path.replace(/[*?[]/g, '[$&]').replaceAll("'", "''")}'`;

/** Statement that makes a table for DuckDB of Parquet files. */
export function duckdbView(table: TableName, files: readonly string[]): string {
  const columns = Object.entries<{ type: ColumnType }>(tables[table].columns);
  const select = (value: (name: string) => string): string =>
    columns.map(([name, { type }]) => `CAST(${value(name)} AS ${DUCKDB_TYPES[type]}) AS ${name}`).join(', ');
  const source =
    files.length > 0
      ? `SELECT ${select(name => name)} FROM read_parquet([${files.map(quoted).join(', ')}], union_by_name = true)`
      : `SELECT ${select(() => 'NULL')} WHERE false`;
  return `CREATE OR REPLACE VIEW ${table} AS ${source}`;
}
