// When the page asks, what it asks, and how it waits.
import fc from 'fast-check';
import t from 'tap';
import type { Endpoint } from '../../api/endpoint.ts';
import { endpoints } from '../../api/endpoints.ts';
import { fieldsOf } from '../../api/fields.ts';
import { parseFilter } from '../../api/filter.ts';
import { backoffMs } from '../../api/live/follow.ts';
import { file, folder } from '../../api/schemas/library.ts';
import { peer } from '../../api/schemas/overlay.ts';
import { question, recording } from '../../api/schemas/recordings.ts';
import { savedSearch } from '../../api/schemas/saved-searches.ts';
import { result, search } from '../../api/schemas/searches.ts';
import { download, pastTransfer, upload } from '../../api/schemas/transfers.ts';
import { parseSort } from '../../api/sort.ts';
import type { Actions } from '../../web/actions.ts';
import { CALLS, type CallName, wanted } from '../../web/calls.ts';
import { type Model, START } from '../../web/model.ts';
import { filterOf, Refresh, shown } from '../../web/refresh.ts';
import { type ShellActions, shell } from '../../web/shell.ts';
import type { Sketch } from '../../web/sketch.ts';
import { aQuestion, aRecording } from '../support/sample-recordings.ts';
import {
  aDownload,
  aFile,
  aFolder,
  anUpload,
  aPastTransfer,
  aPeer,
  aResult,
  aSavedSearch,
  aSearch,
} from '../support/sample-views.ts';

t.test('every call of the page is an operation of the API', async t => {
  for (const name of Object.keys(CALLS) as CallName[]) {
    const { method, path, body, success }: Endpoint = endpoints[name];
    t.strictSame([method, `/api/v1/${CALLS[name][1]}`], [CALLS[name][0], path], name);
    const call = wanted('http://h/below/api/v1/', name, { id: 'a/b', x: 1 });
    t.equal(call.body !== null, body !== null, `${name} has a body when the operation takes one`);
    if (path.includes(':id')) t.match(call.url, '/a%2Fb');
    t.ok(call.url.startsWith('http://h/below/api/v1/'));
    t.ok(success >= 200);
  }
  t.equal(wanted('http://h/api/v1/', 'peers', { limit: 5, cursor: undefined }).url, 'http://h/api/v1/peers?limit=5');
});

t.test('nothing is asked for twice at once, nor oftener than it changes', async t => {
  const refresh = new Refresh();
  const { view } = START;
  const all = shown({ view, search: null });
  t.strictSame(refresh.due(all, 0), all, 'at first everything');
  t.strictSame(refresh.due(all, 60_000), [], 'while answers are awaited, nothing');
  for (const resource of all) refresh.answered(resource);
  t.strictSame(refresh.due(['history'], 60_001), ['history']);
  refresh.answered('history');
  t.strictSame(refresh.due(['history'], 60_100), []);
  refresh.stale('peers');
  t.strictSame(refresh.due(['peers'], 60_100), ['peers']);
  refresh.stale('peers');
  t.strictSame(refresh.due(['peers'], 99_999), [], 'changed while the answer is on its way');
  refresh.answered('peers');
  t.strictSame(refresh.due(['peers'], 99_999), ['peers'], 'so it is asked for again');
});

t.test('an answer that an event has overtaken is thrown away, unless that goes on', async t => {
  const refresh = new Refresh();
  const asked = (changed: boolean): boolean => {
    refresh.due(['downloads'], Number.POSITIVE_INFINITY);
    if (changed) refresh.stale('downloads');
    const overtaken = refresh.isOvertaken('downloads');
    refresh.answered('downloads');
    return overtaken;
  };
  t.strictSame([false, true, false, true, true, true, true].map(asked), [false, true, false, true, true, false, true]);
});

t.test('a thousand events are one question', async t => {
  const refresh = new Refresh();
  let asked = 0;
  for (let now = 0; now < 4_000; now++) {
    refresh.stale('results');
    for (const resource of refresh.due(['results'], now)) {
      asked++;
      refresh.answered(resource);
    }
  }
  t.ok(asked >= 9 && asked <= 11, `${asked}`);
});

t.test('whatever words are typed, the API understands the filter, and it finds them', async t => {
  const fields = fieldsOf(peer);
  const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  // No assertion is named by the typed text: some texts cannot be read again in the output of the test.
  const found = fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), words => {
    const typed = words.join(' ').replace(/[=<>~"'()]/g, '');
    const filter = filterOf(typed);
    if (typed.trim() === '') return filter === undefined;
    const has = parseFilter(filter ?? '', fields, 0).compile<object>(
      path => () => (path === 'userAgent' ? typed : null),
    );
    return has({});
  });
  t.doesNotThrow(() => fc.assert(found));
  t.equal(filterOf('size>4MiB'), 'size>4MiB', 'an operator makes it the language of the API');
});

t.test('waits grow, are never long, and differ from page to page', async t => {
  fc.assert(
    fc.property(fc.nat(100), fc.float({ min: 0, max: Math.fround(0.99), noNaN: true }), (failures, luck) => {
      const wait = backoffMs(failures, luck);
      t.ok(wait >= 375 && wait <= 18_750);
      t.ok(backoffMs(failures + 1, luck) >= wait);
    }),
  );
});

function* all(sketch: Sketch): Generator<Sketch> {
  yield sketch;
  for (const child of sketch.children) if (typeof child !== 'string') yield* all(child);
}

t.test('every order that a table offers is one that the API knows', async t => {
  const rows = {
    peers: [aPeer, { ...aPeer, id: 'p2' }],
    searches: [aSearch, { ...aSearch, id: 's2' }],
    savedSearches: [aSavedSearch, { ...aSavedSearch, id: 'v2' }],
    results: [aResult, { ...aResult, id: 'r2' }],
    downloads: [aDownload, { ...aDownload, id: 'd2' }],
    uploads: [anUpload, { ...anUpload, id: 'u2' }],
    pastTransfers: [aPastTransfer, { ...aPastTransfer, id: 'u9' }],
    files: [aFile, { ...aFile, id: 'f2' }],
    folders: [aFolder, { ...aFolder, id: 'l2' }],
    analyses: [aQuestion, { ...aQuestion, id: 'ttl' }],
    recordings: [aRecording, { ...aRecording, id: 'hits-00000002-0a1b2c3d.journal' }],
  };
  const lists = Object.fromEntries(
    Object.entries(START.lists).map(([list, listing]) => [
      list,
      { ...listing, loaded: true, rows: rows[list as keyof typeof rows] },
    ]),
  ) as unknown as Model['lists'];
  const schemas = {
    peers: peer,
    searches: search,
    savedSearches: savedSearch,
    results: result,
    downloads: download,
    uploads: upload,
    pastTransfers: pastTransfer,
    files: file,
    folders: folder,
    analyses: question,
    recordings: recording,
  };
  const asked: [keyof typeof schemas, string][] = [];
  const act = new Proxy({} as ShellActions, {
    get: (_, name) =>
      name === 'sort' ? (...words: Parameters<Actions['sort']>) => asked.push(words) : () => undefined,
  });
  for (const [view, search] of [
    ['peers', null],
    ['searches', null],
    ['searches', 's1'],
    ['downloads', null],
    ['uploads', null],
    ['measure', null],
    ['library', null],
  ] as const)
    for (const child of shell({ ...START, lists, view, search, scopes: ['admin'] }, act, 0))
      if (typeof child !== 'string')
        for (const { props } of all(child))
          if (props['class'] === 'head' && typeof props['onclick'] === 'function')
            props['onclick'](null as unknown as Event);
  t.ok(asked.length > 30);
  t.equal(new Set(asked.map(([list]) => list)).size, Object.keys(schemas).length);
  for (const [list, field] of asked)
    t.doesNotThrow(() => parseSort(field, fieldsOf(schemas[list])), `${list} ${field}`);
});
