import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'tap';
import { Searches } from '../../../daemon/network/searches.ts';
import { Search, type SearchSpec } from '../../../protocol/overlay/queries/search.ts';
import { PLAIN_HIT, PLAIN_QUERY_HIT, type QueryHit } from '../../../protocol/wire/query-hit.ts';

const clock = { now: () => 0, wallTime: () => 1_000_000 };
const SHA1 = 'PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';

class FakeServent {
  readonly started: Search[] = [];
  readonly cancelled: Search[] = [];

  search(spec: SearchSpec): Search {
    const earlier = this.started.findLast(({ text }) => text === spec.text) ?? null;
    const search = new Search(Buffer.alloc(16, this.started.length), spec, Buffer.alloc(0), 0, earlier);
    search.noteAsked(0);
    this.started.push(search);
    return search;
  }

  cancelSearch(search: Search): void {
    this.cancelled.push(search);
  }
}

function newSearches(options: { sourcesPerSearchMax?: number; sourcesMax?: number } = {}) {
  const overlay = new FakeServent();
  const searches = new Searches({ servent: overlay, clock, browse: async () => null, ...options });
  const start = (text = 'words') => {
    const { id } = searches.start({ text });
    const onOverlay = overlay.started.at(-1);
    if (onOverlay === undefined) throw new Error('nothing was asked');
    return { id, onOverlay };
  };
  const sourcesOf = (id: string) => (searches.contents(id) ?? []).reduce((sum, { sources }) => sum + sources.length, 0);
  return { overlay, searches, start, sourcesOf };
}

/** `records` files of one servent, with indexes from `first` on; `contents` different ones. */
function hitOf(servent: number, first: number, records: number, contents = records): QueryHit {
  return {
    ...PLAIN_QUERY_HIT,
    endpoint: { host: '127.0.0.1', port: 6346 },
    speedKbps: 1,
    vendor: 'TEST',
    serventGuid: Buffer.alloc(16, servent),
    hits: Array.from({ length: records }, (_, i) => ({
      ...PLAIN_HIT,
      index: first + i,
      name: `file ${(first + i) % contents}`,
      size: 10,
    })),
  };
}

test('the TTL of a search goes out with it', t => {
  const { overlay, searches } = newSearches();
  searches.start({ text: 'words', ttl: 2 });
  searches.start({ text: 'other words' });
  t.strictSame(
    overlay.started.map(({ ttlMax }) => ttlMax),
    [2, Number.POSITIVE_INFINITY],
  );
  t.end();
});

test('a search collects the servents that have a content, each file of theirs once', t => {
  const { searches, start } = newSearches();
  const { id, onOverlay } = start();
  for (const servent of [1, 2, 1]) searches.onHit(onOverlay, hitOf(servent, 0, 2), 3);
  t.match(searches.get(id), { results: 2, hits: 6, state: 'running' });
  t.strictSame(
    searches.contents(id)?.map(({ name, sources }) => [name, sources.length]),
    [
      ['file 0', 2],
      ['file 1', 2],
    ],
  );
  t.end();
});

test('a flood of hits costs a bounded number of sources, and the first ones stay', t => {
  const { searches, start, sourcesOf } = newSearches({ sourcesPerSearchMax: 100 });
  const { id, onOverlay } = start();
  for (let first = 0; first < 1000; first += 250) searches.onHit(onOverlay, hitOf(1, first, 250, 10), 0);
  t.equal(sourcesOf(id), 100);
  t.match(searches.get(id), { results: 10, hits: 1000 });
  t.end();
});

test('a content of which no source can be kept is no result', t => {
  const { searches, start } = newSearches({ sourcesPerSearchMax: 5 });
  const { id, onOverlay } = start();
  searches.onHit(onOverlay, hitOf(1, 0, 8), 0);
  t.match(searches.get(id), { results: 5, hits: 8 });
  t.end();
});

test('when all searches together hold too much, the oldest one that is over is forgotten', t => {
  const { searches, start, sourcesOf } = newSearches({ sourcesMax: 30 });
  const [first, second, third] = [start('one'), start('two'), start('three')];
  searches.onHit(first.onOverlay, hitOf(1, 0, 10), 0);
  searches.onHit(second.onOverlay, hitOf(1, 0, 10), 0);
  searches.expire(Number.MAX_SAFE_INTEGER);
  const fourth = start('four');
  searches.onHit(fourth.onOverlay, hitOf(1, 0, 25), 0);
  t.equal(searches.get(first.id), null);
  t.equal(searches.get(second.id), null);
  t.not(searches.get(third.id), null, 'it held nothing that could be given back');
  t.equal(sourcesOf(fourth.id), 25);
  searches.onHit(fourth.onOverlay, hitOf(1, 25, 25), 0);
  t.equal(sourcesOf(fourth.id), 30, 'a running one keeps what it has');
  searches.remove(fourth.id);
  const fifth = start('five');
  searches.onHit(fifth.onOverlay, hitOf(1, 0, 30), 0);
  t.equal(sourcesOf(fifth.id), 30, 'what was removed makes room');
  t.end();
});

test('a search that is over takes no more hits and is cancelled on the overlay', async t => {
  const { overlay, searches, start } = newSearches();
  const { id, onOverlay } = start();
  searches.expire(Number.MAX_SAFE_INTEGER);
  await turn();
  searches.onHit(onOverlay, hitOf(1, 0, 1), 0);
  t.match(searches.get(id), { state: 'finished', hits: 0 });
  t.strictSame(overlay.cancelled, [onOverlay]);
});

test('a repeated search begins with what was found before, and says that it was asked', t => {
  const { searches, start, sourcesOf } = newSearches();
  const first = start();
  t.match(searches.get(first.id), { askedBefore: null, askAgainAt: new Date(1_000_000 + 1_700_000).toISOString() });
  searches.onHit(first.onOverlay, hitOf(1, 0, 3), 2);
  searches.expire(Number.MAX_SAFE_INTEGER);
  const { id, onOverlay } = start();
  t.match(searches.get(id), { results: 3, hits: 0, state: 'running', askedBefore: new Date(1_000_000).toISOString() });
  t.equal(sourcesOf(id), 3);
  searches.onHit(onOverlay, hitOf(1, 0, 3), 2);
  t.match(searches.get(id), { results: 3, hits: 3 }, 'what comes again is the same');
  searches.onHit(onOverlay, hitOf(2, 3, 1), 2);
  t.strictSame(
    searches.contents(id)?.map(({ id: result, name }) => [result, name]),
    [0, 1, 2]
      .map(n => [String(n + 1), `file ${n}`])
      .concat([['4', 'file 0']])
      .slice(0, 3),
  );
  t.match(searches.get(first.id), { results: 3, hits: 3, state: 'finished' }, 'the earlier one stays as it was');
  t.end();
});

test('a search that runs takes the hits of its repeat, and the repeat takes its hits', t => {
  const { searches, start } = newSearches();
  const first = start();
  const second = start();
  searches.onHit(first.onOverlay, hitOf(1, 0, 1), 2);
  searches.onHit(second.onOverlay, hitOf(2, 5, 1), 2);
  for (const { id } of [first, second]) t.match(searches.get(id), { hits: 2 });
  searches.remove(first.id);
  searches.onHit(first.onOverlay, hitOf(3, 9, 1), 2);
  t.match(searches.get(second.id), { hits: 3 }, 'a late hit for a search that was removed');
  t.end();
});

test('a repeat of a search that was removed begins with nothing, and still says that it was asked', t => {
  const { searches, start } = newSearches();
  const first = start();
  searches.onHit(first.onOverlay, hitOf(1, 0, 3), 2);
  searches.remove(first.id);
  t.match(searches.get(start().id), { results: 0, askedBefore: new Date(1_000_000).toISOString() });
  t.end();
});

test('what a repeat begins with counts against the bounds', t => {
  const { searches, start, sourcesOf } = newSearches({ sourcesPerSearchMax: 20, sourcesMax: 30 });
  const first = start();
  searches.onHit(first.onOverlay, hitOf(1, 0, 20), 2);
  const second = start();
  t.equal(sourcesOf(second.id), 10, 'the first one runs and keeps what it has');
  searches.remove(first.id);
  searches.expire(Number.MAX_SAFE_INTEGER);
  t.equal(sourcesOf(start().id), 10, 'all of it fits now');
  t.end();
});

test('a URN given as text is searched for as one, and one that nobody can search for is refused', t => {
  const { overlay, searches } = newSearches();
  t.match(searches.start({ text: `urn:sha1:${SHA1}` }), { text: null, urn: `urn:sha1:${SHA1}` });
  t.match(overlay.started.at(-1), { text: '', urns: [{ length: 20 }] });
  const tiger = `urn:tree:tiger:${'A'.repeat(39)}`;
  for (const urn of [tiger, 'urn:sha1:TOOSHORT', 'urn:ed2k:31d6cfe0d16ae931b73c59d7e0c089c0']) {
    t.throws(() => searches.start({ urn }), { faults: [{ field: 'urn' }], message: /only a urn:sha1:/ }, urn);
    t.throws(() => searches.start({ text: urn }), { faults: [{ field: 'text' }], message: /only a urn:sha1:/ }, urn);
  }
  t.equal(overlay.started.length, 1);
  t.end();
});

test('a search is over when its time is up, whether or not anybody has looked after it', t => {
  let wallTime = 0;
  const searches = new Searches({
    servent: new FakeServent(),
    clock: { now: () => 0, wallTime: () => wallTime },
    browse: async () => null,
  });
  const { id } = searches.start({ text: 'words', duration: 10 });
  wallTime = 9_999;
  t.match(searches.get(id), { state: 'running' });
  wallTime = 10_000;
  t.match(searches.get(id), { state: 'finished' });
  const { id: other } = searches.start({ text: 'others', duration: 10 });
  wallTime = 20_000;
  t.match(searches.list().at(-1), { id: other, state: 'finished' });
  t.end();
});

test('a search that left something out says so, and how much it kept', t => {
  const { searches, start } = newSearches();
  const whole = start('whole');
  searches.onHit(whole.onOverlay, hitOf(1, 0, 100), 0);
  searches.onHit(whole.onOverlay, hitOf(1, 0, 100), 0);
  t.equal(searches.get(whole.id)?.cut, null, 'the same once more is not left out');

  const results = start('results');
  for (let first = 0; first < 5_250; first += 250) searches.onHit(results.onOverlay, hitOf(1, first, 250, 10_000), 0);
  t.match(searches.get(results.id), { results: 5_000, hits: 5_250, cut: 'the first 5000 of more results' });

  const sources = start('sources');
  for (let servent = 0; servent < 200; servent++) searches.onHit(sources.onOverlay, hitOf(servent, 0, 1), 0);
  t.equal(searches.get(sources.id)?.cut, null);
  searches.onHit(sources.onOverlay, hitOf(250, 0, 1), 0);
  t.match(searches.get(sources.id)?.cut, /more sources than are kept/);
  t.end();
});
