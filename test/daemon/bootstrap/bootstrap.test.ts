import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Bootstrap, type BootstrapOptions } from '../../../daemon/bootstrap/bootstrap.ts';
import { CacheServer } from '../../../daemon/bootstrap/cache-server.ts';
import type { StoredCache } from '../../../daemon/bootstrap/cache-store.ts';
import { ownCaches } from '../../../daemon/bootstrap/known-caches.ts';
import type { UdpPings } from '../../../daemon/bootstrap/udp-host-caches.ts';
import { silentLog } from '../../../daemon/log.ts';
import { Store } from '../../../daemon/store/store.ts';
import { SystemClock, SystemRandom } from '../../../daemon/system.ts';
import { HEADER_BYTES, Type } from '../../../protocol/constants.ts';
import { NETWORK_RULES } from '../../../protocol/network-rules.ts';
import { HostCache } from '../../../protocol/overlay/neighbours/host-cache.ts';
import { ReachPolicy } from '../../../protocol/overlay/reach/reach-policy.ts';
import { type Endpoint, formatEndpoint } from '../../../protocol/wire/endpoint.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { encodePing } from '../../../protocol/wire/ping.ts';
import { parsePong } from '../../../protocol/wire/pong.ts';
import { eventually } from '../../support/loopback.ts';

const clock = new SystemClock();
const random = new SystemRandom();

async function cacheServer(t: Test) {
  const server = new CacheServer({ host: '127.0.0.1', port: 0, lab: true, clock, random, log: silentLog });
  const at = await server.start();
  t.teardown(() => server.stop());
  return { server, url: `http://${formatEndpoint(at)}/gwc/`, uhc: `uhc:${formatEndpoint(at)}` };
}

let stores = 0;
const folders = new Map<Test, string>();

function folderOf(t: Test): string {
  const folder = folders.get(t) ?? t.testdir();
  folders.set(t, folder);
  return folder;
}

async function servent(t: Test, caches: string[], options: Partial<BootstrapOptions> = {}) {
  const store = await Store.open(join(folderOf(t), `store-${++stores}`), silentLog);
  const hosts = new HostCache(random, { reaches: ['loopback'] });
  const reach = new ReachPolicy(NETWORK_RULES.local);
  const bootstrap = new Bootstrap({
    profile: 'local',
    caches: { own: ownCaches(caches), wellKnown: { udp: [], web: [] } },
    hostsFiles: [],
    hosts,
    table: store.table('caches'),
    pings: null,
    clock,
    random,
    log: silentLog,
    forbids: endpoint => reach.forbids(endpoint),
    isOwn: () => false,
    links: () => ({ connected: 0, wanted: 3 }),
    publish: () => null,
    ...options,
  });
  await bootstrap.start();
  t.teardown(async () => {
    await bootstrap.stop();
    await store.close();
  });
  return { bootstrap, hosts };
}

/** Plain datagrams in the place of the servent's UDP. */
function pings(t: Test): UdpPings {
  return {
    sendUdpPing: (to: Endpoint, onPong) => {
      const socket = createSocket('udp4');
      t.teardown(() => socket.close());
      socket.on('message', bytes => {
        if (bytes[16] !== Type.Pong) return;
        onPong({ hosts: parsePong(bytes.subarray(HEADER_BYTES)).hosts, hostCaches: [] });
      });
      const ping = encodePing({ supportsCachedPongs: 1, ggep: [] });
      socket.send(encodeDescriptor(random.guid(), Type.Ping, 1, 0, ping), to.port, to.host);
      return true;
    },
  };
}

t.test('an ultrapeer tells a GWebCache of itself; the next servent finds it there', async t => {
  const { server, url } = await cacheServer(t);
  const own = { host: '127.0.0.1', port: 7001 };
  await servent(t, [url], { publish: () => own, links: () => ({ connected: 1, wanted: 1 }) });
  await eventually('it was listed', () => server.cache.hosts(clock.now()).length === 1);
  t.equal(server.cache.counters.reads, 0, 'who is connected asks for no hosts');
  const { hosts, bootstrap } = await servent(t, [url]);
  await eventually('it was found', () => hosts.size === 1);
  t.match(hosts.toRecords(), [{ ...own, source: 'cache', ultrapeer: true }]);
  t.match(bootstrap.caches, [{ kind: 'web', address: url, failures: 0 }]);
});

t.test('a UDP host cache is asked before GWebCaches', async t => {
  const { server, url, uhc } = await cacheServer(t);
  server.cache.add({ host: '127.0.0.1', port: 7001 }, clock.now());
  const { hosts } = await servent(t, [url, uhc], { pings: pings(t) });
  await eventually('a host was found', () => hosts.size === 1);
  t.equal(server.cache.counters.reads, 0);
  t.equal(server.udpCounters?.answered, 1);
});

t.test('a dead UDP host cache does not keep us from the GWebCache', async t => {
  const { server, url } = await cacheServer(t);
  server.cache.add({ host: '127.0.0.1', port: 7001 }, clock.now());
  const { hosts } = await servent(t, [url, 'uhc:127.0.0.1:9'], { pings: pings(t) });
  await eventually('a host was found', () => hosts.size === 1);
});

t.test('without UDP no UDP host cache of an earlier run is waited for, and none is forgotten', async t => {
  const store = await Store.open(join(folderOf(t), 'known'), silentLog);
  t.teardown(() => store.close());
  const table = store.table<StoredCache>('caches');
  await table.put('udp 192.0.2.1:6346', {
    ...{ kind: 'udp', address: '192.0.2.1:6346', askedAt: 0, answeredAt: 1, failures: 0 },
  });
  const { bootstrap } = await servent(t, [], { profile: 'public', table, pings: null });
  t.match(bootstrap.report, { state: 'alone', asking: null, caches: { udp: { known: 0 } } });
  await bootstrap.stop();
  t.match(await table.get('udp 192.0.2.1:6346'), { answeredAt: 1 });
});

t.test('hosts files are read at the start; a missing one is no reason not to', async t => {
  const folder = t.testdir({ hosts: '127.0.0.1:7003\n5.5.1.1:6346\n' });
  folders.set(t, folder);
  const { hosts } = await servent(t, [], { hostsFiles: [join(folder, 'hosts'), join(folder, 'none')] });
  t.match(hosts.toRecords(), [{ host: '127.0.0.1', port: 7003, source: 'stored' }]);
  t.equal(hosts.size, 1, 'none outside the reach of the profile');
});

t.test('in public a cache is told of us after an hour, together with the next question', async t => {
  const { server, url } = await cacheServer(t);
  let wallTime = Date.now();
  const moving = { now: () => clock.now(), wallTime: () => wallTime };
  const { bootstrap } = await servent(t, [url], {
    profile: 'public',
    clock: moving,
    publish: () => ({ host: '127.0.0.1', port: 7001 }),
  });
  await eventually('it was asked', () => server.cache.counters.reads === 1);
  await eventually('it is known to have answered', () => (bootstrap.caches[0]?.answeredAt ?? 0) > 0);
  t.equal(server.cache.counters.updates, 0);
  wallTime += 60 * 60_000;
  await eventually('it was asked again, and told', () => server.cache.counters.updates === 1);
});
