import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { type DhtRecord, DhtStore, dhtMemory } from '../../../daemon/store/dht-store.ts';
import { Store } from '../../../daemon/store/store.ts';
import { SystemRandom } from '../../../daemon/system.ts';
import type { ServentDht } from '../../../protocol/servent-dht.ts';

const clock = { wallTime: () => 1_000_000 };

t.test('the KUID is made once; of a record that is damaged nothing is taken', async t => {
  const store = await Store.open(join(t.testdir(), 'store'), silentLog);
  t.teardown(() => store.close());
  const table = store.table<DhtRecord>('dht');
  const random = new SystemRandom();
  const first = await dhtMemory(table, random, clock);
  t.equal(first.kuid.length, 20);
  t.strictSame(await dhtMemory(table, random, clock), first);
  const kuid = first.kuid.toString('hex');
  await table.put('node', { kuid, contacts: ['5.6.7.8:6346', 'nonsense', '[2a00::1]:6346'] });
  const { contacts } = await dhtMemory(table, random, clock);
  t.strictSame(contacts, [
    { host: '5.6.7.8', port: 6346 },
    { host: '2a00::1', port: 6346 },
  ]);
  for (const damaged of [{ kuid }, { kuid: 'ff', contacts: [] }, { kuid, contacts: [7] }, 'text', null]) {
    await table.put('node', damaged as unknown as DhtRecord);
    t.notSame((await dhtMemory(table, random, clock)).kuid, first.kuid);
  }
});

t.test('secrets of tokens come back with their age, but not those of the future or of a damaged record', async t => {
  const store = await Store.open(join(t.testdir(), 'store'), silentLog);
  t.teardown(() => store.close());
  const table = store.table<DhtRecord>('dht');
  const random = new SystemRandom();
  const { kuid } = await dhtMemory(table, random, clock);
  const record = { kuid: kuid.toString('hex'), contacts: [] };
  const tokens = { secret: '11'.repeat(20), previous: '22'.repeat(20), since: 400_000 };
  await table.put('node', { ...record, tokens });
  t.strictSame((await dhtMemory(table, random, clock)).tokens, {
    secret: Buffer.alloc(20, 0x11),
    previous: Buffer.alloc(20, 0x22),
    since: -600_000,
  });
  for (const wrong of [{ ...tokens, since: 1_000_001 }, { ...tokens, secret: 7 }, { ...tokens, since: null }, 'text']) {
    await table.put('node', { ...record, tokens: wrong } as unknown as DhtRecord);
    const memory = await dhtMemory(table, random, clock);
    t.strictSame([memory.kuid, memory.tokens], [kuid, null]);
  }
});

t.test('a new KUID and new secrets are saved, also while the nodes are the same', async t => {
  const store = await Store.open(join(t.testdir(), 'store'), silentLog);
  t.teardown(() => store.close());
  const table = store.table<DhtRecord>('dht');
  let kuid = Buffer.alloc(20, 1);
  let secrets = { secret: Buffer.alloc(20, 2), previous: null, since: 5_000 };
  const dht = {
    contacts: () => [{ host: '5.6.7.8', port: 6346 }],
    node: {
      get kuid() {
        return kuid;
      },
      tokenSecrets: () => secrets,
    },
  } as unknown as ServentDht;
  const nodes = new DhtStore({ table, dht, clock: { ...clock, now: () => 10_000 }, log: silentLog });
  await nodes.saves.save();
  const read = () => dhtMemory(table, new SystemRandom(), clock);
  t.strictSame((await read()).tokens, { secret: Buffer.alloc(20, 2), previous: null, since: -5_000 });
  kuid = Buffer.alloc(20, 3);
  await nodes.saves.save();
  t.same((await read()).kuid, kuid);
  secrets = { ...secrets, secret: Buffer.alloc(20, 4), since: 9_000 };
  await nodes.saves.save();
  t.strictSame((await read()).tokens, { secret: Buffer.alloc(20, 4), previous: null, since: -1_000 });
});
