import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { type Session, Sessions } from '../../../daemon/overlay/sessions.ts';
import { VitalSigns } from '../../../daemon/overlay/vitals.ts';
import { Store } from '../../../daemon/store/store.ts';
import type { Table } from '../../../daemon/store/table.ts';
import { VirtualClock } from '../../support/virtual-network.ts';

const hour = 3_600_000;
const day = 24 * hour;

async function sessionTable(t: Test): Promise<Table<Session>> {
  const folder = await mkdtemp(join(tmpdir(), 'servent-sessions-'));
  const store = await Store.open(join(folder, 'store'), silentLog);
  t.teardown(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  return store.table<Session>('sessions');
}

async function session(table: Table<Session>, clock: VirtualClock): Promise<Sessions> {
  const sessions = new Sessions(table, new Date(clock.wallTime()), clock, silentLog);
  await sessions.start();
  return sessions;
}

t.test('uptime is averaged over sessions, a day and what was sent included', async t => {
  const table = await sessionTable(t);
  const clock = new VirtualClock();
  const first = await session(table, clock);
  t.equal(first.averageMs, 0);
  t.equal(first.bestUpload, null, 'nothing ever went out');
  clock.ms += 6 * hour;
  first.sawUpload(5000.4);
  first.sawUpload(200);
  t.equal(first.averageMs, 6 * hour);
  await first.stop();

  clock.ms += 40 * hour;
  const second = await session(table, clock);
  clock.ms += 2 * hour;
  t.equal(second.uptimeMs, 2 * hour);
  t.equal(second.averageMs, 4 * hour);
  t.equal(second.dailySeconds, 4 * 3600, '8 hours in 48');
  t.equal(second.bestUpload, 5000);
  await second.stop();

  clock.ms += 31 * day;
  const third = await session(table, clock);
  t.equal(third.averageMs, 0, 'what was a month ago says nothing');
  await third.stop();
});

t.test('sessions are bounded, and nonsense in the store is passed over', async t => {
  const table = await sessionTable(t);
  const clock = new VirtualClock();
  await table.put('a', { startedAt: clock.wallTime() + hour, seenAt: 1, bestUpload: 1e9 });
  await table.put('b', { startedAt: 'x', seenAt: 1, bestUpload: 1 } as unknown as Session);
  for (let i = 0; i < 60; i++) {
    const sessions = await session(table, clock);
    clock.ms += hour;
    await sessions.stop();
  }
  let stored = 0;
  for await (const _ of table.entries()) stored++;
  t.equal(stored, 50);
  const last = await session(table, clock);
  t.equal(last.bestUpload, null);
  await last.stop();
});

t.test('this very process is measured', async t => {
  const table = await sessionTable(t);
  const clock = new VirtualClock();
  const vitals = new VitalSigns({
    now: () => clock.now(),
    sessions: await session(table, clock),
    reachable: () => ({ tcp: 'open', udp: 'unknown' }),
    linkBytesSent: () => 0,
    uploadRate: () => 0,
    leafSlotsSeen: () => 7,
    refusedShare: () => 0.5,
    counts: () => ({ leaves: 1, ultrapeers: 2 }),
  });
  await vitals.start();
  t.teardown(() => vitals.stop());
  const { latest } = vitals;
  t.match(latest, {
    tcpReachable: true,
    udpReachable: null,
    leafSlotsSeen: 7,
    refusedShare: 0.5,
    leaves: 1,
    ultrapeers: 2,
  });
  t.ok(latest.freeDescriptors > 16, `${latest.freeDescriptors} descriptors`);
  t.ok(latest.freeMemoryBytes > 1 << 20, `${latest.freeMemoryBytes} bytes`);
  t.equal(latest.cpuShare, 0, 'not measured yet');
});
