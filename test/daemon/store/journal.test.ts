import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Journal, type JournalLimits } from '../../../daemon/store/journal.ts';
import { Store } from '../../../daemon/store/store.ts';

interface Entry {
  readonly at: number;
  readonly what: string;
}

const DAY_MS = 86_400_000;

async function scene(t: Test) {
  const folder = join(t.testdir({}), 'store');
  const clock = { at: 100 * DAY_MS, now: () => 0, wallTime: () => clock.at };
  const open = async (limits: JournalLimits) => {
    const store = await Store.open(folder, silentLog);
    t.teardown(() => store.close());
    const journal = new Journal<Entry>(store.table('journal'), clock, silentLog, limits);
    await journal.start();
    const close = async (): Promise<void> => {
      await journal.stop();
      await store.close();
    };
    return { journal, close };
  };
  return { clock, open };
}

const whats = (journal: Journal<Entry>): string =>
  journal
    .newestFirst()
    .map(({ what }) => what)
    .join('');

t.test('what is over is listed newest first, and again after a restart', async t => {
  const { clock, open } = await scene(t);
  const first = await open({ records: 10, days: 30 });
  for (const what of 'abc') first.journal.add({ at: clock.at, what });
  t.equal(whats(first.journal), 'cba');
  await first.close();
  const second = await open({ records: 10, days: 30 });
  clock.at++;
  second.journal.add({ at: clock.at, what: 'd' });
  t.equal(whats(second.journal), 'dcba');
});

t.test('the oldest go when there are too many, and when they are too old, from the store as well', async t => {
  const { clock, open } = await scene(t);
  const first = await open({ records: 3, days: 30 });
  for (const what of 'abcde') first.journal.add({ at: clock.at++, what });
  t.equal(whats(first.journal), 'edc');
  await first.close();
  const second = await open({ records: 100, days: 30 });
  t.equal(whats(second.journal), 'edc');
  second.journal.limits = { records: 2, days: 30 };
  t.equal(whats(second.journal), 'ed');
  clock.at += 29 * DAY_MS;
  second.journal.add({ at: clock.at, what: 'f' });
  clock.at += 2 * DAY_MS;
  t.equal(whats(second.journal), 'f');
  await second.close();
  const third = await open({ records: 100, days: 3650 });
  t.equal(whats(third.journal), 'f');
});

t.test('none are kept when none are wanted', async t => {
  const { clock, open } = await scene(t);
  const { journal } = await open({ records: 0, days: 30 });
  journal.add({ at: clock.at, what: 'a' });
  t.strictSame(journal.newestFirst(), []);
});
