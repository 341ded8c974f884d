// The Gnutella port of a running daemon: it moves by the API, by the file of a VPN client and with an interface, and links stay.
import { createSocket } from 'node:dgram';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type RunningServent, startServent, until } from '../../support/running-servent.ts';

/** A port that was free a moment ago, for TCP and UDP. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise(resolve => server.close(resolve));
    const socket = createSocket('udp4');
    const free = await new Promise<boolean>(resolve => {
      socket.once('error', () => resolve(false));
      socket.bind(port, '127.0.0.1', () => resolve(true));
    });
    socket.close();
    if (free) return port;
  }
}

const answers = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

const ANY_PORT = 'gnutella:\n  port: 0\n';

/** Its port is set in its file, so that it can be changed there; and a neighbour that is linked to it. */
async function linked(t: Test): Promise<{ one: RunningServent; other: RunningServent }> {
  const dir = t.testdir({ one: { 'servent.yaml': ANY_PORT }, other: {}, third: {} });
  const one = await startServent(t, join(dir, 'one'), { 'gnutella.port': undefined });
  const other = await startServent(t, join(dir, 'other'));
  await other.client.connect({ address: one.address });
  return { one, other };
}

const peersOf = async ({ client }: RunningServent) => (await client.peers({})).items.length;

t.test('another port is opened at once, announced, and the link stays', async t => {
  const { one, other } = await linked(t);
  const before = one.gnutella.port;
  const port = await freePort();
  const plan = await one.client.changeConfig({ gnutella: { port } });
  t.match(plan, { restart: false, changes: [{ key: 'gnutella.port', applied: true, error: null }] });
  t.equal(one.gnutella.port, port);
  t.equal((await one.client.status()).gnutella.port, port);
  t.ok(await answers(port));
  t.notOk(await answers(before), 'the old port is closed');
  t.equal(await peersOf(one), 1, 'the link stays');
  t.equal(await peersOf(other), 1);
  const third = await startServent(t, join(t.testdirName, 'third'));
  await third.client.connect({ address: `127.0.0.1:${port}` });
  t.equal(await peersOf(one), 2, 'others come to the new port');
  await until('the runtime file names the new port', async () =>
    (await readFile(join(one.dataDir, 'runtime.json'), 'utf8')).includes(`127.0.0.1:${port}`) ? true : null,
  );
});

t.test('a port that is taken is refused, and the old one stays', async t => {
  const { one } = await linked(t);
  const before = one.gnutella.port;
  const taken = createServer();
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const { changes } = await one.client.changeConfig({ gnutella: { port } });
  t.match(changes, [{ key: 'gnutella.port', applied: false, error: /in use by another program/ }]);
  t.equal(one.gnutella.port, before);
  t.ok(await answers(before));
  t.equal(await peersOf(one), 1);
});

t.test('a UDP port that is taken is refused as well, and TCP is not moved alone', async t => {
  const { one } = await linked(t);
  const before = one.gnutella.port;
  const port = await freePort();
  const taken = createSocket('udp4');
  await new Promise<void>(resolve => taken.bind(port, '127.0.0.1', resolve));
  t.teardown(() => taken.close());
  const { changes } = await one.client.changeConfig({ gnutella: { port } });
  t.match(changes, [{ key: 'gnutella.port', applied: false, error: /EADDRINUSE/ }]);
  t.equal(one.gnutella.port, before);
  t.notOk(await answers(port));
  t.ok(await answers(before));
});

t.test('the port follows the file of a VPN client; bad content leaves it as it is', async t => {
  const first = await freePort();
  const dir = t.testdir({ one: {}, other: {}, forwarded: `${first}\n` });
  const file = join(dir, 'forwarded');
  const one = await startServent(t, join(dir, 'one'), { 'nat.portFile': file });
  t.equal(one.gnutella.port, first, 'in place of gnutella.port');
  const other = await startServent(t, join(dir, 'other'));
  await other.client.connect({ address: one.address });
  const second = await freePort();
  await writeFile(file, String(second));
  await until('the port follows', async () => (one.gnutella.port === second ? true : null));
  t.ok(await answers(second));
  t.equal(await peersOf(one), 1, 'the link stays');
  const said = (words: string) =>
    until('the trouble is said', async () => {
      const { attention } = await one.client.status();
      return attention.some(({ name, detail }) => name === 'port file' && detail.includes(words)) ? true : null;
    });
  await writeFile(file, 'no port');
  await said('says "no", which is no port');
  t.equal(one.gnutella.port, second);
  await rm(file);
  await said('does not exist');
  t.ok(await answers(second), 'the old port stays');
});
