import t from 'tap';
import { Analyses } from '../../../daemon/admin/analyses.ts';
import { AnalysisError } from '../../../daemon/analysis/analysis-error.ts';
import type { Engine } from '../../../daemon/analysis/engine.ts';
import { duckdb } from '../../../measure/dialect.ts';
import { questionNames } from '../../../measure/questions.ts';
import { duckDbMissing } from '../../support/duckdb.ts';
import { startServent, until } from '../../support/running-servent.ts';

const live = (mode: string) => ({ settings: { recording: { mode } } }) as never;

interface Held {
  readonly engine: Engine;
  closed: boolean;
  answer(rows: readonly Record<string, number>[] | Error): void;
}

/** An engine whose answer the test gives. */
function held(): Held {
  let settle: ((rows: readonly Record<string, number>[] | Error) => void) | null = null;
  const answered = new Promise<readonly Record<string, number>[] | Error>(resolve => {
    settle = resolve;
  });
  const made: Held = {
    closed: false,
    answer: given => settle?.(given),
    engine: {
      name: 'duckdb',
      dialect: duckdb,
      rows: async () => {
        const given = await answered;
        if (given instanceof Error) throw given;
        return [...given];
      },
      stop: () => settle?.(new AnalysisError('interrupted')),
      close: async () => {
        made.closed = true;
      },
    },
  };
  return made;
}

t.test('one question is answered at a time', async t => {
  const { engine, answer } = held();
  const analyses = new Analyses({ live: live('files'), open: async () => engine });
  const first = analyses.answer({ id: 'ttl', top: 50 });
  await t.rejects(analyses.answer({ id: 'ttl', top: 50 }), { code: 'TOO_MANY', retryAfter: 5 });
  answer(Array.from({ length: 1200 }, (_, ttl) => ({ ttl, queries: 1 })));
  const { rows, cut, series } = await first;
  t.equal(rows.length, 1000);
  t.ok(cut, 'that there were more is told');
  t.ok(series.every(({ x, y }) => x.length <= 1000 && y.length <= 1000));
});

t.test('an answer that takes too long is ended, and so is its engine', async t => {
  const made = held();
  const analyses = new Analyses({ live: live('files'), open: async () => made.engine, limitMs: 5 });
  await t.rejects(analyses.answer({ id: 'ttl', top: 50 }), { code: 'CONFLICT', message: /servent analyse ttl/ });
  t.ok(made.closed);
  const failing = held();
  failing.answer(new AnalysisError('the disk is gone'));
  const again = new Analyses({ live: live('files'), open: async () => failing.engine });
  await t.rejects(again.answer({ id: 'ttl', top: 50 }), { code: 'STORAGE_FAILED', message: 'the disk is gone' });
  t.ok(failing.closed);
});

t.test('a servent that does not record says what to do; a question that is none is not found', async t => {
  const analyses = new Analyses({ live: live('off') });
  await t.rejects(analyses.answer({ id: 'ttl', top: 50 }), {
    code: 'CONFLICT',
    message: /set recording.mode to files/,
  });
  await t.rejects(analyses.answer({ id: 'fate', top: 50 }), { code: 'NOT_FOUND' });
});

const missing = await duckDbMissing();

t.test('a servent that records answers over its API', { skip: missing ?? false }, async t => {
  const dir = t.testdir({ one: {}, two: {} });
  const one = await startServent(t, `${dir}/one`, { 'recording.mode': 'files' });
  const two = await startServent(t, `${dir}/two`);
  const listed = await one.client.analyses({ limit: 1000 });
  t.strictSame(
    listed.items.map(({ id }) => id),
    questionNames,
  );
  await two.client.connect({ address: one.address });
  await until('its neighbour is recorded', async () => {
    const { rows, engine } = await one.client.analysis({ id: 'vendors' });
    t.equal(engine, 'duckdb');
    return rows.length > 0 ? true : null;
  });
  for (const id of questionNames) t.equal((await one.client.analysis({ id, top: 10 })).question, id);
  await t.rejects(two.client.analysis({ id: 'vendors' }), /does not record: set recording.mode to files/);
});
