// Answers questions to the recording for the API: one at a time, with a bound on time, memory and rows.
import type { AnalysisInput, AnalysisView, ListRequest, Page, QuestionView } from '../../api/control.ts';
import { ApiError, notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';
import { questionNames, questions } from '../../measure/questions.ts';
import type { LiveSettings } from '../../settings/live.ts';
import type { Engine } from '../analysis/engine.ts';

const LIMIT_MS = 60_000;
/** Threads and memory that DuckDB may take of the daemon's machine. */
const SHARE = { threads: 1, memoryBytes: 512 * 1024 * 1024 };
const ROWS_MAX = 1000;
const RETRY_SECONDS = 5;

export interface AnalysesParts {
  readonly live: Pick<LiveSettings, 'settings'>;
  /** Default: DuckDB over the folder of the recording, or its ClickHouse server. */
  readonly open?: () => Promise<Engine>;
  /** Default: 60 s. */
  readonly limitMs?: number;
}

export class Analyses {
  readonly #parts: AnalysesParts;
  #busy = false;

  constructor(parts: AnalysesParts) {
    this.#parts = parts;
  }

  questions(input: ListRequest): Page<QuestionView> {
    return pageOf(
      questionNames,
      input,
      name => name,
      name => ({ id: name, teaches: questions[name].teaches, columns: questions[name].columns }),
    );
  }

  async answer({ id, top }: AnalysisInput): Promise<AnalysisView> {
    if (!questionNames.some(name => name === id)) throw notFound('question', id);
    if (this.#parts.live.settings.recording.mode === 'off')
      throw new ApiError(
        'CONFLICT',
        'this servent does not record: set recording.mode to files and start it again, or ask about other recordings with "servent analyse --recording"',
      );
    if (this.#busy)
      throw new ApiError('TOO_MANY', 'another question is being answered: ask again when it is done', {
        retryAfter: RETRY_SECONDS,
      });
    this.#busy = true;
    try {
      return await this.#answered(id, top);
    } finally {
      this.#busy = false;
    }
  }

  async #answered(question: string, top: number): Promise<AnalysisView> {
    const { limitMs = LIMIT_MS, open = () => this.#open() } = this.#parts;
    const [{ analyse }, { AnalysisError }] = await Promise.all([
      import('../analysis/analysis.ts'),
      import('../analysis/analysis-error.ts'),
    ]);
    let isLate = false;
    let engine: Engine | null = null;
    const timer = setTimeout(() => {
      isLate = true;
      engine?.stop();
    }, limitMs);
    try {
      engine = await open();
      const { rows, series, seconds, engine: name } = await analyse(engine, question, top);
      return {
        question,
        rows: rows.slice(0, ROWS_MAX).map(row => ({ ...row })),
        cut: rows.length > ROWS_MAX,
        series: series.map(({ name: line, axes, x, y }) => ({
          ...{ name: line, axes: [...axes] },
          ...{ x: x.slice(0, ROWS_MAX), y: y.slice(0, ROWS_MAX) },
        })),
        seconds,
        engine: name,
      };
    } catch (error) {
      if (isLate)
        throw new ApiError(
          'CONFLICT',
          `there was no answer within ${limitMs / 1000} s: ask with "servent analyse ${question}", which takes the time that it needs`,
        );
      if (error instanceof AnalysisError) throw new ApiError('STORAGE_FAILED', error.message, { cause: error });
      throw error;
    } finally {
      clearTimeout(timer);
      await engine?.close();
    }
  }

  async #open(): Promise<Engine> {
    const { mode, folder, url } = this.#parts.live.settings.recording;
    if (mode === 'clickhouse') {
      const { openClickHouse } = await import('../analysis/clickhouse.ts');
      return openClickHouse(url, null, () => undefined);
    }
    const { openDuckDb } = await import('../analysis/duckdb.ts');
    return openDuckDb([folder], SHARE);
  }
}
