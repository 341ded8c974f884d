// The upload queue outlives the daemon: each has its place by id after a stop, and after a kill.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Store } from '../../../daemon/store/store.ts';
import { UploadQueueStore } from '../../../daemon/store/upload-queue.ts';
import type { QueueRecord } from '../../../protocol/transfer/uploads/queue/queue-record.ts';
import { placeOf, slotRequest, uploadQueue } from '../../support/upload-queue.ts';

const LIMITS = { slots: 2, slotsPerAddress: 1, queue: 100 };
const START = Date.UTC(2026, 10, 29);

/** Opens the queue of one run of the daemon; its clock begins at 0 in each. */
async function run(t: Test, folder: string, { wall = START, limits = LIMITS, seed = 1 } = {}) {
  const store = await Store.open(folder, silentLog);
  t.teardown(() => store.close());
  const clock = { at: 0, now: () => clock.at, wallTime: () => wall + clock.at };
  const queue = uploadQueue(limits, { seed });
  const table = store.table<QueueRecord>('upload-queue');
  const saver = new UploadQueueStore(table, queue, clock, silentLog);
  await saver.start();
  t.teardown(() => saver.stop());
  const keys = async (): Promise<string[]> => {
    const all: string[] = [];
    for await (const [key] of table.entries()) all.push(key);
    return all;
  };
  return { store, clock, queue, table, saver, keys };
}

function fill(queue: ReturnType<typeof uploadQueue>, count: number): Map<string, { id: string; position: number }> {
  const places = new Map<string, { id: string; position: number }>();
  for (let i = 1; i <= LIMITS.slots + count; i++) {
    const admission = queue.ask(slotRequest(i, `10.0.0.${i}`), 1000 + i);
    if (admission.kind === 'queued') places.set(`10.0.0.${i}`, placeOf(admission));
  }
  return places;
}

t.test(
  'killed with 50 in the queue: after the restart each has its place by id, and those with slots keep them',
  async t => {
    const folder = t.testdir();
    const first = await run(t, join(folder, 'store'));
    const places = fill(first.queue, 50);
    t.equal(places.size, 50);
    first.clock.at = 2000;
    await first.saver.save();
    cpSync(join(folder, 'store'), join(folder, 'killed'), { recursive: true }); // what a kill leaves behind

    const second = await run(t, join(folder, 'killed'), { wall: START + 30_000, seed: 2 });
    t.equal(second.queue.waiting, 50);
    t.ok(second.queue.busy(0), 'the slots are kept for those who had them');
    let connection = 1;
    for (const [address, { id, position }] of [...places].reverse()) {
      const place = placeOf(second.queue.ask(slotRequest(connection++, address, { id }), 1));
      t.match(place, { id, position }, address);
    }
    t.match(placeOf(second.queue.ask(slotRequest(60, '10.0.1.1'), 2)), { position: 51 }, 'newcomers are behind');
    t.equal(second.queue.violations.of('unknown_id'), 0);
    second.queue.tick(45_000);
    t.notOk(second.queue.busy(45_000), 'a holder that does not come back loses its slot');
    t.match(second.queue.ask(slotRequest(50, '10.0.0.3', { id: places.get('10.0.0.3')?.id ?? '' }), 45_000), {
      kind: 'granted',
    });
  },
);

t.test('a stop saves holders as they were, not as connections that it broke', async t => {
  const folder = join(t.testdir(), 'store');
  const first = await run(t, folder);
  const granted = first.queue.ask(slotRequest(1, '10.0.0.1'), 0);
  const id = granted.kind === 'granted' ? (granted.id ?? '') : '';
  await first.saver.stop();
  first.queue.leave(1, 10);
  await first.saver.save();
  await first.store.close();
  const second = await run(t, folder);
  t.match(second.queue.ask(slotRequest(1, '10.0.0.1', { id }), 10), { kind: 'granted', id });
  second.queue.leave(1, 20);
  t.match(second.queue.ask(slotRequest(2, '10.0.0.1', { id }), 30), { kind: 'granted', id }, 'its first break');
});

t.test('order, times and calls survive a clock that jumps back, and a queue that is smaller', async t => {
  const folder = join(t.testdir(), 'store');
  const first = await run(t, folder);
  const node = { host: '10.0.0.3', port: 6346 };
  const places = fill(first.queue, 5);
  placeOf(first.queue.ask(slotRequest(3, '10.0.0.3', { id: places.get('10.0.0.3')?.id ?? '', node }), 40_000));
  await first.saver.stop();
  await first.store.close();
  const limits = { ...LIMITS, slots: 1 };
  const second = await run(t, folder, { wall: START - 86_400_000, limits, seed: 2 });
  t.strictSame(
    second.queue.absent().map(({ address, queue }) => [address, queue.position]),
    [3, 4, 5, 6, 7].map(i => [`10.0.0.${i}`, i - 2]),
  );
  t.strictSame(second.queue.absent()[0]?.node, node);
  t.match(placeOf(second.queue.ask(slotRequest(9, '10.0.1.1'), 0)), { position: 6 });
});

t.test('who is gone is gone from the store, and what is no record as well', async t => {
  const folder = join(t.testdir(), 'store');
  const first = await run(t, folder);
  const places = fill(first.queue, 1);
  const id = places.get('10.0.0.3')?.id ?? '';
  first.queue.ask({ ...slotRequest(8, '10.0.0.8'), level: 'active' }, 2000);
  await first.saver.save();
  t.equal((await first.keys()).length, 3, 'clients of X-Queue have no id to come back with');
  first.queue.leave(3, 3000);
  t.ok(first.queue.cancel(id));
  await first.saver.save();
  t.notOk((await first.keys()).includes(id));
  await first.table.put('nonsense', { id: 'nonsense' } as QueueRecord);
  await first.saver.stop();
  await first.store.close();
  const second = await run(t, folder);
  await second.saver.save();
  t.equal((await second.keys()).length, 2);
});

t.test('after a failure of the store everything is written again, a minute later', async t => {
  const { queue, clock, table, saver, keys } = await run(t, join(t.testdir(), 'store'));
  const batch = table.batch.bind(table);
  table.batch = () => Promise.reject(new Error('full'));
  const places = fill(queue, 3);
  await saver.save();
  table.batch = batch;
  clock.at = 59_000;
  await saver.save();
  t.strictSame(await keys(), []);
  clock.at = 60_000;
  await saver.save();
  t.equal((await keys()).length, places.size + LIMITS.slots);
});
