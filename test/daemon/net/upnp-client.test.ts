// The search for a router by UPnP, while others in the network answer as well.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { UpnpClient } from '../../../daemon/net/nat/upnp-client.ts';

const DESCRIPTION =
  '<root><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/c</controlURL></service></root>';

async function socketAt(t: Test, host: string): Promise<Socket> {
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket;
}

t.test('a neighbour that answers the search forty times does not hide the router', async t => {
  const server = createServer((_, response) => response.end(DESCRIPTION)).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const router = await socketAt(t, '127.0.0.1');
  const liar = await socketAt(t, '127.0.0.2');
  const say = (from: Socket, text: string, to: number) =>
    new Promise<void>(sent => from.send(`HTTP/1.1 200 OK\r\n${text}\r\n\r\n`, to, '127.0.0.1', () => sent()));
  router.once('message', async (_, { port: to }) => {
    for (let i = 0; i < 40; i++) await say(liar, 'ST: nothing', to);
    const target = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1';
    await say(router, `ST: ${target}\r\nLOCATION: http://127.0.0.1:${port}/d.xml`, to);
  });
  let foreign = 0;
  const client = new UpnpClient({
    ...{
      client: '127.0.0.1',
      router: '127.0.0.1',
      searchAt: { host: '127.0.0.1', port: router.address().port },
      searchMs: 5_000,
    },
    ...{ description: 'a test', onForeign: () => foreign++ },
  });
  t.match(await client.call({ kind: 'find' }, new AbortController().signal), { kind: 'done' });
  t.ok(foreign > 32);
});
