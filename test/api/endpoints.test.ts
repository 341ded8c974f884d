import t from 'tap';
import type { Client } from '../../api/client.ts';
import type { Endpoint } from '../../api/endpoint.ts';
import { type EndpointName, endpointNames, endpoints } from '../../api/endpoints.ts';
import { problem } from '../../api/schemas/service.ts';
import { serveFake } from '../support/api-server.ts';
import { aBadContent, SHA1 } from '../support/sample-views.ts';

/** A good call of each endpoint. A new row without one does not compile. */
const good: Record<EndpointName, (client: Client) => Promise<unknown>> = {
  status: client => client.status(),
  peers: client => client.peers({ limit: 10 }),
  connect: client => client.connect({ address: '127.0.0.1:7000' }),
  disconnect: client => client.disconnect({ id: 'p1' }),
  hosts: client => client.hosts(),
  addHost: client => client.addHost({ address: '127.0.0.1:6350' }),
  removeHost: client => client.removeHost({ id: '127.0.0.1:6348' }),
  queries: client => client.queries(),
  queryStats: client => client.queryStats({ span: 'hour' }),
  history: client => client.history(),
  pastTransfers: client => client.pastTransfers({ direction: 'upload' }),
  pastSearches: client => client.pastSearches(),
  totals: client => client.totals(),
  addressTotals: client => client.addressTotals(),
  fileTotals: client => client.fileTotals(),
  hooks: client => client.hooks(),
  deliveries: client => client.deliveries({ id: 's1' }),
  replay: client => client.replay({ id: 's1', since: 0 }),
  startSearch: client => client.startSearch({ text: 'blue moon' }),
  searches: client => client.searches(),
  search: client => client.search({ id: 's1' }),
  removeSearch: client => client.removeSearch({ id: 's1' }),
  results: client => client.results({ id: 's1', limit: 5 }),
  startDownload: client => client.startDownload({ search: 's1', result: 'r1' }),
  downloads: client => client.downloads(),
  download: client => client.download({ id: 'd1' }),
  downloadChunks: client => client.downloadChunks({ id: 'd1' }),
  changeDownload: client => client.changeDownload({ id: 'd1', state: 'paused' }),
  removeDownload: client => client.removeDownload({ id: 'd1' }),
  verifyDownload: client => client.verifyDownload({ id: 'd1' }),
  recoverDownloads: client => client.recoverDownloads(),
  clearDownloads: client => client.clearDownloads({ state: 'completed' }),
  limits: client => client.limits(),
  nat: client => client.nat(),
  dht: client => client.dht(),
  startDhtLookup: client => client.startDhtLookup({ urn: SHA1 }),
  dhtLookup: client => client.dhtLookup({ id: 's1' }),
  explainDhtLookup: client => client.explainDhtLookup({ id: 's1' }),
  dhtContacts: client => client.dhtContacts({ limit: 5 }),
  recordings: client => client.recordings(),
  analyses: client => client.analyses(),
  analysis: client => client.analysis({ id: 'hops' }),
  uploads: client => client.uploads(),
  cancelUpload: client => client.cancelUpload({ id: 'u1' }),
  savedSearches: client => client.savedSearches(),
  saveSearch: client => client.saveSearch({ text: 'blue moon', filter: 'type=audio and sources>1', every: 3600 }),
  changeSavedSearch: client => client.changeSavedSearch({ id: 'w1', state: 'paused', new: 0 }),
  removeSavedSearch: client => client.removeSavedSearch({ id: 'w1' }),
  runSavedSearch: client => client.runSavedSearch({ id: 'w1', duration: 5 }),
  finds: client => client.finds({ id: 'w1' }),
  badContents: client => client.badContents(),
  addBadContent: client => client.addBadContent({ urn: aBadContent.urn, note: 'a siren' }),
  removeBadContent: client => client.removeBadContent({ id: aBadContent.id }),
  bans: client => client.bans(),
  addBan: client => client.addBan({ address: '192.0.2.7', for: 600, reason: 'noise' }),
  liftBan: client => client.liftBan({ id: '192.0.2.9' }),
  files: client => client.files(),
  folders: client => client.folders(),
  shareFolder: client => client.shareFolder({ path: '/srv/more' }),
  changeFolder: client => client.changeFolder({ id: 'l1', exclude: ['*.iso'] }),
  previewFolder: client => client.previewFolder({ path: '/srv/more' }),
  unshareFolder: client => client.unshareFolder({ id: 'l1' }),
  rescan: client => client.rescan(),
  scrub: client => client.scrub(),
  rescanFolder: client => client.rescanFolder({ id: 'l1' }),
  hashing: client => client.hashing(),
  cancelHashing: client => client.cancelHashing(),
  config: client => client.config(),
  changeConfig: client => client.changeConfig({ dryRun: 'true', uploads: { slots: 3 } }),
  reloadConfig: client => client.reloadConfig(),
  logLines: client => client.logLines({ level: 'info' }),
  logLevels: client => client.logLevels(),
  changeLogLevels: client => client.changeLogLevels({ links: 'debug' }),
  bulk: client => client.bulk({ operations: [{ operation: 'cancelUpload', input: { id: 'u1' } }] }),
  openapi: client => client.openapi(),
  caller: client => client.caller(),
  keys: client => client.keys(),
  createKey: client => client.createKey({ name: 'a script', scopes: ['operate'] }),
  removeKey: client => client.removeKey({ id: 'k1' }),
  explainSearch: client => client.explainSearch({ id: 's1' }),
  explainPeer: client => client.explainPeer({ id: 'p1' }),
  explainDownload: client => client.explainDownload({ id: 'd1' }),
  refusedPeers: client => client.refusedPeers(),
  election: client => client.election(),
  doctor: client => client.doctor(),
  live: client => client.live(),
  ready: client => client.ready(),
};

/** A body that each endpoint with a body refuses, and the field at fault. */
const bad: Partial<Record<EndpointName, [body: unknown, field: string][]>> = {
  connect: [
    [{}, 'address'],
    [{ address: 6346 }, 'address'],
    [{ address: '127.0.0' }, 'address'],
    [{ address: '127.0.0.1:65536' }, 'address'],
    [{ address: '127.0.0.1:6346', force: true }, 'force'],
  ],
  addHost: [
    [{}, 'address'],
    [{ address: '127.0.0' }, 'address'],
  ],
  startSearch: [
    [{}, 'text'],
    [{ text: '' }, 'text'],
    [{ text: 'x'.repeat(257) }, 'text'],
    [{ urn: 'sha1:ABC' }, 'urn'],
    [{ text: 'a', ttl: 99 }, 'ttl'],
    [{ txt: 'a' }, 'txt'],
  ],
  replay: [
    [{}, 'since'],
    [{ since: -1 }, 'since'],
  ],
  startDhtLookup: [
    [{}, 'urn'],
    [{ urn: 'blue' }, 'urn'],
    [{ urn: SHA1, kuid: '0'.repeat(40) }, 'urn'],
    [{ guid: '0'.repeat(40) }, 'guid'],
    [{ kuid: 'g'.repeat(40) }, 'kuid'],
  ],
  changeConfig: [[[], '']],
  changeLogLevels: [[{ links: 'loud' }, 'links']],
  startDownload: [
    [{ search: 's1' }, 'result'],
    [{ magnet: 'http://example.net/' }, 'magnet'],
    [{ urn: SHA1, size: -1 }, 'size'],
    [{ urn: SHA1, size: 2 ** 60 }, 'size'],
    [{ urn: SHA1, sources: ['nonsense'] }, 'sources.0'],
    [{ urn: SHA1, sources: ['file:///etc/passwd'] }, 'sources.0'],
  ],
  changeDownload: [
    [{}, 'state'],
    [{ state: 'completed' }, 'state'],
    [{ priority: 1.5 }, 'priority'],
  ],
  saveSearch: [
    [{}, 'text'],
    [{ text: '' }, 'text'],
    [{ text: 'a', filter: 'colour=red' }, 'filter'],
    [{ text: 'a', every: 60 }, 'every'],
    [{ text: 'a', action: 'buy' }, 'action'],
    [{ urn: 'moon' }, 'urn'],
  ],
  changeSavedSearch: [
    [{ new: 3 }, 'new'],
    [{ state: 'running' }, 'state'],
    [{ filter: 'size>' }, 'filter'],
  ],
  runSavedSearch: [[{ duration: 0 }, 'duration']],
  addBadContent: [
    [{}, 'urn'],
    [{ urn: 'moon' }, 'urn'],
    [{ urn: aBadContent.urn, note: 'two\nlines' }, 'note'],
  ],
  addBan: [
    [{}, 'address'],
    [{ address: 'a.example' }, 'address'],
    [{ address: '192.0.2.7:6346' }, 'address'],
    [{ address: '192.0.2.7', for: 0 }, 'for'],
    [{ address: '192.0.2.7', for: 1e9 }, 'for'],
    [{ address: '192.0.2.7', reason: 'two\nlines' }, 'reason'],
  ],
  createKey: [
    [{}, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 'a', scopes: [] }, 'scopes'],
    [{ name: 'a', scopes: ['root'] }, 'scopes.0'],
    [{ name: 'a', cidrs: ['everywhere'] }, 'cidrs.0'],
    [{ name: 'a', expiresAt: 'tomorrow' }, 'expiresAt'],
  ],
  bulk: [
    [{}, 'operations'],
    [{ operations: [] }, 'operations'],
    [{ operations: ['cancelUpload'] }, 'operations.0'],
    [{ operations: [{ operation: 7 }] }, 'operations.0.operation'],
    [{ operations: [{ operation: 'cancelUpload', input: [] }] }, 'operations.0.input'],
  ],
  shareFolder: [
    [{ path: '' }, 'path'],
    [{ path: 'a\0b' }, 'path'],
    [{ path: ['/srv'] }, 'path'],
    [{ path: '/srv', exclude: [7] }, 'exclude.0'],
    [{ path: '/srv', label: 'a/b' }, 'label'],
    [{ path: '/srv', label: '..' }, 'label'],
  ],
  changeFolder: [
    [{}, 'exclude'],
    [{ force: 'yes' }, 'force'],
  ],
  previewFolder: [
    [{ path: '' }, 'path'],
    [{ path: '/srv', limit: 0 }, 'limit'],
  ],
};

/** What Control sees of rows that the HTTP layer answers by itself. */
const reached: Partial<Record<EndpointName, string[]>> = { bulk: ['cancelUpload'], openapi: [], caller: [] };

const rows = endpointNames.map(name => [name, endpoints[name] as Endpoint] as const);

t.test('every endpoint is documented and says what may go wrong', async t => {
  for (const [name, { doc, path, params, problems }] of rows) {
    t.match(doc, /^[A-Z].*\.$/, `${name} has a sentence`);
    t.equal(params !== null, path.includes(':'), `${name} has a schema for its parameters`);
    if (path.includes(':')) t.ok(problems.includes('NOT_FOUND'), `${name} says that an id may be unknown`);
  }
});

t.test('no two endpoints share method and path', async t => {
  t.equal(new Set(rows.map(([, { method, path }]) => `${method} ${path}`)).size, rows.length);
});

t.test('every endpoint answers a good call with its own status and an answer that fits its schema', async t => {
  for (const [name, endpoint] of rows) {
    const { client, control, raw, mistakes } = await serveFake(t);
    const output = await good[name](client);
    endpoint.output?.parse(output);
    t.strictSame(mistakes, [], `${name} makes no mistake`);
    t.strictSame(
      control.calls.map(([called]) => called),
      reached[name] ?? [name],
      `${name} reaches Control once`,
    );
    if (endpoint.method === 'GET') {
      const reply = await raw({
        path: endpoint.path
          .replace(':id', 's1')
          .replace('downloads/s1', 'downloads/d1')
          .replace('saved-searches/s1', 'saved-searches/w1')
          .replace('peers/s1', 'peers/p1')
          .replace('analyses/s1', 'analyses/hops'),
      });
      t.equal(reply.status, endpoint.success, `${name} answers ${endpoint.success}`);
      t.match(reply.headers['content-type'], 'application/json');
      if (reply.status !== 503) t.equal(reply.headers['cache-control'], 'private, no-cache');
    }
  }
});

t.test('what creates answers 201, what removes 204 without a body, a rescan 202', async t => {
  const { raw } = await serveFake(t);
  const json = { 'Content-Type': 'application/json' };
  const created = await raw({ method: 'POST', path: '/api/v1/searches', headers: json, body: '{"text":"a"}' });
  t.equal(created.status, 201);
  const removed = await raw({ method: 'DELETE', path: '/api/v1/searches/s1' });
  t.equal(removed.status, 204);
  t.equal(removed.text, '');
  t.equal((await raw({ method: 'POST', path: '/api/v1/library/rescan' })).status, 202);
});

t.test('every endpoint with a body refuses a bad one and names the field', async t => {
  const { control, raw } = await serveFake(t);
  for (const [name, { method, path, body }] of rows) {
    if (body === null) continue;
    t.ok(bad[name], `${name} has cases`);
    for (const [given, field] of bad[name] ?? []) {
      const reply = await raw({
        method,
        path: path.replace(':id', 'd1'),
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(given),
      });
      t.equal(reply.status, 400, `${name} ${JSON.stringify(given).slice(0, 60)}`);
      t.equal(reply.headers['content-type'], 'application/problem+json');
      t.equal(reply.json?.['code'], 'INVALID');
      t.equal(reply.json?.['field'], field);
      problem.parse(reply.json);
    }
  }
  t.strictSame(control.calls, []);
});

t.test('every list takes limit and cursor and refuses nonsense in them', async t => {
  const { raw } = await serveFake(t);
  for (const [name, { method, path, query }] of rows) {
    if (query === null || method !== 'GET' || name === 'queryStats' || name === 'analysis') continue;
    const at = path.replace(':id', 's1').replace('saved-searches/s1', 'saved-searches/w1');
    t.strictSame((await raw({ path: `${at}?limit=1` })).json?.['next'], null, name);
    for (const [given, field] of [
      ['limit=0', 'limit'],
      ['limit=1001', 'limit'],
      ['limit=ten', 'limit'],
      ['limit=', 'limit'],
      ['limit=1&limit=2', 'limit'],
      ['cursor=!', 'cursor'],
      ['cursor=', 'cursor'],
      ['offset=3', 'offset'],
      ['__proto__=1', '__proto__'],
    ] as const) {
      const reply = await raw({ path: `${at}?${given}` });
      t.equal(reply.status, 400, `${name}?${given}`);
      t.equal(reply.json?.['field'], field);
    }
  }
});

/** Bodies that are good, of endpoints with an id. */
const bodies: Partial<Record<EndpointName, object>> = {
  replay: { since: 0 },
  changeDownload: { state: 'paused' },
  changeFolder: { exclude: [] },
  changeSavedSearch: { state: 'paused' },
};

t.test('an unknown id is a 404 everywhere', async t => {
  const { raw } = await serveFake(t);
  for (const [name, { method, path, body }] of rows) {
    if (!path.includes(':id')) continue;
    const reply = await raw({
      method,
      path: path.replace(':id', 'nobody'),
      ...(body === null
        ? {}
        : {
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify(bodies[name] ?? {}),
          }),
    });
    t.equal(reply.status, 404, name);
    t.equal(reply.json?.['code'], 'NOT_FOUND');
    t.match(reply.json?.['detail'], 'nobody');
  }
});

t.test('downloads are ordered in each of the three ways, sources in each of theirs', async t => {
  const { client, control } = await serveFake(t);
  const magnet = `magnet:?xt=${SHA1}&xs=http://127.0.0.1:6349/uri-res/N2R?${SHA1}`;
  await client.startDownload({ magnet });
  await client.startDownload({ urn: SHA1 });
  const source = { address: '127.0.0.1:6349', servent: null, push: false, busy: null, hops: 2 };
  await client.startDownload({
    urn: SHA1,
    name: 'a.ogg',
    size: 5,
    sources: ['127.0.0.1:6349', '[::1]:6349', 'http://127.0.0.1:6349/get/7/a.ogg', source],
  });
  t.strictSame(
    control.calls.map(([, input]) => input),
    [
      { magnet },
      { urn: SHA1, sources: [] },
      {
        urn: SHA1,
        name: 'a.ogg',
        size: 5,
        sources: [
          '127.0.0.1:6349',
          '[::1]:6349',
          'http://127.0.0.1:6349/get/7/a.ogg',
          { address: '127.0.0.1:6349', servent: null, push: false },
        ],
      },
    ],
  );
});

t.test('an address without a port means port 6346 wherever one is given', async t => {
  const { client, control } = await serveFake(t);
  await client.connect({ address: '127.0.0.1' });
  await client.addHost({ address: '::1' });
  await client.startSearch({ browse: 'servent.example' });
  await client.startDownload({ urn: SHA1, sources: ['127.0.0.2', 'http://127.0.0.3:7/x'] });
  t.match(
    control.calls.map(([, input]) => input),
    [
      { address: '127.0.0.1:6346' },
      { address: '[::1]:6346' },
      { browse: 'servent.example:6346' },
      { sources: ['127.0.0.2:6346', 'http://127.0.0.3:7/x'] },
    ],
  );
});
