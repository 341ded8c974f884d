// Pictures of the page as data: what strangers wrote stays text, numbers have units, buttons have names.
import fc from 'fast-check';
import t from 'tap';
import type { StatusView } from '../../api/control.ts';
import { formatRate, printable } from '../../api/format.ts';
import { axisOf, chart } from '../../web/chart.ts';
import { formatClock, formatCount, formatPerSecond } from '../../web/figures.ts';
import { ceiling, corners } from '../../web/graph.ts';
import { chunksShown, type Model, START, VIEWS } from '../../web/model.ts';
import { type ShellActions, shell, signIn } from '../../web/shell.ts';
import { type Child, h, type Prop, type Sketch, textOf } from '../../web/sketch.ts';
import { libraryView } from '../../web/views/library.ts';
import { measureView } from '../../web/views/measure.ts';
import { queryFits, searchable } from '../../web/views/queries.ts';
import { FakeControl } from '../support/fake-control.ts';
import { anAnalysis, aQuestion, aRecording } from '../support/sample-recordings.ts';
import {
  aDhtLookup,
  aDownload,
  aFile,
  aFolder,
  anUpload,
  aPastTransfer,
  aPeer,
  aQuery,
  aRepeat,
  aResult,
  aSavedSearch,
  aSearch,
  SHA1,
  someChunks,
} from '../support/sample-views.ts';

const act = new Proxy({} as ShellActions, { get: () => () => undefined });
const NOW = Date.parse(aQuery.at) + 90_000;

/** A page full of things that all have this name. */
function world(name: string): Model {
  const control = new FakeControl();
  const rows = {
    peers: [{ ...aPeer, userAgent: name }],
    searches: [{ ...aSearch, text: name, error: name, state: 'failed' as const }],
    savedSearches: [{ ...aSavedSearch, text: name, error: name }],
    results: [
      { ...aResult, name, sources: aResult.sources.map(source => ({ ...source, name: `${name}2`, vendor: name })) },
    ],
    downloads: [
      {
        ...aDownload,
        name,
        error: name,
        path: name,
        sources: aDownload.sources.map(source => ({ ...source, error: name })),
      },
    ],
    uploads: [{ ...anUpload, name, userAgent: name }],
    pastTransfers: [{ ...aPastTransfer, name, error: name }],
    files: [{ ...aFile, name, path: name }],
    folders: [{ ...aFolder, path: name, error: name }],
    analyses: [aQuestion],
    recordings: [aRecording],
  };
  const lists = Object.fromEntries(
    Object.entries(START.lists).map(([list, listing]) => [
      list,
      { ...listing, loaded: true, rows: rows[list as keyof typeof rows] },
    ]),
  ) as unknown as Model['lists'];
  return {
    ...START,
    lists,
    scopes: ['admin'],
    link: { kind: 'live' },
    status: { ...control.status(), attention: [{ name, state: 'bad', detail: name, mend: name }] },
    history: control.history(),
    dht: { ...control.dht(), why: name },
    dhtLookup: { ...aDhtLookup, state: 'failed', error: name },
    election: { verdict: name, tests: [{ name: 'a_b', ok: false, value: name, mend: name }] },
    explained: { [aDownload.id]: { verdict: name, tests: [] }, [aSearch.id]: { verdict: name, tests: [] } },
    chunks: { [aDownload.id]: someChunks },
    queries: { ...START.queries, rows: [{ ...aQuery, text: name }] },
    unfolded: new Set([aDownload.id, aResult.id]),
  };
}

function* sketches(children: readonly Child[]): Generator<Sketch> {
  for (const child of children)
    if (typeof child !== 'string') {
      yield child;
      yield* sketches(child.children);
    }
}

const picture = (model: Model): Child[] => shell(model, act, NOW);
const TAGS = new Set(
  [...VIEWS].flatMap(view =>
    [null, aSearch.id].flatMap(search => [...sketches(picture({ ...world('x'), view, search }))].map(({ tag }) => tag)),
  ),
);

function isHarmless(prop: string, value: Prop): boolean {
  if (prop.startsWith('on')) return typeof value === 'function' || value === null;
  if (prop === 'href') return typeof value === 'string' && value.startsWith('#/');
  if (prop === 'src') return value === 'web/icon.svg';
  return prop !== 'style' && (typeof value !== 'string' || printable(value) === value);
}

t.test('names, queries and programs of strangers are text, and nothing in them turns or hides others', async t => {
  t.notOk(TAGS.has('script') || TAGS.has('style') || TAGS.has('iframe'));
  const name = fc.oneof(
    fc.constantFrom(
      '<img src=x onerror=alert(1)>',
      '"><script>',
      'a\u202egpj.exe',
      '\u2066x',
      'a\u0000b',
      'x'.repeat(5_000),
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  );
  fc.assert(
    fc.property(name, fc.constantFrom(...VIEWS), fc.constantFrom(null, aSearch.id), (hostile, view, search) => {
      const children = picture({ ...world(hostile), view, search });
      const wrong = [...sketches(children)].flatMap(({ tag, props }) => [
        ...(TAGS.has(tag) ? [] : [tag]),
        ...Object.entries(props).flatMap(([prop, value]) => (isHarmless(prop, value) ? [] : [`${tag} ${prop}`])),
      ]);
      t.strictSame(wrong, []);
      const text = children.map(textOf).join('\n').replaceAll('\n', ' ');
      t.equal(printable(text), text, 'every text');
    }),
    { numRuns: 150 },
  );
});

t.test('every control has a name, every table its roles, every row that is told apart a key', async t => {
  for (const view of VIEWS)
    for (const search of [null, aSearch.id])
      for (const sketch of sketches(picture({ ...world('blue moon'), view, search }))) {
        const { tag, props, children } = sketch;
        if (tag === 'button' || tag === 'a') t.ok(props['aria-label'] ?? textOf(sketch), `${view} ${tag}`);
        if (tag === 'input' || tag === 'select') t.ok(props['aria-label'], `${view} ${String(props['name'])}`);
        if (tag === 'progress') t.ok(props['aria-label']);
        if (tag === 'td') t.equal(props['role'], 'cell');
        if (tag === 'tbody') t.ok(children.every(row => typeof row !== 'string' && row.key !== null));
        if (tag === 'svg' && props['role'] === 'img')
          t.match(props['aria-label'], /maximum|^Parts of the file: verified/);
      }
});

t.test('a folder can be looked at before it is shared, and what is left out of the others is said', async t => {
  const folder = {
    ...aFolder,
    exclude: ['*.iso'],
    leftOut: [{ rule: 'private-key', why: 'a private key', files: 2, folders: 0, first: '/srv/files/id_rsa' }],
  };
  const { lists } = START;
  const folders = { ...lists.folders, loaded: true, rows: [folder] };
  const page = picture({ ...START, view: 'library', scopes: ['admin'], lists: { ...lists, folders } });
  t.match(page.map(textOf).join(' '), /excludes \*\.iso; 2 files \(a private key\)/);
  const buttons = [...sketches(page)].filter(({ tag }) => tag === 'button').map(textOf);
  t.ok(buttons.includes('Preview') && buttons.includes('Share'), buttons.join());
});

t.test('who may only look is offered nothing else', async t => {
  for (const view of VIEWS) {
    const labels = [...sketches(picture({ ...world('blue moon'), view, scopes: ['read'] }))]
      .filter(({ tag }) => tag === 'button')
      .map(sketch => String(sketch.props['aria-label'] ?? textOf(sketch)));
    t.notMatch(
      labels.join('\n'),
      /Download|Pause blue|Cancel|Disconnect|Connect|Share|Stop sharing|Search for|Remove/,
      view,
    );
  }
});

t.test('what is said where there is nothing, and when the daemon is lost', async t => {
  const text = (model: Partial<Model>): string =>
    picture({ ...START, scopes: ['admin'], ...model })
      .map(textOf)
      .join(' ');
  t.match(text({ view: 'downloads' }), /Loading/);
  const empty = { ...START.lists, downloads: { ...START.lists.downloads, loaded: true } };
  t.match(text({ view: 'downloads', lists: empty }), /No downloads\. Search for something/);
  const filtered = { ...START.lists, downloads: { ...START.lists.downloads, loaded: true, filter: 'x' } };
  t.match(text({ view: 'downloads', lists: filtered }), /No rows match the filter/);
  const lost = { kind: 'lost', why: 'The daemon does not answer.', retryAt: NOW + 4_200 } as const;
  t.match(
    text({ link: lost }),
    /The daemon does not answer\. The data shown may be outdated\.Next attempt in 5 s\.Try now/,
  );
  t.match(
    signIn('The token is wrong.', false, () => undefined)
      .map(textOf)
      .join(),
    /token is wrong/,
  );
});

t.test('saved searches are below the searches, with what can be done with them', async t => {
  const ordered: [string, unknown][] = [];
  const doing = new Proxy({} as ShellActions, {
    get: (_, name) => (row: unknown) => ordered.push([String(name), row]),
  });
  const rowsOf = (saved: Partial<typeof aSavedSearch>, scopes: Model['scopes'] = ['operate']): Sketch[] => {
    const model = world('x');
    const row = { ...aSavedSearch, text: 'blue moon', running: false, error: null, ...saved };
    const lists = { ...model.lists, savedSearches: { ...model.lists.savedSearches, rows: [row] } };
    return [...sketches(shell({ ...model, lists, scopes, view: 'searches', search: null }, doing, NOW))];
  };
  const textIn = (sketches: Sketch[]): string => sketches.map(textOf).join(' ');
  t.match(textIn(rowsOf({ new: 3, ranAt: new Date(NOW - 120_000).toISOString() })), /blue moon.*active.*3.*2 min ago/s);
  t.match(textIn(rowsOf({ state: 'paused', ranAt: null })), /blue moon.*paused.*never/s);
  t.match(textIn(rowsOf({ error: 'no neighbours' })), 'no neighbours');
  const buttons = (sketches: Sketch[]) =>
    sketches.filter(({ props }) => /saved search/.test(String(props['aria-label'])));
  const [run, remove] = buttons(rowsOf({ running: true }));
  for (const press of [run, remove]) (press?.props['onclick'] as (event: Event) => void)(null as never);
  t.match(ordered, [
    ['runSaved', { text: 'blue moon' }],
    ['removeSaved', { text: 'blue moon' }],
  ]);
  t.strictSame(buttons(rowsOf({}, ['read'])), [], 'a key that may only read');
});

t.test('a repeated search says that it is one, above its results', async t => {
  const textsOf = (search: typeof aSearch): string => {
    const model = world('x');
    const lists = { ...model.lists, searches: { ...model.lists.searches, rows: [search] } };
    return picture({ ...model, lists, view: 'searches', search: search.id })
      .map(textOf)
      .join(' ');
  };
  t.match(
    textsOf(aRepeat),
    'Asked 2 min ago; neighbours ignore repeats for up to 28 minutes; change a word to make it a new search.',
  );
  t.notMatch(textsOf(aSearch), 'ignore repeats');
  t.match(textsOf({ ...aSearch, cut: 'the first 5000 of more results' }), 'The first 5000 of more results.');
});

t.test('the status says first what the daemon knows to be wrong, how bad it is, and how to mend it', async t => {
  const control = new FakeControl();
  const statusOf = (attention: StatusView['attention']): Sketch[] => [
    ...sketches(picture({ ...world('x'), view: 'status', status: { ...control.status(), attention } })),
  ];
  const shown = statusOf([
    { name: 'block list', state: 'bad', detail: '/etc/list.p2p blocks nobody', mend: 'give a text file' },
    { name: 'hook a_b', state: 'warning', detail: 'the last delivery failed: 502', mend: null },
  ]);
  const [first] = shown.filter(({ tag }) => tag === 'section');
  t.equal(
    first && textOf(first),
    'To mendblock list /etc/list.p2p blocks nobodygive a text filehook a_b the last delivery failed: 502',
  );
  const rows = [...sketches(first?.children ?? [])].filter(({ tag }) => tag === 'li');
  t.strictSame(
    rows.map(({ props }) => props['class']),
    ['bad', 'wait'],
  );
  t.notMatch(statusOf([]).map(textOf).join(' '), 'To mend', 'nothing is said when all is well');
});

t.test('the card of the DHT has its buckets, and shows a lookup hop by hop', async t => {
  const control = new FakeControl();
  const model = { ...world('x'), view: 'status' as const, dht: control.dht(), dhtLookup: aDhtLookup };
  const cards = [...sketches(picture(model))].filter(
    sketch => sketch.tag === 'section' && textOf(sketch).startsWith('DHT'),
  );
  t.equal(cards.length, 1);
  const [shown] = cards;
  const text = shown === undefined ? '' : textOf(shown);
  t.match(text, /^DHTJoinedactive/);
  t.match(text, /31 good, 2 stale, 4 pending/);
  t.match(text, /0 common bits20.*1 common bit11/);
  t.match(text, /Found\..*a1b2c3d4e5 127\.0\.0\.1:6347 42 ms.*ALOC 127\.0\.0\.1:6348/);
  const passive = {
    ...control.dht(),
    mode: 'off' as const,
    state: 'off' as const,
    why: 'dht.mode is off',
    buckets: [],
  };
  const off = [...sketches(picture({ ...model, dht: passive, dhtLookup: null }))].find(
    sketch => sketch.tag === 'section' && textOf(sketch).startsWith('DHT'),
  );
  t.match(off === undefined ? '' : textOf(off), /^DHTOffoffdht\.mode is off\./);
  t.notOk(
    off !== undefined && [...sketches(off.children)].some(({ tag }) => tag === 'input'),
    'nothing can be looked up',
  );
});

t.test('queries: a filter of words, and what would be searched for', async t => {
  t.ok(queryFits(aQuery, 'MOON blue'));
  t.ok(queryFits(aQuery, SHA1.slice(-8)) && queryFits(aQuery, ':6347') && queryFits(aQuery, ''));
  t.notOk(queryFits(aQuery, 'moon red'));
  t.equal(searchable(aQuery), 'blue moon');
  t.equal(searchable({ ...aQuery, text: ' ' }), SHA1);
  t.equal(searchable({ ...aQuery, text: '', urns: [] }), null);
});

t.test('graphs stay inside their frame, whatever is measured', async t => {
  const values = fc.array(fc.double({ min: 0, max: 1e12, noNaN: true }), { maxLength: 200 });
  fc.assert(
    fc.property(values, fc.integer({ min: 2, max: 144 }), (series, slots) => {
      const top = ceiling(Math.max(0, ...series), 1);
      t.ok(top >= Math.max(1, ...series));
      t.ok(top <= Math.max(1, ...series) * 2.6);
      const inBytes = ceiling(Math.max(0, ...series), 1024, true);
      t.ok(inBytes >= Math.max(1024, ...series) && inBytes <= Math.max(1024, ...series) * 2.6);
      const points = corners(series, slots, top).map(point => point.split(',').map(Number));
      t.equal(points.length, Math.min(series.length, slots));
      for (const [x = -1, y = -1] of points) t.ok(x >= -0.1 && x <= 300 && y >= 1 && y <= 71, `${x},${y}`);
      if (points.length > 0) t.equal(points.at(-1)?.[0], 300, 'the latest is at the right');
    }),
  );
});

t.test('the ceiling of bytes is a round number of the unit that is shown', async t => {
  const shown = [0, 900, 1_500, 20_000, 600_000, 1_000_000, 3 << 20].map(value =>
    formatRate(ceiling(value, 1024, true)),
  );
  const units = ['1.0 KiB/s', '1.0 KiB/s', '2.0 KiB/s', '20.0 KiB/s', '1000 KiB/s', '1000 KiB/s', '5.0 MiB/s'];
  t.strictSame(shown, units);
});

t.test('figures', async t => {
  t.strictSame([0, 9_999, 12_345, 999_999, 1.5e9].map(formatCount), ['0', '9,999', '12.3k', '1.0M', '1.5G']);
  t.strictSame([0, 0.4, 9.94, 37, 12_300].map(formatPerSecond), ['0/s', '0.4/s', '9.9/s', '37/s', '12.3k/s']);
  t.match(formatClock(aQuery.at), /^\d\d:\d\d:\d\d$/);
  t.equal(formatClock('never'), '–');
});

t.test('scans can be ended while there are any', async t => {
  const model = world('a');
  const { status } = model;
  if (status === null) throw new Error('no status');
  const buttons = (state: 'idle' | 'scanning') => {
    const { library } = status;
    const progress = { ...library.progress, state };
    const seen = libraryView({ ...model, status: { ...status, library: { ...library, progress } } }, act, NOW);
    return [...sketches(seen)].filter(({ tag }) => tag === 'button').map(textOf);
  };
  t.ok(buttons('scanning').includes('End'));
  t.notOk(buttons('idle').includes('End'));
});

t.test('sketches leave nulls out and take lists apart', async t => {
  const sketch = h('p', { key: 'k', title: null }, 'a', null, [['b'], null, h('b', {}, 'c')]);
  t.equal(sketch.key, 'k');
  t.equal(textOf(sketch), 'abc');
  t.equal(sketch.children.length, 3);
});

t.test(
  'the details of a download say which parts are there, and what each source brings, costs and waits for',
  async t => {
    const model = world('blue moon.ogg');
    const details = (row: object, chunks = model.chunks): Sketch[] => {
      const downloads = { ...model.lists.downloads, rows: [{ ...aDownload, ...row }] };
      const lists = { ...model.lists, downloads };
      return [...sketches(picture({ ...model, view: 'downloads', lists, chunks }))];
    };
    const all = details({});
    const bar = all.find(({ props }) => String(props['aria-label']).startsWith('Parts of the file: '));
    const parts = (bar?.children ?? []).filter(child => typeof child !== 'string');
    t.same(
      [...new Set(parts.map(({ props }) => props['class']))].sort(),
      [...new Set(someChunks.states.map(({ state }) => state))].sort(),
    );
    t.equal(
      parts.reduce((sum, { props }) => sum + Number(props['width']), 0),
      240,
      'the bar is full',
    );
    const text = all.filter(({ tag }) => tag === 'li').map(textOf);
    t.ok(
      text.some(line => /6349.*brought 1\.0 MiB, 2\.0 KiB in vain/.test(line)),
      text.join('\n'),
    );
    t.ok(text.some(line => line.includes('place 3 of 10, about 5 min')));
    t.ok(all.some(({ tag, ...button }) => tag === 'button' && textOf({ tag, ...button }) === 'Verify'));
    const over = details({ state: 'completed' });
    t.notOk(
      over.some(({ props }) => props['class'] === 'chunks'),
      'a finished one has all',
    );
    t.ok(
      over.some(({ tag, ...button }) => tag === 'button' && textOf({ tag, ...button }) === 'Verify'),
      'but can be verified',
    );
    t.notOk(details({ size: null }).some(({ props }) => props['class'] === 'chunks'));
    t.strictSame(chunksShown({ ...model, view: 'downloads' }), [aDownload.id]);
    t.strictSame(chunksShown({ ...model, view: 'peers' }), []);
  },
);

t.test('a question is asked, answered with a picture and a table, or says what to do', t => {
  const asked: string[] = [];
  const order = { ...act, analyse: (question: string) => void asked.push(question) } as ShellActions;
  const seen = (analysis: Model['analysis']): string =>
    measureView({ ...world('x'), analysis }, order, NOW)
      .map(textOf)
      .join('\n');
  t.match(seen(null), /hops.*how far queries have come/);
  t.match(seen({ question: 'hops', answer: null, fault: null }), /Reading the recording/);
  t.match(seen({ question: 'hops', answer: null, fault: 'this servent does not record' }), /does not record/);
  const answered = seen({ question: 'hops', answer: anAnalysis, fault: null });
  t.match(answered, /2 rows in 0.25 s, by DuckDB/);
  t.match(answered, /hops that they had made/, 'columns are explained');
  const many = { ...anAnalysis, rows: Array.from({ length: 60 }, (_, hops) => ({ hops, queries: 1 })) };
  t.match(seen({ question: 'hops', answer: many, fault: null }), /60 rows .* the first 50 are shown/);
  const empty = { ...anAnalysis, rows: [], series: [] };
  t.match(seen({ question: 'hops', answer: empty, fault: null }), /no rows for it yet/);
  t.end();
});

t.test('axes hold every value: from 0 or near it, or logarithmic where values span much', t => {
  const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true });
  fc.assert(
    fc.property(fc.array(finite, { minLength: 1, maxLength: 20 }), values => {
      const axis = axisOf(values);
      if (axis === null || axis.ticks.length < 2 || axis.ticks.length > 14) return false;
      return values.every(value => axis.place(value) >= -1e-6 && axis.place(value) <= 1 + 1e-6);
    }),
    { seed: 7 },
  );
  t.strictSame(axisOf([1, 900])?.ticks, [1, 10, 100, 1000]);
  t.strictSame(axisOf([3, 10])?.ticks, [0, 2, 4, 6, 8, 10]);
  t.equal(axisOf([Number.NaN]), null);
  t.equal(chart('nothing', []), null);
  t.end();
});
