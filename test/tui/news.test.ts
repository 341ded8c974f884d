import t from 'tap';
import type { LogLineView } from '../../api/control.ts';
import { lineOf, withEarlier, withLines } from '../../tui/daemon-log.ts';
import { statsOf } from '../../tui/demo/query-stats.ts';
import { addSample, historyFrom, noHistory, SERIES, type SeriesName, stretch } from '../../tui/history.ts';
import { emptyWorld, LOG_MAX, QUERIES_MAX, type World } from '../../tui/model.ts';
import { withNews } from '../../tui/news.ts';
import { aLogLine, aPeer, aQuery } from '../support/sample-views.ts';

const AT = Date.UTC(2026, 10, 21);
const queries = (from: number, to: number) =>
  Array.from({ length: from - to + 1 }, (_, i) => ({ ...aQuery, id: String(from - i), text: `word${(from - i) % 7}` }));

t.test('rates come from two looks at the same peer', async t => {
  let world = withNews(emptyWorld, { peers: [aPeer] }, AT);
  t.match(world.peers, [{ rateIn: 0, rateOut: 0 }]);
  const bytes = { in: aPeer.bytes.in + 4000, out: aPeer.bytes.out + 1000 };
  world = withNews(
    world,
    {
      peers: [
        { ...aPeer, bytes },
        { ...aPeer, id: 'p2' },
      ],
    },
    AT + 2000,
  );
  t.match(world.peers, [
    { rateIn: 2000, rateOut: 500 },
    { rateIn: 0, rateOut: 0 },
  ]);
});

t.test('queries known already are not counted again, but their hits are renewed', async t => {
  let world = withNews(emptyWorld, { queries: queries(10, 1) }, AT);
  const later = queries(14, 5).map(query => (query.id === '10' ? { ...query, hits: 9 } : query));
  world = withNews(world, { queries: later }, AT + 2000);
  t.equal(world.queryRate, 2);
  t.strictSame(
    world.queries.map(({ id }) => id),
    queries(14, 1).map(({ id }) => id),
  );
  t.equal(world.queries.find(({ id }) => id === '10')?.hits, 9);
});

t.test('more queries than a page holds still make the right rate, and only so many are kept', async t => {
  let world: World = withNews(emptyWorld, { queries: queries(1000, 1) }, AT);
  for (let i = 1; i <= 10; i++)
    world = withNews(world, { queries: queries(1000 + i * 2000, i * 2000 + 1) }, AT + i * 1000);
  t.equal(world.queryRate, 2000);
  t.equal(world.queries.length, QUERIES_MAX);
});

t.test('the log says what the daemon logged and what was told, and only so many lines', async t => {
  let world = withNews(emptyWorld, { peers: [aPeer], logLines: [{ ...aLogLine, mod: 'links' }] }, AT);
  world = withNews(world, { peers: [] }, AT + 1000);
  t.match(world.log, [{ id: '1', level: 'warn', from: 'links' }]);
  t.equal(world.log.length, 1, 'two looks that differ are no event');
  for (let i = 0; i < LOG_MAX + 10; i++) world = withLines(world, [{ at: AT, level: 'info', from: 'test', text: '' }]);
  t.equal(world.log.length, LOG_MAX);
  t.equal(new Set(world.log.map(({ id }) => id)).size, LOG_MAX);
});

t.test('the demo counts words, hops and answers as the daemon does', async t => {
  const stats = statsOf(
    [
      { ...aQuery, text: 'Blue MOON blue', hops: 2, hits: 0 },
      { ...aQuery, text: 'blue x', urns: [], hops: 99, hits: 1 },
    ],
    'hour',
    2,
  );
  t.match(stats, { span: 'hour', queries: 2, answered: 1, answerRate: 0.5, byHops: [0, 0, 1, 0, 0, 0, 0, 1] });
  t.match(stats.words, [
    { key: 'blue', count: 2 },
    { key: 'moon', count: 1 },
  ]);
});

t.test('a minute, an hour and a day are kept as rings of means', async t => {
  const sample = (value: number) => Object.fromEntries(SERIES.map(name => [name, value])) as Record<SeriesName, number>;
  let history = noHistory;
  for (let second = 0; second < 200; second++) history = addSample(history, AT + second * 1000, sample(second));
  t.strictSame(history.minute.queries.slice(-2), [198, 199]);
  t.equal(history.minute.queries.length, 61, 'the step under way counts');
  t.strictSame(history.hour.queries.slice(0, 2), [14.5, 44.5]);
  t.equal(history.day.queries.length, 1);
  history = addSample(history, AT + 3_600_000 * 24 * 30, sample(1));
  t.ok(history.day.queries.length <= 145, 'after a month asleep as well');
});

t.test('few values become many, many become few, and short rings keep to the right', async t => {
  t.strictSame(stretch([1, 2], 4, 2), [1, 1, 2, 2]);
  t.strictSame(stretch([1, 3, 5, 7], 2, 4), [2, 6]);
  t.equal(stretch([1, 2], 100, 60).length, 3);
});

t.test('what the daemon kept itself fills the graphs, whatever its steps are', async t => {
  const hour = Array.from({ length: 360 }, (_, i) => i);
  const history = historyFrom(
    { minute: { step: 2, queries: [1, 2, 3] }, hour: { step: 10, queries: hour }, day: { step: 0, queries: [1] } },
    AT,
  );
  t.strictSame(history.minute.queries, [1, 1, 2, 2, 3, 3]);
  t.equal(history.hour.queries.length, 120);
  t.strictSame(history.hour.queries.slice(-2), [355, 358]);
  t.strictSame(history.day.queries, []);
  t.strictSame(history.minute.upload, []);
  const sample = Object.fromEntries(SERIES.map(name => [name, 9])) as Record<SeriesName, number>;
  t.strictSame(addSample(history, AT + 500, sample).minute.queries.slice(-2), [3, 9], 'and it goes on from there');
});

t.test('the log of before is put where it belongs, each line once', async t => {
  const line = (id: number, at: number): LogLineView => ({
    ...aLogLine,
    id: String(id),
    at: new Date(at).toISOString(),
    message: `line ${id}`,
  });
  const told = withLines(emptyWorld, [lineOf(line(3, 3000)), { at: 4000, level: 'info', from: 'peers', text: 'seen' }]);
  const all = withEarlier(told, [line(3, 3000), line(2, 2000), line(1, 1000)]);
  t.strictSame(
    all.log.map(({ text }) => text.replace(/ path=.*/, '')),
    ['seen', 'line 3', 'line 2', 'line 1'],
  );
  t.equal(new Set(all.log.map(({ id }) => id)).size, 4, 'each has a number of its own');
  t.equal(withEarlier(all, [line(1, 1000)]), all, 'nothing new');
  t.equal(withEarlier(all, [line(1, 9000)]).log.length, 5, 'a daemon that was started again counts anew');
  const failed = lineOf({
    ...aLogLine,
    message: 'no',
    data: { error: { message: 'gone', stack: 'x' }, tries: 2, at: [] },
  });
  t.equal(failed.text, 'no error=gone tries=2');
});
