// What somebody with a key, or a socket alone, could use up, and where that ends.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createClient } from '../../api/client.ts';
import { IdempotencyTable } from '../../api/idempotency.ts';
import type { Answered } from '../support/api-contract.ts';
import { type ApiRequest, ApiSender } from '../support/api-requests.ts';
import { startServent, until } from '../support/running-servent.ts';

const TIMES = 10_000;
/** As good as ten thousand: all but the first 256 meet the same bound. */
const SEARCHES = 3_000;
const AT_ONCE = 32;
const IDLE = 3_000;

/** The same request `SEARCHES` times; the answers by status. */
async function many(sender: ApiSender, request: (n: number) => Partial<ApiRequest>): Promise<Map<number, Answered[]>> {
  const answers = new Map<number, Answered[]>();
  let n = 0;
  const worker = async (): Promise<void> => {
    while (n < SEARCHES) {
      const answered = await sender.send({
        operation: null,
        method: 'POST',
        path: '/',
        headers: {},
        body: null,
        ...request(n++),
      });
      answers.set(answered.status, [...(answers.get(answered.status) ?? []).slice(-1), answered]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answers;
}

t.test('thousands of searches: as many as there is room for run, the others are told', async t => {
  const daemon = await startServent(t, t.testdir());
  const sender = new ApiSender(daemon.api, daemon.token);
  t.teardown(() => sender.close());
  const answers = await many(sender, n => ({ path: '/api/v1/searches', body: JSON.stringify({ text: `moon ${n}` }) }));
  t.strictSame([...answers.keys()].sort(), [201, 429]);
  t.match(JSON.parse(answers.get(429)?.[0]?.text ?? ''), { code: 'TOO_MANY', detail: /256/ });
  const { items } = await daemon.client.searches({ limit: 1000 });
  t.equal(items.length, 256);
  await daemon.client.removeSearch({ id: items[0]?.id ?? '' });
  t.match(await daemon.client.startSearch({ text: 'moon' }), { state: 'running' }, 'room again');
});

t.test('ten thousand idempotency keys: the latest thousand are remembered, the first is long forgotten', async t => {
  const table = new IdempotencyTable();
  const sent = { status: 201, text: '{"id":"1"}', location: null };
  const once = (n: number) => table.once('owner', `k${n}`, 'call', async () => sent);
  for (let n = 0; n < TIMES; n++) if ((await once(n)).replayed) t.fail(`k${n} was new`);
  t.equal(table.size, 1_000);
  t.equal((await once(TIMES - 1)).replayed, true);
  t.equal((await once(0)).replayed, false, 'done once more');
});

t.test('thousands of idle connections: the port is full, the owner still gets in by the socket', async t => {
  const dataDir = await mkdtemp(join(tmpdir(), 'servent-idle-')); // short: the path of a socket is
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const daemon = await startServent(t, dataDir);
  const port = Number(new URL(daemon.api).port);
  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  let closed = 0;
  for (let n = 0; n < IDLE; n++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => socket.destroy()); // one too many
    socket.on('close', () => closed++);
    sockets.push(socket);
    if (n % 100 === 99) await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  }
  while (closed < IDLE - 1_000) await new Promise(resolve => setTimeout(resolve, 10));
  const local = createClient({ url: `unix:${join(dataDir, 'api.sock')}`, token: '' });
  t.equal((await local.live()).status, 'ok');
  for (const socket of sockets) socket.destroy();
  while (closed < IDLE) await new Promise(resolve => setTimeout(resolve, 10));
  // It has yet to see that they are gone.
  const status = await until('the port takes calls again', () => daemon.client.status().catch(() => null));
  t.match(status, { mode: 'ultrapeer' });
});
