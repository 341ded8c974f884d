import t, { type Test } from 'tap';
import type { FeedEvent, Missed } from '../../../api/event-feed.ts';
import type { Topic } from '../../../api/events.ts';
import { EventLog, type EventLogOptions } from '../../../daemon/events/event-log.ts';
import { silentLog } from '../../../daemon/log.ts';
import { Store } from '../../../daemon/store/store.ts';
import { samples } from '../../support/sample-events.ts';

const ALL: ReadonlySet<Topic> = new Set(['downloads', 'peers', 'queries'] as const);
const clock = { time: Date.parse('2026-11-21T10:00:00Z'), now: () => 0, wallTime: () => clock.time };

async function openLog(t: Test, folder: string, options: Partial<EventLogOptions> = {}) {
  const store = await Store.open(folder, silentLog);
  const [table, marks] = [store.table<never>('events'), store.table<never>('event-marks')];
  const log = new EventLog({ table, marks, clock, log: silentLog, ...options });
  await log.start();
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await log.stop();
    await store.close();
  };
  t.teardown(close);
  return { log, close };
}

async function read(log: EventLog, after: number, topics = ALL): Promise<{ ids: number[]; missed: Missed[] }> {
  const missed: Missed[] = [];
  const ids: number[] = [];
  for await (const { view } of log.kept(topics, after, log.lastId, gap => missed.push(gap))) ids.push(view.id);
  return { ids, missed };
}

t.test('events are had again after a restart, and no id is given away twice', async t => {
  const folder = t.testdir();
  const first = await openLog(t, folder);
  first.log.tell('download.added', samples['download.added']);
  first.log.tell('link.opened', samples['link.opened']);
  first.log.tell('query.passed', samples['query.passed']);
  const last = first.log.lastId;
  await first.close();

  const { log } = await openLog(t, folder);
  t.ok(log.lastId >= last, 'what only passed counts too');
  t.strictSame(await read(log, 0, new Set<Topic>(['downloads', 'peers'])), { ids: [1, 2], missed: [] });
  t.strictSame((await read(log, 1, new Set<Topic>(['peers']))).ids, [2]);
  log.tell('download.removed', samples['download.removed']);
  t.ok(log.lastId > last);
  t.strictSame((await read(log, 2, new Set<Topic>(['downloads']))).ids, [log.lastId]);
});

t.test('the log is bounded by number, and says what it has forgotten, over a restart too', async t => {
  const folder = t.testdir();
  const first = await openLog(t, folder, { eventsMax: 5 });
  for (let i = 0; i < 12; i++) {
    first.log.tell('download.changed', samples['download.changed']);
    if (i % 4 === 0) await read(first.log, 0);
  }
  const seen = await read(first.log, 3, new Set<Topic>(['downloads']));
  t.strictSame(seen.ids, [8, 9, 10, 11, 12]);
  t.strictSame(seen.missed, [{ from: 4, to: 7 }]);
  t.ok(first.log.size <= 5);
  await first.close();
  const { log } = await openLog(t, folder, { eventsMax: 5 });
  t.strictSame(await read(log, 3, new Set<Topic>(['downloads'])), seen);
});

t.test('the log is bounded by age', async t => {
  const { log } = await openLog(t, t.testdir(), { keptMs: 1000 });
  log.tell('download.added', samples['download.added']);
  await read(log, 0);
  clock.time += 5000;
  log.tell('download.removed', samples['download.removed']);
  t.strictSame(await read(log, 0), { ids: [2], missed: [{ from: 1, to: 1 }] });
});

t.test('who asks for queries again is told that they are not kept', async t => {
  const { log } = await openLog(t, t.testdir());
  log.tell('download.added', samples['download.added']);
  log.tell('query.passed', samples['query.passed']);
  log.tell('download.removed', samples['download.removed']);
  t.strictSame(await read(log, 1), { ids: [3], missed: [{ from: 2, to: 2 }] });
  t.strictSame(await read(log, 2), { ids: [3], missed: [] });
});

t.test('only listeners of its topic hear an event, and hears() says whether there are any', async t => {
  const { log } = await openLog(t, t.testdir());
  const heard: FeedEvent[] = [];
  const off = log.listen({ topics: new Set<Topic>(['queries']), onEvent: event => heard.push(event) });
  t.ok(log.hears('queries'));
  t.notOk(log.hears('peers'));
  log.tell('link.opened', samples['link.opened']);
  log.tell('query.passed', samples['query.passed']);
  off();
  log.tell('query.passed', samples['query.passed']);
  t.notOk(log.hears('queries'));
  t.equal(heard.length, 1);
  t.match(JSON.parse(heard[0]?.json ?? ''), {
    id: 2,
    topic: 'queries',
    type: 'query.passed',
    data: { text: 'blue moon' },
  });
});

t.test('a listener that throws stops neither the others nor what has something to tell', async t => {
  const { log } = await openLog(t, t.testdir());
  const heard: number[] = [];
  const topics = new Set<Topic>(['downloads']);
  log.listen({
    topics,
    onEvent: () => {
      throw new Error('boom');
    },
  });
  log.listen({ topics, onEvent: ({ view }) => heard.push(view.id) });
  log.tell('download.removed', { id: 'd1' });
  t.strictSame(heard, [1]);
  t.strictSame((await read(log, 0)).ids, [1], 'and it is kept');
});
