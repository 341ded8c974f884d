import fc from 'fast-check';
import t from 'tap';
import { HostCache, type HostPolicy, type HostSighting } from '../../../../protocol/overlay/neighbours/host-cache.ts';
import type { Endpoint } from '../../../../protocol/wire/endpoint.ts';
import { SeededRandom } from '../../../support/virtual-network.ts';

const NOW = 1_750_000_000_000;
const MINUTE = 60_000;
const newCache = (policy: Partial<HostPolicy> = {}): HostCache => new HostCache(new SeededRandom(5), policy);
const at = (host: string, port = 6346): Endpoint => ({ host, port });
const seen = (host: string, changes: Partial<HostSighting> = {}): HostSighting => ({
  endpoint: at(host),
  source: 'pong',
  ultrapeer: true,
  dailyUptimeSeconds: null,
  ...changes,
});
const nobody = (): boolean => false;

t.test('only addresses within reach are kept', async t => {
  const hosts = newCache();
  t.ok(hosts.add(seen('80.1.2.3'), NOW));
  for (const host of ['127.0.0.1', '10.1.2.3', '192.168.1.1', '0.0.0.0', '224.0.0.1', 'nonsense']) {
    t.notOk(hosts.add(seen(host), NOW), host);
  }
  t.notOk(hosts.add(seen('80.1.2.3', { endpoint: at('80.1.2.3', 0) }), NOW), 'port 0');
  t.equal(hosts.size, 1);
  t.ok(newCache({ reaches: ['loopback'] }).add(seen('127.0.0.1'), NOW));
});

t.test('an untried ultrapeer seen lately is dialled before an old leaf', async t => {
  const hosts = newCache();
  hosts.add(seen('80.1.1.1', { ultrapeer: false }), NOW - 100 * MINUTE);
  hosts.add(seen('80.2.2.2'), NOW);
  hosts.add(seen('80.3.3.3', { ultrapeer: null }), NOW);
  t.strictSame(hosts.next(NOW, nobody), at('80.2.2.2'));
  t.strictSame(
    hosts.next(NOW, ({ host }) => host === '80.2.2.2'),
    at('80.3.3.3'),
  );
});

t.test('a host that was tried waits five minutes, one that failed fifteen, then twice as long', async t => {
  const hosts = newCache();
  hosts.add(seen('80.1.1.1'), NOW);
  hosts.tried(at('80.1.1.1'), NOW);
  t.equal(hosts.next(NOW + 4 * MINUTE, nobody), null);
  t.ok(hosts.next(NOW + 5 * MINUTE, nobody));
  hosts.failed(at('80.1.1.1'), NOW, 'silent');
  t.equal(hosts.next(NOW + 14 * MINUTE, nobody), null);
  t.ok(hosts.next(NOW + 15 * MINUTE, nobody));
  hosts.failed(at('80.1.1.1'), NOW, 'silent');
  t.equal(hosts.next(NOW + 29 * MINUTE, nobody), null);
  t.ok(hosts.next(NOW + 30 * MINUTE, nobody));
});

t.test('a busy host is no failure', async t => {
  const hosts = newCache();
  hosts.add(seen('80.1.1.1'), NOW);
  hosts.failed(at('80.1.1.1'), NOW, 'full');
  t.equal(hosts.toRecords()[0]?.failures, 0);
  t.equal(hosts.next(NOW + 4 * MINUTE, nobody), null);
  t.ok(hosts.next(NOW + 5 * MINUTE, nobody));
});

t.test('a host that was full for a leaf may be dialled at once by the ultrapeer that the leaf has become', async t => {
  const hosts = newCache();
  const [full, refusing] = [at('80.1.1.1'), at('81.1.1.1')];
  for (const endpoint of [full, refusing]) {
    hosts.add(seen(endpoint.host), NOW);
    hosts.tried(endpoint, NOW);
  }
  hosts.failed(full, NOW, 'full');
  hosts.failed(refusing, NOW, 'refused');
  t.notOk(hosts.mayDial(full, NOW + 1_000));
  hosts.setRole('ultrapeer', NOW + 1_000);
  t.ok(hosts.mayDial(full, NOW + 1_000));
  t.notOk(hosts.mayDial(refusing, NOW + 1_000), 'one that does not want us is left alone');
  hosts.setRole('leaf', NOW + 2_000);
  hosts.tried(full, NOW + 2_000);
  t.notOk(hosts.mayDial(full, NOW + 3_000), 'once only');
});

t.test('a host that never worked is forgotten after four failures; one that did, or is configured, stays', async t => {
  const hosts = newCache();
  hosts.add(seen('80.1.1.1'), NOW);
  hosts.add(seen('80.2.2.2'), NOW);
  hosts.add(seen('80.3.3.3', { source: 'configured' }), NOW);
  hosts.succeeded(at('80.2.2.2'), NOW);
  for (let i = 0; i < 4; i++) {
    for (const host of ['80.1.1.1', '80.2.2.2', '80.3.3.3']) hosts.failed(at(host), NOW, 'silent');
  }
  t.strictSame(
    hosts
      .toRecords()
      .map(({ host }) => host)
      .sort(),
    ['80.2.2.2', '80.3.3.3'],
  );
});

t.test('one address is dialled once in two minutes, whatever its ports', async t => {
  const hosts = newCache();
  hosts.add(seen('80.1.1.1'), NOW);
  hosts.add(seen('80.1.1.1', { endpoint: at('80.1.1.1', 7000) }), NOW);
  hosts.tried(at('80.1.1.1'), NOW);
  t.equal(hosts.next(NOW + MINUTE, nobody), null);
  t.strictSame(hosts.next(NOW + 2 * MINUTE, nobody), at('80.1.1.1', 7000));
  const local = newCache({ reaches: ['loopback'], sameAddressMs: 0 });
  local.add(seen('127.0.0.1'), NOW);
  local.add(seen('127.0.0.1', { endpoint: at('127.0.0.1', 7000) }), NOW);
  local.tried(at('127.0.0.1'), NOW);
  t.strictSame(local.next(NOW, nobody), at('127.0.0.1', 7000));
});

t.test('of many hosts in one /24 and one elsewhere, the one elsewhere comes second', async t => {
  const hosts = newCache();
  for (let i = 1; i < 200; i++) hosts.add(seen(`80.1.1.${i}`), NOW);
  hosts.tried(at('80.1.1.77'), NOW);
  hosts.add(seen('80.9.9.9'), NOW);
  t.strictSame(hosts.next(NOW, nobody), at('80.9.9.9'));
  hosts.remove(at('80.9.9.9'));
  t.ok(hosts.next(NOW, nobody), 'but the /24 is not banned');
});

t.test('a clock turned back does not lock hosts away', async t => {
  const hosts = newCache();
  hosts.add(seen('80.1.1.1'), NOW);
  hosts.tried(at('80.1.1.1'), NOW);
  t.ok(hosts.next(NOW - 30 * 24 * 60 * MINUTE, nobody));
});

t.test('the cache is bounded and keeps the best', async t => {
  const hosts = newCache({ hostsMax: 1_000 });
  hosts.add(seen('90.1.1.1'), NOW);
  hosts.succeeded(at('90.1.1.1'), NOW);
  for (let i = 0; i < 5_000; i++) {
    hosts.add(seen(`80.${(i >> 8) & 255}.1.${i & 255}`, { ultrapeer: i % 2 === 0 }), NOW - (i % 3) * 60 * MINUTE);
    if (hosts.size > 1_000) t.fail(`${hosts.size} hosts`);
  }
  t.ok(hosts.size > 900);
  t.ok(hosts.toRecords().some(({ host }) => host === '90.1.1.1'));
});

t.test('a leaf keeps fewer hosts than an ultrapeer', async t => {
  const hosts = newCache({ hostsMax: 400, leafHostsMax: 100 });
  for (let i = 0; i < 300; i++) hosts.add(seen(`80.1.${i >> 8}.${i & 255}`, { ultrapeer: i % 3 === 0 }), NOW);
  t.equal(hosts.size, 300);
  hosts.setRole('leaf', NOW);
  t.ok(hosts.size <= 100 && hosts.size >= 90, `${hosts.size}`);
  t.ok(
    hosts.toRecords().every(({ ultrapeer }) => ultrapeer === true),
    'the most promising stay',
  );
  for (let i = 0; i < 300; i++) hosts.add(seen(`80.2.${i >> 8}.${i & 255}`), NOW);
  t.ok(hosts.size <= 100);
  hosts.setRole('ultrapeer', NOW);
  for (let i = 0; i < 300; i++) hosts.add(seen(`80.3.${i >> 8}.${i & 255}`), NOW);
  t.ok(hosts.size > 300);
});

t.test('fresh ones are the last seen whose dials did not fail', async t => {
  const hosts = newCache();
  hosts.add(seen('80.1.1.1'), NOW);
  hosts.add(seen('80.2.2.2', { ultrapeer: false }), NOW + 1);
  hosts.add(seen('80.3.3.3'), NOW + 2);
  hosts.add(seen('80.4.4.4'), NOW + 3);
  hosts.failed(at('80.4.4.4'), NOW + 3, 'silent');
  t.strictSame(hosts.fresh(10, true), [at('80.3.3.3'), at('80.1.1.1')]);
  t.strictSame(hosts.fresh(2, false), [at('80.3.3.3'), at('80.2.2.2')]);
});

t.test('records survive a restart; stale and undialable ones do not', async t => {
  const hosts = newCache();
  for (let i = 0; i < 50; i++) hosts.add(seen(`80.1.${i}.1`), NOW);
  hosts.succeeded(at('80.1.7.1'), NOW);
  const records = hosts.toRecords();
  const again = newCache();
  const [first] = records;
  if (first === undefined) throw new Error('no record');
  const bad = [
    { ...first, host: '10.0.0.1' },
    { ...first, host: '80.7.7.7', seenAt: NOW - 29 * 24 * 60 * MINUTE },
  ];
  t.equal(again.fromRecords([...records, ...bad], NOW), 50);
  t.strictSame(again.toRecords(), records);
});

t.test('the revision moves with every change', async t => {
  const hosts = newCache();
  const { revision } = hosts;
  hosts.add(seen('80.1.1.1'), NOW);
  t.not(hosts.revision, revision);
  const added = hosts.revision;
  hosts.failed(at('80.1.1.1'), NOW, 'silent');
  t.not(hosts.revision, added);
});

t.test('whatever is reported, next() gives a known host that is not waiting or nothing', async () => {
  const host = fc.integer({ min: 1, max: 6 }).map(n => at(`80.${n}.1.1`));
  const what = fc.constantFrom('add', 'tried', 'succeeded', 'failed', 'busy', 'remove', 'next');
  const event = fc.tuple(what, host, fc.integer({ min: 0, max: 10 * MINUTE }));
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), events => {
      const hosts = newCache();
      let now = NOW;
      for (const [kind, endpoint, gap] of events) {
        now += gap;
        if (kind === 'add') hosts.add(seen(endpoint.host), now);
        else if (kind === 'tried') hosts.tried(endpoint, now);
        else if (kind === 'succeeded') hosts.succeeded(endpoint, now);
        else if (kind === 'remove') hosts.remove(endpoint);
        else if (kind !== 'next') hosts.failed(endpoint, now, kind === 'busy' ? 'full' : 'silent');
        const next = hosts.next(now, nobody);
        const record = hosts.toRecords().find(one => one.host === next?.host);
        if (next !== null && (record === undefined || record.retryAt > now)) return false;
      }
      return true;
    }),
  );
});

t.test('a host that refuses for another reason than lack of room is left alone for half an hour', async t => {
  const hosts = newCache();
  const endpoint = { host: '5.5.1.1', port: 6346 };
  hosts.add(seen(endpoint.host), NOW);
  hosts.tried(endpoint, NOW);
  hosts.failed(endpoint, NOW, 'refused');
  t.equal(hosts.mayDial(endpoint, NOW + 30 * 60_000 - 1), false);
  t.equal(hosts.mayDial(endpoint, NOW + 30 * 60_000), true);
  hosts.tried({ host: '5.5.1.9', port: 1 }, NOW);
  t.equal(
    hosts.mayDial({ host: '5.5.1.9', port: 2 }, NOW + 119_999),
    false,
    'nor an address that was dialled, known or not',
  );
});
