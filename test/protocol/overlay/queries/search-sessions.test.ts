import t from 'tap';
import type { SearchSpec } from '../../../../protocol/overlay/queries/question.ts';
import { Search } from '../../../../protocol/overlay/queries/search.ts';
import {
  HIDDEN_SESSIONS_MAX,
  SESSION_MS,
  SESSIONS_MAX,
  type SearchSession,
  SearchSessions,
  type SessionLimits,
} from '../../../../protocol/overlay/queries/search-sessions.ts';
import { mediaMask } from '../../../../protocol/wire/media-type.ts';
import { PLAIN_HIT } from '../../../../protocol/wire/query-hit.ts';
import { hitOf } from '../../../support/query-hits.ts';

/** Later than any search ends. */
const END = Number.MAX_SAFE_INTEGER;

function scene(limits: Partial<SessionLimits> = {}) {
  const started: Search[] = [];
  const cancelled: Search[] = [];
  const ended: SearchSession[] = [];
  const forgotten: SearchSession[] = [];
  const told: string[] = [];
  const sessions = new SearchSessions({
    search: (spec: SearchSpec, now) => {
      if (spec.text === '') throw new RangeError('no word to search for');
      const earlier = started.findLast(({ text }) => text === spec.text) ?? null;
      const search = new Search(Buffer.alloc(16, started.length), spec, Buffer.alloc(0), now, earlier);
      search.noteAsked(now);
      started.push(search);
      return search;
    },
    cancel: search => cancelled.push(search),
    sink: {
      onFound: (_, { name, sources }) => told.push(`${name} ${sources.length}`),
      onSearchEnded: session => ended.push(session),
      onSearchForgotten: session => forgotten.push(session),
    },
    limits,
  });
  const start = (text = 'words') => {
    const session = sessions.start({ text }, 0);
    const { search } = session;
    if (search === null) throw new Error('nothing was asked');
    return { session, search, found: session.found };
  };
  return { sessions, start, cancelled, ended, forgotten, told };
}

t.test('a search collects the servents that have a content, each file of theirs once', t => {
  const { sessions, start, told } = scene();
  const { search, found, session } = start();
  for (const servent of [1, 2, 1]) sessions.onHit(search, hitOf(servent, 0, 2), 3, 5);
  t.match(session, { state: 'running', found: { size: 2, hits: 6 } });
  t.match(
    found.values().map(({ id, name, foundAt, sources }) => [id, name, foundAt, sources.length]),
    [
      ['1', 'file 0', 5, 2],
      ['2', 'file 1', 5, 2],
    ],
  );
  t.strictSame(told, ['file 0 1', 'file 1 1', 'file 0 2', 'file 1 2']);
  t.end();
});

t.test('a flood of hits costs a bounded number of sources, and the first ones stay', t => {
  const { sessions, start } = scene({ sourcesPerSession: 100 });
  const { search, found } = start();
  for (let first = 0; first < 1000; first += 250) sessions.onHit(search, hitOf(1, first, 250, 10), 0, 0);
  t.match(found, { sources: 100, size: 10, hits: 1000 });
  t.end();
});

t.test('a content of which no source can be kept is no result', t => {
  const { sessions, start } = scene({ sourcesPerSession: 5 });
  const { search, found } = start();
  sessions.onHit(search, hitOf(1, 0, 8), 0, 0);
  t.match(found, { size: 5, hits: 8 });
  t.end();
});

t.test('when all searches together hold too much, the oldest one that is over is forgotten', t => {
  const { sessions, start, forgotten } = scene({ sources: 30 });
  const [first, second, third] = [start('one'), start('two'), start('three')];
  sessions.onHit(first.search, hitOf(1, 0, 10), 0, 0);
  sessions.onHit(second.search, hitOf(1, 0, 10), 0, 0);
  sessions.tick(END);
  const fourth = start('four');
  sessions.onHit(fourth.search, hitOf(1, 0, 25), 0, 0);
  t.strictSame(forgotten, [first.session, second.session]);
  t.ok(sessions.values().includes(third.session), 'it held nothing that could be given back');
  t.equal(fourth.found.sources, 25);
  sessions.onHit(fourth.search, hitOf(1, 25, 25), 0, 0);
  t.equal(fourth.found.sources, 30, 'a running one keeps what it has');
  sessions.remove(fourth.session);
  const fifth = start('five');
  sessions.onHit(fifth.search, hitOf(1, 0, 30), 0, 0);
  t.equal(fifth.found.sources, 30, 'what was removed makes room');
  t.end();
});

t.test('a search that is over takes no more hits and is cancelled on the overlay', t => {
  const { sessions, start, cancelled, ended } = scene();
  const { search, session } = start();
  sessions.tick(END);
  sessions.onHit(search, hitOf(1, 0, 1), 0, 0);
  sessions.add(session, hitOf(1, 0, 1), 0, 0);
  t.match(session, { state: 'finished', error: null, found: { hits: 0 } });
  t.strictSame(cancelled, [search]);
  t.strictSame(ended, [session]);
  sessions.end(session, 'too late');
  t.match(session, { state: 'finished', error: null });
  t.end();
});

t.test('a repeated search begins with what was found before', t => {
  const { sessions, start } = scene();
  const first = start();
  sessions.onHit(first.search, hitOf(1, 0, 3), 2, 0);
  sessions.tick(END);
  const { search, found } = start();
  t.match(found, { size: 3, hits: 0, sources: 3 });
  sessions.onHit(search, hitOf(1, 0, 3), 2, 0);
  t.match(found, { size: 3, hits: 3, sources: 3 }, 'what comes again is the same');
  sessions.onHit(search, hitOf(2, 3, 1), 2, 0);
  t.equal(found.size, 3);
  t.match(first.found, { size: 3, hits: 3, sources: 3 }, 'the earlier one stays as it was');
  t.end();
});

t.test('a search that runs takes the hits of its repeat, and the repeat takes its hits', t => {
  const { sessions, start } = scene();
  const [first, second] = [start(), start()];
  sessions.onHit(first.search, hitOf(1, 0, 1), 2, 0);
  sessions.onHit(second.search, hitOf(2, 5, 1), 2, 0);
  for (const { found } of [first, second]) t.equal(found.hits, 2);
  sessions.remove(first.session);
  sessions.onHit(first.search, hitOf(3, 9, 1), 2, 0);
  t.equal(second.found.hits, 3, 'a late hit for a search that was removed');
  t.end();
});

t.test('a repeat of a search that was removed begins with nothing', t => {
  const { sessions, start } = scene();
  const first = start();
  sessions.onHit(first.search, hitOf(1, 0, 3), 2, 0);
  sessions.remove(first.session);
  t.equal(start().found.size, 0);
  t.end();
});

t.test('what a repeat begins with counts against the bounds', t => {
  const { sessions, start } = scene({ sourcesPerSession: 20, sources: 30 });
  const first = start();
  sessions.onHit(first.search, hitOf(1, 0, 20), 2, 0);
  t.equal(start().found.sources, 10, 'the first one runs and keeps what it has');
  sessions.remove(first.session);
  sessions.tick(END);
  t.equal(start().found.sources, 10, 'all of it fits now');
  t.end();
});

t.test('a search is over when its time is up, and says when that is', t => {
  const { sessions } = scene();
  const session = sessions.start({ text: 'words' }, 1_000, 10_000);
  t.equal(sessions.tick(10_999), 11_000);
  t.match(session, { state: 'running' });
  t.equal(sessions.tick(11_000), Number.POSITIVE_INFINITY);
  t.match(session, { state: 'finished' });
  t.end();
});

t.test('a browse asks nobody; its end says why it failed', t => {
  const { sessions, cancelled } = scene();
  const session = sessions.startBrowse(0);
  sessions.add(session, hitOf(1, 0, 2), null, 0);
  sessions.end(session, 'nobody is there');
  t.match(session, { search: null, state: 'failed', error: 'nobody is there', found: { size: 2 } });
  t.strictSame(cancelled, []);
  t.end();
});

t.test('a search of which nothing can come, and one too many, are refused', t => {
  const { sessions, start, forgotten } = scene();
  t.throws(() => start(''), { code: 'SEARCH_IMPOSSIBLE', message: 'no word to search for' });
  const first = start();
  for (let n = 1; n < SESSIONS_MAX; n++) start(`word ${n}`);
  t.throws(() => start('one more'), { code: 'SEARCHES_TOO_MANY' });
  sessions.end(first.session, null);
  start('one more');
  t.strictSame(forgotten, [first.session], 'one that is over gives way');
  t.end();
});

t.test('a search that left something out says so', t => {
  const { sessions, start } = scene();
  const whole = start('whole');
  for (let times = 0; times < 2; times++) sessions.onHit(whole.search, hitOf(1, 0, 100), 0, 0);
  t.strictSame(whole.found.leftOut, { contents: false, sources: false }, 'the same once more is not left out');

  const contents = start('contents');
  for (let first = 0; first < 5_250; first += 250) sessions.onHit(contents.search, hitOf(1, first, 250, 10_000), 0, 0);
  t.match(contents.found, { size: 5_000, hits: 5_250, leftOut: { contents: true } });

  const sources = start('sources');
  for (let servent = 0; servent < 200; servent++) sessions.onHit(sources.search, hitOf(servent, 0, 1), 0, 0);
  t.equal(sources.found.leftOut.sources, false);
  sessions.onHit(sources.search, hitOf(250, 0, 1), 0, 0);
  t.equal(sources.found.leftOut.sources, true);
  t.end();
});

t.test('a search or browse for one type keeps results of that type, whatever servents send', t => {
  const { sessions } = scene();
  const media = mediaMask(['audio']);
  const session = sessions.start({ text: 'moon', media }, 0);
  const hit = hitOf(1, 0, 3);
  const named = ['a.mp3', 'b.avi', 'c'].map((name, i) => ({ ...PLAIN_HIT, name, index: i, size: 1 }));
  if (session.search !== null) sessions.onHit(session.search, { ...hit, hits: named }, 1, 0);
  const browse = sessions.startBrowse(0, 1000, media);
  sessions.add(browse, { ...hit, hits: named }, null, 0);
  for (const { found } of [session, browse])
    t.strictSame([found.hits, ...found.values().map(({ name }) => name)], [3, 'a.mp3']);
  t.end();
});

t.test('results carry playing time and bit rate from the XML of a hit, GGEP, or the text of an old servent', t => {
  const { sessions, start } = scene();
  const { search, found } = start();
  const xml =
    '<?xml version="1.0"?><audios><audio seconds="205" bitrate="128" index="0"/><audio seconds="9" index="7"/></audios>';
  const own = Buffer.from('<videos><video length="90"/></videos>');
  const hits = ['a.mp3', 'b.avi', 'c.mp3', 'd'].map((name, i) => ({ ...PLAIN_HIT, name, index: i, size: 1 }));
  const withForms = [
    ...hits.slice(0, 1),
    { ...PLAIN_HIT, name: 'b.avi', index: 1, size: 1, ggep: [{ id: '<', payload: own }] },
    { ...PLAIN_HIT, name: 'c.mp3', index: 2, size: 1, note: '192 kbps 44 kHz 3:25' },
    ...hits.slice(3),
  ];
  sessions.onHit(search, { ...hitOf(1, 0, 1), hits: withForms, xml }, 1, 0);
  sessions.onHit(search, { ...hitOf(2, 0, 1), hits: withForms, xml: xml.replace('205', '7') }, 1, 0);
  t.strictSame(
    found.values().map(({ seconds, kbps }) => [seconds, kbps]),
    [
      [205, 128],
      [90, null],
      [205, 192],
      [null, null],
    ],
    'the first servent that says it is believed',
  );
  t.end();
});

t.test('hidden searches are not counted, are few, and give way to those of users', t => {
  const { sessions, start, forgotten } = scene();
  const hide = (text: string) => sessions.start({ text }, 0, SESSION_MS, true);
  const first = hide('hidden 0');
  const second = hide('hidden 1');
  sessions.end(second, null);
  t.equal(sessions.running, 0);
  for (let n = 2; n < HIDDEN_SESSIONS_MAX; n++) hide(`hidden ${n}`);
  hide('one more');
  t.strictSame(forgotten, [second], 'one that is over goes first');
  hide('and another');
  t.strictSame(forgotten, [second, first], 'then the oldest');
  t.equal(first.state, 'finished');

  const user = start('of a user').session;
  sessions.end(user, null);
  const over = hide('over');
  sessions.end(over, null);
  for (let n = sessions.values().length; n < SESSIONS_MAX; n++) start(`word ${n}`);
  forgotten.length = 0;
  start('the last');
  t.strictSame(forgotten, [over]);
  t.end();
});

t.test('what a hidden search found begins the search of a user for the same', t => {
  const { sessions, start } = scene();
  const hidden = sessions.start({ text: 'words' }, 0, SESSION_MS, true);
  sessions.add(hidden, hitOf(1, 0, 2), 1, 0);
  t.equal(start('words').found.size, 2);
  t.end();
});
