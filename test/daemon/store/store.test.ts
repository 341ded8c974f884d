import { readdirSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Level } from 'level';
import { pino } from 'pino';
import t from 'tap';
import { Store } from '../../../daemon/store/store.ts';
import { damagedBy, StoreError, storeError } from '../../../daemon/store/store-error.ts';

interface Fruit {
  name: string;
  grams: number;
}

/** A logger and the records that it wrote. */
function spiedLog() {
  const records: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => records.push(JSON.parse(line)) });
  return { log, records };
}

async function collect<V>(entries: AsyncIterable<[string, V]>): Promise<[string, V][]> {
  const all: [string, V][] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

t.test('records outlive the store, table by table', async t => {
  const folder = join(t.testdir(), 'store');
  const { log, records } = spiedLog();
  const first = await Store.open(folder, log);
  const fruits = first.table<Fruit>('fruits');
  await fruits.put('b', { name: 'banana', grams: 120 });
  await fruits.batch([
    { type: 'put', key: 'a', value: { name: 'apple', grams: 180 } },
    { type: 'put', key: 'c', value: { name: 'cherry', grams: 8 } },
    { type: 'del', key: 'b' },
  ]);
  await first.table<number>('numbers').put('a', 7, { durable: true });
  await first.close();
  await first.close();

  const second = await Store.open(folder, log);
  t.teardown(() => second.close());
  t.strictSame(await collect(second.table<Fruit>('fruits').entries()), [
    ['a', { name: 'apple', grams: 180 }],
    ['c', { name: 'cherry', grams: 8 }],
  ]);
  t.strictSame(await collect(second.table<Fruit>('fruits').entries({ gt: 'a', limit: 1 })), [
    ['c', { name: 'cherry', grams: 8 }],
  ]);
  t.equal(await second.table<number>('numbers').get('a'), 7);
  t.equal(await second.table<number>('numbers').get('b'), undefined);
  await second.table<number>('numbers').clear();
  t.strictSame(await collect(second.table<number>('numbers').entries()), []);
  t.equal(second.damagedAside, null);
  t.strictSame(records, [], 'and nothing was worth a line in the log');
});

t.test('a second servent on the same folder is told what to do', async t => {
  const folder = join(t.testdir(), 'store');
  const { log } = spiedLog();
  const first = await Store.open(folder, log);
  t.teardown(() => first.close());
  await first.table<number>('numbers').put('a', 1);
  await t.rejects(Store.open(folder, log), {
    name: 'StoreError',
    code: 'STORE_LOCKED',
    message: `another servent is using ${folder}: stop it, or give this one its own --data-dir`,
  });
  t.equal(await first.table<number>('numbers').get('a'), 1, 'and the first one goes on');
  await first.table<number>('numbers').put('a', 2);
});

const damages: Record<string, (folder: string) => void> = {
  'a manifest of rubbish': folder => overwrite(folder, 'MANIFEST-'),
  'an empty manifest': folder => truncateSync(only(folder, 'MANIFEST-'), 0),
  'a lost manifest': folder => unlinkSync(only(folder, 'MANIFEST-')),
  'a CURRENT of rubbish': folder => overwrite(folder, 'CURRENT'),
  'a lost CURRENT': folder => unlinkSync(join(folder, 'CURRENT')),
  'tables of rubbish': folder => overwrite(folder, '.ldb'),
  'a table cut short': folder => truncateSync(only(folder, '.ldb'), 40),
  'a lost table': folder => unlinkSync(only(folder, '.ldb')),
  'rubbish in the middle of a table': folder => {
    const path = only(folder, '.ldb');
    const bytes = readFileSync(path);
    bytes.fill(0x5a, bytes.length >> 1, (bytes.length >> 1) + 5000);
    writeFileSync(path, bytes);
  },
  'a schema version of rubbish': () => {},
};

for (const [what, damage] of Object.entries(damages)) {
  t.test(`${what}: said, kept aside, begun anew`, async t => {
    const parent = t.testdir();
    const folder = join(parent, 'store');
    await fill(folder, what.startsWith('a schema') ? 'x1' : '1');
    damage(folder);
    const before = readdirSync(folder).filter(name => name.endsWith('.ldb'));

    const { log, records } = spiedLog();
    const store = await Store.open(folder, log);
    t.teardown(() => store.close());
    t.match(records, [{ level: 50, code: 'STORE_DAMAGED', aside: store.damagedAside, damage: String }]);
    t.equal(records.length, 1);
    t.match(store.damagedAside, /store\.damaged-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d$/);
    for (const name of before) t.ok(readdirSync(store.damagedAside ?? '').includes(name), `${name} was kept`);
    const numbers = store.table<number>('numbers');
    t.strictSame(await collect(numbers.entries()), []);
    await numbers.put('a', 1);
    t.equal(await numbers.get('a'), 1);
  });
}

t.test('hash trees are not read at the start, unless damage was found in use', async t => {
  const folder = join(t.testdir(), 'store');
  await fill(folder, '1', 'trees');
  const path = only(folder, '.ldb');
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x5a, bytes.length >> 1, (bytes.length >> 1) + 5000));
  const { log, records } = spiedLog();
  const first = await Store.open(folder, log);
  t.equal(first.damagedAside, null);
  await first.table<number>('numbers').put('a', 1);
  const keys = Array.from({ length: 2000 }, (_, n) => `k${n}`);
  await t.rejects(first.table<string>('trees').getMany(keys), { code: 'STORE_DAMAGED' });
  t.equal(await first.table<number>('numbers').get('a'), 1, 'other tables are still read');
  await first.close();
  t.strictSame(records, []);

  const second = await Store.open(folder, log);
  t.match(second.damagedAside, /store\.damaged-/);
  await second.close();
  const third = await Store.open(folder, log);
  t.teardown(() => third.close());
  t.equal(third.damagedAside, null);
});

t.test('two damages within a second keep both predecessors', async t => {
  const parent = t.testdir();
  const folder = join(parent, 'store');
  const { log } = spiedLog();
  for (let round = 0; round < 2; round++) {
    const store = await Store.open(folder, log);
    await store.close();
    overwrite(folder, 'CURRENT');
  }
  await (await Store.open(folder, log)).close();
  t.equal(readdirSync(parent).filter(name => name.startsWith('store.damaged-')).length, 2);
});

/** Folder of a store with 2,000 records in a table and 100 in the journal, whose path is returned too. */
async function journalled(t: { testdir(): string }) {
  const folder = join(t.testdir(), 'store');
  await fill(folder, '1');
  const raw = new Level<string, string>(folder);
  await raw.open();
  for (let n = 0; n < 100; n++) await raw.sublevel('texts').put(`k${n}`, JSON.stringify('x'.repeat(100)));
  await raw.close();
  return { folder, journal: only(folder, '.log') };
}

t.test('damage in the middle of the journal costs the writes there, and is said', async t => {
  const { folder, journal } = await journalled(t);
  const bytes = readFileSync(journal);
  const value = bytes.indexOf('x'.repeat(100), bytes.length >> 1); // LevelDB takes a wrong length near the end for a write cut short
  writeFileSync(journal, bytes.fill(0x5a, value, value + 50));
  const { log, records } = spiedLog();
  const store = await Store.open(folder, log);
  t.teardown(() => store.close());
  t.equal(store.damagedAside, null);
  t.match(records, [{ level: 50, code: 'STORE_DAMAGED', lostBytes: store.lostBytes }]);
  t.ok(store.lostBytes > 0 && store.lostBytes <= bytes.length, `${store.lostBytes} of ${bytes.length} bytes`);
  t.equal((await collect(store.table<number>('numbers').entries())).length, 2000);
  t.ok((await collect(store.table<string>('texts').entries())).length < 100);
});

t.test('a journal whose last write was cut short is not damage', async t => {
  const { folder, journal } = await journalled(t);
  truncateSync(journal, statSync(journal).size - 5);
  const { log, records } = spiedLog();
  const store = await Store.open(folder, log);
  t.teardown(() => store.close());
  t.equal(store.lostBytes, 0);
  t.strictSame(records, []);
  t.equal((await collect(store.table<string>('texts').entries())).length, 99);
});

t.test('a record that is not JSON is skipped and counted', async t => {
  const folder = join(t.testdir(), 'store');
  const raw = new Level<string, string>(folder);
  await raw.open();
  await raw.sublevel('numbers').put('a', '{"cut');
  await raw.sublevel('numbers').put('b', '2');
  await raw.close();
  const { log, records } = spiedLog();
  const store = await Store.open(folder, log);
  t.teardown(() => store.close());
  const numbers = store.table<number>('numbers');
  t.strictSame(await collect(numbers.entries()), [['b', 2]]);
  t.equal(await numbers.get('a'), undefined);
  t.equal(numbers.unreadable, 2);
  t.match(records[0], { level: 40, table: 'numbers', key: 'a' });
});

t.test('a store of a newer servent is refused and left alone', async t => {
  const parent = t.testdir();
  const folder = join(parent, 'store');
  await fill(folder, '99');
  const { log } = spiedLog();
  await t.rejects(Store.open(folder, log), { code: 'STORE_NEWER', message: /schema 99/ });
  t.strictSame(readdirSync(parent), ['store']);
});

t.test('a folder that cannot be one is named with what to do', async t => {
  const parent = t.testdir({ file: 'not a folder' });
  const { log } = spiedLog();
  for (const path of [join(parent, 'file'), join(parent, 'file', 'store')]) {
    await t.rejects(Store.open(path, log), { code: 'STORE_UNREADABLE', message: /--data-dir/ });
  }
});

t.test('the words of LevelDB become typed errors', async t => {
  const level = (code: string, message: string) => Object.assign(new Error(message), { code });
  const wrapped = new Error('Database failed to open', {
    cause: level('LEVEL_IO_ERROR', 'IO error: /d/000003.log: No space left on device'),
  });
  t.match(storeError(wrapped, '/d'), { code: 'STORE_FULL', message: 'no space left for /d', cause: wrapped });
  t.match(storeError(level('ENOSPC', 'ENOSPC: no space left on device, mkdir'), '/d'), { code: 'STORE_FULL' });
  t.match(storeError(level('LEVEL_IO_ERROR', 'IO error: /d/LOCK: Permission denied'), '/d'), {
    code: 'STORE_UNREADABLE',
  });
  t.match(storeError(level('LEVEL_IO_ERROR', 'IO error: /d/x: Too many open files'), '/d'), { code: 'STORE_FAILED' });
  t.match(storeError('odd', '/d'), { code: 'STORE_FAILED', message: /odd/ });
  t.equal(damagedBy(wrapped), null, 'a full disk is not damage');
  const locked = new StoreError('STORE_LOCKED', 'x');
  t.equal(damagedBy(locked), null);
  t.equal(storeError(locked, '/d'), locked);
});

t.test('only plain words name a table', async t => {
  const { log } = spiedLog();
  const store = await Store.open(join(t.testdir(), 'store'), log);
  t.teardown(() => store.close());
  for (const name of ['', 'A', 'a!b', '../x', '9']) t.throws(() => store.table(name), RangeError);
});

/** 2,000 records moved into a table file, under a schema version of the caller's. */
async function fill(folder: string, schema: string, table = 'numbers'): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const raw = new Level<string, string>(folder);
  await raw.open();
  await raw.sublevel('meta').put('schema', schema);
  const numbers = raw.sublevel(table);
  const text = (n: number) => JSON.stringify(`${n} `.repeat(40));
  await numbers.batch(Array.from({ length: 2000 }, (_, n) => ({ type: 'put', key: `k${n}`, value: text(n) })));
  await raw.close();
  await raw.open(); // turns the journal of the last time into a table
  await raw.close();
}

function only(folder: string, part: string): string {
  const name = readdirSync(folder).find(each => each.startsWith(part) || each.endsWith(part));
  if (name === undefined) throw new Error(`no ${part} in ${folder}`);
  return join(folder, name);
}

function overwrite(folder: string, part: string): void {
  const path = only(folder, part);
  writeFileSync(path, Buffer.alloc(readFileSync(path).length, 0x5a));
}
