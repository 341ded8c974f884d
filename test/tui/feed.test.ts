import t from 'tap';
import { type Client, NoAnswerError, RefusedError } from '../../api/client.ts';
import type { Follow, Following } from '../../api/live/follow.ts';
import { Feed } from '../../tui/feed.ts';
import { createModel, type Message, worldOf } from '../../tui/model.ts';
import { update } from '../../tui/update.ts';
import { type Wanted, wantedBy } from '../../tui/wants.ts';
import { serveFake } from '../support/api-server.ts';
import { aHost } from '../support/sample-views.ts';

const NOTHING: Wanted = { needs: {}, search: null, chunks: null, queries: false, range: 'minute', asked: {} };
const ONLY_STATUS: Wanted = { ...NOTHING, needs: { status: 1000 } };

function feedOf(client: Client) {
  const sent: Message[] = [];
  const clock = { now: 1_000_000 };
  const feed = new Feed({ client, context: 0, now: () => clock.now, send: message => sent.push(message) });
  const links = () => sent.flatMap(message => (message.type === 'link' ? [message.link] : []));
  return { feed, sent, clock, links };
}

t.test('everything a view needs comes over the real API', async t => {
  const { client } = await serveFake(t);
  const { feed, sent } = feedOf(client);
  const every = {
    status: 1,
    peers: 1,
    queries: 1,
    searches: 1,
    results: 1,
    downloads: 1,
    uploads: 1,
    folders: 1,
    files: 1,
    hosts: 1,
    config: 1,
  };
  await feed.poll({ ...NOTHING, needs: every, search: 's1' });
  const data = Object.assign({}, ...sent.map(message => (message.type === 'data' ? message.data : {})));
  t.match(data, {
    status: { version: String },
    peers: [{ id: 'p1' }],
    queries: [{ id: 'q1' }],
    searches: [{ id: 's1' }],
    results: { search: 's1', items: [{ id: 'r1' }] },
    downloads: [{ id: 'd1' }],
    uploads: [{ id: 'u1' }],
    hosts: [{}],
    config: { settings: [{}, {}] },
  });
});

t.test('nothing is asked for before it is due, unless something was changed', async t => {
  let asked = 0;
  const { feed, clock } = feedOf({ status: async () => ++asked } as unknown as Client);
  await feed.poll(ONLY_STATUS);
  await feed.poll(ONLY_STATUS);
  t.equal(asked, 1);
  clock.now += 1000;
  await feed.poll(ONLY_STATUS);
  t.equal(asked, 2);
  feed.hurry();
  await feed.poll(ONLY_STATUS);
  t.equal(asked, 3);
});

t.test('a daemon that is gone is asked again after 1, 2, 4, 8, 15 and 15 seconds, then all at once', async t => {
  let there = false;
  const asked: number[] = [];
  let files = 0;
  const client = {
    status: async () => {
      asked.push(clock.now - 1_000_000);
      if (!there) throw new NoAnswerError('http://x', 'connect ECONNREFUSED 127.0.0.1:8346');
      return {};
    },
    files: async () => {
      files++;
      if (!there) throw new NoAnswerError('http://x', 'connect ECONNREFUSED 127.0.0.1:8346');
      return { items: [], next: null };
    },
  } as unknown as Client;
  const { feed, clock, links } = feedOf(client);
  const wanted: Wanted = { ...NOTHING, needs: { status: 1000, files: 1000 } };
  for (; clock.now < 1_046_000; clock.now += 250) await feed.poll(wanted);
  t.strictSame(asked, [0, 1000, 3000, 7000, 15_000, 30_000, 45_000]);
  t.equal(files, 1, 'one question is enough');
  t.match(links().at(0), { state: 'lost', reason: 'ECONNREFUSED', since: 1_000_000, retryAt: 1_001_000 });
  there = true;
  clock.now += 15_000;
  await feed.poll(wanted);
  t.match(links().at(-1), { state: 'up' });
  await feed.poll(wanted);
  t.equal(files, 2);
});

t.test('a refused list leaves the rest alone; a refused token is said', async t => {
  const refused = (code: string) =>
    new RefusedError({ type: 'x', title: 'x', status: 400, code, detail: 'no' } as RefusedError['problem']);
  const gone = feedOf({
    status: async () => ({}),
    results: async () => {
      throw refused('NOT_FOUND');
    },
  } as unknown as Client);
  await gone.feed.poll({ ...NOTHING, needs: { status: 1, results: 1 }, search: 's9' });
  t.strictSame(gone.links(), [{ state: 'up' }]);
  const barred = feedOf({
    status: async () => {
      throw refused('UNAUTHORIZED');
    },
  } as unknown as Client);
  await barred.feed.poll(ONLY_STATUS);
  t.match(barred.links(), [{ state: 'lost', reason: 'it does not accept the token' }]);
});

t.test('a mistake of ours is not taken for a daemon that is gone', async t => {
  const { feed } = feedOf({
    status: async () => {
      throw new TypeError('oops');
    },
  } as unknown as Client);
  await t.rejects(feed.poll(ONLY_STATUS), { message: 'oops' });
});

t.test(
  'beside the events lists are asked for once, and again when events were missed or the stream came back',
  async t => {
    const asked: string[] = [];
    const client = new Proxy(
      {},
      {
        get: (_, name: string) => async () => {
          asked.push(name);
          return name === 'history'
            ? { minute: { step: 1, queries: [7] }, hour: { step: 30 }, day: { step: 600 } }
            : { items: [], next: null };
        },
      },
    ) as Client;
    const streams: Following[] = [];
    const follow: Follow = following => {
      streams.push(following);
      return new Promise(resolve => following.signal.addEventListener('abort', () => resolve()));
    };
    const sent: Message[] = [];
    const clock = { now: 1_000_000 };
    const feed = new Feed({ client, follow, context: 0, now: () => clock.now, send: message => sent.push(message) });
    t.teardown(() => feed.stop());
    let model = createModel({ contexts: [{ name: 'a', url: 'x' }], now: clock.now, columns: 80, rows: 24 });
    model = { ...model, view: 'queries' };
    const poll = () => feed.poll(wantedBy(model, feed.live));
    await poll();
    const once = ['caller', 'downloads', 'folders', 'peers', 'queries', 'searches', 'status'];
    t.strictSame(
      once.filter(name => !asked.includes(name)),
      [],
    );
    t.match(streams, [
      { topics: ['peers', 'searches', 'downloads', 'uploads', 'library', 'dht', 'status', 'log'] },
      { topics: ['queries'] },
    ]);
    t.match(
      sent.findLast(message => message.type === 'data' && message.data.queryRate !== undefined),
      { data: { queryRate: 7 } },
    );
    const [main, queries] = streams;
    if (main === undefined || queries === undefined) throw new Error('two streams were expected');
    main.onState({ state: 'open' });
    await poll();
    asked.length = 0;
    clock.now += 60_000;
    await poll();
    t.strictSame(
      once.filter(name => asked.includes(name) && name !== 'queries'),
      [],
      'events tell the rest',
    );
    main.onGap({ from: 1, to: 9, skipped: 9, reason: 'slow' });
    await poll();
    t.ok(asked.includes('downloads'));
    t.match(sent.at(-1)?.type, 'data');
    t.match(
      sent.find(({ type }) => type === 'gap'),
      { queries: false },
    );
    asked.length = 0;
    queries.onState({ state: 'open' });
    await poll();
    t.strictSame(asked, ['queries']);
    main.onEvents([{ id: 1, at: '', topic: 'downloads', type: 'download.removed', data: { id: 'd1' } }]);
    feed.flush();
    t.match(sent.at(-1), { type: 'events', events: [{ type: 'download.removed' }] });
    main.onState({ state: 'lost', reason: 'gone', retryMs: 1000, refusal: null });
    t.match(sent.at(-1), { link: { state: 'lost', reason: 'gone', retryAt: clock.now + 1000 } });
    asked.length = 0;
    await poll();
    t.strictSame(asked, [], 'a lost stream says when it is back');
    main.onState({ state: 'open' });
    await poll();
    t.ok(asked.includes('status') && asked.includes('downloads'));
    t.match(
      sent.findLast(({ type }) => type === 'link'),
      { link: { state: 'up' } },
    );
    main.onState({ state: 'lost', reason: '200 listen', retryMs: 1000, refusal: 'TOO_MANY' });
    t.notOk(feed.live, 'then it is asked as of old');
    model = { ...model, view: 'peers' };
    await poll();
    t.ok(queries.signal.aborted, 'nobody looks at the queries any more');
  },
);

t.test('of a list too long to be here whole, the daemon is asked for what the filter and the order say', async t => {
  const { client, control } = await serveFake(t, { checkOutput: false });
  control.hostList = Array.from({ length: 12_000 }, (_, i) => ({
    ...aHost,
    address: `10.0.${i >> 8}.${i & 255}:6346`,
    failures: i,
  }));
  let model = createModel({ contexts: [{ name: 'a', url: 'x' }], now: 1_000_000, columns: 80, rows: 24 });
  const clock = { now: 1_000_000 };
  const feed = new Feed({
    client,
    context: 0,
    now: () => clock.now,
    send: message => {
      model = update(model, message).model;
    },
  });
  const look = async () => {
    clock.now += 3_600_000;
    await feed.poll({ ...wantedBy(model, false), needs: { hosts: 1 } });
  };
  model = { ...model, view: 'hosts' };
  await look();
  t.equal(worldOf(model).hosts.length, 10_000);
  t.ok(worldOf(model).partial.has('hosts'));

  model = update(model, { type: 'sort', list: 'hosts', column: 'failures' }).model;
  for (const key of ['/', ...'address~10.0.46.', 'enter']) model = update(model, { type: 'key', key, text: key }).model;
  const asked = Object.fromEntries(new URLSearchParams(wantedBy(model, false).asked.hosts));
  t.match(asked, { filter: /10\.0\.46\./, sort: /^-?failures$/ });
  control.calls.length = 0;
  await look();
  t.match(control.calls.at(-1), ['hosts', { filter: { text: asked['filter'] } }], 'the daemon is told');
  t.equal(worldOf(model).hosts.length, 12_000 - 46 * 256, 'rows that had not been among the first');
  t.match(worldOf(model).hosts[0]?.address, asked['sort']?.startsWith('-') ? '10.0.46.223:6346' : '10.0.46.0:6346');
  t.ok(worldOf(model).partial.has('hosts'), 'still not the whole list');
});
