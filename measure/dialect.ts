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

/** Statement that makes a table for DuckDB of Parquet files and journals, whose last line may be cut. */
export function duckdbView(table: TableName, parquet: readonly string[], journals: readonly string[]): string {
  const columns = Object.entries<{ type: ColumnType }>(tables[table].columns);
  const typed = columns.map(([name, { type }]) => `CAST(${name} AS ${DUCKDB_TYPES[type]}) AS ${name}`).join(', ');
  const sources: string[] = [];
  if (parquet.length > 0)
    sources.push(`SELECT ${typed} FROM read_parquet([${parquet.map(quoted).join(', ')}], union_by_name = true)`);
  if (journals.length > 0) {
    const given = columns.map(([name, { type }]) => `${name}: '${DUCKDB_TYPES[type]}'`).join(', ');
    sources.push(
      `SELECT ${typed} FROM read_json([${journals.map(quoted).join(', ')}], format = 'newline_delimited', ignore_errors = true, columns = {${given}}) WHERE seq IS NOT NULL`,
    );
  }
  if (sources.length === 0) {
    const empty = columns.map(([name, { type }]) => `CAST(NULL AS ${DUCKDB_TYPES[type]}) AS ${name}`).join(', ');
    sources.push(`SELECT ${empty} WHERE false`);
  }
  return `CREATE OR REPLACE VIEW ${table} AS ${sources.join(' UNION ALL ')}`;
}
