// Whole servents on a virtual network: they find each other, elect, search, push, and survive a loss, in virtual seconds.
import t from 'tap';
import type { VirtualHost } from '../../sim/servents/virtual-host.ts';
import { VirtualInternet } from '../../sim/servents/virtual-internet.ts';

const ultrapeersOf = (hosts: readonly VirtualHost[]) =>
  hosts.filter(({ up, servent }) => up && servent.role.role === 'ultrapeer');
const leavesOf = (hosts: readonly VirtualHost[]) =>
  hosts.filter(({ up, servent }) => up && servent.role.role === 'leaf');

/** Twelve, each of which shares a file of its own and knows the first one. */
function twelve(seed = 1): VirtualInternet {
  const internet = new VirtualInternet(seed);
  for (let n = 0; n < 12; n++) {
    internet.add({ shares: [`tune ${n} of twelve.ogg`], settings: { maxLeaves: 8, maxUltrapeers: 6 } });
  }
  const [first] = internet.hosts;
  if (first === undefined) throw new Error('no host');
  for (const host of internet.hosts) if (host !== first) host.knows(first);
  return internet;
}

/** There are ultrapeers and leaves, every leaf has a link to an ultrapeer, and the roles of both ends agree. */
function settled({ hosts }: VirtualInternet): boolean {
  const up = hosts.filter(host => host.up);
  return (
    ultrapeersOf(up).length > 0 &&
    leavesOf(up).length > 0 &&
    up.every(({ links, servent }) => links.length > 0 && links.every(link => link.ourRole === servent.role.role))
  );
}

t.test('twelve servents elect ultrapeers, and each finds the files of all others', async t => {
  const internet = twelve();
  t.ok(
    internet.run(60_000, () => settled(internet)),
    'they settle',
  );
  internet.run(30_000);
  t.ok(settled(internet), 'and stay so');
  const ultrapeers = ultrapeersOf(internet.hosts).length;
  t.ok(ultrapeers >= 2 && ultrapeers <= 9, `${ultrapeers} ultrapeers`);
  for (const host of internet.hosts) host.search('tune of twelve');
  internet.run(10_000);
  for (const [n, host] of internet.hosts.entries()) {
    const found = new Set(host.hits.flatMap(({ hit }) => hit.hits.map(({ name }) => name)));
    found.delete(`tune ${n} of twelve.ogg`);
    t.equal(found.size, 11, `host ${n} as ${host.servent.role.role} finds ${found.size}`);
  }
});

t.test('an ultrapeer that goes without a word is replaced within seconds', async t => {
  const internet = twelve(7);
  internet.run(60_000, () => settled(internet));
  internet.run(20_000);
  const victim = ultrapeersOf(internet.hosts).toSorted((a, b) => b.links.length - a.links.length)[0];
  if (victim === undefined) throw new Error('no ultrapeer');
  const orphans = internet.hosts.filter(host => host.links.some(({ listen }) => listen?.port === victim.endpoint.port));
  t.ok(orphans.length > 2);
  victim.kill();
  const began = internet.clock.ms;
  t.ok(internet.run(60_000, () => settled(internet)));
  t.ok(internet.clock.ms - began < 20_000, `after ${internet.clock.ms - began} ms`);
  internet.run(20_000);
  const seeker = orphans[0] as VirtualHost;
  seeker.search('tune of twelve');
  internet.run(10_000);
  const found = new Set(seeker.hits.flatMap(({ hit }) => hit.hits.map(({ name }) => name)));
  t.ok(found.size >= 10, `${found.size} others found`);
});

t.test('twelve servents that know nobody but one UDP host cache find each other', async t => {
  const internet = new VirtualInternet(5);
  const cache = internet.addHostCache();
  for (let n = 0; n < 12; n++) {
    const settings = { maxLeaves: 8, maxUltrapeers: 6 };
    internet.add({ shares: [`tune ${n} of twelve.ogg`], settings, caches: [cache.address] });
  }
  t.equal(cache.machine.counters.pings, 0);
  t.ok(
    internet.run(60_000, () => settled(internet)),
    'they settle',
  );
  t.ok(cache.machine.counters.listed >= 2, `${cache.machine.counters.listed} are listed`);
  internet.run(30_000);
  t.ok(settled(internet), 'and stay so');
  for (const { servent } of internet.hosts) t.equal(servent.bootstrap.report.state, 'linked');
  const asked = cache.machine.counters.pings;
  internet.run(30_000);
  t.ok(cache.machine.counters.pings - asked <= 12, 'those with neighbours leave the cache alone');
  const last = internet.hosts[11] as VirtualHost;
  const session = last.servent.searches.start({ text: 'tune of twelve' }, internet.clock.ms, 10_000);
  last.stirred();
  internet.run(10_001);
  t.match(session, { state: 'finished', found: { sources: 11 } }, 'every other servent has one');
});

t.test('without an answer of any cache a servent says so, and asks again more and more slowly', async t => {
  const internet = new VirtualInternet(6);
  const host = internet.add({ caches: ['127.0.0.1:9'] });
  t.ok(internet.run(60_000, () => host.servent.bootstrap.report.round === 4));
  const { caches } = host.servent.bootstrap.report;
  t.strictSame(caches.udp, { known: 1, asked: 1, answered: 0 });
  t.match(host.servent.bootstrap.toRecords(), [{ kind: 'udp', address: '127.0.0.1:9', answeredAt: 0 }]);
  host.servent.close();
  t.equal(host.servent.bootstrap.tick(internet.clock.ms), Number.POSITIVE_INFINITY, 'nothing is asked after the end');
});

t.test('the same seed makes the same network', async t => {
  const traceOf = (seed: number) => {
    const internet = twelve(seed);
    internet.run(30_000);
    return internet.hosts.map(({ links, roles, dials, servent }) => ({
      roles,
      dials,
      links: links.map(({ endpoint, role, framesIn, bytesIn }) => ({ endpoint, role, framesIn, bytesIn })),
      drops: servent.overlay.drops.toRecord(),
    }));
  };
  t.strictSame(traceOf(3), traceOf(3));
  t.notSame(traceOf(3), traceOf(4));
});

t.test('hits name the servents that are known to have the file, never by hearsay', async t => {
  const internet = new VirtualInternet();
  const sharer = internet.add({ settings: { mode: 'ultrapeer' }, shares: ['harbour lights.txt', 'harbour walls.txt'] });
  const seeker = internet.add({ settings: { mode: 'ultrapeer' } });
  seeker.knows(sharer);
  internet.run(5_000);
  const { mesh } = sharer.servent;
  const [lights] = sharer.library.shared();
  const at = (port: number) => ({ host: '127.0.0.1', port, tls: false });
  const now = internet.clock.ms;
  for (const port of [7100, 7101, 7102]) mesh.served(lights?.sha1 as Buffer, at(port), now);
  mesh.failed(lights?.sha1 as Buffer, at(7101), now);
  mesh.add(lights?.sha1 as Buffer, at(7103), { good: false, shared: true }, now);
  seeker.search('harbour');
  internet.run(5_000);
  const found = seeker.hits.flatMap(({ hit }) => hit.hits);
  const portsOf = (name: string) =>
    found.find(hit => hit.name === name)?.alternates.map(({ host, port }) => `${host}:${port}`);
  t.strictSame(portsOf('harbour lights.txt'), ['127.0.0.1:7102', '127.0.0.1:7100'], 'the latest first');
  t.strictSame(portsOf('harbour walls.txt'), []);
});

t.test('a servent that cannot be connected to follows a push that reaches it through its neighbour', async t => {
  const internet = new VirtualInternet();
  const hub = internet.add({ settings: { mode: 'ultrapeer' } });
  const seeker = internet.add({ settings: { mode: 'ultrapeer' } });
  const walled = internet.add({ settings: { mode: 'leaf', reachable: 'no' }, shares: ['harbour lights.txt'] });
  seeker.knows(hub);
  walled.knows(hub);
  internet.run(5_000);
  seeker.search('harbour lights');
  internet.run(5_000);
  const [found] = seeker.hits;
  t.equal(found?.hit.push, true);
  if (found === undefined) return;
  const { serventGuid, endpoint, pushProxies } = found.hit;
  seeker.servent.requester.request({ serventGuid, endpoint, pushProxies, index: 0 }, internet.clock.ms);
  internet.run(1_000);
  t.strictSame(walled.served, [`127.0.0.1:${seeker.endpoint.port}`]);
  t.equal(seeker.servent.requester.waiting, 0, 'its GIV ended the request');
});

t.test('a configured neighbour that is not there is dialled again and again, more and more slowly', async t => {
  const internet = new VirtualInternet();
  const host = internet.add({ settings: { mode: 'ultrapeer', seek: 0 }, connect: ['127.0.0.1:7002'] });
  internet.run(60_000);
  const before = host.dials.length;
  t.ok(before >= 3 && before < 20, `${before} dials in a minute`);
  internet.add({ settings: { mode: 'ultrapeer', seek: 0 } });
  t.ok(internet.run(70_000, () => host.links.length === 1));
});

t.test('a leaf with nothing to do sleeps until a ping or a look for neighbours is due', async t => {
  const internet = new VirtualInternet();
  const add = (mode: 'leaf' | 'ultrapeer') => internet.add({ profile: 'public', settings: { mode, seek: 3 } });
  const ultrapeers = [add('ultrapeer'), add('ultrapeer'), add('ultrapeer')];
  const leaf = add('leaf');
  for (const ultrapeer of ultrapeers) t.equal(leaf.join(ultrapeer).kind, 'linked');
  internet.run(60_000);
  const before = leaf.ticks;
  internet.run(600_000);
  const ticks = leaf.ticks - before;
  // 120 are looks of the bootstrap
  t.ok(ticks < 220, `${ticks} ticks in ten minutes`);
  t.equal(leaf.links.length, 3, 'and no link is lost for it');
  t.ok(
    leaf.links.every(({ pingsUnanswered }) => pingsUnanswered === 0),
    'every ping was answered',
  );
});
