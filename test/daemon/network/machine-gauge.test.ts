import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { MachineGauge } from '../../../daemon/network/machine-gauge.ts';
import { type Session, Sessions } from '../../../daemon/network/sessions.ts';
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
  const startedAt = new Date(clock.wallTime());
  const gauge = new MachineGauge({ clock, startedAt, table, log: silentLog, bytesSent: () => 0 });
  await gauge.start();
  t.teardown(() => gauge.stop());
  clock.ms += hour;
  t.equal(gauge.uptimeMs, hour);
  t.equal(gauge.bestUpload, null);
  t.ok(gauge.freeDescriptors > 16, `${gauge.freeDescriptors} descriptors`);
  t.ok(gauge.freeMemoryBytes > 1 << 20, `${gauge.freeMemoryBytes} bytes`);
  t.equal(gauge.cpuShare, 0, 'not measured yet');
});
