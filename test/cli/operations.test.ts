import t from 'tap';
import type { EndpointName } from '../../api/endpoints.ts';
import { serveFake, TOKEN } from '../support/api-server.ts';
import { command } from '../support/command.ts';
import { GUID, SHA1 } from '../support/sample-views.ts';

/** The command that reaches each operation; a new operation without one does not compile. */
const commandOf: Record<EndpointName, string[]> = {
  status: ['status'],
  history: ['history', '--span', 'hour'],
  pastTransfers: ['history', 'transfers', '--direction', 'upload'],
  pastSearches: ['history', 'searches'],
  totals: ['history', 'totals'],
  addressTotals: ['history', 'addresses'],
  fileTotals: ['history', 'files'],
  live: ['health'],
  ready: ['health'],
  peers: ['peers', '--filter', 'role=ultrapeer', '--sort', '-since'],
  connect: ['connect', '127.0.0.1:6399'],
  disconnect: ['disconnect', 'p1'],
  refusedPeers: ['explain', 'peers'],
  hosts: ['hosts'],
  addHost: ['hosts', 'add', '127.0.0.1:6350'],
  removeHost: ['hosts', 'remove', '127.0.0.1:6348'],
  queries: ['queries'],
  queryStats: ['queries', 'stats', '--span', 'day', '--top', '3'],
  startSearch: ['search', 'blue', '--wait', '0'],
  searches: ['searches'],
  search: ['searches', 'show', 's1'],
  results: ['searches', 'show', 's1'],
  removeSearch: ['searches', 'remove', 's1'],
  explainSearch: ['explain', 'search', 's1'],
  startDownload: ['download', SHA1, '--source', '127.0.0.1:6347'],
  downloads: ['downloads'],
  download: ['downloads', 'show', 'd1'],
  downloadChunks: ['downloads', 'show', 'd1'],
  changeDownload: ['priority', '-5', 'd1'],
  removeDownload: ['cancel', 'd1'],
  verifyDownload: ['verify', 'd1'],
  recoverDownloads: ['recover'],
  clearDownloads: ['clear'],
  explainDownload: ['explain', 'download', 'd1'],
  explainPeer: ['explain', 'peer', 'p1'],
  limits: ['limits'],
  nat: ['nat'],
  dht: ['dht'],
  startDhtLookup: ['dht', 'find', GUID],
  dhtLookup: ['dht', 'find', GUID],
  explainDhtLookup: ['explain', 'lookup', 's1'],
  dhtContacts: ['dht', 'contacts'],
  recordings: ['recordings'],
  analyses: ['call', 'analyses'],
  analysis: ['call', 'analysis', 'id=hops'],
  uploads: ['uploads'],
  cancelUpload: ['uploads', 'cancel', 'u1'],
  savedSearches: ['saved', 'list'],
  saveSearch: ['saved', 'add', 'blue', 'moon', '--filter', 'type=audio', '--every', '3600'],
  changeSavedSearch: ['saved', 'pause', 'w1'],
  removeSavedSearch: ['saved', 'remove', 'w1'],
  runSavedSearch: ['saved', 'run', 'w1'],
  finds: ['saved', 'results', 'w1'],
  badContents: ['spam'],
  addBadContent: ['spam', 'add', 'urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB'],
  removeBadContent: ['spam', 'remove', 'PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB'],
  bans: ['bans'],
  addBan: ['bans', 'add', '192.0.2.7', '--for', '45m', '--reason', 'noise'],
  liftBan: ['bans', 'lift', '192.0.2.9'],
  files: ['library'],
  folders: ['library'],
  shareFolder: ['share', '/srv/more'],
  changeFolder: ['share', '/srv/files', '--exclude', '*.iso'],
  previewFolder: ['share', '/srv/more', '--dry-run'],
  unshareFolder: ['unshare', 'l1'],
  rescan: ['rescan'],
  scrub: ['rescan', '--contents'],
  rescanFolder: ['rescan', 'l1'],
  hashing: ['rescan', '--wait'],
  cancelHashing: ['rescan', '--cancel'],
  config: ['config', 'show'],
  changeConfig: ['block', '198.51.100.0/24'],
  reloadConfig: ['config', 'reload'],
  logLines: ['log', '--level', 'warn'],
  logLevels: ['log', 'levels'],
  changeLogLevels: ['log', 'levels', 'links=debug', 'overlay='],
  election: ['explain', 'role'],
  doctor: ['doctor'],
  caller: ['keys', 'whoami'],
  keys: ['keys'],
  createKey: ['keys', 'create', 'monitor', '--scope', 'read', '--from', '10.0.0.0/8', '--expires', '30d'],
  removeKey: ['keys', 'revoke', 'k1'],
  hooks: ['hooks'],
  deliveries: ['hooks', 'deliveries', 's1'],
  replay: ['hooks', 'replay', 's1', '--since', '0'],
  bulk: ['bulk', 'operations.ndjson'],
  openapi: ['openapi'],
};

/** Answered by the HTTP layer: nothing of it reaches Control, or something else does. */
const REACHES: Partial<Record<EndpointName, string | null>> = { openapi: null, caller: null, bulk: 'cancelUpload' };

for (const [name, words] of Object.entries(commandOf))
  t.test(`${words.join(' ')} reaches ${name}`, async t => {
    const { server, control } = await serveFake(t);
    const cwd = t.testdir({ 'operations.ndjson': '{"operation":"cancelUpload","input":{"id":"u1"}}\n\n' });
    const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN, SERVENT_DATA_DIR: cwd };
    for (const more of [[], ['--json']]) {
      control.calls.length = 0;
      const fresh = more.length === 0 ? null : await serveFake(t);
      const outcome = await command([...words, ...more], {
        env: fresh === null ? env : { ...env, SERVENT_API: fresh.server.url },
        cwd,
      });
      // `doctor` speaks of this machine too, and may find something to mend
      if (name !== 'doctor') t.equal(outcome.code, 0, outcome.err);
      const called = (fresh?.control ?? control).calls.map(([call]) => call);
      const wanted = name in REACHES ? REACHES[name as EndpointName] : name;
      if (typeof wanted === 'string') t.ok(called.includes(wanted), `called ${called.join(' ')}`);
      if (more.length > 0) t.ok(typeof outcome.json() === 'object', 'one JSON document');
      else t.ok(outcome.out + outcome.err !== '', 'a person is told something');
      t.notMatch(outcome.out, /undefined|\[object/);
    }
  });

t.test('what a key is made with is what the API is asked for', async t => {
  const { server, control } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  const made = await command(
    ['keys', 'create', 'nas', '--scope', 'read', '--scope', 'operate', '--from', '10.0.0.0/8', '--expires', '2h'],
    { env },
  );
  const [, input] = control.calls.findLast(([name]) => name === 'createKey') ?? [];
  t.match(input, { name: 'nas', scopes: ['read', 'operate'], cidrs: ['10.0.0.0/8'] });
  const left = Date.parse((input as { expiresAt: string }).expiresAt) - Date.now();
  t.ok(left > 7_100_000 && left <= 7_200_000, 'two hours');
  t.match(made.out, /^\S+\n$/, 'the secret alone, for a script');
  t.match(made.err, /not shown again/);
  for (const words of [
    ['--scope', 'root'],
    ['--expires', 'soon'],
  ])
    t.match(await command(['keys', 'create', 'x', ...words], { env }), { code: 2, err: /expected/ });
});

t.test('blocks are added to those there are, and only those can be taken off', async t => {
  const { server, control } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  t.match(await command(['block', '192.0.2.1', '198.51.100.0/24'], { env }), { code: 0, out: /blocked 192.0.2.1\n/ });
  t.match(control.calls.findLast(([name]) => name === 'changeConfig')?.[1], {
    patch: { gnutella: { block: ['192.0.2.1', '198.51.100.0/24'] } },
  });
  t.match(await command(['unblock', '203.0.113.9'], { env }), { code: 1, err: /is not blocked/ });
});

t.test('a file of operations that cannot be read says which line', async t => {
  const cwd = t.testdir({ bad: '{"operation":"live"}\n{oops\n', none: '\n', wrong: '{"input":{}}' });
  t.match(await command(['bulk', 'bad'], { cwd }), { code: 2, err: /line 2: expected/ });
  t.match(await command(['bulk', 'none'], { cwd }), { code: 2, err: /no operations/ });
  t.match(await command(['bulk', 'wrong'], { cwd }), { code: 2, err: /line 1: expected/ });
  t.match(await command(['bulk', 'missing'], { cwd }), { code: 1, err: /missing/ });
});

t.test('a download is shown with its sources, a search with its results', async t => {
  const { server } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  t.match((await command(['downloads', 'show', 'd1'], { env })).out, /^name: [\s\S]*state: [\s\S]*\nSOURCE /);
  t.match(
    (await command(['searches', 'show', 's1'], { env })).out,
    /^RESULT +SIZE +SOURCES +LENGTH +KBIT\/S +NAME\ns1\/r1 /,
  );
  t.match((await command(['downloads', 'show', 'none'], { env })).code, 1);
  t.match(await command(['downloads', '--sort', 'nonsense'], { env }), { code: 1, err: /sort/ });
});

t.test('a lookup in the DHT is shown hop by hop, with its values; what it cannot look up is refused', async t => {
  const { server, control } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  const found = await command(['dht', 'find', SHA1], { env });
  t.match(
    found.out,
    /^HOP +KUID .*\n +1 +a1b2\S+ +127\.0\.0\.1:6347 +2\^2 +42 ms\n\nTYPE .*\nALOC +127\.0\.0\.1:6348 /,
  );
  const kuid = 'A1B2C3D4E5F60718293A4B5C6D7E8F9001122330';
  for (const [text, input] of [
    [SHA1, { urn: SHA1 }],
    [GUID.toUpperCase(), { guid: GUID }],
    [kuid, { kuid: kuid.toLowerCase() }],
  ] as const) {
    t.equal((await command(['dht', 'find', text], { env })).code, 0);
    t.strictSame(control.calls.findLast(([name]) => name === 'startDhtLookup')?.[1], input);
  }
  for (const text of ['blue', GUID.slice(1), `${kuid}0`])
    t.match(await command(['dht', 'find', text], { env }), { code: 2, err: /a GUID of 32 hex digits or a KUID of 40/ });
  control.nextLookup = { state: 'missing', values: [] };
  t.match(await command(['dht', 'find', SHA1], { env }), { code: 0, err: /not found/ });
  control.nextLookup = { state: 'failed', error: 'no node of the DHT answered', values: [], path: [] };
  t.match(await command(['dht', 'find', SHA1], { env }), { code: 1, out: '', err: /no node of the DHT answered/ });
});
