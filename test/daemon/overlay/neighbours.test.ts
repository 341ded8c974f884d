import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import type { Attempt, Handshaker } from '../../../daemon/net/handshaker.ts';
import { ReachPolicy } from '../../../daemon/net/reach.ts';
import { Neighbours } from '../../../daemon/overlay/neighbours.ts';
import { SystemRandom } from '../../../daemon/system.ts';
import { capabilitiesOf } from '../../../protocol/handshake/capabilities.ts';
import { Headers } from '../../../protocol/handshake/header-block.ts';
import { FreeSlots } from '../../../protocol/overlay/free-slots.ts';
import { HostCache } from '../../../protocol/overlay/host-cache.ts';
import { LOCAL_TOPOLOGY } from '../../../protocol/overlay/topology.ts';
import { startBareServent } from '../../support/bare-servent.ts';
import { VirtualClock } from '../../support/virtual-network.ts';

/** Neighbours whose dials end as `attempt` says. */
async function neighbours(t: Test, attempt: Attempt) {
  const { overlay } = await startBareServent(t);
  const clock = new VirtualClock();
  const random = new SystemRandom();
  const hosts = new HostCache(random, { reaches: ['loopback'], retryTriedMs: 60_000 });
  const dialled: string[] = [];
  const handshaker = {
    connect: async ({ host, port }: { host: string; port: number }) => {
      dialled.push(`${host}:${port}`);
      return attempt;
    },
  } as unknown as Handshaker;
  const made = new Neighbours({
    ...{ overlay, handshaker, hosts, clock, random },
    slots: new FreeSlots(1000),
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
  });
  t.teardown(() => made.stop());
  return { made, hosts, clock, dialled };
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
