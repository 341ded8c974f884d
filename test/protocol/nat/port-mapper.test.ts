// The port mapper on a virtual clock: what it asks for and when, and what it makes of good and bad answers.
import fc from 'fast-check';
import t from 'tap';
import { encodeNatPmpMap, parseNatPmpAnswer } from '../../../protocol/nat/nat-pmp-message.ts';
import { encodePcpMap, parsePcpMapAnswer } from '../../../protocol/nat/pcp-message.ts';
import { PortMapper } from '../../../protocol/nat/port-mapper.ts';
import { defaultGateway } from '../../../protocol/nat/route-table.ts';
import { RouterEpoch } from '../../../protocol/nat/router-epoch.ts';
import type { MappingWish, UpnpAnswer, UpnpCall } from '../../../protocol/nat/router-shell.ts';
import { parseSoapAnswer } from '../../../protocol/nat/soap.ts';
import { locationIn } from '../../../protocol/nat/ssdp.ts';
import { serviceIn } from '../../../protocol/nat/upnp-service.ts';
import { SeededRandom } from '../../support/virtual-network.ts';

const ROUTER = { host: '192.168.1.1', port: 5351 };
const WISH: MappingWish = { router: ROUTER, client: '192.168.1.7', tcp: 6346, udp: 6346 };

interface Grant {
  result?: number;
  lifetime?: number;
  external?: number;
  host?: string;
  epoch?: number;
}

/** The answer of PCP to a request. */
function pcp(
  request: Buffer,
  { result = 0, lifetime = 7200, external, host = '5.5.5.5', epoch }: Grant,
  now = 0,
): Buffer {
  const answer = Buffer.from(request);
  answer[1] = 0x81;
  answer[3] = result;
  answer.writeUInt32BE(lifetime, 4);
  answer.writeUInt32BE(epoch ?? 1000 + Math.floor(now / 1000), 8);
  answer.writeUInt16BE(external ?? request.readUInt16BE(42), 42);
  answer.set([...Buffer.alloc(10), 0xff, 0xff, ...host.split('.').map(Number)], 44);
  return answer;
}

class Scene {
  now = 0;
  sent: Buffer[] = [];
  calls: { id: number; call: UpnpCall }[] = [];
  readonly mapper: PortMapper;

  constructor(seed = 1) {
    this.mapper = new PortMapper({
      random: new SeededRandom(seed),
      reaches: ['public'],
      shell: { send: bytes => this.sent.push(bytes), call: (id, call) => this.calls.push({ id, call }) },
      onChange: () => {},
    });
  }

  /** What is sent at the next deadline, or now. */
  next(): Buffer {
    this.sent = [];
    const at = this.mapper.tick(this.now);
    if (this.sent.length === 0) {
      this.now = Math.max(this.now, at);
      this.mapper.tick(this.now);
    }
    const [bytes] = this.sent;
    if (bytes === undefined) throw new Error('nothing was sent');
    return bytes;
  }

  hear(bytes: Buffer, from = ROUTER): void {
    this.mapper.receive(bytes, from, this.now);
    this.sent = [];
    this.mapper.tick(this.now);
  }

  /** Asks for both and grants both. */
  granted(grant: Grant = {}): this {
    this.mapper.use(WISH, this.now);
    this.hear(pcp(this.next(), grant, this.now));
    const [udp] = this.sent;
    if (udp === undefined) throw new Error('UDP was not asked for');
    this.hear(pcp(udp, grant, this.now));
    return this;
  }

  answer(answer: UpnpAnswer): UpnpCall | undefined {
    const last = this.calls.at(-1);
    if (last === undefined) throw new Error('nothing was called');
    this.calls = [];
    this.mapper.answered(last.id, answer, this.now);
    this.mapper.tick(this.now);
    return this.calls.at(-1)?.call;
  }

  /** Lets PCP and NAT-PMP fail. */
  toUpnp(): this {
    this.mapper.use(WISH, this.now);
    this.mapper.tick(this.now);
    this.mapper.unreachable(this.now);
    this.mapper.tick(this.now);
    this.mapper.unreachable(this.now);
    this.mapper.tick(this.now);
    return this;
  }
}

t.test('by PCP both ports are asked for, with the same external port, and renewed after half their life', async t => {
  const scene = new Scene();
  scene.mapper.use(WISH, 0);
  const tcp = scene.next();
  t.match([tcp[0], tcp[1], tcp.readUInt32BE(4), tcp[36], tcp.readUInt16BE(40)], [2, 1, 7200, 6, 6346]);
  scene.hear(pcp(tcp, { external: 40_000 }));
  const [udp] = scene.sent as [Buffer];
  t.match([udp[36], udp.readUInt16BE(40), udp.readUInt16BE(42)], [17, 6346, 40_000], 'the same is wished for UDP');
  t.notSame(udp.subarray(24, 36), tcp.subarray(24, 36), 'another nonce');
  scene.hear(pcp(udp, { external: 40_000 }));
  t.match(scene.mapper.snapshot, { state: 'mapped', method: 'pcp', externalHost: '5.5.5.5', trouble: null });
  t.strictSame([scene.mapper.externalPort('tcp'), scene.mapper.externalPort('udp')], [40_000, 40_000]);
  const renewal = scene.next();
  t.ok(scene.now >= 3_600_000 && scene.now <= 4_500_000, `after ${scene.now} ms`);
  const old = renewal[36] === 6 ? tcp : udp;
  t.strictSame(renewal.subarray(24, 36), old.subarray(24, 36), 'with the nonce of the mapping');
  scene.hear(pcp(renewal, { external: 40_000 }, scene.now));
  t.equal(scene.mapper.counts.of('renewed'), 1);
});

t.test(
  'a router that does not answer is asked four times, then by NAT-PMP and UPnP, then more and more seldom',
  async t => {
    const scene = new Scene();
    scene.mapper.use(WISH, 0);
    const versions: number[] = [];
    for (let i = 0; i < 8; i++) versions.push(scene.next()[0] ?? -1);
    t.strictSame(versions, [2, 2, 2, 2, 0, 0, 0, 0]);
    scene.now = scene.mapper.tick(scene.now);
    scene.mapper.tick(scene.now);
    t.equal(scene.now, 7_500);
    t.match(scene.calls, [{ call: { kind: 'find' } }]);
    t.equal(scene.answer({ kind: 'failed', text: 'no router answers by UPnP' }), undefined);
    const { state, trouble, againAt } = scene.mapper.snapshot;
    t.equal(state, 'unmapped');
    t.match(trouble, /did not answer by PCP; .*by NAT-PMP; no router answers by UPnP/);
    const waits: number[] = [(againAt ?? 0) - scene.now];
    for (let round = 0; round < 8; round++) {
      scene.now = scene.mapper.snapshot.againAt ?? 0;
      scene.toUpnp();
      scene.answer({ kind: 'failed', text: 'no router answers by UPnP' });
      waits.push((scene.mapper.snapshot.againAt ?? 0) - scene.now);
    }
    t.ok(waits[0] !== undefined && waits[0] >= 60_000 && waits[0] < 70_000);
    t.ok(
      waits.every(wait => wait <= 3_610_000),
      'an hour at most',
    );
    t.ok((waits.at(-1) ?? 0) >= 3_600_000);
  },
);

t.test('NAT-PMP: the address, then both ports; its answer to PCP is understood', async t => {
  const scene = new Scene();
  scene.mapper.use(WISH, 0);
  scene.next();
  scene.hear(Buffer.of(0, 0x81, 0, 1, 0, 0, 0, 9));
  const [address] = scene.sent as [Buffer];
  t.strictSame(address, Buffer.of(0, 0));
  scene.hear(Buffer.of(0, 0x80, 0, 0, 0, 0, 0, 9, 5, 5, 5, 5));
  for (const operation of [2, 1]) {
    const [map] = scene.sent as [Buffer];
    t.strictSame([map[1], map.readUInt16BE(4)], [operation, 6346]);
    const answer = Buffer.alloc(16);
    answer[1] = 0x80 | operation;
    answer.writeUInt32BE(9, 4);
    answer.writeUInt16BE(6346, 8);
    answer.writeUInt16BE(7000 + operation, 10);
    answer.writeUInt32BE(3600, 12);
    scene.hear(answer);
  }
  t.match(scene.mapper.snapshot, { state: 'mapped', method: 'nat-pmp', externalHost: '5.5.5.5' });
  t.strictSame([scene.mapper.externalPort('tcp'), scene.mapper.externalPort('udp')], [7002, 7001], 'as they are');
});

t.test('UPnP: another port after a conflict, a permanent mapping where no other is given', async t => {
  const scene = new Scene().toUpnp();
  t.match(scene.calls.at(-1)?.call, { kind: 'find' });
  t.match(scene.answer({ kind: 'done' }), { kind: 'address' });
  t.match(scene.answer({ kind: 'address', host: '5.5.5.5' }), { kind: 'add', transport: 'tcp', externalPort: 6346 });
  const other = scene.answer({ kind: 'refused', code: 718, text: 'ConflictInMappingEntry' });
  t.match(other, { kind: 'add', transport: 'tcp', lifetime: 7200 });
  const port = other?.kind === 'add' ? other.externalPort : 0;
  t.ok(port >= 10_000 && port <= 65_535);
  t.match(scene.answer({ kind: 'refused', code: 725, text: '' }), { kind: 'add', externalPort: port, lifetime: 0 });
  t.match(scene.answer({ kind: 'added', externalPort: port }), { transport: 'udp', externalPort: port, lifetime: 0 });
  scene.answer({ kind: 'added', externalPort: port });
  t.match(scene.mapper.snapshot, { state: 'mapped', method: 'upnp' });
});

t.test('everything is given back at the end, and each change of the port', async t => {
  const scene = new Scene().granted();
  scene.mapper.use({ ...WISH, tcp: 7000, udp: 7000 }, scene.now);
  const told: string[] = [];
  for (let i = 0; i < 4; i++) {
    const request = i === 0 ? scene.next() : (scene.sent[0] as Buffer);
    told.push(`${request.readUInt32BE(4)} ${request[36]} ${request.readUInt16BE(40)}`);
    scene.hear(pcp(request, request.readUInt32BE(4) === 0 ? { lifetime: 0 } : {}, scene.now));
  }
  t.strictSame(told.slice(0, 2).sort(), ['0 17 6346', '0 6 6346']);
  t.strictSame(told.slice(2), ['7200 6 7000', '7200 17 7000']);
  scene.mapper.use(null, scene.now);
  let datagrams = 0;
  while (!scene.mapper.isDone) {
    scene.now = Math.max(scene.now, scene.mapper.tick(scene.now));
    scene.mapper.tick(scene.now);
    datagrams++;
  }
  t.ok(datagrams <= 8, 'a router that is silent at the end is not waited for long');
  t.equal(scene.mapper.snapshot.state, 'off');
});

t.test('a router that has lost its tables is asked for everything again at once', async t => {
  const scene = new Scene().granted();
  const before = scene.now;
  scene.now += 3_700_000;
  const renewal = scene.next();
  scene.hear(pcp(renewal, { epoch: 3 }, scene.now));
  t.ok(scene.sent.length > 0, 'the other one as well');
  t.ok(scene.now >= before);
  t.equal(scene.mapper.counts.of('lost'), 1);
});

t.test('one that grants, then refuses: the mapping holds to its end, then it is asked anew', async t => {
  const scene = new Scene().granted({ lifetime: 600 });
  const renewal = scene.next();
  scene.hear(pcp(renewal, { result: 2 }, scene.now));
  t.match(scene.mapper.snapshot, {
    state: 'mapped',
    trouble: /refused by PCP: it is not allowed to this machine \(2\)/,
  });
  while (scene.mapper.snapshot.state === 'mapped' && scene.now < 1_000_000) {
    scene.sent = [];
    scene.now = scene.mapper.tick(scene.now);
    for (const request of scene.sent) scene.mapper.receive(pcp(request, { result: 2 }, scene.now), ROUTER, scene.now);
  }
  t.ok(scene.now >= 600_000 && scene.now < 700_000, `lost after ${scene.now} ms`);
  t.equal(scene.mapper.externalPort('tcp'), null);
  t.ok(scene.mapper.counts.of('refused') < 60, 'it is not asked all the time');
});

t.test('lifetimes of nothing and of ever, no port, and addresses that are no use are said', async t => {
  const ever = new Scene().granted({ lifetime: 0xffff_ffff });
  t.ok(
    ever.mapper.snapshot.leases.every(({ until }) => until <= 86_400_000),
    'a day at most',
  );
  for (const grant of [{ lifetime: 0 }, { external: 0 }]) {
    const scene = new Scene();
    scene.mapper.use(WISH, 0);
    scene.hear(pcp(scene.next(), grant));
    t.equal(scene.mapper.snapshot.state, 'asking', 'the next way is tried');
    t.equal(scene.mapper.counts.of('refused'), 1);
  }
  const inside = new Scene().granted({ host: '100.64.3.4' });
  t.match(inside.mapper.snapshot, {
    state: 'mapped',
    trouble: /100\.64\.3\.4, is private: another router .* \(double NAT\)/,
  });
  t.equal(inside.mapper.usableHost, null);
  const unconnected = new Scene().granted({ host: '0.0.0.0' });
  t.match(unconnected.mapper.snapshot.trouble, /no address outside/);
});

t.test('answers of others, to others, and to nothing change nothing and are counted', async t => {
  const scene = new Scene();
  scene.mapper.use(WISH, 0);
  const request = scene.next();
  scene.hear(pcp(request, {}), { host: '192.168.1.66', port: 5351 });
  scene.hear(pcp(request, {}), { host: '192.168.1.1', port: 53 });
  const other = Buffer.from(request);
  other.fill(7, 24, 36);
  scene.hear(pcp(other, {}));
  scene.hear(Buffer.from('HTTP/1.1 200 OK'));
  scene.hear(Buffer.of(2));
  t.match(scene.mapper.counts.toRecord(), { foreign: 2, unasked: 1, garbage: 2, granted: 0 });
  t.equal(scene.mapper.snapshot.state, 'asking');
});

t.test('no datagram makes it throw', async t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(0, 2), fc.boolean(), (bytes, version, granted) => {
      const scene = new Scene();
      if (granted) scene.granted();
      else scene.mapper.use(WISH, 0);
      scene.mapper.tick(scene.now);
      scene.hear(Buffer.of(version, ...bytes));
      return scene.mapper.counts.of('granted') <= 2;
    }),
    { seed: 3, numRuns: 300 },
  );
  t.pass('held');
});

t.test('messages are read as they are written', async t => {
  const nonce = Buffer.from('0123456789ab');
  const map = { transport: 'udp', lifetime: 60, client: '10.0.0.2', nonce, internalPort: 1, externalPort: 2 } as const;
  const request = encodePcpMap({ ...map, externalHost: null });
  t.equal(request.length, 60);
  t.match(parsePcpMapAnswer(pcp(request, { lifetime: 60 })), {
    ...{ transport: 'udp', lifetime: 60, internalPort: 1, externalPort: 2, externalHost: '5.5.5.5', nonce },
  });
  t.strictSame(
    encodeNatPmpMap({ transport: 'tcp', internalPort: 6346, externalPort: 6346, lifetime: 7200 }).toString('hex'),
    '0002000018ca18ca00001c20',
  );
  t.throws(() => parseNatPmpAnswer(Buffer.of(0, 1, 0, 0)), { code: 'WIRE_MALFORMED' });
});

t.test('a clock that jumps shows that tables are lost; one that runs a little wrong does not', async t => {
  const epoch = new RouterEpoch();
  t.notOk(epoch.heard(1000, 0));
  t.notOk(epoch.heard(1100, 103_000));
  t.ok(epoch.heard(4, 200_000));
  t.notOk(epoch.heard(104, 300_000));
  t.ok(epoch.heard(110, 900_000), 'it stood still');
});

t.test('answers to searches are taken from the router alone, and lead to it alone', async t => {
  const answer = (location: string, st = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1') =>
    Buffer.from(`HTTP/1.1 200 OK\r\nst: ${st}\r\nLocation: ${location}\r\n\r\n`);
  t.equal(locationIn(answer('http://192.168.1.1:5000/root.xml'), '192.168.1.1')?.port, '5000');
  t.equal(locationIn(answer('http://192.168.1.1/', 'upnp:rootdevice'), '192.168.1.1'), null);
  for (const elsewhere of [
    'http://192.168.1.2/',
    'http://example.net/',
    'https://192.168.1.1/',
    'file:///etc/passwd',
    '',
  ])
    t.throws(() => locationIn(answer(elsewhere), '192.168.1.1'), { code: 'WIRE_MALFORMED' });
  const location = new URL('http://192.168.1.1:5000/root.xml');
  const service = (control: string, type = 'WANIPConnection:1') =>
    Buffer.from(
      `<root><device><serviceList><service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType><controlURL>${control}</controlURL></service></serviceList></device></root>`,
    );
  t.equal(serviceIn(service('/ctl'), location).control.href, 'http://192.168.1.1:5000/ctl');
  t.ok(serviceIn(service('/ctl', 'WANIPConnection:2'), location).choosesPort);
  t.throws(() => serviceIn(service('http://10.0.0.9/ctl'), location), { message: /another host/ });
  t.throws(() => serviceIn(service('/ctl', 'Layer3Forwarding:1'), location), { message: /no service/ });
  t.throws(() => serviceIn(Buffer.from('<a>'.repeat(40)), location), { message: /too deep/ });
  t.throws(() => serviceIn(Buffer.from('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), location), {
    code: 'WIRE_MALFORMED',
  });
  t.throws(() => serviceIn(Buffer.alloc(70_000, 'a'), location), { code: 'WIRE_TOO_LONG' });
  t.match(parseSoapAnswer(Buffer.from('<e><Fault><errorCode>x</errorCode></Fault></e>')), { kind: 'fault', code: 501 });
});

t.test('the default gateway is that of the best default route', async t => {
  const table = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
tun0\t00000000\t0100080A\t0003\t0\t0\t50\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
`;
  t.equal(defaultGateway(table), '10.8.0.1');
  t.equal(defaultGateway(table, 'eth0'), '192.168.1.1');
  t.equal(defaultGateway(table, 'wlan0'), null);
  t.equal(defaultGateway('nonsense\n\n'), null);
});

t.test('a router whose clock goes backwards with each answer is not asked without end', async t => {
  const scene = new Scene();
  scene.mapper.use(WISH, 0);
  let epoch = 1_000_000;
  let asked = 0;
  for (let tries = 0; tries < 2_000 && scene.now < 3_600_000; tries++) {
    scene.sent = [];
    const next = scene.mapper.tick(scene.now);
    const [request] = scene.sent;
    if (request === undefined) scene.now = next;
    else {
      asked++;
      epoch -= 10;
      scene.hear(pcp(request, { epoch }));
    }
  }
  t.ok(asked <= 2 + 3 * 60, `${asked} requests in an hour`);
  t.ok(scene.mapper.counts.of('lost') > 0);
});
