import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Bandwidth } from '../../../daemon/net/bandwidth.ts';
import { ConnectBackProbes } from '../../../daemon/net/connect-back.ts';
import { Dialer } from '../../../daemon/net/dialer.ts';
import { Udp } from '../../../daemon/net/udp.ts';
import type { Endpoint } from '../../../protocol/wire/endpoint.ts';
import { eventually } from '../../support/loopback.ts';

async function open(
  t: Test,
  host = '127.0.0.1',
  forbids: (to: Endpoint) => string | null = () => null,
  bandwidth = new Bandwidth(),
) {
  const received: { text: string; from: Endpoint }[] = [];
  const udp = new Udp({
    host,
    port: 0,
    log: silentLog,
    bandwidth,
    forbids,
    onDatagram: (bytes, from) => received.push({ text: bytes.toString(), from }),
  });
  const ok = await udp.start();
  t.teardown(() => udp.stop());
  return { udp, received, ok };
}

t.test('datagrams go from one to the other', async t => {
  const a = await open(t);
  const b = await open(t);
  t.ok(a.ok && b.ok);
  t.equal(a.udp.send(Buffer.from('hello'), b.udp.endpoint), true);
  await eventually('it arrives', () => b.received.length === 1);
  t.strictSame(b.received, [{ text: 'hello', from: a.udp.endpoint }]);
  t.equal(b.udp.counts.of('received'), 1);
});

t.test('what policy forbids, and IPv6 from a socket that has none, never leaves', async t => {
  const { udp } = await open(t, '127.0.0.1', ({ host }) => (host === '5.6.7.8' ? 'out of reach' : null));
  t.equal(udp.send(Buffer.from('x'), { host: '5.6.7.8', port: 1 }), false);
  t.equal(udp.send(Buffer.from('x'), { host: '::1', port: 1 }), false);
  t.equal(udp.counts.of('forbidden'), 2);
  t.equal(udp.counts.of('sent'), 0);
  await udp.stop();
  await udp.stop();
  t.equal(udp.send(Buffer.from('x'), { host: '127.0.0.1', port: 1 }), false);
  t.equal(udp.counts.of('closed'), 1);
});

t.test('a port that is taken: said, and the servent goes on without', async t => {
  const { udp } = await open(t);
  const second = new Udp({ ...udp.endpoint, log: silentLog, forbids: () => null, onDatagram: () => undefined });
  t.equal(await second.start(), false);
  t.equal(second.isOpen, false);
  t.equal(second.endpoint.port, 0);
});

t.test('listening on :: both families come in and go out, IPv4 under its own name', async t => {
  const { udp, received, ok } = await open(t, '::');
  if (!ok) {
    t.pass('no IPv6 on this machine');
    return;
  }
  const friend = createSocket('udp4');
  t.teardown(() => friend.close());
  const heard: string[] = [];
  friend.on('message', bytes => heard.push(bytes.toString()));
  await new Promise<void>(bound => friend.bind(0, '127.0.0.1', bound));
  friend.send('over IPv4', udp.endpoint.port, '127.0.0.1');
  await eventually('it arrives', () => received.length === 1);
  t.equal(received[0]?.from.host, '127.0.0.1');
  t.equal(udp.send(Buffer.from('back'), received[0]?.from ?? { host: '', port: 0 }), true);
  await eventually('the answer arrives', () => heard.length === 1);
  t.strictSame(heard, ['back']);
});

t.test('a connect-back connects, writes two line feeds and closes', async t => {
  const heard: string[] = [];
  const server = createServer(socket => {
    let text = '';
    socket.on('data', chunk => {
      text += chunk.toString();
    });
    socket.on('close', () => heard.push(text));
  });
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  const probes = new ConnectBackProbes(new Dialer({ forbids: () => null }), silentLog);
  probes.probe({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  await eventually('it came', () => heard.length === 1);
  t.strictSame(heard, ['\n\n']);
  t.equal(probes.reached, 1);
  probes.probe({ host: '127.0.0.1', port: 1 });
  await eventually('nobody was there', () => probes.failed === 1);
  probes.stop();
});

t.test('datagrams beyond the limit wait, hits before pings, and are dropped when they wait too long', async t => {
  const bandwidth = new Bandwidth();
  const a = await open(t, '127.0.0.1', () => null, bandwidth);
  const b = await open(t);
  bandwidth.limit('udp', 1);
  const [ping, hit] = [Buffer.alloc(23, 'p'), Buffer.alloc(23, 'h')];
  ping[16] = 0x00;
  hit[16] = 0x81;
  for (let i = 0; i < 3000; i++) a.udp.send(ping, b.udp.endpoint);
  a.udp.send(hit, b.udp.endpoint);
  t.ok(a.udp.counts.of('limited') > 100, 'the queue is bounded');
  t.equal(b.received.length, 0);
  bandwidth.limit('udp', 100_000);
  await eventually('the first one comes', () => b.received.length > 0);
  t.match(b.received[0]?.text, /^h/);
});
