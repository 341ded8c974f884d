import fc from 'fast-check';
import t from 'tap';
import type { StatusView } from '../../api/control.ts';
import { REHEARSAL_AT, Rehearsal } from '../../tui/demo/rehearsal.ts';
import { createMemory, draw } from '../../tui/frame.ts';
import { createModel, VIEW_IDS, type ViewId, worldOf } from '../../tui/model.ts';
import { createTheme, over } from '../../tui/theme.ts';
import { update } from '../../tui/update.ts';
import { noteLines, notesOn } from '../../tui/views/overview.ts';
import { textWidth } from '../../tui/width.ts';
import { FakeControl } from '../support/fake-control.ts';
import {
  aDownload,
  aFile,
  aFolder,
  aHost,
  aLogLine,
  anUpload,
  aPeer,
  aQuery,
  aRepeat,
  aResult,
  aSearch,
} from '../support/sample-views.ts';

process.env['TZ'] = 'UTC';
const SIZES = [
  [80, 24],
  [120, 40],
  [200, 50],
  [40, 10],
  [300, 80],
] as const;

const MUST_SHOW: Record<ViewId, RegExp[]> = {
  overview: [
    /Servent/,
    /Network/,
    /Messages, last minute/,
    /Dropped, by reason/,
    /To know/,
    /failed download: 5 shows why/,
  ],
  peers: [/Peers/, /ADDRESS/, /ultrapeer/, /IN\/s/, /198\.51\.100\.181:35649/],
  queries: [/Queries a second/, /QUERY/, /HOPS/, /queries\/s|\d+\/s/],
  searches: [/Searches/, /blue harbour/, /finished/, /Results/],
  downloads: [/Downloads/, /DONE/, /100 %/, /paused/, /failed/],
  uploads: [/Uploads/, /4 in slots, 3 waiting/, /queued 1/],
  library: [/Shared folders/, /\/home\/ada\/Music/, /Files/, /MiB/],
  hosts: [/Host cache/, /HEARD FROM/, /pong/],
  log: [/Log/, /WHAT/],
  config: [/Configuration/, /gnutella\.maxLeaves/, /DECIDED BY/],
};

t.test('every view shows what it is for, at every size', async t => {
  for (const [columns, rows] of SIZES) {
    const rehearsal = new Rehearsal({ columns, rows });
    await rehearsal.pass(3000);
    for (const view of VIEW_IDS) {
      rehearsal.send({ type: 'view', view });
      await rehearsal.pass(1000);
      const text = rehearsal.text();
      const lines = text.split('\n');
      t.equal(lines.length, rows);
      for (const line of lines) if (textWidth(line) > columns) t.fail(`${view} at ${columns}: ${line}`);
      if (columns >= 80) for (const shown of MUST_SHOW[view]) t.match(text, shown, `${view} at ${columns} by ${rows}`);
    }
  }
});

t.test('at 80 columns all views are named in whole words', async t => {
  const rehearsal = new Rehearsal();
  const tabs = rehearsal.text().split('\n')[1];
  t.equal(tabs, ' 1 Home 2 Peers 3 Queries 4 Search 5 Down 6 Up 7 Files 8 Hosts 9 Log 0 Config');
});

t.test('the first screen, letter by letter', async t => {
  const rehearsal = new Rehearsal({ rows: 20 });
  await rehearsal.pass(1000);
  t.match(rehearsal.text().split('\n')[0], /^ ● demo │ ultrapeer │ 34 peers │ ↓ \d+ KiB\/s ↑ 289 KiB\/s +14:03:01$/);
  t.strictSame(rehearsal.text().split('\n').slice(2, 11), [
    '╭─ Servent ────────────────────────────╮╭─ Network ────────────────────────────╮',
    '│ role      ultrapeer, profile public  ││ ultrapeers   9                       │',
    '│ gnutella  203.0.113.7:6346           ││ leaves       25                      │',
    '│ api       127.0.0.1:8346             ││ hosts known  180                     │',
    '│ version   0.1.0, up 3d04h            ││ DHT nodes    214 of 11.8k, 96 values │',
    '│ reach     open, TCP and UDP          ││ searches     1 running               │',
    '│ library   240 files, 27.3 GiB        ││ downloads    3 active, 1 queued      │',
    '│ limits    upload 57 % of 500 KiB/s   ││ uploads      4 active, 3 queued      │',
    '╰──────────────────────────────────────╯╰──────────────────────────────────────╯',
  ]);
});

t.test('the node of the DHT and its buckets are shown over the overview and the hosts', async t => {
  for (const rows of [24, 50]) {
    const rehearsal = new Rehearsal({ rows, columns: rows === 24 ? 80 : 200 });
    await rehearsal.pass(1000);
    for (const view of ['1', '8']) {
      await rehearsal.press(view, 'D');
      await rehearsal.pass(500);
      const text = rehearsal.text();
      t.match(text, /active, ready/);
      t.match(text, /00 #+=+-+\.* 80 good, 8 buckets/);
      t.match(text, /214 good nodes/);
      await rehearsal.press('escape');
    }
    await rehearsal.press('1', '?');
    await rehearsal.pass(500);
    t.match(rehearsal.text(), rows === 24 ? /w why {2}D DHT/ : /D +show the node of the DHT/);
  }
});

t.test('a terminal without Unicode is shown plain characters only', async t => {
  const rehearsal = new Rehearsal({ theme: createTheme(16, 'ascii') });
  await rehearsal.pass(4000);
  for (const view of VIEW_IDS) {
    rehearsal.send({ type: 'view', view });
    await rehearsal.pass(500);
    t.match(rehearsal.text(), /^[\n -~]*$/, view);
  }
});

t.test('without colours, cursor and marks are still seen', async t => {
  const rehearsal = new Rehearsal({ theme: createTheme(0, 'unicode') });
  await rehearsal.pass(1000);
  await rehearsal.press('2', 'space');
  const canvas = rehearsal.draw();
  t.match(canvas.toText(), /●.*198\.51\.100\.181/);
  const inverse = (row: number): boolean =>
    canvas.styles.subarray(row * 80 + 3, row * 80 + 70).every(style => (style & (1 << 22)) !== 0);
  t.ok(inverse(5), 'the row under the cursor');
  t.notOk(inverse(4));
});

t.test('no text of a stranger makes a line wider than the screen or leaves its cell', async t => {
  const wild = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      '{bold}x{/}',
      '\u001b[2J\u001b[31m',
      '\u202egpj',
      'z\u0300\u0301\u0302'.repeat(20),
      '雨'.repeat(90),
      '👩\u200d👧',
      'a\tb\r\nc',
    ),
  );
  const status = new FakeControl().status();
  fc.assert(
    fc.property(
      wild,
      fc.constantFrom(...VIEW_IDS),
      fc.integer({ min: 1, max: 210 }),
      fc.integer({ min: 1, max: 60 }),
      fc.boolean(),
      (text, view, columns, rows, second) => {
        let model = createModel({ contexts: [{ name: text, url: text }], now: REHEARSAL_AT, columns, rows });
        const data = {
          status: { ...status, attention: [{ name: text, state: 'bad' as const, detail: text, mend: text }] },
          peers: [{ ...aPeer, userAgent: text, address: text }],
          queries: [{ ...aQuery, text, urns: [text], from: text }],
          searches: [{ ...aSearch, text }],
          results: { search: aSearch.id, items: [{ ...aResult, name: text, urn: text }] },
          downloads: [{ ...aDownload, name: text, error: text, path: text }],
          uploads: [{ ...anUpload, name: text, userAgent: text }],
          folders: [{ ...aFolder, path: text, error: text }],
          files: [{ ...aFile, name: text, path: text }],
          hosts: [{ ...aHost, address: text, source: text }],
          logLines: [{ ...aLogLine, mod: text, message: text }],
        };
        model = update(model, { type: 'data', context: 0, at: REHEARSAL_AT, data }).model;
        model = { ...model, view, second, details: true, toast: { text, mood: 'bad', until: REHEARSAL_AT + 1 } };
        const { canvas } = draw(model, createTheme(256, 'unicode'), createMemory());
        const lines = canvas.toText().split('\n');
        if (lines.length !== rows) t.fail(`${lines.length} lines of ${rows}`);
        for (const line of lines) {
          if (textWidth(line) > columns) t.fail(JSON.stringify([text, view, columns, rows]));
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
          if (/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(line))
            t.fail(JSON.stringify(line));
        }
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});

t.test('a repeated search says that it is one, above its results', async t => {
  const said =
    /asked 40 s ago; neighbours ignore repeats for up to 28 minutes; change\s+a\s+word\s+to\s+make\s+it\s+a\s+new\s+search/;
  const pictureOf = (search: typeof aSearch, columns: number): string => {
    const at = Date.parse(search.startedAt);
    let model = createModel({ contexts: [{ name: 'one', url: 'http://one' }], now: at, columns, rows: 24 });
    model = update(model, { type: 'data', context: 0, at, data: { searches: [search] } }).model;
    return draw({ ...model, view: 'searches' }, createTheme(0, 'unicode'), createMemory()).canvas.toText();
  };
  for (const columns of [80, 200]) t.match(pictureOf(aRepeat, columns), said);
  t.notMatch(pictureOf(aSearch, 200), /ignore repeats/);
  t.match(pictureOf({ ...aSearch, cut: 'the first 5000 of more results' }, 80), 'the first 5000 of more results');
});

t.test('a lost daemon is said in a banner with the time of the next try, and what was known stays', async t => {
  const rehearsal = new Rehearsal({ columns: 120 });
  await rehearsal.pass(2000);
  rehearsal.send({
    type: 'link',
    context: 0,
    at: REHEARSAL_AT + 2000,
    link: { state: 'lost', reason: 'ECONNREFUSED', since: REHEARSAL_AT, retryAt: REHEARSAL_AT + 6000 },
  });
  const text = rehearsal.text();
  t.match(text, 'No daemon answers at a made-up network (ECONNREFUSED): retry in 4 s; last data from 14:03:01');
  t.match(text.split('\n')[0], /demo │ last known │ ultrapeer │ 34 peers/);
  t.match(text, /ultrapeers {3}9/);
  rehearsal.send({ type: 'link', context: 0, at: REHEARSAL_AT + 7000, link: { state: 'up' } });
  t.notMatch(rehearsal.text(), /No daemon/);
  rehearsal.send({ type: 'view', view: 'log' });
  t.match(rehearsal.text(), /answers again[\s\S]*lost the daemon/);
});

t.test('the help screen has every key and every word, and moves to its end and no further', async t => {
  const rehearsal = new Rehearsal({ columns: 100, rows: 24 });
  await rehearsal.press('?');
  t.match(rehearsal.text(), /Help[\s\S]*Overview: role, peers/);
  await rehearsal.press('end');
  const end = rehearsal.text();
  t.match(end, /quit +quit the dashboard/);
  await rehearsal.press('down', 'down');
  t.equal(rehearsal.text(), end);
  await rehearsal.press('escape');
  t.notMatch(rehearsal.text(), /Help ─/);
});

t.test('a lost daemon is dim in the bar, with colours and without', async t => {
  for (const depth of [256, 16, 0] as const) {
    const theme = createTheme(depth, 'unicode');
    const rehearsal = new Rehearsal({ theme });
    await rehearsal.pass(1000);
    const styleOfRole = (): number => {
      const { styles, texts } = rehearsal.draw();
      return styles[texts.slice(0, 80).join('').indexOf('ultrapeer')] ?? -1;
    };
    t.equal(styleOfRole(), theme.bar);
    const link = { state: 'lost', reason: 'ECONNREFUSED', since: REHEARSAL_AT, retryAt: REHEARSAL_AT } as const;
    rehearsal.send({ type: 'link', context: 0, at: REHEARSAL_AT + 1000, link });
    t.equal(styleOfRole(), over(theme.dim, theme.bar));
    t.not(over(theme.dim, theme.bar), theme.bar);
  }
});

t.test('help and quit are at the right edge in every view, at every width', async t => {
  for (const columns of [40, 80, 120, 200]) {
    const rehearsal = new Rehearsal({ columns });
    await rehearsal.pass(1000);
    for (const view of VIEW_IDS) {
      rehearsal.send({ type: 'view', view });
      const last = rehearsal.text().split('\n').at(-1) ?? '';
      t.match(last, /(^| ) \? help {2}q quit$/, `${view} at ${columns}`);
      t.equal(last.length, columns - 1);
      t.equal(last.match(/help/g)?.length, 1);
    }
  }
});

t.test('frames end a column before what lies over them', async t => {
  for (const columns of [80, 120, 200]) {
    const rehearsal = new Rehearsal({ columns, rows: 30 });
    await rehearsal.pass(1000);
    for (const [open, title] of [
      ['?', '─ Help '],
      ['w', '─ Leaf or ultrapeer '],
    ] as const) {
      await rehearsal.press(open);
      const lines = rehearsal.text().split('\n');
      const top = lines.findIndex(line => line.includes(title));
      const left = (lines[top]?.indexOf(title) ?? 0) - 1;
      const right = lines[top]?.indexOf('╮', left) ?? 0;
      const bottom = lines.findIndex((line, y) => y > top && line[left] === '╰');
      t.ok(top > 0 && left > 0 && right > left && bottom > top, `${title} at ${columns}`);
      for (const line of lines.slice(top, bottom + 1)) t.equal(`${line[left - 1]}${line[right + 1] ?? ' '}`, '  ');
      await rehearsal.press('escape');
    }
  }
});

t.test('what to do is never cut while there are lines left', async t => {
  const note = (text: string) => ({ meaning: 'warn', text }) as const;
  const long = note('no peers and nobody known: press c to connect to somebody');
  t.strictSame(noteLines([long, note('short')], 30, 4), [
    ['no peers and nobody known:', 'press c to connect to somebody'],
    ['short'],
  ]);
  t.strictSame(noteLines([note('a'), long, note('b')], 30, 3), [['a'], ['no peers and nobody known…'], ['b']]);
  t.strictSame(noteLines([note('a'), note('b'), note('c')], 30, 2), [['a'], ['and 2 more']]);
  t.strictSame(noteLines([note('a')], 30, 0), []);
  const { model } = await lonely(80, 24);
  const shown = draw(model, createTheme(256, 'unicode'), createMemory()).canvas.toText();
  t.match(shown, '● no peers, no hosts: c connects ');
  t.match(shown, '● 1 failed download: 5 shows why ');
  t.match(shown, '● nothing is shared: press 7, then a ');
  t.match(shown, `● and ${notesOn(worldOf(model)).length - 3} more `);
});

t.test('the overview says what the daemon knows to be wrong, and what mends it', async t => {
  const { model } = await lonely(120, 40, { state: 'unwanted' }, [
    { name: 'block list', state: 'bad', detail: '/etc/list.p2p blocks nobody', mend: 'give a text file' },
    { name: 'restart', state: 'warning', detail: 'gnutella.port was changed and not taken over', mend: null },
  ]);
  t.match(notesOn(worldOf(model)), [
    { text: 'no peers, no hosts: c connects' },
    { meaning: 'bad', text: 'block list: /etc/list.p2p blocks nobody; give a text file' },
    { meaning: 'warn', text: 'restart: gnutella.port was changed and not taken over' },
  ]);
  const shown = draw(model, createTheme(256, 'unicode'), createMemory()).canvas.toText();
  t.match(shown, '● block list: /etc/list.p2p blocks nobody; give a text');
  t.match(shown, '● restart: gnutella.port was changed and not taken over');
});

t.test('without elections the overview says what keeps them from being held', async t => {
  for (const [columns, rows] of [
    [120, 40],
    [200, 50],
  ] as const) {
    const { model } = await lonely(columns, rows);
    const shown = draw(model, createTheme(256, 'unicode'), createMemory()).canvas.toText();
    t.match(shown.replaceAll(/[│\s]+/g, ' '), /an ultrapeer: no elections, .*gnutella\.seek is 0/);
  }
});

t.test('alone, the overview says which caches were asked and when they are asked again', async t => {
  const detail = 'asked 2 of 7 UDP host caches, none answered; next round in 40 s';
  const { model } = await lonely(200, 50, { state: 'waiting', detail, nextIn: 40 });
  const shown = draw(model, createTheme(256, 'unicode'), createMemory()).canvas.toText();
  t.match(shown.replaceAll(/[│\s]+/g, ' '), /asked 2 of 7 UDP host caches, none.*answered; next round in 40 s/);
});

/** Nobody known, nothing shared, and not looking for anybody unless `bootstrap` says so. */
async function lonely(
  columns: number,
  rows: number,
  bootstrap: Partial<StatusView['bootstrap']> = { state: 'unwanted' },
  attention: StatusView['attention'] = [],
): Promise<Rehearsal> {
  const rehearsal = new Rehearsal({ columns, rows });
  await rehearsal.pass(1000);
  const { status } = worldOf(rehearsal.model);
  if (status === null) throw new Error('the demo has no status');
  const { election, library, peers } = status;
  const alone = {
    ...status,
    attention,
    bootstrap: { ...status.bootstrap, ...bootstrap },
    hosts: 0,
    peers: { ...peers, ultrapeers: 0, leaves: 0 },
    library: { ...library, files: 0, hashing: 0 },
    election: { ...election, mode: 'auto', active: false, changesIn: null } as const,
  };
  rehearsal.send({ type: 'data', context: 0, at: REHEARSAL_AT + 1100, data: { status: alone } });
  return rehearsal;
}

t.test('the caret of a long line stays on the screen', async t => {
  const rehearsal = new Rehearsal();
  await rehearsal.press(':');
  await rehearsal.type(`download magnet:?xt=${'x'.repeat(200)}end`);
  t.match(rehearsal.text().split('\n').at(-1), /xend$/);
  await rehearsal.press('home');
  t.match(rehearsal.text().split('\n').at(-1), /^:download magnet/);
});

t.test('connect, search, download, pause, share, disconnect: all of it from the keyboard', async t => {
  const rehearsal = new Rehearsal({ columns: 120, rows: 40 });
  await rehearsal.pass(1000);
  await rehearsal.press(':');
  await rehearsal.type('connect 192.0.2.99:6346');
  await rehearsal.press('enter');
  t.match(rehearsal.text(), 'connected to 192.0.2.99:6346');
  await rehearsal.press('2', '/');
  await rehearsal.type('192.0.2.99:');
  await rehearsal.press('enter');
  t.match(rehearsal.text(), /192\.0\.2\.99:6346 +ultrapeer/);
  await rehearsal.press('x');
  t.match(rehearsal.text(), /Disconnect 1 peer\?/);
  await rehearsal.press('y');
  t.match(rehearsal.text(), 'disconnected 192.0.2.99:6346');
  t.match(rehearsal.text(), 'no rows match the filter');
  await rehearsal.press('s');
  await rehearsal.type('green lamp');
  await rehearsal.press('enter');
  await rehearsal.pass(20_000);
  t.match(rehearsal.text(), /Results: green lamp/);
  t.match(rehearsal.text(), /Green Lamp - .*MiB/);
  await rehearsal.press('space', 'space', 'd');
  t.match(rehearsal.text(), /Download 2 results\?/);
  await rehearsal.press('y', '5');
  t.match(rehearsal.text(), /Downloads 11/);
  await rehearsal.press('p');
  t.match(rehearsal.text(), /paused /);
  await rehearsal.press('7', 'a');
  await rehearsal.type('/srv/more');
  await rehearsal.press('enter');
  t.match(rehearsal.text(), /\/srv\/more +scanning/);
  await rehearsal.press('2', 'escape', 'y');
  t.match(rehearsal.copied, [/^\d+\.\d+\.\d+\.\d+:\d+$/]);
  await rehearsal.press('q');
  t.ok(rehearsal.over);
});
