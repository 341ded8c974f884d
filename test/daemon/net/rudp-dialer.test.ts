import { pipeline } from 'node:stream/promises';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Bandwidth } from '../../../daemon/net/bandwidth.ts';
import { RudpDialer } from '../../../daemon/net/rudp/rudp-dialer.ts';
import type { RudpSocket } from '../../../daemon/net/rudp/rudp-socket.ts';
import { Udp } from '../../../daemon/net/udp.ts';
import { SystemClock, SystemRandom } from '../../../daemon/system.ts';
import { NETWORK_RULES } from '../../../protocol/network-rules.ts';
import { ServentRudp } from '../../../protocol/servent-rudp.ts';
import type { Endpoint } from '../../../protocol/wire/endpoint.ts';

interface Side {
  readonly udp: Udp;
  readonly rudp: ServentRudp;
  readonly dialer: RudpDialer;
  readonly endpoint: Endpoint;
  readonly bandwidth: Bandwidth;
}

/** A UDP port with connections over it, and nothing else. */
async function startSide(t: Test): Promise<Side> {
  const clock = new SystemClock();
  const bandwidth = new Bandwidth();
  const udp: Udp = new Udp({
    ...{ host: '127.0.0.1', port: 0, log: silentLog, bandwidth },
    forbids: () => null,
    onDatagram: (bytes, from) => rudp.receive(bytes, from, clock.now()),
  });
  await udp.start();
  const rudp = new ServentRudp(
    {
      random: new SystemRandom(),
      rules: NETWORK_RULES.local,
      udp: () => true,
      endpoint: () => udp.endpoint,
      firewall: {
        status: () => ({
          tcp: 'firewalled',
          udp: 'firewalled',
          udpSolicited: true,
          tcpProvenAt: null,
          udpProvenAt: null,
        }),
        streamPort: () => udp.endpoint.port,
        wantsPort: () => false,
        udpSent: () => undefined,
      },
      reach: { forbids: ({ port }) => (port === 1 ? 'nobody is there' : null) },
      datagrams: () => ({ ask: () => undefined }),
      hosts: () => [],
      wake: () => dialer.wake(),
    },
    clock.now(),
  );
  const dialer: RudpDialer = new RudpDialer({
    ...{ clock, bandwidth },
    rudp: () => rudp,
    send: (bytes, to) => udp.sendNow(bytes, to),
  });
  t.teardown(async () => {
    dialer.stop();
    bandwidth.stop();
    await udp.stop();
  });
  return { udp, rudp, dialer, endpoint: udp.endpoint, bandwidth };
}

async function connect(one: Side, other: Side): Promise<[RudpSocket, RudpSocket]> {
  return Promise.all([one.dialer.dial(other.endpoint, 'requestor'), other.dialer.dial(one.endpoint, 'acceptor')]);
}

function readAll(socket: RudpSocket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  return new Promise((resolve, reject) => {
    socket.on('data', piece => pieces.push(piece));
    socket.once('end', () => resolve(Buffer.concat(pieces)));
    socket.once('error', reject);
  });
}

t.test('two streams carry bytes both ways, end in order and close', async t => {
  const [a, b] = [await startSide(t), await startSide(t)];
  const [ours, theirs] = await connect(a, b);
  t.strictSame([ours.remoteAddress, ours.remotePort], [b.endpoint.host, b.endpoint.port]);
  t.ok(ours.extended);
  theirs.allowHalfOpen = true;
  const closed = [ours, theirs].map(socket => new Promise(resolve => socket.once('close', resolve)));
  const body = Buffer.alloc(3_000_000);
  for (let i = 0; i < body.length; i += 4) body.writeUInt32LE(i, i);
  ours.end('GET / HTTP/1.1\r\n\r\n');
  const answer = readAll(ours);
  t.equal((await readAll(theirs)).toString(), 'GET / HTTP/1.1\r\n\r\n');
  theirs.end(body);
  t.ok((await answer).equals(body));
  await Promise.all(closed);
  const { udp, upload } = a.bandwidth.moved;
  t.ok(udp > 0 && upload === 0);
  t.ok(b.bandwidth.moved.udp < body.length / 10, 'the bytes of files are left for transfers to count');
});

t.test('a stream that is destroyed closes the other one', async t => {
  const [a, b] = [await startSide(t), await startSide(t)];
  const [ours, theirs] = await connect(a, b);
  const closed = new Promise(resolve => theirs.once('close', resolve));
  theirs.resume();
  ours.destroy();
  await closed;
  t.ok(theirs.destroyed);
});

t.test('what was written arrives though the stream is destroyed after its end', async t => {
  const [a, b] = [await startSide(t), await startSide(t)];
  const [ours, theirs] = await connect(a, b);
  const body = Buffer.alloc(50_000, 'z');
  const read = readAll(theirs);
  ours.end(body, () => ours.destroy());
  t.ok((await read).equals(body));
});

t.test('a peer that does not read holds the writer back', async t => {
  const [a, b] = [await startSide(t), await startSide(t)];
  const [ours, theirs] = await connect(a, b);
  let written = 0;
  const source = async function* () {
    for (;;) {
      written += 65_536;
      yield Buffer.alloc(65_536);
    }
  };
  const sent = pipeline(source(), ours).catch((error: Error) => error);
  const silent = new Promise<void>(resolve => ours.setTimeout(300, resolve));
  await silent;
  t.ok(written < 2_000_000, `${written} bytes were taken`);
  theirs.destroy();
  t.type(await sent, Error);
});

t.test('a dial that is cancelled, forbidden or made twice is refused', async t => {
  const [a, b] = [await startSide(t), await startSide(t)];
  const abort = new AbortController();
  const dial = a.dialer.dial(b.endpoint, 'requestor', abort.signal);
  await t.rejects(a.dialer.dial(b.endpoint, 'requestor'), { code: 'RUDP_TWICE' });
  abort.abort();
  await t.rejects(dial, { code: 'RUDP_CLOSED' });
  await t.rejects(a.dialer.dial({ host: '127.0.0.1', port: 1 }, 'requestor'), { code: 'RUDP_FORBIDDEN' });
  a.dialer.stop();
  await t.rejects(a.dialer.dial(b.endpoint, 'requestor'), { code: 'RUDP_CLOSED' });
});

t.test('a limit of datagrams holds for streams', async t => {
  const [a, b] = [await startSide(t), await startSide(t)];
  const [ours, theirs] = await connect(a, b);
  a.bandwidth.limit('udp', 200_000);
  const body = Buffer.alloc(150_000, 'l');
  const begun = performance.now();
  ours.end(body);
  t.ok((await readAll(theirs)).equals(body));
  t.ok(performance.now() - begun > 300, 'it takes its time');
});
