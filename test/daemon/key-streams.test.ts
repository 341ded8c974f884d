// A key that is revoked takes its open streams with it.
import t from 'tap';
import { startServent } from '../support/running-servent.ts';

t.test('revoking a key ends its event streams at once, and no others', async t => {
  const { api, client, token } = await startServent(t, t.testdir());
  const { id, secret } = await client.createKey({ name: 'script', scopes: ['read'], cidrs: [], expiresAt: null });
  const listen = (as: string) => fetch(`${api}/api/v1/events`, { headers: { Authorization: `Bearer ${as}` } });
  const [stream, own] = await Promise.all([listen(secret), listen(token)]);
  t.same([stream.status, own.status], [200, 200]);
  const before = performance.now();
  await client.removeKey({ id });
  await stream.text();
  t.ok(performance.now() - before < 10_000, 'long before a heartbeat');
  const reader = own.body?.getReader();
  await client.createKey({ name: 'another', scopes: ['read'], cidrs: [], expiresAt: null });
  t.notOk((await reader?.read())?.done, "the owner's goes on");
  t.equal((await listen(secret)).status, 401);
  await reader?.cancel();
});
