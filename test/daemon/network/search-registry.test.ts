import t from 'tap';
import { endpoints } from '../../../api/endpoints.ts';
import { SearchRegistry, type SearchRegistryOptions } from '../../../daemon/network/search-registry.ts';
import type { SearchSpec } from '../../../protocol/overlay/queries/question.ts';
import { Search } from '../../../protocol/overlay/queries/search.ts';
import { SearchSessions, type SessionSink } from '../../../protocol/overlay/queries/search-sessions.ts';
import { hitOf } from '../../support/query-hits.ts';

const SHA1 = 'PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';
const STARTED = 1_000_000;

function scene(browse: SearchRegistryOptions['browse'] = async () => null) {
  const clock = { ms: 0, now: () => clock.ms, wallTime: () => STARTED + clock.ms };
  const started: Search[] = [];
  const states: string[] = [];
  const sink: SessionSink = {
    onFound: (session, content) => searches.onFound(session, content),
    onSearchEnded: session => searches.onSearchEnded(session),
    onSearchForgotten: session => searches.onSearchForgotten(session),
  };
  const sessions = new SearchSessions({
    search: (spec: SearchSpec, now) => {
      const earlier = started.findLast(({ text }) => text === spec.text) ?? null;
      const search = new Search(Buffer.alloc(16, started.length), spec, Buffer.alloc(0), now, earlier);
      search.noteAsked(now);
      started.push(search);
      return search;
    },
    cancel: () => {},
    sink,
  });
  const results: string[] = [];
  const searches: SearchRegistry = new SearchRegistry({
    servent: { searches: sessions },
    clock,
    browse,
    onChange: ({ state }) => states.push(state),
    onResult: (_, __, { content, foundAt }) => results.push(`${content.name} ${foundAt}`),
  });
  return { clock, sessions, searches, started, states, results };
}

t.test('the TTL of a search goes out with it', t => {
  const { started, searches } = scene();
  searches.start({ text: 'words', ttl: 2 });
  searches.start({ text: 'other words' });
  t.strictSame(
    started.map(({ ttlMax }) => ttlMax),
    [2, Number.POSITIVE_INFINITY],
  );
  t.end();
});

t.test('a URN given as text is searched for as one, and one that nobody can search for is refused', t => {
  const { started, searches } = scene();
  t.match(searches.start({ text: `urn:sha1:${SHA1}` }), { text: null, urn: `urn:sha1:${SHA1}` });
  t.match(started.at(-1), { text: '', urns: [{ length: 20 }] });
  const tiger = `urn:tree:tiger:${'A'.repeat(39)}`;
  for (const urn of [tiger, 'urn:sha1:TOOSHORT', 'urn:ed2k:31d6cfe0d16ae931b73c59d7e0c089c0']) {
    t.throws(() => searches.start({ urn }), { code: 'SEARCH_INPUT', field: 'urn', message: /only a urn:sha1:/ }, urn);
    t.throws(() => searches.start({ text: urn }), { field: 'text', message: /only a urn:sha1:/ }, urn);
  }
  t.throws(() => searches.start({ browse: 'a name' }), { field: 'browse', message: /not a host name/ });
  t.equal(started.length, 1);
  t.end();
});

t.test('the views of a search have dates, which do not move, and the view of each result once it is found', t => {
  const { clock, searches, sessions, started, states, results } = scene();
  const date = (ms: number) => STARTED + ms;
  const { id } = searches.start({ text: 'words', duration: 10 });
  t.match(searches.get(id), {
    ...{ state: 'running', startedAt: date(0), endsAt: date(10_000), results: 0, cut: null },
    ...{ askedBefore: null, askAgainAt: date(1_700_000), peers: 1 },
  });
  clock.ms = 5_000;
  sessions.onHit(started[0] as Search, hitOf(1, 0, 1), 2, clock.ms);
  t.strictSame(results, [`file 0 ${date(5_000)}`]);
  clock.ms = 9_999;
  t.match(searches.get(id), { state: 'running', results: 1, hits: 1 });
  clock.ms = 10_000;
  t.match(searches.get(id), { state: 'finished', startedAt: date(0), endsAt: date(10_000) }, 'without a tick');
  const { id: again } = searches.start({ text: 'words' });
  t.match(searches.list().at(-1), { id: again, results: 1, askedBefore: date(0), askAgainAt: date(1_710_000) });
  t.strictSame(
    searches.results(again)?.map(({ foundAt }) => foundAt),
    [date(5_000)],
    'with its date of then',
  );
  t.strictSame(states, ['running', 'finished', 'running']);
  t.end();
});

t.test('a search that was removed is gone, and so is one that the servent has forgotten', t => {
  const { searches, sessions, states } = scene();
  const { id } = searches.start({ text: 'words' });
  t.equal(searches.running, 1);
  t.equal(searches.remove(id), true);
  t.equal(searches.remove(id), false);
  t.equal(searches.get(id), null);
  t.equal(searches.results(id), null);
  t.strictSame(states, ['running', 'finished']);
  const { id: other } = searches.start({ text: 'others' });
  const [session] = sessions.values();
  if (session !== undefined) sessions.remove(session);
  t.equal(searches.get(other), null);
  t.equal(searches.contents(other), null);
  t.end();
});

t.test('a browse takes what comes, says what was cut, and is broken off when its search is removed', async t => {
  let broken: AbortSignal | null = null;
  const { searches } = scene(async ({ port }, onHit, signal) => {
    broken = signal;
    onHit(hitOf(1, 0, 2));
    if (port === 1) throw new Error('nobody is there');
    if (port === 2) await new Promise(() => {});
    return 'the first 2 of more files';
  });
  const states = [3, 1, 2].map(port => searches.start({ browse: `127.0.0.1:${port}` }).id);
  await new Promise(resolve => setImmediate(resolve));
  const [whole, failed, running] = states.map(id => searches.get(id));
  t.match(whole, { state: 'finished', results: 2, cut: 'the first 2 of more files', peers: 1 });
  t.match(failed, { state: 'failed', error: 'nobody is there', results: 2 });
  t.match(running, { state: 'running', browse: '127.0.0.1:2' });
  searches.remove(states[2] as string);
  t.match(broken, { aborted: true });
});

t.test('a search that left something out says so, and how much it kept', t => {
  const { searches, sessions, started } = scene();
  const { id } = searches.start({ text: 'results' });
  const [search] = started;
  for (let first = 0; first < 5_250; first += 250) sessions.onHit(search as Search, hitOf(1, first, 250, 10_000), 0, 0);
  t.match(searches.get(id), { results: 5_000, hits: 5_250, cut: 'the first 5000 of more results' });
  const { id: other } = searches.start({ text: 'sources' });
  for (let servent = 0; servent < 201; servent++) sessions.onHit(started[1] as Search, hitOf(servent, 0, 1), 0, 0);
  t.match(searches.get(other)?.cut, /more sources than are kept/);
  t.end();
});

t.test('a pasted magnet link is searched for by its hash, not by its letters', t => {
  const { started, searches } = scene();
  const name = `dn=${'a+name+'.repeat(60)}`;
  for (const text of [
    `magnet:?xt=urn:sha1:${SHA1}`,
    `magnet:?${name}&xl=5&xt=urn:sha1:${SHA1}`,
    `look: <magnet:?xt=urn%3Asha1%3A${SHA1}> it is`,
    `"urn:sha1:${SHA1}"`,
  ]) {
    const input = endpoints.startSearch.body.parse({ text });
    t.match(searches.start(input), { text: null, urn: `urn:sha1:${SHA1}` }, text);
    t.match(started.at(-1), { text: '', urns: [{ length: 20 }] }, text);
  }
  t.match(
    searches.start({ text: 'magnet:?dn=free+music' }),
    { text: 'free music', urn: null },
    'its name without a hash',
  );
  t.match(searches.start({ text: 'magnet:?dn=x&kt=free+music' }), { text: 'free music', urn: null }, 'or its words');
  for (const text of ['magnet:?xl=5', `magnet:?${name}`])
    t.throws(() => searches.start({ text }), { field: 'text', message: /expected a magnet link with/ });
  t.throws(() => endpoints.startSearch.body.parse({ text: 'x'.repeat(257) }), /at most 256 characters/);
  t.match(searches.start({ text: 'a magnet and an urn' }), { text: 'a magnet and an urn', urn: null });
  t.end();
});
