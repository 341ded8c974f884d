import t from 'tap';
import type { EventData, EventType } from '../../api/events.ts';
import { withEvents } from '../../tui/events.ts';
import { createModel, emptyWorld, QUERIES_MAX, type World, worldOf } from '../../tui/model.ts';
import { withNews } from '../../tui/news.ts';
import { update } from '../../tui/update.ts';
import { eventOf } from '../support/sample-events.ts';
import { aDownload, aFolder, aLogLine, anUpload, aPeer, aQuery, aResult, aSearch } from '../support/sample-views.ts';

const AT = Date.UTC(2026, 10, 21, 10);
let id = 0;
const event = <T extends EventType>(type: T, data: Partial<EventData<T>>) =>
  eventOf(type, data, ++id, new Date(AT + id).toISOString());
const texts = (world: World): string[] => world.log.map(({ text }) => text);

t.test('lists follow what is told, and the log says it', async t => {
  let world = withEvents(
    emptyWorld,
    [
      event('link.opened', aPeer),
      event('link.opened', { ...aPeer, id: 'p2', address: '127.0.0.1:2' }),
      event('download.added', { ...aDownload, state: 'queued' }),
      event('download.changed', { ...aDownload, done: 0 }),
      event('download.progress', aDownload),
      event('download.progress', { ...aDownload, id: 'd9' }),
      event('upload.progress', { ...anUpload, id: 'u9' }),
      event('upload.started', anUpload),
      event('search.started', aSearch),
      event('search.started', { ...aSearch, id: 's2', text: 'red sun' }),
      event('library.scanned', aFolder),
    ],
    AT,
  );
  t.match(world.peers, [
    { id: 'p1', rateIn: 0 },
    { id: 'p2', rateOut: 0 },
  ]);
  t.match(world.downloads, [{ id: 'd1', state: 'active', done: aDownload.done }]);
  t.match(world.searches, [{ id: 's2' }, { id: 's1' }], 'newest first');
  t.match(world.uploads, [anUpload]);
  t.match(world.folders, [aFolder]);
  world = withEvents(
    world,
    [
      event('link.closed', { id: 'p2', address: '127.0.0.1:2', code: 200, reason: 'bye' }),
      event('upload.finished', { ...anUpload, total: 1000 }),
      event('download.failed', { ...aDownload, state: 'failed', error: 'no sources' }),
      event('download.removed', { id: 'd1' }),
      event('status.configured', {
        changes: [{ key: 'gnutella.maxLeaves', from: 200, to: 7, effect: 'hot', applied: true, error: null }],
      }),
      event('log.line', { ...aLogLine, level: 'warn', mod: 'overlay', message: 'a peer lied', data: {} }),
    ],
    AT,
  );
  t.match([world.peers.length, world.uploads.length, world.downloads.length], [1, 0, 0]);
  t.strictSame(texts(world), [
    'a peer lied',
    'gnutella.maxLeaves is 7 now',
    'blue moon.ogg was removed',
    'blue moon.ogg failed: no sources',
    'sent red sun.ogg to 127.0.0.1:40000',
    '127.0.0.1:2 disconnected: 200 bye',
    '/srv/files has 1 files',
    'searching for red sun',
    'searching for blue moon',
    '127.0.0.1:40000 takes red sun.ogg',
    'blue moon.ogg: active',
    'blue moon.ogg: queued',
    'ultrapeer 127.0.0.1:2 connected (servent/0.1.0)',
    'ultrapeer 127.0.0.1:6347 connected (servent/0.1.0)',
  ]);
  t.match(world.log[0], { from: 'overlay', level: 'warn' });
});

t.test('progress that was waiting does not bring back what is over', async t => {
  let world = { ...emptyWorld, downloads: [aDownload], uploads: [anUpload] };
  const late = [event('download.progress', aDownload), event('upload.progress', anUpload)];
  world = withEvents(
    world,
    [event('download.removed', { id: 'd1' }), event('upload.finished', anUpload), ...late],
    AT,
  ) as typeof world;
  t.strictSame([world.downloads, world.uploads], [[], []]);
  const paused = { ...aDownload, state: 'paused' as const };
  world = withEvents(
    { ...emptyWorld, downloads: [aDownload] },
    [event('download.changed', paused), ...late],
    AT,
  ) as typeof world;
  t.match(world.downloads, [{ state: 'paused' }]);
});

t.test('results stream into the search that is open', async t => {
  const open = { ...emptyWorld, searches: [{ ...aSearch, results: 0 }], resultsOf: 's1' };
  const world = withEvents(
    open,
    [
      event('search.result', { search: 's1', result: aResult }),
      event('search.result', { search: 's9', result: { ...aResult, id: 'r9' } }),
    ],
    AT,
  );
  t.match(world.results, [aResult]);
  t.match(world.searches, [{ results: 1 }]);
});

t.test('queries come newest first, each once, also when the daemon counts anew', async t => {
  const query = (id: number, seconds: number) => ({
    ...aQuery,
    id: String(id),
    at: new Date(AT + seconds * 1000).toISOString(),
  });
  let world = withEvents(emptyWorld, [event('query.passed', query(8, 1))], AT);
  world = withNews(world, { queries: [query(8, 1), query(7, 0)], counted: false }, AT);
  world = withEvents(world, [event('query.passed', query(8, 1)), event('query.passed', query(9, 2))], AT);
  t.strictSame(
    world.queries.map(({ id }) => id),
    ['9', '8', '7'],
  );
  world = withEvents(
    world,
    [event('query.passed', query(1, 30)), event('query.skipped', { queries: 1200, seconds: 1 })],
    AT + 5,
  );
  t.strictSame(
    world.queries.map(({ id }) => id),
    ['1', '9', '8', '7'],
  );
  t.match(world, { skipped: { perSecond: 1200, at: AT + 5 } });
  world = withNews(world, { queryHits: [{ id: '9', hits: 5 }] }, AT);
  t.match(world.queries[1], { id: '9', hits: 5 });
  const many = Array.from({ length: QUERIES_MAX + 50 }, (_, i) => event('query.passed', query(100 + i, 60 + i)));
  world = withEvents(world, many, AT);
  t.equal(world.queries.length, QUERIES_MAX);
  t.equal(world.queries[0]?.id, String(100 + QUERIES_MAX + 49));
});

t.test('what could not be had is said on the screen and in the log', async t => {
  const model = createModel({ contexts: [{ name: 'a', url: 'x' }], now: AT, columns: 80, rows: 24 });
  const gap = { from: 3, to: 900, skipped: null, reason: 'forgotten' } as const;
  const after = update(model, { type: 'gap', context: 0, at: AT, gap, queries: true }).model;
  t.equal(after.toast?.text, 'some queries are missing from this list (forgotten)');
  t.match(worldOf(after).log, [{ level: 'warn', text: after.toast?.text }]);
});
