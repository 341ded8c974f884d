// How sources are reached: which ways in which order, what is remembered, and what a victim of forged hits gets.
import t from 'tap';
import {
  type PushError,
  type PushRequest,
  PushRequester,
  type PushRequesterParts,
  type PushSource,
} from '../../../../protocol/overlay/pushes/push-requester.ts';
import { FIREWALL_TO_FIREWALL_INDEX } from '../../../../protocol/wire/push.ts';
import { random } from '../../../support/descriptors.ts';

const HOUR = 3_600_000;
const GUID = Buffer.alloc(16, 7);
const SOURCE_AT = { host: '5.6.7.8', port: 6346 };
const PROXY = { host: '9.9.1.1', port: 6346 };
const OTHER_PROXY = { host: '9.9.2.2', port: 6346 };

const source: PushSource = { serventGuid: GUID, endpoint: SOURCE_AT, index: 3, pushProxies: [PROXY, OTHER_PROXY] };
const open: PushSource = { ...source, push: false };

/** A requester on a virtual clock that notes, with the second, what it does. */
function made(parts: Partial<PushRequesterParts> = {}) {
  const done: string[] = [];
  const failures: PushError[] = [];
  let now = 0;
  const note = (what: string) => done.push(`${now / 1000} ${what}`);
  const requester = new PushRequester(
    {
      roads: {
        dialSource: ({ source: { endpoint } }) => note(`dial ${endpoint.host}`),
        callProxy: (_, { host }, index) => note(`${index === FIREWALL_TO_FIREWALL_INDEX ? 'fwt' : 'http'} ${host}`),
        openStream: (_, { host }) => note(`rudp ${host}`),
        meetAtRelay: () => note('relay'),
      },
      sendPush: () => (note('overlay') > 0 ? 1 : 0),
      sendDatagram: (_, { host }) => note(`udp ${host}`) > 0,
      guid: () => random.guid(),
      datagrams: () => true,
      findProxies: null,
      forbids: () => null,
      listen: () => ({ host: '1.2.3.4', port: 6346 }),
      ipv6: () => null,
      firewalled: () => false,
      ...parts,
    },
    0,
  );
  return {
    requester,
    done,
    failures,
    start: (which: PushSource) => requester.request(which, now, error => failures.push(error)),
    /** Lets time pass, each second with a tick where one is due. */
    pass(ms: number) {
      for (const until = now + ms; now < until; ) {
        now = Math.min(until, now + 500);
        if (requester.nextAt <= now) requester.tick(now);
      }
    },
    /** What was done since. */
    taken: () => done.splice(0),
    now: () => now,
  };
}

t.test('who cannot be dialled is asked by datagram, then over HTTP, then along the overlay', async t => {
  const { start, pass, taken, failures, requester, now } = made();
  const request = start(source);
  t.strictSame(taken(), ['0 udp 9.9.1.1', '0 udp 9.9.2.2', '0 udp 5.6.7.8']);
  pass(4_500);
  t.strictSame(taken(), []);
  pass(1_000);
  t.strictSame(taken(), ['5 http 9.9.1.1', '5 http 9.9.2.2']);
  requester.proxyAnswered(request, PROXY, 3, 'refused', now());
  t.strictSame(taken(), [], 'another may still say yes');
  requester.proxyAnswered(request, OTHER_PROXY, 3, 'silent', now());
  t.strictSame(taken(), ['5.5 overlay'], 'none of them did');
  pass(60_000);
  t.match(taken(), [/dial 5\.6\.7\.8/], 'at last it is dialled all the same');
  requester.dialFailed(request, 'refused', now());
  const asked = 'refused; the servent did not connect, asked by datagram, proxy, overlay';
  t.match(failures, [{ code: 'DIAL_FAILED', message: asked }]);
});

t.test('the first proxy that passes the push on is given time, and is asked at once the next time', async t => {
  const { start, pass, taken, requester, now } = made();
  const request = start(source);
  pass(5_500);
  taken();
  requester.proxyAnswered(request, OTHER_PROXY, 3, 'sent', now());
  pass(6_000);
  t.strictSame(taken(), []);
  t.match(requester.onGiv(GUID, now()), { way: 'proxy' });
  t.equal(requester.waiting, 0);
  t.equal(requester.nextAt, Number.POSITIVE_INFINITY);
  start(source);
  t.match(taken(), ['11.5 udp 9.9.1.1', '11.5 udp 9.9.2.2', '11.5 udp 5.6.7.8', '11.5 http 9.9.2.2']);
  t.equal(requester.reached.of('proxy'), 1);
});

t.test('a dial that fails becomes a push at once, one that takes long has pushes beside it', async t => {
  const { start, pass, taken, requester, failures, now } = made();
  const request = start(open);
  t.strictSame(taken(), ['0 dial 5.6.7.8']);
  pass(1_000);
  requester.dialFailed(request, 'refused', now());
  t.strictSame(taken(), ['1 udp 9.9.1.1', '1 udp 9.9.2.2', '1 udp 5.6.7.8']);
  t.match(requester.onGiv(GUID, now()), { way: 'datagram' });
  t.equal(start(open) && taken()[0], '1 udp 9.9.1.1', 'what worked comes first, without a dial');

  const slow = made();
  const slowly = slow.start(open);
  slow.pass(5_500);
  t.strictSame(slow.taken(), ['0 dial 5.6.7.8', '5 udp 9.9.1.1', '5 udp 9.9.2.2', '5 udp 5.6.7.8']);
  t.equal(slow.requester.dialled(slowly, slow.now()), true);
  t.equal(slow.requester.onGiv(GUID, slow.now()), null, 'a GIV that comes later is not asked for any more');
  t.equal(slow.requester.dialled(slowly, slow.now()), false);

  const nameless = made();
  const unnamed = nameless.start({ ...open, serventGuid: null });
  nameless.requester.dialFailed(unnamed, 'refused', 0);
  t.match(nameless.failures, [{ code: 'DIAL_FAILED', message: 'refused' }]);
  t.strictSame(failures, []);
});

t.test('without proxies the overlay is asked soon, and the DHT names others', async t => {
  const { start, pass, taken } = made({
    findProxies: (_guid, at, onEnd) => onEnd([PROXY], at, null),
  });
  start({ ...source, pushProxies: [] });
  pass(1_500);
  t.strictSame(taken(), ['0 udp 5.6.7.8', '1 overlay', '1 udp 9.9.1.1', '1 http 9.9.1.1']);
});

t.test(
  'where both are firewalled, the DHT says where the source takes streams, and its proxies are asked for one',
  async t => {
    const stream = { host: '5.6.7.8', port: 7000 };
    const scene = (found: typeof stream | null) =>
      made({
        firewalled: () => true,
        streams: () => ({ host: '1.2.3.4', port: 7777 }),
        findProxies: (_guid, at, onEnd) => onEnd([PROXY], at, found),
      });
    const { requester, start, taken, now } = scene(stream);
    const request = start({ ...source, pushProxies: [OTHER_PROXY] });
    t.strictSame(taken(), ['0 fwt 9.9.2.2', '0 fwt 9.9.1.1'], 'as hearsay names one, both');
    requester.proxyAnswered(request, PROXY, FIREWALL_TO_FIREWALL_INDEX, 'sent', now());
    t.strictSame(taken(), ['0 rudp 5.6.7.8']);
    requester.proxyAnswered(request, OTHER_PROXY, FIREWALL_TO_FIREWALL_INDEX, 'sent', now());
    t.strictSame(taken(), [], 'once');
    t.ok(requester.arrived(request, 'rudp', now()));
    const without = scene(null);
    without.start({ ...source, pushProxies: [] });
    t.strictSame(without.taken(), ['0 dial 5.6.7.8'], 'it takes none');
  },
);

t.test('proxies that do not know the servent, or answer nothing, are left alone for ten minutes', async t => {
  const { start, pass, taken, requester, now } = made();
  const request = start(source);
  pass(5_000);
  requester.proxyAnswered(request, PROXY, 3, 'refused', now());
  requester.proxyAnswered(request, OTHER_PROXY, 3, 'silent', now());
  pass(60_000);
  taken();
  start(source);
  t.match(taken(), [/udp 5\.6\.7\.8/]);
  start({ ...source, serventGuid: Buffer.alloc(16, 8) });
  t.match(taken(), [/udp 9\.9\.1\.1/, /udp 5\.6\.7\.8/], 'the first knows another one, perhaps');
  pass(600_000);
  taken();
  start(source);
  t.match(taken(), [/udp 9\.9\.1\.1/, /udp 9\.9\.2\.2/, /udp 5\.6\.7\.8/]);
});

t.test('where neither can be connected to, a stream by UDP is tried, then a dial, then a relay', async t => {
  const rudp = { host: '5.6.7.8', port: 7000 };
  const { start, taken, requester, failures } = made({
    firewalled: () => true,
    streams: () => ({ host: '1.2.3.4', port: 6346 }),
  });
  const both = { ...source, rudp, relays: [PROXY] };
  const request = start(both);
  t.match(taken(), ['0 fwt 9.9.1.1', '0 fwt 9.9.2.2']);
  requester.proxyAnswered(request, PROXY, FIREWALL_TO_FIREWALL_INDEX, 'sent', 0);
  requester.proxyAnswered(request, OTHER_PROXY, FIREWALL_TO_FIREWALL_INDEX, 'sent', 0);
  t.match(taken(), ['0 rudp 5.6.7.8']);
  requester.lastFailed(request, 'rudp', 0);
  t.match(taken(), ['0 dial 5.6.7.8']);
  requester.dialFailed(request, 'refused', 0);
  t.match(taken(), ['0 relay']);
  requester.lastFailed(request, 'relay', 0);
  t.match(failures, [{ code: 'DIAL_FAILED', message: 'refused; neither side can connect to the other' }]);
  start({ ...both, rudp: null, relays: [], endpoint: { host: '5.6.7.8', port: 0 } });
  t.match(failures[1], { code: 'PUSH_FIREWALLED' });
});

t.test('a servent gets four pushes in half a minute, and 256 sources are reached at a time', async t => {
  const { start, failures, requester } = made({ sendPush: () => 0, sendDatagram: () => false, datagrams: () => false });
  for (let i = 0; i < 5; i++) start({ ...source, endpoint: { host: '5.6.7.8', port: 0 } });
  t.match(failures, [{ code: 'PUSH_TOO_OFTEN' }]);
  for (let i = 0; i < 300; i++)
    start({
      ...source,
      serventGuid: Buffer.from([...Array(15).fill(9), i & 255].map((b, at) => (at === 0 ? i >> 8 : b))),
      pushProxies: [PROXY],
    });
  t.ok(requester.waiting <= 256, `${requester.waiting} wait`);
});

t.test('ten thousand sources that name one victim bring it a few datagrams and connections', async t => {
  const datagrams: number[] = [];
  const connections: number[] = [];
  const victim = { host: '5.6.7.8', port: 80 };
  const open: PushRequest[] = [];
  const { start, pass, requester, now } = made({
    sendDatagram: (_, { host }, at) => host === victim.host && datagrams.push(at) > 0,
    roads: {
      dialSource: request => {
        connections.push(now());
        open.push(request);
      },
      callProxy: (request, proxy, index) => {
        connections.push(now());
        requester.proxyAnswered(request, proxy, index, 'refused', now());
      },
      openStream: () => undefined,
      meetAtRelay: () => undefined,
    },
  });
  for (let i = 0; i < 10_000; i++) {
    const serventGuid = Buffer.alloc(16);
    serventGuid.writeUInt32LE(i);
    // each names another port
    const proxy = { ...victim, port: 1 + i };
    start({ serventGuid, endpoint: victim, index: 0, pushProxies: [proxy, victim, proxy, victim] });
    pass(1_000);
    for (const request of open.splice(0)) requester.dialFailed(request, 'refused', now());
  }
  const hours = now() / HOUR;
  t.ok(datagrams.length > 0 && datagrams.length <= 20 * (1 + hours), `${datagrams.length} datagrams in ${hours} hours`);
  t.ok(connections.length > 0 && connections.length <= 10 + 20 * hours, `${connections.length} connections`);
  t.ok(requester.refused.of('datagram') > 9_000, `${requester.refused.of('datagram')} datagrams were not sent`);
});

t.test(
  'sources that name a victim as their relay, or as where they take streams, bring it a few connections',
  async t => {
    const victim = { host: '5.6.7.8', port: 80 };
    const met: number[] = [];
    const streams: number[] = [];
    const { start, pass, requester, now } = made({
      datagrams: () => false,
      firewalled: () => true,
      streams: () => ({ host: '1.2.3.4', port: 7777 }),
      roads: {
        dialSource: request => requester.dialFailed(request, 'refused', now()),
        callProxy: (request, proxy, index) => requester.proxyAnswered(request, proxy, index, 'sent', now()),
        openStream: request => {
          streams.push(now());
          requester.lastFailed(request, 'rudp', now());
        },
        meetAtRelay: (request, relays) => {
          for (const _ of relays) met.push(now());
          requester.lastFailed(request, 'relay', now());
        },
      },
    });
    for (let i = 0; i < 1_000; i++) {
      const serventGuid = Buffer.alloc(16);
      serventGuid.writeUInt32LE(i);
      const proxy = { host: `8.${i >> 8}.${i & 255}.1`, port: 80 };
      const endpoint = { host: `9.${i >> 8}.${i & 255}.1`, port: 80 };
      const relays = [1, 2, 3, 4].map(n => ({ ...victim, port: 4 * i + n }));
      start({ ...{ serventGuid, endpoint, relays, rudp: { ...victim, port: 1 + i } }, index: 0, pushProxies: [proxy] });
      pass(30_000);
    }
    const most = 10 + (20 * now()) / HOUR;
    t.ok(met.length > 0 && streams.length > 0, `${met.length} relays, ${streams.length} streams`);
    t.ok(met.length + streams.length <= most, `${met.length + streams.length} in ${now() / HOUR} hours`);
  },
);

t.test('an IPv6 network is one victim', async t => {
  const datagrams: string[] = [];
  const { start } = made({ sendDatagram: (_, { host }) => datagrams.push(host) > 0 });
  for (let i = 0; i < 100; i++) {
    const serventGuid = Buffer.alloc(16);
    serventGuid.writeUInt32LE(i);
    start({ serventGuid, endpoint: { host: `2a02::1:${i}`, port: 80 }, index: 0, pushProxies: [] });
  }
  t.equal(datagrams.length, 20);
});

t.test(
  'a stream by UDP is tried beside pushes: soon while nobody has connected to us, late when we can be reached',
  async t => {
    const rudp = { host: '5.6.7.8', port: 7000 };
    for (const [unproven, second] of [
      [true, 1],
      [false, 10],
    ] as const) {
      const { start, pass, taken, requester, now } = made({ streams: () => rudp, unproven: () => unproven });
      const request = start({ ...source, rudp });
      pass(second * 1_000 + 500);
      const asked = taken().filter(what => what.includes('fwt'));
      t.strictSame(asked, [`${second} fwt 9.9.1.1`, `${second} fwt 9.9.2.2`]);
      requester.proxyAnswered(request, PROXY, FIREWALL_TO_FIREWALL_INDEX, 'sent', now());
      t.match(taken(), [`${now() / 1000} rudp 5.6.7.8`]);
      t.equal(requester.onGiv(GUID, now(), 'rudp')?.way, 'rudp');
    }
  },
);

t.test('one that can be connected to, but not from here, is told by datagram to open a stream', async t => {
  const rudp = { host: '5.6.7.8', port: 7000 };
  const told: string[] = [];
  const { start, pass, taken, requester, now } = made({
    streams: () => ({ host: '1.2.3.4', port: 7777 }),
    unproven: () => true,
    sendDatagram: ({ fileIndex, endpoint }, to) => told.push(`${fileIndex} ${endpoint.port} to ${to.port}`) > 0,
  });
  const request = start({ ...open, pushProxies: [], rudp });
  requester.dialFailed(request, 'no answer', now());
  pass(1_000);
  t.match(told.at(-1), `${FIREWALL_TO_FIREWALL_INDEX} 7777 to 7000`, 'where our stream is, not where we listen');
  t.ok(taken().includes('1 rudp 5.6.7.8'));
  t.ok(requester.arrived(request, 'rudp', now()));
});

t.test(
  'while nobody has connected to us, a relay is tried beside pushes, and after a stream by UDP that came to nothing',
  async t => {
    const { start, pass, taken, requester, now } = made({ unproven: () => true });
    const request = start({ ...source, relays: [PROXY] });
    pass(7_500);
    t.notOk(
      taken().some(what => what.endsWith('relay')),
      'pushes come first',
    );
    pass(1_000);
    t.ok(taken().includes('8 relay'));
    requester.lastFailed(request, 'relay', now());
    pass(30_000);
    t.notOk(
      taken().some(what => what.endsWith('relay')),
      'once is enough',
    );

    const rudp = { host: '5.6.7.8', port: 7000 };
    const streaming = made({ unproven: () => true, streams: () => rudp });
    const both = streaming.start({ ...source, rudp, relays: [PROXY] });
    streaming.pass(1_500);
    streaming.requester.proxyAnswered(both, PROXY, FIREWALL_TO_FIREWALL_INDEX, 'sent', streaming.now());
    streaming.requester.lastFailed(both, 'rudp', streaming.now());
    t.ok(streaming.taken().includes('1.5 relay'));
  },
);
