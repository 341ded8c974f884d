import t from 'tap';
import { type KeyRecord, Keys, type KeysOptions } from '../../../daemon/admin/keys.ts';
import { silentLog } from '../../../daemon/log.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');

/** The table of a store, without a disk. */
class MapTable {
  readonly records = new Map<string, KeyRecord>();
  failing = false;

  async *entries(): AsyncGenerator<[string, KeyRecord]> {
    for (const [id, record] of this.records) yield [id, structuredClone(record)];
  }

  async put(id: string, record: KeyRecord): Promise<void> {
    if (this.failing) throw new Error('disk full');
    this.records.set(id, structuredClone(record));
  }

  async delete(id: string): Promise<void> {
    if (this.failing) throw new Error('disk full');
    this.records.delete(id);
  }
}

interface Setting {
  keys: Keys;
  table: MapTable;
  time: { now: number };
  again(): Promise<Keys>;
}

async function setting(): Promise<Setting> {
  const table = new MapTable();
  const time = { now: NOW };
  const options: KeysOptions = { table, clock: { wallTime: () => time.now }, log: silentLog };
  const begin = async (): Promise<Keys> => {
    const keys = new Keys(options);
    await keys.start();
    return keys;
  };
  return { keys: await begin(), table, time, again: begin };
}

const plain = { name: 'script', scopes: ['operate' as const], cidrs: [], expiresAt: null };

t.test('a key is found by its secret, which is nowhere but in the hands of its owner', async t => {
  const { keys, table, again } = await setting();
  const { secret, id } = await keys.create(plain);
  t.match(secret, /^servent_[\w-]{43}$/);
  t.notMatch(JSON.stringify([...table.records]), secret.slice(8));
  t.notMatch(JSON.stringify(keys.list()), secret.slice(8));
  t.match(keys.find(secret, '127.0.0.1'), { id, name: 'script', scopes: ['operate'] });
  t.equal(keys.find(`${secret}x`, '127.0.0.1'), null);
  t.equal(keys.find('', '127.0.0.1'), null);
  const restarted = await again();
  t.match(restarted.find(secret, '127.0.0.1'), { id });
  t.match(restarted.list(), [{ id, usedFrom: '127.0.0.1', usedAt: '2026-11-21T12:00:00.000Z' }]);
});

t.test('a revoked key is useless before the call returns, even when the disk fails', async t => {
  const { keys, table, again } = await setting();
  const { secret, id } = await keys.create(plain);
  table.failing = true;
  const removing = keys.remove(id);
  t.equal(keys.find(secret, '127.0.0.1'), null);
  t.notOk(keys.isGood(id));
  await t.rejects(removing, { message: 'disk full' });
  table.failing = false;
  t.match((await again()).list(), [{ id }], 'the caller was told that it comes back with a restart');
  t.equal(await keys.remove('nobody'), false);
});

t.test('a key that could not be stored does not exist', async t => {
  const { keys, table } = await setting();
  table.failing = true;
  await t.rejects(keys.create(plain), { message: 'disk full' });
  t.strictSame(keys.list(), []);
});

t.test('a key ends when it expires', async t => {
  const { keys, time } = await setting();
  await t.rejects(keys.create({ ...plain, expiresAt: '2026-11-21T12:00:00Z' }), { code: 'INVALID' });
  const { secret, id } = await keys.create({ ...plain, expiresAt: '2026-11-21T13:00:00Z' });
  t.match(keys.find(secret, '::1'), { expiresAt: '2026-11-21T13:00:00.000Z' });
  time.now += 3_600_000;
  t.equal(keys.find(secret, '::1'), null);
  t.notOk(keys.isGood(id));
  t.match(keys.list(), [{ expired: true }]);
});

t.test('a key is good from its networks alone', async t => {
  const { keys, table, again } = await setting();
  const cidrs = ['192.0.2.0/24', '2001:db8::/32', '10.1.2.3'];
  const { secret, id } = await keys.create({ ...plain, cidrs });
  for (const [address, good] of [
    ['192.0.2.200', true],
    ['::ffff:192.0.2.1', true],
    ['192.0.3.1', false],
    ['2001:db8:1::1', true],
    ['2001:db9::1', false],
    ['fe80::1%eth0', false],
    ['10.1.2.3', true],
    ['10.1.2.4', false],
    ['', false],
    ['nonsense', false],
  ] as const)
    t.equal(keys.find(secret, address) !== null, good, address);
  for (const cidr of ['192.0.2.0/33', '1.2.3.4.5', '300.0.0.1', '::/129'])
    await t.rejects(keys.create({ ...plain, name: cidr, cidrs: [cidr] }), { code: 'INVALID' }, cidr);
  const record = table.records.get(id);
  if (record !== undefined) record.cidrs = ['rubbish'];
  t.equal((await again()).find(secret, '192.0.2.1'), null, 'a record that cannot be read opens nothing');
});

t.test('names are unique, keys are bounded, uses are written now and then', async t => {
  const { keys, table, time } = await setting();
  const { secret, id } = await keys.create(plain);
  await t.rejects(keys.create(plain), { code: 'CONFLICT' });
  const both = await Promise.allSettled(['x', 'x'].map(name => keys.create({ ...plain, name })));
  t.strictSame(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  keys.find(secret, '10.0.0.1');
  time.now += 1000;
  keys.find(secret, '10.0.0.1');
  t.equal(table.records.get(id)?.usedAt, NOW);
  time.now += 60_000;
  keys.find(secret, '10.0.0.1');
  t.equal(table.records.get(id)?.usedAt, NOW + 61_000);
  for (let n = keys.list().length; n < 256; n++) await keys.create({ ...plain, name: `k${n}` });
  await t.rejects(keys.create({ ...plain, name: 'one more' }), { code: 'TOO_MANY' });
});
