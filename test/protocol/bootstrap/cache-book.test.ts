import fc from 'fast-check';
import t from 'tap';
import { CacheBook, LAB_CACHES, POLITE_UDP, POLITE_WEB } from '../../../protocol/bootstrap/cache-book.ts';
import { parsePackedHostCaches } from '../../../protocol/bootstrap/packed-host-caches.ts';

const random = { below: () => 0, fill: () => {}, guid: () => Buffer.alloc(16) };
const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 21);

t.test('GWebCaches are asked once an hour, each and all together, across restarts too', async t => {
  const book = new CacheBook(['http://a/', 'http://b/'], POLITE_WEB, random);
  t.equal(book.next(NOW), 'http://a/');
  book.asked('http://a/', NOW);
  book.answered('http://a/', NOW);
  t.equal(book.next(NOW + HOUR_MS - 1), null);
  t.equal(book.due('http://b/', NOW + 1), true, 'it would be its turn, but for the other');

  const again = new CacheBook(['http://a/', 'http://b/'], POLITE_WEB, random);
  again.fromRecords(book.toRecords());
  t.equal(again.next(NOW + HOUR_MS - 1), null);
  t.equal(again.next(NOW + HOUR_MS), 'http://a/');
});

t.test('one that failed is not asked again in this run, and in later ones after doubling waits', async t => {
  const book = new CacheBook(['http://a/'], POLITE_WEB, random);
  book.asked('http://a/', NOW);
  book.failed('http://a/');
  t.equal(book.next(NOW + 1000 * HOUR_MS), null);
  const second = new CacheBook(['http://a/'], POLITE_WEB, random);
  second.fromRecords(book.toRecords());
  t.equal(second.next(NOW + HOUR_MS), 'http://a/');
  second.asked('http://a/', NOW + HOUR_MS);
  second.failed('http://a/');
  const third = new CacheBook(['http://a/'], POLITE_WEB, random);
  third.fromRecords(second.toRecords());
  t.equal(third.next(NOW + 2 * HOUR_MS), null);
  t.equal(third.next(NOW + 3 * HOUR_MS), 'http://a/');
});

t.test('a cache somebody named that never answers loses its place; a configured one never', async t => {
  const book = new CacheBook(['own:1'], POLITE_UDP, random);
  t.equal(book.heard('other:1'), true);
  t.equal(book.heard('other:1'), false);
  for (let n = 0; n < 6; n++) for (const cache of ['own:1', 'other:1']) book.failed(cache);
  t.strictSame(
    book.toRecords().map(({ address }) => address),
    ['own:1'],
  );
  t.equal(new CacheBook([], LAB_CACHES, random).heard('other:1'), false, 'a lab asks its own caches only');
});

t.test('a clock turned back does not silence a cache for ever', async t => {
  const book = new CacheBook(['http://a/'], POLITE_WEB, random);
  book.asked('http://a/', NOW);
  t.equal(book.next(NOW - 10 * HOUR_MS), 'http://a/');
});

t.test('only a cache that answered is named to others, and not to itself', async t => {
  const book = new CacheBook(['http://a/', 'http://b/'], POLITE_WEB, random);
  t.equal(book.good('http://b/'), null);
  book.answered('http://a/', NOW);
  t.equal(book.good('http://b/'), 'http://a/');
  t.equal(book.good('http://a/'), null);
});

t.test('packed host caches: names with and without port and attributes, nothing else', async t => {
  const text = 'uhc.example.org:3558&a=1\nCache.example.net\n10.1.1.1:99999\n<html>\n\n5.5.1.1:80';
  t.strictSame(parsePackedHostCaches(Buffer.from(text)), [
    'uhc.example.org:3558',
    'cache.example.net:6346',
    '5.5.1.1:80',
  ]);
  fc.assert(fc.property(fc.uint8Array(), bytes => parsePackedHostCaches(Buffer.from(bytes)).length <= 50));
});
