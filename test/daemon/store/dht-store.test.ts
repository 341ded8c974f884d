import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { type DhtRecord, dhtMemory } from '../../../daemon/store/dht-store.ts';
import { Store } from '../../../daemon/store/store.ts';
import { SystemRandom } from '../../../daemon/system.ts';

t.test('the KUID is made once; of a record that is damaged nothing is taken', async t => {
  const store = await Store.open(join(t.testdir(), 'store'), silentLog);
  t.teardown(() => store.close());
  const table = store.table<DhtRecord>('dht');
  const random = new SystemRandom();
  const first = await dhtMemory(table, random);
  t.equal(first.kuid.length, 20);
  t.strictSame(await dhtMemory(table, random), first);
  const kuid = first.kuid.toString('hex');
  await table.put('node', { kuid, contacts: ['5.6.7.8:6346', 'nonsense', '[2a00::1]:6346'] });
  const { contacts } = await dhtMemory(table, random);
  t.strictSame(contacts, [
    { host: '5.6.7.8', port: 6346 },
    { host: '2a00::1', port: 6346 },
  ]);
  for (const damaged of [{ kuid }, { kuid: 'ff', contacts: [] }, { kuid, contacts: [7] }, 'text', null]) {
    await table.put('node', damaged as unknown as DhtRecord);
    t.notSame((await dhtMemory(table, random)).kuid, first.kuid);
  }
});
