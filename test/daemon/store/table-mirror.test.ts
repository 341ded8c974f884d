import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Store } from '../../../daemon/store/store.ts';
import type { Table } from '../../../daemon/store/table.ts';
import { TableMirror } from '../../../daemon/store/table-mirror.ts';
import { SystemRandom } from '../../../daemon/system.ts';
import { HostCache } from '../../../protocol/overlay/neighbours/host-cache.ts';
import type { HostRecord } from '../../../protocol/overlay/neighbours/known-host.ts';
import { formatEndpoint } from '../../../protocol/wire/endpoint.ts';

const NOW = Date.UTC(2026, 10, 21);

async function openStore(t: Test): Promise<Store> {
  const store = await Store.open(join(t.testdir(), 'store'), silentLog);
  t.teardown(() => store.close());
  return store;
}

const mirror = (table: Table<HostRecord>, source: HostCache, intervalMs = 10_000): TableMirror<HostRecord> =>
  new TableMirror({ table, source, keyOf: formatEndpoint, intervalMs, log: silentLog });

const sighting = (host: string) => ({
  endpoint: { host, port: 6346 },
  source: 'pong' as const,
  ultrapeer: true,
  dailyUptimeSeconds: null,
});

async function keys(store: Store): Promise<string[]> {
  const all: string[] = [];
  for await (const [key] of store.table<HostRecord>('hosts').entries()) all.push(key);
  return all;
}

t.test('hosts of this run are there in the next one', async t => {
  const store = await openStore(t);
  const first = new HostCache(new SystemRandom());
  const saver = mirror(store.table('hosts'), first);
  t.strictSame(await saver.start(), []);
  first.add(sighting('5.5.5.1'), NOW);
  first.add(sighting('5.5.5.2'), NOW);
  await saver.stop();

  const second = new HostCache(new SystemRandom());
  const loader = mirror(store.table('hosts'), second);
  t.equal(second.fromRecords(await loader.start(), NOW), 2);
  t.strictSame(
    second
      .toRecords()
      .map(record => record.host)
      .sort(),
    ['5.5.5.1', '5.5.5.2'],
  );
  await loader.stop();
});

t.test('only what changed is written, and what went is deleted', async t => {
  const store = await openStore(t);
  const cache = new HostCache(new SystemRandom());
  const table = store.table<HostRecord>('hosts');
  const batches: string[][] = [];
  const batch = table.batch.bind(table);
  table.batch = changes => {
    batches.push(changes.map(change => `${change.type} ${change.key}`));
    return batch(changes);
  };
  const saver = mirror(table, cache);
  await saver.start();
  t.teardown(() => saver.stop());
  cache.add(sighting('5.5.5.1'), NOW);
  cache.add(sighting('5.5.5.2'), NOW);
  await saver.save();
  await saver.save();
  cache.remove({ host: '5.5.5.1', port: 6346 });
  cache.add(sighting('5.5.5.3'), NOW);
  await saver.save();
  t.strictSame(batches, [
    ['put 5.5.5.1:6346', 'put 5.5.5.2:6346'],
    ['put 5.5.5.3:6346', 'del 5.5.5.1:6346'],
  ]);
  t.strictSame(await keys(store), ['5.5.5.2:6346', '5.5.5.3:6346']);
});

t.test('what a failing store did not take is written later, and deleted', async t => {
  const store = await openStore(t);
  const cache = new HostCache(new SystemRandom());
  const table = store.table<HostRecord>('hosts');
  const batch = table.batch.bind(table);
  table.batch = () => Promise.reject(new Error('no space left'));
  const saver = mirror(table, cache);
  await saver.start();
  cache.add(sighting('5.5.5.1'), NOW);
  await saver.save();
  table.batch = batch;
  await saver.save();
  t.strictSame(await keys(store), ['5.5.5.1:6346']);
  table.batch = () => Promise.reject(new Error('no space left'));
  cache.remove({ host: '5.5.5.1', port: 6346 });
  await saver.save();
  table.batch = batch;
  await saver.stop();
  t.strictSame(await keys(store), []);
});

t.test('changes are saved every so often by themselves', async t => {
  const store = await openStore(t);
  const cache = new HostCache(new SystemRandom());
  const table = store.table<HostRecord>('hosts');
  const saver = mirror(table, cache, 5);
  const saved = new Promise<void>(resolve => {
    const batch = table.batch.bind(table);
    table.batch = changes => batch(changes).finally(resolve);
  });
  await saver.start();
  cache.add(sighting('5.5.5.1'), NOW);
  const keepAlive = setInterval(() => {}, 100); // the saver's own timer does not keep a process
  await saved;
  clearInterval(keepAlive);
  t.strictSame(await keys(store), ['5.5.5.1:6346']);
  await saver.stop();
});
