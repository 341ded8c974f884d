import t from 'tap';
import {
  CacheBook,
  type CachePolicy,
  LOCAL_CACHES,
  POLITE_UDP,
  POLITE_WEB,
} from '../../../protocol/bootstrap/cache-book.ts';

const random = { below: () => 0, fill: () => {}, guid: () => Buffer.alloc(16) };
const bookOf = (wellKnown: string[], policy: CachePolicy, own: string[] = []) =>
  new CacheBook({ own, wellKnown }, policy, random);
const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 21);

t.test('GWebCaches are asked once an hour, each and all together, across restarts too', async t => {
  const book = bookOf(['http://a/', 'http://b/'], POLITE_WEB);
  t.equal(book.next(NOW), 'http://a/');
  book.asked('http://a/', NOW);
  book.answered('http://a/', NOW);
  t.equal(book.next(NOW + HOUR_MS - 1), null);
  t.equal(book.due('http://b/', NOW + 1), true, 'it would be its turn, but for the other');

  const again = bookOf(['http://a/', 'http://b/'], POLITE_WEB);
  again.fromRecords(book.toRecords());
  t.equal(again.next(NOW + HOUR_MS - 1), null);
  t.equal(again.next(NOW + HOUR_MS), 'http://a/');
});

t.test(
  'a GWebCache that failed is asked again after doubling waits, across restarts too, and within a day at last',
  async t => {
    let book = bookOf(['http://a/'], POLITE_WEB);
    let now = NOW;
    for (const hours of [1, 2, 4, 8, 16, 24, 24]) {
      book.asked('http://a/', now);
      book.failed('http://a/', true);
      const again = bookOf(['http://a/'], POLITE_WEB);
      again.fromRecords(book.toRecords());
      book = again;
      now += hours * HOUR_MS;
      t.equal(book.next(now - 1), null);
      t.equal(book.next(now), 'http://a/');
    }
  },
);

t.test('after one that failed another is asked within a minute; after an answer only an own one', async t => {
  const book = bookOf(['http://a/', 'http://b/'], POLITE_WEB, ['http://own/']);
  book.asked('http://a/', NOW);
  t.equal(book.dueAt('http://b/', NOW), NOW + 60_000);
  book.answered('http://a/', NOW);
  t.equal(book.dueAt('http://b/', NOW), NOW + HOUR_MS);
  t.equal(book.dueAt('http://own/', NOW), NOW + 60_000);
});

t.test('a question that never left, as without a network, costs a cache nothing', async t => {
  const book = bookOf([], POLITE_WEB);
  book.learn('http://a/');
  for (let n = 0; n < 20; n++) {
    book.asked('http://a/', NOW + n * HOUR_MS);
    book.failed('http://a/', false);
  }
  t.equal(book.dueAt('http://a/', NOW + 19 * HOUR_MS), NOW + 19 * HOUR_MS + 180_000);
});

t.test(
  'own caches come first, then those not asked for longest, configured ones before those named by others',
  async t => {
    const book = bookOf(['known:1', 'known:2'], POLITE_UDP, ['own:1']);
    book.learn('heard:1');
    book.asked('known:1', NOW);
    t.strictSame(book.inTurn(), ['own:1', 'known:2', 'heard:1', 'known:1']);
  },
);

t.test('a cache somebody named that never answers loses its place; a configured one never', async t => {
  const book = bookOf(['own:1'], POLITE_UDP);
  t.equal(book.learn('other:1'), true);
  t.equal(book.learn('other:1'), false);
  for (let n = 0; n < 6; n++) for (const cache of ['own:1', 'other:1']) book.failed(cache, true);
  t.strictSame(
    book.toRecords().map(({ address }) => address),
    ['own:1'],
  );
  t.equal(bookOf([], LOCAL_CACHES).learn('other:1'), false, 'a lab asks its own caches only');
});

t.test('a clock turned back does not silence a cache for ever', async t => {
  const book = bookOf(['http://a/'], POLITE_WEB);
  book.asked('http://a/', NOW);
  t.equal(book.next(NOW - 10 * HOUR_MS), 'http://a/');
});

t.test('only a cache that answered is named to others, and not to itself', async t => {
  const book = bookOf(['http://a/', 'http://b/'], POLITE_WEB);
  t.equal(book.good('http://b/'), null);
  book.answered('http://a/', NOW);
  t.equal(book.good('http://b/'), 'http://a/');
  t.equal(book.good('http://a/'), null);
});
