// Values that a node of the DHT holds for others, over a restart.
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { type DhtValueRecord, DhtValueStore, keptValues } from '../../../daemon/store/dht-values.ts';
import { Store } from '../../../daemon/store/store.ts';
import type { Dht } from '../../../protocol/dht/dht.ts';
import { ValueType } from '../../../protocol/dht/dht-value.ts';
import { randomKuid } from '../../../protocol/dht/kuid.ts';
import { StoreCode } from '../../../protocol/dht/store-status.ts';
import { EXPIRE_MS, ValueStore } from '../../../protocol/dht/value-store.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { anyContact, endpointOf } from '../../support/dht-contacts.ts';

const HOUR_MS = 3_600_000;
/** From 1970 to the zero of the servents' clock. */
const SINCE_MS = 1_700_000_000_000;

async function scene(t: Test) {
  const store = await Store.open(join(t.testdir(), 'store'), silentLog);
  t.teardown(() => store.close());
  const random = new SeededRandom(4);
  const own = randomKuid(random);
  const options = { own, reaches: ['public'] as const, ofAddress: 64, ofNetwork: 512, ofKeyAndNetwork: 3 };
  const clock = { ms: 1_000, now: () => clock.ms, wallTime: () => SINCE_MS + clock.ms };
  const values = new ValueStore(options, clock.ms);
  const node = { mode: 'active', parts: { values } } as unknown as Dht;
  const table = store.table<DhtValueRecord>('dht-values');
  const kept = new DhtValueStore({ table, node, clock, log: silentLog, changesMax: 3 }).saves;
  const put = (n: number, type: string = ValueType.AltLocation): Buffer => {
    const contact = anyContact(random, endpointOf(n));
    const key = randomKuid(random);
    const value = { creator: contact, key, type, version: 1, data: Buffer.from(`value ${n}`) };
    t.equal(values.put(value, { contact, host: contact.endpoint.host }, 0, clock.ms), StoreCode.Ok);
    return key;
  };
  return { table, values, kept, clock, put, random, fresh: () => new ValueStore(options, clock.ms) };
}

t.test('values are there after a restart with the life that is left; those that have expired are not', async t => {
  const { table, kept, clock, put, fresh } = await scene(t);
  const [early, other] = [put(1), put(2, 'TEXT')];
  clock.ms += HOUR_MS / 2;
  const late = put(3);
  await kept.stop();
  clock.ms += HOUR_MS / 2;
  const read = await keptValues(table, clock);
  t.strictSame(
    read.map(({ data, expiresAt, original }) => [data.toString(), expiresAt, original]).toSorted(),
    [
      ['value 2', 3 * HOUR_MS, true],
      ['value 3', HOUR_MS / 2, true],
    ],
    'milliseconds that are left',
  );
  const again = fresh();
  const restored = read.map(value => ({ ...value, expiresAt: clock.ms + value.expiresAt }));
  t.equal(again.restore(restored, clock.ms), 2);
  t.strictSame(
    [early, other, late].map(key => again.has(key)),
    [false, true, true],
  );
  clock.ms += HOUR_MS / 2 + EXPIRE_MS;
  again.tick(clock.ms);
  t.equal(again.has(late), false, 'a restart lengthens no life');
  t.equal((await keptValues(table, clock)).length, 1);
});

t.test('what has changed is written, and what is held no more is deleted', async t => {
  const { table, values, kept, clock, put } = await scene(t);
  const count = async (): Promise<number> => {
    let records = 0;
    for await (const _ of table.entries()) records++;
    return records;
  };
  for (let n = 1; n <= 5; n++) put(n);
  await kept.save();
  t.equal(await count(), 3, 'at most so many at one time');
  await kept.save();
  t.equal(await count(), 5);
  put(6, 'TEXT');
  clock.ms += HOUR_MS + EXPIRE_MS;
  values.tick(clock.ms);
  await kept.stop();
  t.equal(await count(), 1, 'all of them at the stop');
});

t.test('records of the last run stay while the node does not answer others', async t => {
  const { table, kept, clock, put } = await scene(t);
  put(1);
  await kept.stop();
  const passive = { mode: 'passive', parts: { values: new ValueStore({} as never, 0) } } as unknown as Dht;
  await new DhtValueStore({ table, node: passive, clock, log: silentLog }).saves.stop();
  t.equal((await keptValues(table, clock)).length, 1);
});

t.test('of a damaged record nothing is taken, and it is deleted', async t => {
  const { table, kept, clock, put } = await scene(t);
  put(1);
  await kept.stop();
  let [name, record]: [string, DhtValueRecord | null] = ['', null];
  for await (const entry of table.entries()) [name, record] = entry;
  const damaged: unknown[] = [
    ...[null, 'text', 7, {}],
    ...[{ creator: 'ff' }, { key: 5 }, { vendor: 'GTK' }, { vendor: 'GTK€' }, { address: 'nowhere' }, { version: -1 }],
    ...[{ version: 1.5 }, { data: 7 }, { data: Buffer.alloc(512).toString('base64') }, { expiresAt: 'soon' }],
    ...[{ charged: [] }, { charged: ['nowhere'] }, { charged: 'x' }, { original: 1 }],
  ];
  for (const change of damaged) {
    const changed = typeof change === 'object' && change !== null ? { ...record, ...change } : change;
    const isWhole = typeof change === 'object' && change !== null && Object.keys(change).length === 0;
    await table.put(name, changed as DhtValueRecord);
    t.equal((await keptValues(table, clock)).length, isWhole ? 1 : 0, JSON.stringify(change).slice(0, 60));
  }
});
