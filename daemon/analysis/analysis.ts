// Answers a question of the catalogue with an engine.
import { number, type Row, type Series, stepFor } from '../../measure/question.ts';
import { questionNamed, questionNames } from '../../measure/questions.ts';
import { AnalysisError } from './analysis-error.ts';
import type { Engine } from './engine.ts';

export interface Analysis {
  readonly question: string;
  readonly rows: readonly Row[];
  /** That it took. */
  readonly seconds: number;
  readonly engine: 'duckdb' | 'clickhouse';
  /** Points of its picture. */
  readonly series: readonly Series[];
}

export const TOP_MAX = 100_000;

/** Rejects with AnalysisError. */
export async function analyse(engine: Engine, name: string, top: number): Promise<Analysis> {
  const question = questionNamed(name);
  if (question === null) throw new AnalysisError(`there is no question ${name}: there are ${questionNames.join(', ')}`);
  const began = performance.now();
  const { dialect } = engine;
  let stepMs = stepFor(0);
  if (question.over !== null) {
    const table = dialect.from(question.over);
    const [span] = await engine.rows(`SELECT min(at_ms) AS low, max(at_ms) AS high FROM ${table}`);
    stepMs = stepFor(number(span?.['high']) - number(span?.['low']));
  }
  const asked = { top, stepMs };
  const { rows, series } = question.answer(await engine.rows(question.sql(dialect, asked)), asked);
  return { question: name, rows, seconds: (performance.now() - began) / 1000, engine: engine.name, series };
}
