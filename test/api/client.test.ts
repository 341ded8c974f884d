import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { createClient, everyItem } from '../../api/client.ts';
import { serveFake } from '../support/api-server.ts';
import { aHost } from '../support/sample-views.ts';

t.test('a refusal comes with its problem document', async t => {
  const { client } = await serveFake(t);
  await t.rejects(client.download({ id: 'nobody' }), {
    name: 'RefusedError',
    message: 'there is no download "nobody"',
    problem: { status: 404, code: 'NOT_FOUND' },
  });
});

t.test('ids may hold anything', async t => {
  const { client, control } = await serveFake(t);
  const id = 'a/b?c#d%e f';
  await t.rejects(client.download({ id }), { name: 'RefusedError', problem: { code: 'NOT_FOUND' } });
  t.strictSame(control.calls, [['download', { id }]]);
});

t.test('a daemon that is not ready answers all the same', async t => {
  const { client, control } = await serveFake(t);
  control.readyView = { status: 'unavailable', checks: [] };
  t.strictSame(await client.ready(), { status: 'unavailable', checks: [] });
});

t.test('every item of a list is fetched page by page, no further than asked', async t => {
  const { client, control } = await serveFake(t);
  control.hostList = Array.from({ length: 2500 }, (_, i) => ({ ...aHost, address: `10.0.${i >> 8}.${i & 255}:6346` }));
  const all: string[] = [];
  for await (const { address } of everyItem(page => client.hosts(page))) all.push(address);
  t.strictSame(
    all,
    control.hostList.map(row => row.address),
  );
  t.equal(control.calls.length, 3);
  let some = 0;
  for await (const _ of everyItem(page => client.hosts(page), 1200)) some++;
  t.equal(some, 1200);
});

t.test('nobody there, a stranger, and silence are told apart', async t => {
  const strangers = createServer((request, response) => {
    if (request.url === '/api/v1/status') response.end('<html>hello</html>');
  });
  strangers.listen(0, '127.0.0.1');
  await new Promise(resolve => strangers.once('listening', resolve));
  const url = `http://127.0.0.1:${(strangers.address() as AddressInfo).port}`;
  const stranger = createClient({ url, token: 'x', waitMs: 50 });
  await t.rejects(createClient({ url, token: 'x' }).status(), {
    name: 'NoAnswerError',
    message: /not as a servent daemon/,
  });
  await t.rejects(stranger.peers(), { name: 'NoAnswerError', message: 'no answer in time' });
  strangers.closeAllConnections();
  await new Promise(resolve => strangers.close(resolve));
  const nobody = createClient({ url: url.replace('127.0.0.1', '127.0.0.2'), token: 'x' });
  await t.rejects(nobody.status(), { name: 'NoAnswerError', message: /ECONNREFUSED/ });
});

t.test('a call can be broken off', async t => {
  const { server } = await serveFake(t);
  const broken = createClient({ url: server.url, token: 'x', signal: AbortSignal.abort() });
  await t.rejects(broken.status(), { name: 'AbortError' });
});
