// The tables of recordings in ClickHouse, version 18.16 or later.
import { type ColumnType, type TableName, tableNames, tables } from './tables.ts';

export const DATABASE = 'servent';

const TYPES = { text: 'String', integer: 'Int64', small: 'Int32' } as const satisfies Record<ColumnType, string>;

const NAME = /^\w{1,64}$/;

/** Columns of a table with their types there. */
export function databaseColumns(table: TableName): { name: string; type: string }[] {
  return Object.entries<{ type: ColumnType }>(tables[table].columns).map(([name, { type }]) => ({
    name,
    type: TYPES[type],
  }));
}

/** Name of the table over all shards. */
export const overAllShards = (table: TableName): string => `all_${table}`;

/**
 * Statements that make what is missing; `cluster`: also a table over all its shards for each. No table has partitions: rows of one
 * INSERT are one part then, which is there as a whole or not at all. Rows with one name that came twice after all become one when
 * the server merges its parts.
 */
export function databaseSchema(database: string, cluster: string | null): string[] {
  for (const name of [database, ...(cluster === null ? [] : [cluster])])
    if (!NAME.test(name)) throw new RangeError(`${name} is no name of letters, digits and _`);
  const statements = [`CREATE DATABASE IF NOT EXISTS ${database}`];
  for (const table of tableNames) {
    const columns = databaseColumns(table).map(({ name, type }) => `${name} ${type}`);
    const target = `${database}.${table}`;
    statements.push(
      `CREATE TABLE IF NOT EXISTS ${target} (${columns.join(', ')}) ENGINE = ReplacingMergeTree() ORDER BY (servent, run, seq)`,
    );
    if (cluster === null) continue;
    statements.push(
      `CREATE TABLE IF NOT EXISTS ${database}.${overAllShards(table)} AS ${target} ENGINE = Distributed(${cluster}, ${database}, ${table})`,
    );
  }
  return statements;
}
