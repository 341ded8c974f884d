import t from 'tap';
import { queryStats } from '../../../api/schemas/monitor.ts';
import { QueryMonitor } from '../../../daemon/queries/query-monitor.ts';
import { QueryStats } from '../../../daemon/queries/query-stats.ts';
import { WordHasher } from '../../../daemon/queries/query-words.ts';
import { TopKeys } from '../../../daemon/queries/top-keys.ts';
import { queryStatsView, queryView } from '../../../daemon/views/queries.ts';
import { Type } from '../../../protocol/constants.ts';
import type { Link } from '../../../protocol/overlay/links/link.ts';
import { Frame, FrameReader } from '../../../protocol/wire/frame-reader.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { encodeQuery } from '../../../protocol/wire/query.ts';

const link = { endpoint: { host: '192.0.2.1', port: 6346 } } as Link;

function queryFrame(text: string, ttl = 3, hops = 1): Frame {
  return frameOf(encodeQuery({ text }), ttl, hops);
}

function frameOf(payload: Buffer, ttl = 3, hops = 1): Frame {
  const bytes = encodeDescriptor(Buffer.alloc(16, 7), Type.Query, ttl, hops, payload);
  const reader = new FrameReader(65_535);
  const frame = new Frame();
  reader.push(bytes);
  reader.next(frame);
  return frame;
}

t.test('queries are counted by second, hops, TTL, word and neighbour', async t => {
  const stats = new QueryStats({ privacy: 'full', hasher: new WordHasher() });
  stats.note(link, queryFrame('blue moon', 3, 0), 1);
  stats.note(link, queryFrame('blue sky', 200, 20), 0);
  stats.noteHits(4, true);
  stats.tick(1_000_000, 7);
  stats.note(link, queryFrame('blue'), 0);
  stats.tick(1_001_000, 9);
  const view = queryStats.parse(queryStatsView(stats.report('minute', 10)));
  t.match(view, { seconds: 2, queries: 3, answered: 2, hits: 5, duplicates: 9, sampled: 1 });
  t.strictSame(view.words.slice(0, 1), [{ key: 'blue', count: 3, error: 0 }]);
  t.strictSame(view.peers, [{ key: '192.0.2.1:6346', count: 3, error: 0 }]);
  t.strictSame(view.byHops, [1, 1, 0, 0, 0, 0, 0, 0, 1]);
  t.equal(view.byTtl.at(-1), 1, 'what no sane servent sends shares the last place');
  t.strictSame(
    view.series.map(({ queries, duplicates }) => [queries, duplicates]),
    [
      [2, 7],
      [1, 2],
    ],
  );
  t.match(stats.report('day', 1), { queries: 3, words: [{ key: 'blue', count: 3 }] }, 'the day knows at once');
});

t.test('an hour later the minute has forgotten and the hour has not', async t => {
  const stats = new QueryStats({ privacy: 'full', hasher: new WordHasher() });
  stats.note(link, queryFrame('blue'), 0);
  for (let second = 1; second <= 1800; second++) stats.tick(second * 1000, 0);
  t.match(stats.report('minute', 10), { seconds: 60, queries: 0, words: [] });
  t.match(stats.report('hour', 10), { seconds: 1800, queries: 1, words: [{ key: 'blue', count: 1 }] });
  t.equal(stats.report('hour', 10).series.length, 30);
  for (let second = 1801; second <= 5400; second++) stats.tick(second * 1000, 0);
  t.match(stats.report('hour', 10), { seconds: 3600, queries: 0, words: [] });
  t.match(stats.report('day', 10), { queries: 1, words: [{ key: 'blue', count: 1 }] });
});

t.test('queries, hops, words, neighbours and series are counted over one and the same time', async t => {
  const stats = new QueryStats({ privacy: 'full', hasher: new WordHasher() });
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  for (let second = 1; second <= 5_000; second++) {
    stats.note(link, queryFrame('blue'), 0);
    stats.tick(second * 1000, 0);
    if (second % 7 !== 0) continue;
    for (const [span, least] of [
      ['minute', 60],
      ['hour', 3_600],
    ] as const) {
      const view = stats.report(span, 5);
      const { queries, seconds } = view;
      if (seconds < Math.min(second, least) || seconds >= (least * 7) / 6)
        t.fail(`${span}: ${seconds} s at ${second} s`);
      const counts = [queries, view.words[0]?.count, view.peers[0]?.count, sum(view.byHops), sum(view.byTtl)];
      if (counts.some(count => count !== seconds)) t.fail(`${span}: ${counts.join(' ')} of ${seconds} at ${second} s`);
      const inSeries = sum(view.series.map(bucket => bucket.queries));
      if (inSeries > queries || inSeries <= queries - (span === 'hour' ? 60 : 1))
        t.fail(`${span}: ${inSeries} of ${queries}`);
    }
  }
});

t.test('a query by hash has no text of its own', async t => {
  const monitor = new QueryMonitor();
  const sha1 = Buffer.alloc(20, 9);
  for (const payload of [
    encodeQuery({ text: '', urns: [{ sha1, tigerRoot: null }] }),
    encodeQuery({ text: 'blue', urns: [{ sha1, tigerRoot: null }] }),
    encodeQuery({ text: '\\' }),
  ])
    monitor.note(link, frameOf(payload), 0, 0);
  const views = monitor.latest().map(query => queryView(monitor.seen(query)));
  t.strictSame(
    views.map(({ text, urns }) => [text, urns.length]),
    [
      ['\\', 0],
      ['blue', 1],
      ['', 1],
    ],
  );
  t.match(views[2]?.urns[0], /^urn:sha1:/);
});

t.test('of a flood only some queries are looked at for words, and the estimate holds', async t => {
  const stats = new QueryStats({ privacy: 'full', hasher: new WordHasher() });
  const frame = queryFrame('flood');
  for (let second = 1; second <= 3; second++) {
    for (let i = 0; i < 5000; i++) stats.note(link, frame, 0);
    stats.tick(second * 1000, 0);
  }
  const { queries, sampled, words } = stats.report('minute', 1);
  t.equal(queries, 15_000);
  t.ok(sampled <= 3000 / 15_000, 'a thousand a second');
  t.ok(Math.abs((words[0]?.count ?? 0) - 11_000) <= 1000, 'the first second had no warning');
});

t.test('counts alone remember no word; hashed ones say nothing and stay the same', async t => {
  const counted = new QueryStats({ privacy: 'counts', hasher: new WordHasher() });
  counted.note(link, queryFrame('secret'), 0);
  counted.tick(1000, 0);
  t.match(counted.report('minute', 5), { queries: 1, words: [] });
  const hashed = new QueryStats({ privacy: 'hashed', hasher: new WordHasher(Buffer.alloc(16)) });
  hashed.note(link, queryFrame('secret'), 0);
  hashed.note(link, queryFrame('secret'), 0);
  hashed.tick(1000, 0);
  const [word] = hashed.report('minute', 5).words;
  t.match(word?.key, /^[0-9a-f]{12}$/);
  t.equal(word?.count, 2);
});

t.test('top keys: bounded, never too low, and too high by no more than they say', async t => {
  const keys = new TopKeys(50);
  const truth = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const key = i % 3 === 0 ? `common ${i % 5}` : `rare ${(i * 7919) % 6000}`;
    truth.set(key, (truth.get(key) ?? 0) + 1);
    keys.add(key, 1);
  }
  t.ok(keys.size < 100);
  const top = keys.top(5);
  t.ok(top.every(({ key }) => key.startsWith('common')));
  for (const { key, count, error } of keys.top(100)) {
    const real = truth.get(key) ?? 0;
    t.ok(count >= real && count - error <= real, `${key}: ${count - error} <= ${real} <= ${count}`);
  }
});
