// What somebody with a key, or a socket alone, could use up, and where that ends.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import t from 'tap';
import { createClient } from '../../api/client.ts';
import { Connections } from '../../api/connections.ts';
import { IdempotencyTable } from '../../api/idempotency.ts';
import type { Answered } from '../support/api-contract.ts';
import { type ApiRequest, ApiSender } from '../support/api-requests.ts';
import { startServent, until } from '../support/running-servent.ts';

const TIMES = 10_000;
/** As good as ten thousand: all but the first 256 meet the same bound. */
const SEARCHES = 3_000;
const AT_ONCE = 32;
const IDLE = 1_500;

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

t.test('thousands of idle connections: the oldest strangers make room, the owner stays and gets in', async t => {
  const dataDir = await mkdtemp(join(tmpdir(), 'servent-idle-')); // short: the path of a socket is
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const daemon = await startServent(t, dataDir);
  const { hostname, port } = new URL(daemon.api);
  const headers = { Authorization: `Bearer ${daemon.token}` };
  const asked = get({ hostname, port, path: '/api/v1/events', headers, agent: false });
  const [events] = (await once(asked, 'response')) as [IncomingMessage];
  t.teardown(() => asked.destroy());
  let followed = true;
  events.on('close', () => (followed = false)).on('error', () => undefined);
  events.resume();
  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  let closed = 0;
  for (let n = 0; n < IDLE; n++) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => socket.destroy()); // cut
    socket.on('close', () => closed++);
    sockets.push(socket);
    if (n % 100 === 99) await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  }
  // One of the thousand is the owner's: not the one that is open since before.
  await until('strangers were cut', async () => (closed >= IDLE - 999 ? true : null));
  t.ok(sockets[0]?.destroyed, 'who came first');
  t.notOk(sockets.at(-1)?.destroyed, 'not who came last');
  t.match(await daemon.client.status(), { mode: 'ultrapeer' }, 'the owner gets in at once');
  t.ok(followed, 'a connection that showed the token is left alone');
  const local = createClient({ url: `unix:${join(dataDir, 'api.sock')}`, token: '' });
  t.equal((await local.live()).status, 'ok');
});

t.test('over TLS a connection is known by its key all the same; with keys alone the newcomer is cut', async t => {
  const end = (remotePort: number): Socket =>
    Object.assign(new Duplex({ read() {}, write() {} }), {
      ...{ localAddress: '127.0.0.1', localPort: 1, remoteAddress: '127.0.0.1', remotePort },
    }) as unknown as Socket;
  const connections = new Connections(2);
  const [one, two, three, four] = [end(1), end(2), end(3), end(4)] as const;
  connections.add(one);
  connections.know(end(1)); // the TLS over it is another object
  connections.add(two);
  connections.add(three);
  t.strictSame(
    [one, two, three].map(({ destroyed }) => destroyed),
    [false, true, false],
  );
  connections.know(three);
  connections.add(four);
  t.equal(four.destroyed, true);
  one.destroy();
  await once(one, 'close');
  t.equal(connections.size, 1);
  connections.know(end(9));
  t.equal(connections.size, 1, 'one that has gone is not remembered');
});
