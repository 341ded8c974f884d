// What answers SQL: DuckDB over files, or ClickHouse.
import type { Dialect } from '../../measure/dialect.ts';
import type { Row } from '../../measure/question.ts';

export interface Engine {
  readonly name: 'duckdb' | 'clickhouse';
  readonly dialect: Dialect;
  /** Rejects with AnalysisError. */
  rows(sql: string): Promise<Row[]>;
  /** Ends what runs, which then rejects. */
  stop(): void;
  close(): Promise<void>;
}
