// How hooks go through the events: order, attempts, where they go on after a restart.
import t, { type Test } from 'tap';
import type { EventFeed, FeedEvent, FeedListener, Missed } from '../../../api/event-feed.ts';
import type { EventType, Topic } from '../../../api/events.ts';
import { type Deliver, DeliveryError } from '../../../daemon/hooks/deliver.ts';
import { type HookRecord, Hooks } from '../../../daemon/hooks/hooks.ts';
import { silentLog } from '../../../daemon/log.ts';
import type { Table } from '../../../daemon/store/table.ts';
import { type HookConfig, hookConfigOf } from '../../../settings/hook-config.ts';
import { eventually } from '../../support/loopback.ts';
import { eventOf } from '../../support/sample-events.ts';

/** Keeps everything from `oldest` on. */
class KeptFeed implements EventFeed {
  readonly #events: FeedEvent[] = [];
  readonly #listeners = new Set<FeedListener>();
  oldest = 1;

  get lastId(): number {
    return this.#events.length;
  }

  add(type: EventType): void {
    const view = eventOf(type, {}, this.lastId + 1);
    const event = { view, json: JSON.stringify(view), latestOf: null };
    this.#events.push(event);
    for (const listener of this.#listeners) if (listener.topics.has(view.topic)) listener.onEvent(event);
  }

  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async *kept(
    topics: ReadonlySet<Topic>,
    after: number,
    upTo: number,
    onMissed: (missed: Missed) => void,
  ): AsyncIterable<FeedEvent> {
    if (after + 1 < this.oldest) onMissed({ from: after + 1, to: this.oldest - 1 });
    for (const event of this.#events) {
      const { id, topic } = event.view;
      if (id >= this.oldest && id > after && id <= upTo && topics.has(topic)) yield event;
    }
  }
}

/** Of a store, without a disk; survives the hooks that use it. */
class CursorTable {
  readonly records = new Map<string, HookRecord>();
  async get(name: string): Promise<HookRecord | undefined> {
    return this.records.get(name);
  }
  async put(name: string, record: HookRecord): Promise<void> {
    this.records.set(name, { ...record });
  }
}

interface Attempt {
  id: number;
  atMs: number;
}

interface Setting {
  feed: KeptFeed;
  table: CursorTable;
  attempts: Attempt[];
  /** What the n-th attempt at an event comes to; none: it is taken. */
  fails: (id: number, attempt: number) => boolean;
  begin(): Promise<Hooks>;
}

function hookOf(given: object): HookConfig {
  const config = hookConfigOf(given);
  if (config === null) throw new Error(`no hook: ${JSON.stringify(given)}`);
  return config;
}

const RETRY = { firstMs: 5, maxMs: 20, attemptsMax: 4 };

function setting(t: Test, config: object = {}): Setting {
  const table = new CursorTable();
  const mine: Setting = {
    feed: new KeptFeed(),
    table,
    attempts: [],
    fails: () => false,
    begin: async () => {
      const take: Deliver = async ({ event: { view }, signal }) => {
        signal.throwIfAborted();
        mine.attempts.push({ id: view.id, atMs: performance.now() });
        const attempt = mine.attempts.filter(({ id }) => id === view.id).length;
        if (mine.fails(view.id, attempt)) throw new DeliveryError('answered 500');
      };
      const hooks = new Hooks({
        feed: mine.feed,
        table: table as unknown as Table<HookRecord>,
        clock: { now: () => performance.now(), wallTime: () => Date.UTC(2026, 10, 21) },
        log: silentLog,
        deliver: take,
        retry: RETRY,
      });
      t.teardown(() => hooks.stop());
      await hooks.use([hookOf({ name: 'h', url: 'http://127.0.0.1:1/path?key=secret', ...config })]);
      return hooks;
    },
  };
  return mine;
}

const ids = ({ attempts }: Setting): number[] => attempts.map(({ id }) => id);

t.test('what fails is tried again, later each time, and what follows waits for it', async t => {
  const mine = setting(t);
  mine.fails = (id, attempt) => id === 1 && attempt < 4;
  const hooks = await mine.begin();
  mine.feed.add('download.added');
  mine.feed.add('download.finished');
  await eventually('both are done', () => hooks.counters.done === 2);
  t.strictSame(ids(mine), [1, 1, 1, 1, 2], 'in order');
  const [first, second, third, fourth] = mine.attempts.map(({ atMs }) => atMs);
  const waits = [(second ?? 0) - (first ?? 0), (third ?? 0) - (second ?? 0), (fourth ?? 0) - (third ?? 0)];
  for (const [i, ms] of [5, 10, 20].entries()) t.ok((waits[i] ?? 0) >= ms - 1, `wait ${i + 1} is ${ms} ms or more`);
  t.match(hooks.deliveries('h'), [
    { event: 2, state: 'done', attempt: 1, error: null },
    { event: 1, state: 'done', attempt: 4, error: null },
    { event: 1, state: 'failed', attempt: 3, error: 'answered 500' },
    { event: 1, state: 'failed', attempt: 2 },
    { event: 1, state: 'failed', attempt: 1 },
  ]);
});

t.test('after the last attempt an event is given up and the next one comes', async t => {
  const mine = setting(t);
  mine.fails = id => id === 1;
  const hooks = await mine.begin();
  mine.feed.add('download.added');
  mine.feed.add('download.finished');
  await eventually('the second is done', () => hooks.counters.done === 1);
  t.strictSame(ids(mine), [1, 1, 1, 1, 2]);
  t.strictSame(hooks.counters, { done: 1, failed: 3, given_up: 1 });
  t.match(hooks.list(), [{ id: 'h', cursor: 2, behind: 0, error: null, url: 'http://127.0.0.1:1' }]);
});

t.test(
  'a new hook begins now; one that was stopped goes on where it was, with what was under way once more',
  async t => {
    const mine = setting(t);
    mine.feed.add('download.added');
    const before = await mine.begin();
    mine.feed.add('download.changed');
    await eventually('the second is done', () => before.counters.done === 1);
    t.strictSame(ids(mine), [2], 'what was before it is not its business');
    mine.fails = () => true;
    mine.feed.add('download.finished');
    await eventually('the third fails', () => before.counters.failed > 0);
    await before.stop();
    mine.feed.add('download.removed');
    const tried = mine.attempts.length;
    mine.fails = () => false;
    const after = await mine.begin();
    await eventually('both are done', () => after.counters.done === 2);
    t.strictSame(ids(mine).slice(tried), [3, 4]);
    t.equal(mine.table.records.get('h')?.cursor, 4);
  },
);

t.test('only its topics and types, and what is no longer kept is passed over', async t => {
  const mine = setting(t, { topics: ['downloads'], types: ['download.finished'] });
  mine.table.records.set('h', { cursor: 0 });
  for (const type of ['download.finished', 'download.added', 'download.finished'] as const) mine.feed.add(type);
  mine.feed.add('link.opened');
  mine.feed.oldest = 2;
  const hooks = await mine.begin();
  await eventually('it has caught up', () => hooks.list()[0]?.behind === 0);
  t.strictSame(ids(mine), [3]);
});

t.test('a replay delivers again from where it is told', async t => {
  const mine = setting(t);
  const hooks = await mine.begin();
  for (let i = 0; i < 3; i++) mine.feed.add('download.added');
  await eventually('three are done', () => hooks.counters.done === 3);
  t.match(await hooks.replay('h', 1), { id: 'h', cursor: 1 });
  await eventually('two are done again', () => hooks.counters.done === 5);
  t.strictSame(ids(mine), [1, 2, 3, 2, 3]);
  t.equal(await hooks.replay('nobody', 0), null);
});
