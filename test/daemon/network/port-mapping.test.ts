// Port mapping with a router of its own on loopback: each way, what is given back at the end, and routers that answer badly.
import { createSocket } from 'node:dgram';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { type MappingNeed, PortMapping, type PortMappingParts } from '../../../daemon/network/port-mapping.ts';
import { SystemClock, SystemRandom } from '../../../daemon/system.ts';
import { NETWORK_RULES } from '../../../protocol/network-rules.ts';
import { OwnPort } from '../../../protocol/overlay/reach/own-port.ts';
import { type FakeRouter, type FakeRouterOptions, startFakeRouter } from '../../support/fake-router.ts';
import { eventually } from '../../support/loopback.ts';
import { startServent, until } from '../../support/running-servent.ts';

interface Scene {
  router: FakeRouter;
  mapping: PortMapping;
  port: OwnPort;
  need: { -readonly [K in keyof MappingNeed]: MappingNeed[K] };
}

async function scene(t: Test, options: FakeRouterOptions = {}, parts: Partial<PortMappingParts> = {}): Promise<Scene> {
  const router = await startFakeRouter(t, options);
  const port = new OwnPort({ addOwn: () => {} }, NETWORK_RULES.public.reaches, () => {});
  port.listening({ host: '0.0.0.0', port: 6346 }, ['10.0.0.5']);
  const need = {
    ...{ on: true, router: `127.0.0.1:${router.port}`, port: 6346, udp: true, localAddress: null, interface: null },
  };
  const mapping = new PortMapping({
    servent: { port },
    rules: NETWORK_RULES.public,
    need: () => need,
    random: new SystemRandom(),
    clock: new SystemClock(),
    log: silentLog,
    onChange: () => {},
    searchAt: { host: '127.0.0.1', port: router.searchPort },
    searchMs: 10_000,
    ...parts,
  });
  mapping.start();
  t.teardown(() => mapping.stop());
  return { router, mapping, port, need };
}

const both = ({ mapping }: Scene) => eventually('both ports are mapped', () => mapping.snapshot.leases.length === 2);

t.test('by PCP, NAT-PMP and UPnP of both generations the port is mapped, announced, and given back', async t => {
  const cases: readonly (readonly [string, FakeRouterOptions])[] = [
    ['pcp', {}],
    ['nat-pmp', { speaks: ['nat-pmp'] }],
    ['upnp', { speaks: ['upnp'], garbage: Buffer.alloc(0), generation: 1 }],
    ['upnp', { speaks: ['upnp'], garbage: Buffer.alloc(0), generation: 2 }],
  ];
  for (const [method, options] of cases) {
    // one that speaks UPnP alone has no port of the others: that is what the system says of a closed one
    const closed = method === 'upnp' ? await closedPort() : null;
    const one = await scene(t, { ...options, external: internal => internal + 1000 });
    if (closed !== null) {
      one.need.router = `127.0.0.1:${closed}`;
      await one.mapping.follow();
    }
    await both(one);
    const { router, mapping, port } = one;
    t.match(mapping.snapshot, { state: 'mapped', method, externalHost: '5.5.5.5', trouble: null });
    const outside = options.generation === 1 ? 6346 : 7346;
    t.strictSame(port.endpoint, { host: '5.5.5.5', port: outside }, 'others are told the port outside');
    t.strictSame(port.datagrams, { host: '5.5.5.5', port: outside });
    t.strictSame(
      [...router.mappings],
      [
        ['tcp 6346', outside],
        ['udp 6346', outside],
      ],
    );
    await mapping.stop();
    t.equal(router.mappings.size, 0, `by ${method} nothing is left`);
    t.strictSame(port.endpoint.port, 6346);
  }
});

/** A port of UDP on which nobody listens. */
async function closedPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>(resolve => socket.close(resolve));
  return port;
}

t.test('another port inside is mapped in place of the first', async t => {
  const one = await scene(t);
  await both(one);
  one.need.port = 7000;
  await one.mapping.follow();
  await eventually('the other one is mapped', () => one.router.mappings.has('udp 7000'));
  t.strictSame([...one.router.mappings.keys()].sort(), ['tcp 7000', 'udp 7000']);
});

t.test('garbage, refusals and answers that lead elsewhere leave it unmapped, with the reason in words', async t => {
  const cases: readonly (readonly [FakeRouterOptions, RegExp])[] = [
    [{ refuse: 2, speaks: ['pcp'] }, /refused by PCP: it is not allowed to this machine \(2\)/],
    [{ speaks: ['upnp'], refuse: 606 }, /refused by UPnP: it is not allowed to this machine \(606\)/],
    [{ speaks: ['upnp'], refuse: 899 }, /it says "no <way>" \(899\)/],
    [{ speaks: ['upnp'], location: '10.9.9.9:80' }, /no router answers by UPnP/],
    [{ speaks: ['upnp'], control: 'http://10.9.9.9/control' }, /names a URL of another host/],
    [{ speaks: ['upnp'], document: 'no XML' }, /no XML/],
    [{ speaks: ['upnp'], document: '<root/>' }, /no service that forwards ports/],
  ];
  const closed = await closedPort();
  for (const [options, said] of cases) {
    const one = await scene(t, options, { searchMs: 1_000 }); // all of which is waited
    if (options.speaks?.includes('upnp') === true) {
      one.need.router = `127.0.0.1:${closed}`;
      await one.mapping.follow();
    }
    await eventually('all ways have failed', () => one.mapping.snapshot.againAt !== null);
    t.match(one.mapping.snapshot, { state: 'unmapped', trouble: said });
    t.equal(one.port.endpoint.port, 6346);
    await one.mapping.stop();
  }
});

t.test('a router outside the profile is not asked, and one that cannot be found is said', async t => {
  const one = await scene(t, {}, { rules: NETWORK_RULES.local });
  one.need.router = '10.0.0.1';
  await one.mapping.follow();
  t.match(one.mapping.snapshot, { state: 'unmapped', trouble: /10\.0\.0\.1 is not within what profile local reaches/ });
  const none = await scene(t, {}, { routes: async () => '' });
  none.need.router = '';
  await none.mapping.follow();
  t.match(none.mapping.snapshot.trouble, /no default gateway that can be found: set nat\.router/);
  none.need.on = false;
  await none.mapping.follow();
  t.match(none.mapping.snapshot, { state: 'off', trouble: null });
});

t.test('a whole servent has its port mapped, shows it, and gives it back when it stops', async t => {
  const router = await startFakeRouter(t, { external: () => 40_001, outside: '127.0.0.1' });
  const one = await startServent(t, t.testdir({}), {
    'nat.mapping': 'auto',
    'nat.router': `127.0.0.1:${router.port}`,
  });
  const nat = await until('both ports are mapped', async () => {
    const now = await one.client.nat();
    return now.udp === null ? null : now;
  });
  t.match(nat, { state: 'mapped', method: 'pcp', router: '127.0.0.1', tcp: { external: 40_001 }, trouble: null });
  t.equal(nat.announced, '127.0.0.1:40001');
  t.match((await one.client.status()).nat, { state: 'mapped' });
  const { findings } = await one.client.doctor();
  t.match(
    findings.find(({ name }) => name === 'port mapping'),
    { state: 'ok', detail: /TCP 40001, UDP 40001 forwarded by PCP/ },
  );
  await one.client.changeConfig({ gnutella: { reachable: 'auto' } });
  await one.stop();
  t.equal(router.mappings.size, 0);
  t.match(router.asked.filter(asked => asked.startsWith('remove')).length, 2);
});

t.test('in the profile local nothing is asked unless it is told to', async t => {
  const router = await startFakeRouter(t);
  const one = await startServent(t, t.testdir({}), { 'nat.router': `127.0.0.1:${router.port}` });
  t.match(await one.client.nat(), { state: 'off', tcp: null, udp: null });
  t.strictSame(router.asked, []);
});
