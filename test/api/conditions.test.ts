// Calls with conditions: entity tags, idempotency keys, bulk, choice of fields.
import t from 'tap';
import { IdempotencyTable, type Sent } from '../../api/idempotency.ts';
import { serveFake } from '../support/api-server.ts';
import { aDownload } from '../support/sample-views.ts';

const json = { 'Content-Type': 'application/json' };

t.test('what a caller has already is not sent again', async t => {
  const { raw, control } = await serveFake(t);
  const path = '/api/v1/peers';
  const first = await raw({ path });
  const etag = String(first.headers['etag']);
  t.match(etag, /^"[\w-]{27}"$/);
  for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await raw({ path, headers: { 'If-None-Match': header } });
    t.equal(again.status, 304, header);
    t.equal(again.text, '');
    t.equal(again.headers['etag'], etag);
  }
  t.equal((await raw({ path, headers: { 'If-None-Match': '"other"' } })).status, 200);
  t.equal((await raw({ method: 'HEAD', path })).headers['etag'], etag);
  control.peerList = [];
  t.equal((await raw({ path, headers: { 'If-None-Match': etag } })).status, 200, 'it has changed');
});

t.test('the configuration is not changed by who has not seen it as it is', async t => {
  const { raw, control } = await serveFake(t);
  const path = '/api/v1/config';
  const etag = String((await raw({ path })).headers['etag']);
  const patch = (header: Record<string, string>) =>
    raw({ method: 'PATCH', path, headers: { ...json, ...header }, body: '{"log":{"level":"debug"}}' });
  const stale = await patch({ 'If-Match': '"old"' });
  t.equal(stale.status, 412);
  t.equal(stale.json?.['code'], 'STALE');
  t.notOk(control.calls.some(([name]) => name === 'changeConfig'));
  t.equal((await patch({ 'If-Match': etag })).status, 200);
  t.equal((await patch({ 'If-Match': '*' })).status, 200);
  t.equal((await patch({})).status, 200, 'without the condition nobody is stopped');
  t.equal((await patch({ 'Content-Type': 'application/merge-patch+json' })).status, 200);
  t.strictSame(control.calls.findLast(([name]) => name === 'changeConfig')?.[1], {
    patch: { log: { level: 'debug' } },
    dryRun: false,
  });
});

t.test('a dry run is asked for in the query, the patch is the whole body', async t => {
  const { client, control } = await serveFake(t);
  await client.changeConfig({ dryRun: true, gnutella: { port: 7000 } });
  t.strictSame(control.calls, [['changeConfig', { patch: { gnutella: { port: 7000 } }, dryRun: true }]]);
});

t.test('a POST repeated with its key is answered again and done once', async t => {
  const { raw, control } = await serveFake(t);
  const post = (key: string, body: string) =>
    raw({ method: 'POST', path: '/api/v1/searches', headers: { ...json, 'Idempotency-Key': key }, body });
  const first = await post('one', '{"text":"moon"}');
  const again = await post('one', '{ "text": "moon" }');
  t.equal(again.status, 201);
  t.equal(again.text, first.text);
  t.equal(again.headers['location'], first.headers['location']);
  t.equal(again.headers['idempotency-replayed'], 'true');
  t.equal(first.headers['idempotency-replayed'], undefined);
  t.equal(control.calls.length, 1);
  const other = await post('one', '{"text":"sun"}');
  t.equal(other.status, 422);
  t.equal(other.json?.['code'], 'KEY_REUSED');
  t.equal((await post('two', '{"text":"moon"}')).headers['idempotency-replayed'], undefined);
  t.equal(control.calls.length, 2);
  t.equal((await post('x'.repeat(256), '{"text":"a"}')).json?.['field'], 'Idempotency-Key');
  t.equal((await post('three', '{"text":""}')).status, 400);
  t.equal((await post('three', '{"text":"moon"}')).status, 201, 'a refused call frees its key');
});

t.test('the table of idempotency keys is bounded, forgets after a day, and tells who comes too early', async t => {
  let now = 0;
  const table = new IdempotencyTable(() => now);
  const sent: Sent = { status: 201, text: 'x', location: null };
  let finish: (sent: Sent) => void = () => undefined;
  const slow = table.once('a', 'k', 'call', () => new Promise(resolve => (finish = resolve)));
  await t.rejects(
    table.once('a', 'k', 'call', async () => sent),
    { code: 'CONFLICT' },
  );
  t.match(await table.once('b', 'k', 'call', async () => sent), { replayed: false }, 'another caller');
  finish(sent);
  t.match(await slow, { replayed: false });
  t.match(await table.once('a', 'k', 'call', async () => sent), { replayed: true });
  now += 25 * 3_600_000;
  t.match(await table.once('a', 'k', 'call', async () => sent), { replayed: false });
  for (let i = 0; i < 3000; i++) await table.once('a', `k${i}`, 'call', async () => sent);
  t.ok(table.size <= 1000);
  const large: Sent = { status: 200, text: 'x'.repeat(1024 * 1024), location: null };
  for (let i = 0; i < 20; i++) await table.once('a', `large${i}`, 'call', async () => large);
  t.ok(table.size <= 7, `${table.size} answers of 1 MiB`);
});

t.test('what is created says where it is', async t => {
  const { raw } = await serveFake(t);
  const reply = await raw({ method: 'POST', path: '/api/v1/searches', headers: json, body: '{"text":"a"}' });
  t.equal(reply.headers['location'], `/api/v1/searches/${String(reply.json?.['id'])}`);
});

t.test('bulk runs each operation as if it were alone', async t => {
  const { client, control, mistakes } = await serveFake(t);
  const { items } = await client.bulk({
    operations: [
      { operation: 'changeDownload', input: { id: 'd1', state: 'paused' } },
      { operation: 'changeDownload', input: { id: 'nobody', state: 'paused' } },
      { operation: 'changeDownload', input: { id: 'd1', state: 'done' } },
      { operation: 'removeSearch', input: { id: 's1' } },
      { operation: 'peers', input: { limit: 1, fields: 'id', filter: 'deflate' } },
      { operation: 'bulk', input: { operations: [] } },
      { operation: '__proto__', input: {} },
      { operation: 'createKey', input: { name: 'x' } },
      { operation: 'disconnect', input: { id: 'p1', force: true } },
    ],
  });
  t.strictSame(
    items.map(({ status, problem }) => [status, problem?.code, problem?.field]),
    [
      [200, undefined, undefined],
      [404, 'NOT_FOUND', undefined],
      [400, 'INVALID', 'state'],
      [204, undefined, undefined],
      [200, undefined, undefined],
      [400, 'INVALID', 'operation'],
      [400, 'INVALID', 'operation'],
      [400, 'INVALID', 'operation'],
      [400, 'INVALID', 'force'],
    ],
  );
  t.match(items[0]?.body, { id: 'd1', state: 'paused' });
  t.strictSame(items[4]?.body, { items: [{ id: 'p1' }], next: null });
  t.strictSame(
    control.calls.map(([name]) => name),
    ['changeDownload', 'changeDownload', 'downloads', 'removeSearch', 'peers'],
    'the list tells whether an id that is none is the beginning of one',
  );
  t.strictSame(mistakes, []);
});

t.test('bulk gives nobody more than the key allows, and hides our mistakes as ever', async t => {
  const keys = { find: () => ({ id: 'r', name: 'r', scopes: ['read' as const], expiresAt: null }), isGood: () => true };
  const { raw, control, mistakes } = await serveFake(t, { keys });
  control.before = name => {
    if (name === 'peers') throw new Error('secret');
  };
  const reply = await raw({
    method: 'POST',
    path: '/api/v1/bulk',
    headers: { ...json, Authorization: 'Bearer some-key-of-a-reader' },
    body: JSON.stringify({ operations: [{ operation: 'removeSearch', input: { id: 's1' } }, { operation: 'peers' }] }),
  });
  t.match(reply.json, { items: [{ status: 403, problem: { code: 'FORBIDDEN' } }, { status: 500 }] });
  t.notMatch(reply.text, 'secret');
  t.equal(mistakes.length, 1);
});

t.test('fields cut items down, filters and orders do what they say, through HTTP', async t => {
  const { client, control, raw } = await serveFake(t);
  control.downloadList = [3, 1, 2].map(n => ({ ...aDownload, id: `d${n}`, size: n * 1000, name: `file ${n}` }));
  const page = await client.downloads({ filter: 'size>1k', sort: '-size', fields: 'id,sources.address' });
  t.strictSame(page as unknown, {
    items: [
      { id: 'd3', sources: [{ address: '127.0.0.1:6349' }, { address: '127.0.0.1:6350' }] },
      { id: 'd2', sources: [{ address: '127.0.0.1:6349' }, { address: '127.0.0.1:6350' }] },
    ],
    next: null,
  });
  for (const [query, field] of [
    ['filter=sise>1', 'filter'],
    ['filter=', 'filter'],
    [`filter=${'('.repeat(999)}`, 'filter'],
    ['sort=sise', 'sort'],
    ['fields=id,sise', 'fields'],
    ['fields=__proto__', 'fields'],
    ['filter=size>1&filter=size>2', 'filter'],
  ] as const) {
    const reply = await raw({ path: `/api/v1/downloads?${query}` });
    t.equal(reply.status, 400, query);
    t.equal(reply.json?.['field'], field);
  }
  const first = await client.downloads({ sort: 'size', limit: 1 });
  const cursor = first.next ?? '';
  t.strictSame((await client.downloads({ sort: 'size', limit: 1, cursor })).items[0]?.id, 'd2');
  await t.rejects(client.downloads({ sort: '-size', cursor }), {
    name: 'RefusedError',
    problem: { field: 'cursor' },
  });
});
