import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import type { Attempt, Handshaker } from '../../../daemon/net/handshaker.ts';
import { ReachPolicy } from '../../../daemon/net/reach.ts';
import { Neighbours, type NeighboursOptions } from '../../../daemon/overlay/neighbours.ts';
import { SystemRandom } from '../../../daemon/system.ts';
import { capabilitiesOf } from '../../../protocol/handshake/capabilities.ts';
import { Headers } from '../../../protocol/handshake/header-block.ts';
import { FreeSlots } from '../../../protocol/overlay/free-slots.ts';
import { HostCache } from '../../../protocol/overlay/host-cache.ts';
import { LOCAL_TOPOLOGY } from '../../../protocol/overlay/topology.ts';
import { startBareServent } from '../../support/bare-servent.ts';
import { VirtualClock } from '../../support/virtual-network.ts';

/** Neighbours whose dials end as `attempt` says. */
async function neighbours(t: Test, attempt: Attempt, options: Partial<NeighboursOptions> = {}) {
  const { overlay } = await startBareServent(t);
  const clock = new VirtualClock();
  const random = new SystemRandom();
  const hosts = new HostCache(random, { reaches: ['loopback'], retryTriedMs: 60_000 });
  const slots = new FreeSlots(60_000);
  const dialled: string[] = [];
  const handshaker = {
    connect: async ({ host, port }: { host: string; port: number }) => {
      dialled.push(`${host}:${port}`);
      return attempt;
    },
  } as unknown as Handshaker;
  const made = new Neighbours({
    ...{ overlay, handshaker, hosts, clock, random },
    slots,
    reach: new ReachPolicy('local'),
    log: silentLog,
    role: () => 'ultrapeer',
    mayBecomeLeaf: () => false,
    onGuided: () => undefined,
    topology: LOCAL_TOPOLOGY,
    serventGuid: Buffer.alloc(16),
    startedAt: new Date(),
    bounds: { maxLeaves: 1, maxUltrapeers: 1, seek: 0, maxPerAddress: 0 },
    configured: [],
    acceptLegacy: true,
    strict: false,
    guides: false,
    ...options,
  });
  t.teardown(() => made.stop());
  return { made, hosts, slots, clock, dialled };
}

t.test('an address that a person names becomes a host that was tried, when somebody is there', async t => {
  const capabilities = { ...capabilitiesOf(new Headers([])), role: 'ultrapeer' as const };
  const refusal = { kind: 'refused', by: 'peer', reason: 'peer-status', code: 503, text: 'full' } as const;
  const { made, hosts, clock } = await neighbours(t, {
    kind: 'refused',
    refusal: { ...refusal, capabilities, tryUltrapeers: [], tryHosts: [] },
  });
  await made.connect('127.0.0.1:7001');
  const [record] = hosts.toRecords();
  t.match(record, { port: 7001, triedAt: clock.wallTime(), ultrapeer: true });
  t.ok((record?.retryAt ?? 0) > clock.wallTime(), 'and is not dialled again at once');
});

t.test('an address where nobody is does not enter the cache', async t => {
  const { made, hosts } = await neighbours(t, { kind: 'failed', reason: 'DIAL_FAILED', text: 'refused' });
  await made.connect('127.0.0.1:7001');
  t.equal(hosts.size, 0);
});

t.test('the profile local asks no name server: localhost is known, other names are refused', async t => {
  const { made, dialled } = await neighbours(t, { kind: 'failed', reason: 'DIAL_FAILED', text: 'refused' });
  t.match(await made.connect('servent.example:6346'), { kind: 'failed', text: /names are not looked up/ });
  await made.connect('localhost:7001');
  t.strictSame(dialled, ['127.0.0.1:7001']);
});

const full: Attempt = {
  kind: 'refused',
  refusal: {
    ...{ kind: 'refused', by: 'peer', reason: 'peer-status', code: 503, text: 'Too many leaves' },
    ...{ capabilities: null, tryUltrapeers: [], tryHosts: [] },
  },
};

t.test(
  'a configured neighbour that refuses is not dialled again for two minutes, and what it said is told',
  async t => {
    const address = '5.5.1.1:6346';
    const { made, clock, dialled } = await neighbours(t, full, { configured: [address] });
    const round = async () => {
      made.onRole('ultrapeer'); // does a round
      await new Promise(resolve => setImmediate(resolve));
      await new Promise(resolve => setImmediate(resolve));
    };
    await round();
    t.match(made.kept, [{ address, state: 'waiting', failures: 1, why: '503 Too many leaves' }]);
    for (let seconds = 0; seconds < 119; seconds++) {
      clock.ms += 1_000;
      await round();
    }
    t.strictSame(dialled, [address]);
    clock.ms += 31_000;
    await round();
    t.strictSame(dialled, [address, address]);
  },
);

t.test('an ultrapeer that refuses is not dialled again because pongs go on telling of its free slots', async t => {
  const { made, slots, clock, dialled } = await neighbours(t, full, {
    role: () => 'leaf',
    bounds: { maxLeaves: 0, maxUltrapeers: 4, seek: 4, maxPerAddress: 0 },
  });
  const endpoint = { host: '127.0.0.1', port: 7001 };
  for (let seconds = 0; seconds < 30; seconds++) {
    slots.note(endpoint, 5, clock.now());
    made.onRole('leaf'); // does a round
    await new Promise(resolve => setImmediate(resolve));
    clock.ms += 1_000;
  }
  t.strictSame(dialled, ['127.0.0.1:7001']);
});
