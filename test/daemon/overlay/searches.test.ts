import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'tap';
import { Searches } from '../../../daemon/overlay/searches.ts';
import { Search, type SearchSpec } from '../../../protocol/overlay/search.ts';
import { PLAIN_HIT, PLAIN_QUERY_HIT, type QueryHit } from '../../../protocol/wire/query-hit.ts';

const clock = { now: () => 0, wallTime: () => 1_000_000 };

class FakeOverlay {
  readonly started: Search[] = [];
  readonly cancelled: Search[] = [];

  search(spec: SearchSpec): Search {
    const search = new Search(Buffer.alloc(16, this.started.length), spec, Buffer.alloc(0), 0);
    this.started.push(search);
    return search;
  }

  cancelSearch(search: Search): void {
    this.cancelled.push(search);
  }
}

function newSearches(options: { sourcesPerSearchMax?: number; sourcesMax?: number } = {}) {
  const overlay = new FakeOverlay();
  const searches = new Searches({ overlay, clock, browse: async () => undefined, ...options });
  const start = () => {
    const { id } = searches.start({ text: 'words' });
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
  const [first, second, third] = [start(), start(), start()];
  searches.onHit(first.onOverlay, hitOf(1, 0, 10), 0);
  searches.onHit(second.onOverlay, hitOf(1, 0, 10), 0);
  searches.expire(Number.MAX_SAFE_INTEGER);
  const fourth = start();
  searches.onHit(fourth.onOverlay, hitOf(1, 0, 25), 0);
  t.equal(searches.get(first.id), null);
  t.equal(searches.get(second.id), null);
  t.not(searches.get(third.id), null, 'it held nothing that could be given back');
  t.equal(sourcesOf(fourth.id), 25);
  searches.onHit(fourth.onOverlay, hitOf(1, 25, 25), 0);
  t.equal(sourcesOf(fourth.id), 30, 'a running one keeps what it has');
  searches.remove(fourth.id);
  const fifth = start();
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
