import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CacheCalls } from '../../../daemon/bootstrap/cache-calls.ts';
import { CacheServer } from '../../../daemon/bootstrap/cache-server.ts';
import { readHostsFiles } from '../../../daemon/bootstrap/hosts-file.ts';
import { ownCaches } from '../../../daemon/bootstrap/known-caches.ts';
import { silentLog } from '../../../daemon/log.ts';
import { Udp } from '../../../daemon/net/udp.ts';
import { WayOut } from '../../../daemon/net/way-out.ts';
import { cacheMirror } from '../../../daemon/network/servent-memory.ts';
import { Store } from '../../../daemon/store/store.ts';
import { SystemClock, SystemRandom } from '../../../daemon/system.ts';
import { Ticker } from '../../../daemon/ticker.ts';
import { Servent } from '../../../protocol/servent.ts';
import type { ServentSettings } from '../../../protocol/servent-settings.ts';
import type { Endpoint } from '../../../protocol/wire/endpoint.ts';
import { formatEndpoint } from '../../../protocol/wire/endpoint.ts';
import { eventually } from '../../support/loopback.ts';
import { serventParts, silentShell } from '../../support/servent-parts.ts';

const clock = new SystemClock();
const random = new SystemRandom();

async function cacheServer(t: Test) {
  const server = new CacheServer({ host: '127.0.0.1', port: 0, lab: true, clock, random, log: silentLog });
  const at = await server.start();
  t.teardown(() => server.stop());
  return { server, url: `http://${formatEndpoint(at)}/gwc/`, uhc: `uhc:${formatEndpoint(at)}` };
}

/** A servent with UDP and names, HTTP to caches, and no TCP. */
async function start(t: Test, caches: string[], settings: Partial<ServentSettings> = {}) {
  const { udp: udpCaches, web } = ownCaches(caches);
  const own: Endpoint = { host: '127.0.0.1', port: 7001 };
  const parts = serventParts({ clock, random, settings });
  const servent: Servent = new Servent(
    {
      ...parts,
      caches: { udp: { own: udpCaches, wellKnown: [] }, web: { own: web, wellKnown: [] } },
      shell: {
        ...silentShell,
        send: (bytes, to) => {
          udp.send(bytes, to);
          return true;
        },
        lookUpCache: address => calls.lookUpCache(address),
        askWebCache: (url, request) => calls.askWebCache(url, request),
      },
    },
    clock.now(),
  );
  const calls = new CacheCalls({ servent, clock, rules: parts.rules, way: new WayOut(), log: silentLog });
  const udp = new Udp({
    ...{ host: '127.0.0.1', port: 0, log: silentLog },
    forbids: () => null,
    onDatagram: (bytes, from) => servent.receiveDatagram(bytes, from, clock.now()),
  });
  t.ok(await udp.start());
  servent.port.listening(own, []);
  servent.port.udp = true;
  const ticker = new Ticker(clock, now => servent.tick(now));
  t.teardown(async () => {
    ticker.stop();
    servent.close();
    await calls.stop();
    await udp.stop();
  });
  return { servent, own };
}

t.test('an ultrapeer tells a GWebCache of itself; the next servent finds it there', async t => {
  const { server, url } = await cacheServer(t);
  const { own } = await start(t, [url], { seek: 0, reachable: 'yes', mode: 'ultrapeer' });
  await eventually('it was listed', () => server.cache.hosts(clock.now()).length === 1);
  t.equal(server.cache.counters.reads, 0, 'without need of neighbours no hosts are asked for');
  const { servent } = await start(t, [url], { mode: 'leaf' });
  servent.port.listening({ host: '127.0.0.1', port: 7002 }, []);
  t.match(server.cache.hosts(clock.now()), [own]);
  await eventually('the cache was read', () => server.cache.counters.reads > 0);
  t.match(servent.bootstrap.toRecords(), [{ kind: 'web', address: url, failures: 0 }]);
});

t.test('a UDP host cache is asked before GWebCaches', async t => {
  const { server, url, uhc } = await cacheServer(t);
  server.cache.add({ host: '127.0.0.1', port: 7003 }, clock.now());
  const { servent } = await start(t, [url, uhc]);
  await eventually('a host was found', () => servent.hosts.toRecords().some(({ port }) => port === 7003));
  t.equal(server.cache.counters.reads, 0);
  t.equal(server.udpCounters?.answered, 1);
});

t.test('a dead UDP host cache, and one without a name, do not keep us from the GWebCache', async t => {
  const { server, url } = await cacheServer(t);
  server.cache.add({ host: '127.0.0.1', port: 7003 }, clock.now());
  const { servent } = await start(t, [url, 'uhc:127.0.0.1:9', 'uhc:cache.invalid:6346']);
  await eventually('a host was found', () => servent.hosts.size === 1);
});

t.test('hosts files are read at the start; a missing one is no reason not to', async t => {
  const folder = t.testdir({ hosts: '127.0.0.1:7003\n5.5.1.1:6346\n' });
  const { hosts, bootstrap } = new Servent(serventParts({ clock, random }), clock.now());
  await readHostsFiles([join(folder, 'hosts'), join(folder, 'none')], bootstrap, clock, silentLog);
  t.match(hosts.toRecords(), [{ host: '127.0.0.1', port: 7003, source: 'stored' }]);
  t.equal(hosts.size, 1, 'none outside the reach of the profile');
});

t.test('what is known of caches is kept from one run to the next', async t => {
  const store = await Store.open(join(t.testdir(), 'store'), silentLog);
  t.teardown(() => store.close());
  const open = async () => {
    const servent = new Servent(
      {
        ...serventParts({ clock, random }),
        caches: { udp: { own: ['127.0.0.1:9'], wellKnown: [] }, web: { own: [], wellKnown: [] } },
      },
      clock.now(),
    );
    servent.port.udp = true;
    const { bootstrap } = servent;
    const kept = cacheMirror(store.table('caches'), bootstrap, silentLog);
    bootstrap.fromRecords(await kept.start());
    return { bootstrap, kept };
  };
  const first = await open();
  first.bootstrap.tick(clock.now());
  t.ok((first.bootstrap.toRecords()[0]?.askedAt ?? 0) > 0, 'it was asked');
  await first.kept.stop();
  const second = await open();
  t.teardown(() => second.kept.stop());
  t.strictSame(second.bootstrap.toRecords(), first.bootstrap.toRecords());
});
