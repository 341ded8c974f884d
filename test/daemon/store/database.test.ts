import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Database } from '../../../daemon/store/database.ts';
import { Table } from '../../../daemon/store/table.ts';

const QUOTA = Object.assign(new Error('IO error: Disk quota exceeded'), { code: 'LEVEL_IO_ERROR' });

async function opened(t: Test) {
  const clock = { ms: 0 };
  const path = join(t.testdir(), 'store');
  const database = new Database(path, () => clock.ms);
  await database.open();
  t.teardown(() => database.close());
  const table = new Table<number>('numbers', database, silentLog);
  /** A write that fails on the disk: the database is opened anew by the next one. */
  const tear = () =>
    t.rejects(
      database.write('numbers', () => Promise.reject(QUOTA)),
      { code: 'STORE_FULL' },
    );
  return { clock, path, database, table, tear };
}

const keyOf = (n: number) => String(n).padStart(4, '0');

async function keys(entries: AsyncIterable<[string, number]>): Promise<string[]> {
  const all: string[] = [];
  for await (const [key] of entries) all.push(key);
  return all;
}

t.test('who reads a long table while a failed write has the database opened anew reads on to its end', async t => {
  const { table, tear } = await opened(t);
  const all = Array.from({ length: 1200 }, (_, n) => keyOf(n));
  await table.batch(all.map((key, value) => ({ type: 'put', key, value })));
  const reading = table.entries();
  t.strictSame((await reading.next()).value, ['0000', 0]);
  await tear();
  const meanwhile = keys(table.entries({ reverse: true }));
  await table.put('zzz', 1);
  t.strictSame(await keys(reading), [...all.slice(1), 'zzz']);
  t.strictSame(
    (await meanwhile).filter(key => key !== 'zzz'),
    all.toReversed(),
    'a page under way is waited for',
  );
});

t.test('a range that spans pages ends where it should, in both directions', async t => {
  const { table } = await opened(t);
  const all = Array.from({ length: 1200 }, (_, n) => keyOf(n));
  await table.batch(all.map((key, value) => ({ type: 'put', key, value })));
  const some = all.slice(10, 1190);
  for (const range of [
    { gte: '0010', lt: '1190' },
    { gt: '0009', lte: '1189' },
  ]) {
    t.strictSame(await keys(table.entries(range)), some);
    t.strictSame(await keys(table.entries({ ...range, reverse: true })), some.toReversed());
    t.strictSame(await keys(table.entries({ ...range, limit: 700 })), some.slice(0, 700));
    t.strictSame(await keys(table.entries({ ...range, limit: 0 })), []);
  }
});

t.test('while there is no room the disk is tried once a second, however much is to be written', async t => {
  const { clock, path, table, tear } = await opened(t);
  await tear();
  const probe = join(path, 'room.probe'); // what is to be written to see whether there is room
  await mkdir(probe);
  const refused = { code: 'STORE_FAILED' };
  await t.rejects(table.put('a', 1), refused);
  await rmdir(probe);
  clock.ms = 999;
  for (let n = 0; n < 3; n++) await t.rejects(table.put('a', 1), refused, 'as was found before');
  t.equal(await table.get('a'), undefined, 'what is stored can be read');
  clock.ms = 1000;
  await table.put('a', 2);
  t.equal(await table.get('a'), 2);
});

t.test('a write to a database that is closed says that the servent is stopping', async t => {
  const { database, table } = await opened(t);
  await database.close();
  for (let n = 0; n < 2; n++) await t.rejects(table.put('a', 1), { code: 'STORE_CLOSED' });
});
