import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { DownloadView, Page, PeerView, ResultView } from '../../api/control.ts';
import { writeRuntime } from '../../api/runtime-files.ts';
import { version } from '../../api/version.ts';
import { createProgram } from '../../cli/tree.ts';
import { type Served, serveFake, TOKEN } from '../support/api-server.ts';
import { command, type Outcome, type Surroundings } from '../support/command.ts';
import { aDownload, aFolder, aHost, aPeer, aResult, aSearch, SHA1 } from '../support/sample-views.ts';

interface Talking extends Served {
  cli(...words: string[]): Promise<Outcome>;
}

async function talking(t: Test): Promise<Talking> {
  const served = await serveFake(t);
  const env = { SERVENT_API: served.server.url, SERVENT_TOKEN: TOKEN };
  return { ...served, cli: (...words) => command(words, { env, cwd: '/srv' }) };
}

function isOneLine(t: Test, text: string): void {
  t.match(text, /^servent: [^\n]+\n$/);
}

const noTerminal = { stdout: { write: () => true }, stderr: { write: () => true }, env: {}, cwd: '/' };

t.test('every command has help that exits 0 and says what it does', async t => {
  const walk = async (words: string[], commands: ReturnType<typeof createProgram>['commands']): Promise<void> => {
    for (const inner of commands) {
      const line = [...words, inner.name()];
      const { code, out, err } = await command([...line, '--help']);
      t.equal(code, 0, line.join(' '));
      t.equal(err, '');
      t.match(out, new RegExp(`^Usage: servent ${line.join(' ')}`));
      t.ok(inner.description().length > 10, `${line.join(' ')} is described`);
      await walk(line, inner.commands);
    }
  };
  const program = createProgram(noTerminal);
  await walk([], program.commands);
  const names = program.commands.map(inner => inner.name());
  for (const name of (
    'start status peers hosts uploads downloads queries connect disconnect search browse download pause resume cancel ' +
    'library share unshare rescan config tui doctor explain cache call completion complete version'
  ).split(' '))
    t.ok(names.includes(name), name);
});

t.test('help and version in all their spellings', async t => {
  t.match((await command(['--help'])).out, /Commands:\n {2}start/);
  t.match((await command(['help', 'search'])).out, /^Usage: servent search/);
  for (const words of [['version'], ['--version'], ['-V']])
    t.match(await command(words), { code: 0, out: `${version}\n`, err: '' });
});

t.test('wrong usage exits 2 with one line that points to the help', async t => {
  for (const words of [
    ['frobnicate'],
    ['serach', 'x'],
    ['status', '--nonsense'],
    ['status', 'extra'],
    ['connect'],
    ['connect', 'nonsense'],
    ['connect', '10.0.0'],
    ['connect', '::1:6346'],
    ['browse', ':1'],
    ['search'],
    ['search', 'x', '--wait', 'soon'],
    ['search', 'x', '--ttl', '99'],
    ['search', 'x', '--wait'],
    ['peers', '--limit', '0'],
    ['download'],
    ['pause'],
    ['status', '--api', 'http://'],
    ['config', 'get', 'gnutella.prot'],
    ['config', 'set', 'gnutella.port'],
    ['config', 'set', 'gnutella.port', '1', '2'],
    ['start', 'extra'],
    ['start', '--prot', '1'],
  ]) {
    const { code, out, err } = await command(words, {
      env: { SERVENT_API: 'http://127.0.0.1:1', SERVENT_TOKEN: TOKEN },
    });
    t.equal(code, 2, words.join(' '));
    t.equal(out, '');
    isOneLine(t, err);
  }
  t.match((await command(['serach', 'x'])).err, 'Did you mean search?');
  t.match((await command(['start', '--prot', '1'])).err, /Did you mean (one of )?--p.*servent start --help/);
});

t.test('without a command the help goes to standard error', async t => {
  t.match(await command([]), { code: 2, out: '', err: /^Usage: servent / });
  t.match(await command(['config']), { code: 2, out: '' });
});

t.test('no daemon is told with what to do, whatever the command', async t => {
  const env = { SERVENT_API: 'http://127.0.0.1:1', SERVENT_TOKEN: TOKEN };
  for (const words of [
    ['status'],
    ['peers', '--json'],
    ['search', 'x'],
    ['download', SHA1],
    ['pause', 'd1'],
    ['library'],
  ]) {
    const { code, out, err } = await command(words, { env });
    t.equal(code, 1, words.join(' '));
    t.equal(out, '');
    isOneLine(t, err);
    t.match(err, /no daemon answers at http:\/\/127.0.0.1:1 .*servent start.*--api/);
  }
  t.match((await command(['status'], { env: { SERVENT_API: 'http://127.0.0.1:1' } })).err, 'no daemon answers');
});

t.test('the daemon is found by flag, by variable, and by what it left in its data folder', async t => {
  const { server } = await serveFake(t);
  const works = async (words: string[], surroundings: Surroundings = {}): Promise<void> => {
    const { code, err } = await command(words, surroundings);
    t.equal(code, 0, err);
  };
  await works(['status', '--api', server.url, '--token', TOKEN]);
  await works(['status', '--api', `127.0.0.1:${server.port}`, '--token', TOKEN]);
  await works(['status'], { env: { SERVENT_API: `${server.url}/`, SERVENT_TOKEN: TOKEN } });
  const dataDir = t.testdir({ 'api-token': `${TOKEN}\n`, conf: { 'servent.yaml': 'dataDir: ..\n' } });
  await writeRuntime(dataDir, { pid: 1, api: `http://0.0.0.0:${server.port}`, gnutella: '127.0.0.1:1' });
  await works(['status', '--data-dir', dataDir]);
  await works(['status'], { env: { SERVENT_DATA_DIR: dataDir } });
  await works(['status'], { env: { SERVENT_DATA_DIR: '', SERVENT_CONFIG: join(dataDir, 'conf', 'servent.yaml') } });
  await works(['status', '--data-dir', '.'], { cwd: dataDir });
});

t.test('a wrong or missing token says where the right one is', async t => {
  const { server } = await serveFake(t);
  const wrong = await command(['status', '--api', server.url, '--token', 'wrong']);
  t.equal(wrong.code, 1);
  isOneLine(t, wrong.err);
  t.match(wrong.err, /does not accept the token.*--data-dir.*api-token.*--token/);
  const missing = await command(['status', '--api', server.url, '--data-dir', t.testdir({})]);
  t.equal(missing.code, 1);
  t.match(missing.err, /no API token in .*--token/);
});

t.test('status shows the servent at a glance', async t => {
  const { cli } = await talking(t);
  const { code, out } = await cli('status');
  t.equal(code, 0);
  t.match(out, /^servent: +0\.1\.0, ultrapeer, profile local, up 1 min$/m);
  t.match(out, /^peers: +1 ultrapeer, 0 leaves; 1 host known$/m);
  t.match(out, /^dropped for: +duplicate 2$/m);
  t.match((await cli('status', '--json')).json(), { mode: 'ultrapeer', peers: { ultrapeers: 1 } });
});

t.test('lists are tables to a person and the documents of the API with --json', async t => {
  const { cli } = await talking(t);
  for (const [name, title, cell] of [
    ['peers', 'ADDRESS', aPeer.address],
    ['hosts', 'SOURCE', aHost.address],
    ['uploads', 'STATE', 'red sun.ogg'],
    ['downloads', 'LEFT', 'blue moon.ogg'],
    ['queries', 'HOPS', 'blue moon'],
  ] as const) {
    const { code, out, err } = await cli(name);
    t.equal(code, 0);
    t.equal(err, '');
    const [head, row, ...rest] = out.trimEnd().split('\n');
    t.match(head, title);
    t.match(row, cell);
    t.strictSame(rest, []);
    const page = (await cli(name, '--json')).json<Page<unknown>>();
    t.equal(page.items.length, 1);
    t.equal(page.next, null);
  }
});

t.test('an empty list says so to a person and is empty to a program', async t => {
  const { cli, control } = await talking(t);
  control.peerList = [];
  t.match(await cli('peers'), { code: 0, out: '', err: 'no peers\n' });
  t.strictSame((await cli('peers', '--json')).json(), { items: [], next: null });
});

t.test('a long list stops at its limit and says so', async t => {
  const { cli, control } = await talking(t);
  control.hostList = Array.from({ length: 1500 }, (_, i) => ({ ...aHost, address: `10.0.${i >> 8}.${i & 255}:6346` }));
  const { out, err } = await cli('hosts', '--limit', '1200');
  t.equal(out.trimEnd().split('\n').length, 1201);
  t.match(err, '--limit 12000');
  t.equal((await cli('hosts', '--limit', '5000', '--json')).json<Page<unknown>>().items.length, 1500);
});

t.test('what strangers choose cannot command the terminal', async t => {
  const { cli, control } = await talking(t);
  control.peerList = [{ ...aPeer, userAgent: '\u001b[2J\u202eevil\r\n' }];
  const { out } = await cli('peers');
  for (const mark of ['\u001b', '\u202e', '\r']) t.notOk(out.includes(mark));
  t.equal(out.trimEnd().split('\n').length, 2);
});

t.test('connect waits for the handshake and tells what became of it', async t => {
  const { cli } = await talking(t);
  t.match(await cli('connect', '10.1.1.1:6346'), {
    code: 0,
    out: /^connected to ultrapeer 10\.1\.1\.1:6346 .* as p2\n$/,
  });
  for (const [text, address] of [
    ['10.1.1.1', '10.1.1.1:6346'],
    ['peer.lan', 'peer.lan:6346'],
    ['::1', '[::1]:6346'],
  ] as const)
    t.match((await cli('connect', text, '--json')).json<PeerView>(), { address }, 'no port means 6346');
  t.match((await cli('connect', 'peer.lan:6346', '--json')).json<PeerView>(), { address: 'peer.lan:6346' });
  t.match(await cli('connect', '10.1.1.1:1'), { code: 1, out: '', err: 'servent: 10.1.1.1:1: connection refused\n' });
  t.match(await cli('disconnect', 'p2'), { code: 0, out: 'disconnected p2\n' });
  t.match(await cli('disconnect', 'p2'), { code: 1, err: 'servent: there is no peer "p2"\n' });
});

t.test('search prints each result once, as they come, and ends when the search does', async t => {
  const { cli, control } = await talking(t);
  let asked = 0;
  control.before = name => {
    if (name !== 'search') return;
    asked++;
    if (asked === 2) control.resultList = [aResult, { ...aResult, id: 'r2', name: 'new moon.ogg' }];
    if (asked === 3) control.searchList = control.searchList.map(row => ({ ...row, state: 'finished' as const }));
  };
  const { code, out, err } = await cli('search', 'blue', 'moon', '--wait', '30');
  t.equal(code, 0);
  const lines = out.trimEnd().split('\n');
  t.equal(lines.length, 3);
  t.match(lines[0], /^RESULT +SIZE +SOURCES +NAME$/);
  t.match(lines[1], /^r1 +4\.0 MiB +1 +blue moon\.ogg$/);
  t.match(lines[2], /^r2 /);
  const nameAt = lines[0]?.indexOf('NAME');
  t.same(
    [lines[1]?.indexOf('blue moon'), lines[2]?.indexOf('new moon')],
    [nameAt, nameAt],
    'rows stand under their titles',
  );
  t.match(err, 'servent download s2/r1', 'as it can be asked for later');
  t.match(err, '2 results');
  t.strictSame(control.calls[0], ['startSearch', { text: 'blue moon', duration: 30 }]);
});

t.test('search without results is no failure and says what to try', async t => {
  const { cli, control } = await talking(t);
  control.resultList = [];
  t.match(await cli('search', 'x', '--wait', '0'), {
    code: 0,
    out: '',
    err: /no results from 3 neighbours: try fewer words/,
  });
  t.match(await cli('browse', '10.1.1.1:6346', '--wait', '0'), {
    code: 0,
    out: '',
    err: 'no files are shared there\n',
  });
});

t.test('a repeated search says that it is one, while it runs and in the list', async t => {
  const { cli, control } = await talking(t);
  const agoMs = (ms: number) => new Date(Date.now() - ms).toISOString();
  const repeat = { askedBefore: agoMs(40_000), askAgainAt: agoMs(-1_700_000) };
  control.sample = { ...control.sample, ...repeat };
  const said =
    /^asked 4\d s ago; neighbours ignore repeats for up to 28 minutes; change a word to make it a new search$/m;
  t.match(await cli('search', 'blue', '--wait', '0'), { code: 0, out: /^r1 /m, err: said });
  t.match((await cli('searches')).out, /asked 4\d s ago; neighbours ignore repeats/);
  t.match((await cli('searches', 'show', 's2')).err, /^repeat: +asked 4\d s ago/m);
  const byHash = await cli('search', '--urn', SHA1, '--wait', '0');
  t.match(byHash.err, /^asked 4\d s ago; neighbours ignore repeats for up to 28 minutes$/m, 'no word could help');
  t.match((await cli('search', 'blue', '--wait', '0', '--json')).json(), { search: repeat });
  control.sample = { ...control.sample, askAgainAt: agoMs(1) };
  t.notMatch(await cli('search', 'blue', '--wait', '0'), { err: /ignore/ }, 'neighbours have forgotten by now');
});

t.test('search --json is one document', async t => {
  const { cli, control } = await talking(t);
  const { code, json } = await cli('search', '--urn', SHA1, '--ttl', '2', '--wait', '0', '--json');
  t.equal(code, 0);
  t.match(json<{ items: ResultView[] }>(), { search: { urn: SHA1 }, items: [{ id: 'r1' }], next: null });
  t.match(control.calls[0], ['startSearch', { urn: SHA1, ttl: 2 }]);
});

t.test('a search that failed exits 1 with the reason', async t => {
  const { cli, control } = await talking(t);
  control.before = name => {
    if (name === 'search')
      control.searchList = control.searchList.map(row => ({ ...row, state: 'failed', error: 'connection refused' }));
  };
  t.match(await cli('browse', '10.1.1.1'), { code: 1, err: /connection refused/ });
});

t.test('download takes a result in either spelling, a magnet link, or a URN with sources', async t => {
  const { cli, control } = await talking(t);
  const magnet = `magnet:?xt=${SHA1}`;
  t.match(await cli('download', 's1/r1'), { code: 0, out: 'd2  active  blue moon.ogg\n' });
  await cli('download', 'r1', '--name', 'moon.ogg');
  await cli('download', magnet);
  await cli('download', SHA1, '--source', '10.1.1.1:6346', '--source', '10.1.1.2:6346', '--size', '5');
  const ordered = control.calls.filter(([name]) => name === 'startDownload').map(([, input]) => input);
  t.strictSame(ordered, [
    { search: 's1', result: 'r1' },
    { search: 's1', result: 'r1', name: 'moon.ogg' },
    { magnet },
    { urn: SHA1, sources: ['10.1.1.1:6346', '10.1.1.2:6346'], size: 5 },
  ]);
  t.match(await cli('download', 'nothing'), { code: 1, err: /no search has a result "nothing"/ });
  t.match(await cli('download', 's1/r1', '--size', '5'), { code: 2 });
  t.match(await cli('download', 'magnet:?dn=x'), { code: 1, err: 'servent: magnet: expected a hash in `xt`\n' });
});

t.test('download reads files with a link or a description, and says what of them is not used', async t => {
  const { cli, control } = await talking(t);
  const dir = t.testdir({
    'a.magnet': `\ufeff magnet:?xt=${SHA1}\r\n`,
    'b.META4': '<metalink/>',
    'none.magnet': 'nothing',
    'big.metalink': 'x'.repeat(1024 * 1024 + 1),
  });
  control.unused = ['urn:ed2k is of another network'];
  t.match(await cli('download', join(dir, 'a.magnet')), { code: 0, err: 'not used: urn:ed2k is of another network\n' });
  await cli('download', join(dir, 'b.META4'));
  const ordered = control.calls.filter(([name]) => name === 'startDownload').map(([, input]) => input);
  t.strictSame(ordered, [{ magnet: `magnet:?xt=${SHA1}` }, { metalink: '<metalink/>' }]);
  t.match(await cli('download', join(dir, 'none.magnet')), { code: 1, err: /has no magnet link in it/ });
  t.match(await cli('download', join(dir, 'big.metalink')), { code: 1, err: /has more than 1048576 bytes/ });
  t.match(await cli('download', join(dir, 'gone.meta4')), { code: 1, err: /cannot be read: there is no such file/ });
});

function progressing(control: Talking['control'], end: Partial<DownloadView>): void {
  let asked = 0;
  control.before = name => {
    if (name !== 'download') return;
    asked++;
    const step = asked === 1 ? { done: 2_100_000 } : { rate: 0, eta: null, ...end };
    control.downloadList = control.downloadList.map(row => ({ ...row, ...step }));
  };
}

t.test('download --wait shows the steps and ends with the path', async t => {
  const { cli, control } = await talking(t);
  progressing(control, { state: 'completed', done: 4_200_000, path: '/srv/blue moon.ogg' });
  const { code, out, err } = await cli('download', 's1/r1', '--wait');
  t.equal(code, 0);
  t.equal(out, '/srv/blue moon.ogg\n');
  t.strictSame(err.trimEnd().split('\n'), [
    'blue moon.ogg  25 %  active  of 4.0 MiB  103 KiB/s  30 s left  1 of 2 sources  977 KiB verified',
    'blue moon.ogg  50 %  active  of 4.0 MiB  103 KiB/s  30 s left  1 of 2 sources  977 KiB verified',
    'blue moon.ogg  100 %  completed  of 4.0 MiB',
  ]);
});

t.test('download --wait that is stopped leaves the download going, and says so', async t => {
  const { server, control } = await talking(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  const stop = new AbortController();
  const onErr = () => stop.abort();
  const outcome = await command(['download', 's1/r1', '--wait'], { env, signal: stop.signal, onErr });
  t.match(outcome, { code: 130, out: '' });
  t.match(outcome.err, /the daemon goes on with it: "servent downloads show d2", "servent cancel d2"\n$/);
  t.notOk(control.calls.some(([name]) => name === 'removeDownload'));
});

t.test('download --wait of one that fails exits 1 with the reason', async t => {
  const { cli, control } = await talking(t);
  progressing(control, { state: 'failed', error: 'no source has it any more' });
  const { code, out, err } = await cli('download', 's1/r1', '--wait', '--json');
  t.equal(code, 1);
  t.match(JSON.parse(out), { state: 'failed' });
  t.match(err, /servent: blue moon.ogg: no source has it any more; "servent resume d2" tries again\n$/);
});

t.test('pause, resume and cancel take several ids', async t => {
  const { cli, control } = await talking(t);
  control.downloadList = [aDownload, { ...aDownload, id: 'd2' }, { ...aDownload, id: 'd3', state: 'completed' }];
  t.match(await cli('pause', 'd1', 'd2'), { code: 0, out: 'paused d1\npaused d2\n' });
  t.match((await cli('resume', 'd1', '--json')).json(), { items: [{ id: 'd1', state: 'active' }] });
  t.match(await cli('resume', 'd3'), { code: 1, err: 'servent: the download is already completed\n' });
  t.match(await cli('cancel', 'd1', 'nobody', 'd2'), {
    code: 1,
    out: 'cancelled d1\ncancelled d2\n',
    err: /^nobody: .*\nservent: 1 of 3 failed\n$/,
  });
  t.strictSame(
    control.downloadList.map(row => row.id),
    ['d3'],
  );
});

t.test('all, a filter and the first characters stand for ids', async t => {
  const { cli, control } = await talking(t);
  const long = (id: string, state: 'active' | 'paused' | 'failed' | 'completed') => ({ ...aDownload, id, state });
  const UUID = '6bb2f6a0-3f0e-4c43-8f6c-1b6c1c1d7a01';
  control.downloadList = [long(UUID, 'active'), long('d2', 'failed'), long('d3', 'completed'), long('d4', 'paused')];
  t.match((await cli('downloads')).out, /\n6bb2f6a0 +active/, 'tables show the first characters');
  t.match(await cli('pause', '6bb2f6a0'), { code: 0, out: 'paused 6bb2f6a0\n' });
  t.match(control.calls.at(-1), ['changeDownload', { id: UUID, state: 'paused' }]);
  t.match(await cli('priority', '3', 'all'), { out: `priority 3 for ${UUID}\npriority 3 for d2\npriority 3 for d4\n` });
  t.match(await cli('retry', 'all'), { out: 'retried d2\n' });
  t.match((await cli('rename', '6bb2f6a0', 'b.txt')).code, 0);
  t.match(control.calls.at(-1), ['changeDownload', { id: UUID, name: 'b.txt' }]);
  t.match(await cli('rename', 'd3', 'b.txt'), { code: 1, err: /already completed/ }, 'a refusal is told');
  t.match(await cli('resume', '--filter', 'priority=3 and state=paused'), { out: `resumed ${UUID}\nresumed d4\n` });
  t.match(await cli('resume', 'all', '--filter', 'name~"no such"'), {
    code: 0,
    out: '',
    err: 'no downloads to change\n',
  });
  t.match((await cli('cancel', 'nobody', 'all', '--json')).code, 1, 'all is a word of its own');
  t.match((await cli('resume', 'd3', 'd2', '--json')).json(), {
    items: [{ id: 'd3', problem: { code: 'CONFLICT' } }, { id: 'd2' }],
  });
  t.match(await cli('pause', 'd2', '--filter', 'state=failed'), { code: 2, err: /ids or --filter, not both/ });
  t.match(await cli('pause', '--filter', 'stat=failed'), { code: 1, err: /unknown field stat/ });
  t.match(await cli('clear'), { code: 0, out: /^forgot d3 +/ });
  t.match(await cli('clear', '--failed'), { code: 0, out: '', err: 'no downloads to forget\n' });
});

t.test('downloads are moved, several in the order in which they are given', async t => {
  const { cli, control } = await talking(t);
  control.downloadList = [aDownload, { ...aDownload, id: 'd2' }];
  t.match(await cli('move', 'd1', 'd2', 'top'), { code: 0, out: 'moved d2\nmoved d1\n' });
  t.match(control.calls.at(-1), ['changeDownload', { id: 'd1', position: 'top' }]);
  t.match(await cli('move', 'd1', 'd2', 'bottom'), { out: 'moved d1\nmoved d2\n' });
  t.match(await cli('move', 'all', 'up'), { code: 0, out: /^moved d/ });
  t.match(await cli('move', 'd1'), { code: 2, err: /top, up, down, bottom/ });
  t.match(await cli('move', 'd1', 'sideways'), { code: 2, err: /top, up, down, bottom/ });
});

t.test('library shows folders and files; share and unshare take paths from where the person stands', async t => {
  const { cli, control } = await talking(t);
  const { out } = await cli('library');
  t.match(out, /^ID +FOLDER[^\n]*\nl1 +\/srv\/files +ready +1 +1000 B\n\nNAME[^\n]*\nred sun\.ogg /);
  t.match((await cli('library', '--json')).json(), { folders: [{ id: 'l1' }], items: [{ id: 'f1' }], next: null });
  t.match(await cli('share', 'more'), { code: 0, out: `sharing ${join('/srv', 'more')} as l2\n` });
  t.match(await cli('rescan'), { code: 0, out: 'scanning 2 folders\n' });
  t.match(await cli('rescan', '--contents'), { code: 0, out: /^checking \d+ files?, / });
  control.hashingNow = [
    { state: 'hashing', files: 2, hashed: 1, bytes: 3000, rate: 1000, eta: 3, current: '/srv/files/a.ogg' },
  ];
  t.match(await cli('rescan', 'more', '--wait'), {
    code: 0,
    out: 'done: 3 files hashed since the start\n',
    err: /hashing 2 files.*a\.ogg/,
  });
  t.match(await cli('rescan', '--cancel'), { code: 0, out: /"servent rescan" goes on/ });
  t.match(await cli('unshare', 'more'), { code: 0, out: `no longer sharing ${join('/srv', 'more')}\n` });
  t.match(await cli('unshare', 'more'), { code: 1, err: /is not shared: "servent library"/ });
  t.match(await cli('unshare', aFolder.id), { code: 0 });
  control.fileList = [];
  t.match(await cli('library'), { code: 0, out: '', err: /nothing is shared: "servent share DIR"/ });
});

t.test('a mistake of the daemon is told as such', async t => {
  const { cli, control } = await talking(t);
  control.before = () => {
    throw new Error('boom');
  };
  t.match(await cli('status'), { code: 1, err: 'servent: this is a bug: the log has the details\n' });
});

t.test('download --browse and --search take many results at once', async t => {
  const { cli, control } = await talking(t);
  const asked = () => control.calls.filter(([name]) => name === 'startDownload').at(-1)?.[1];
  control.searchList = [{ ...aSearch, id: 's1', state: 'finished' }];
  t.match(await cli('download', '--search', 's1', '--match', 'type=audio', '--name', 'Moons'), { code: 0 });
  t.strictSame(asked(), { search: 's1', filter: 'type=audio', name: 'Moons' });
  t.match(await cli('download', '--search', 's1', '--folder', 'Moons'), { code: 0 });
  t.strictSame(asked(), { search: 's1', folder: 'Moons' });
  for (const words of [
    ['--folder', 'Moons'],
    ['--search', 's1'],
    ['s1/r1', '--search', 's1', '--match', 'size>1'],
    ['--search', 's1', '--browse', '10.0.0.1', '--match', 'size>1'],
    ['--search', 's1', '--folder', 'Moons', '--match', 'size>1'],
  ])
    t.match(await cli('download', ...words), { code: 2, out: '' }, words.join(' '));
});
