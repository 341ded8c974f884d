import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Catalog, type CatalogEntry } from '../../../daemon/library/catalog.ts';
import type { HashJob } from '../../../daemon/library/hash-pool.ts';
import { SCRUB_RULES, Scrub } from '../../../daemon/library/scrub.ts';
import { SharedFolder } from '../../../daemon/library/shared-folder.ts';
import { silentLog } from '../../../daemon/log.ts';
import { FileStore } from '../../../daemon/store/files.ts';
import { Store } from '../../../daemon/store/store.ts';
import { TigerTree } from '../../../protocol/digest/tiger-tree.ts';
import { formatBase32 } from '../../../protocol/wire/urn.ts';

const MIB = 2 ** 20;
const HOUR_MS = 3_600_000;
const { roundMs } = SCRUB_RULES;

/** Files of 8 MiB under /share, virtual time, and reads that take none of it. */
async function scene(t: Test, names: readonly string[]) {
  const store = await Store.open(join(t.testdir(), 'db'), silentLog);
  t.teardown(() => store.close());
  const files = new FileStore(store, silentLog);
  const catalog = new Catalog();
  const folder = new SharedFolder('/share', false);
  const entries = names.map((name, i): CatalogEntry => {
    const content = {
      sha1: Buffer.alloc(20, i + 1),
      tigerRoot: name.startsWith('treeless') ? null : Buffer.alloc(24, i + 1),
    };
    const found = { path: `/share/${name}`, name, size: 8 * MIB, mtimeMs: 1, ctimeMs: 1, dev: 1 };
    files.remember(found.path, { size: found.size, mtimeMs: 1, sha1: formatBase32(content.sha1) });
    const entry = catalog.add(found, folder);
    catalog.share(entry, content);
    return entry;
  });
  await files.flush();
  const clock = { now: 1_000_000, idle: true };
  const reads: string[] = [];
  const make = () =>
    new Scrub({
      catalog,
      store: files,
      log: silentLog,
      hashPool: {
        submit: ({ path, pace, done }: HashJob) => {
          reads.push(`${path.slice(7)} at ${(pace ?? 0) / MIB} MiB/s`);
          done({ kind: 'changed' });
        },
      },
      isIdle: () => clock.idle,
      onRead: entry => {
        if (entry.file?.tigerRoot !== null) return 'same';
        catalog.addTree(entry, Buffer.alloc(24, 9));
        return 'tree';
      },
      now: () => clock.now,
    });
  /** Steps for so long; the names of what was read, since the last call. */
  const pass = async (scrub: Scrub, ms: number): Promise<string[]> => {
    for (const end = clock.now + ms; clock.now < end; )
      clock.now += Math.max(1, Math.min(await scrub.step(), end - clock.now));
    return reads.splice(0);
  };
  return { catalog, entries, clock, make, pass, files };
}

t.test(
  'missing trees are made first, the one that is asked for before others, and none while there is work',
  async t => {
    const { catalog, entries, clock, make, pass } = await scene(t, ['a', 'treeless b', 'treeless c', 'treeless d']);
    const scrub = make();
    clock.idle = false;
    t.strictSame(await pass(scrub, HOUR_MS), []);
    clock.idle = true;
    const asked = entries[2];
    if (asked !== undefined) t.equal(await scrub.treeOf(asked), null);
    const started = clock.now;
    t.equal(await scrub.step(), 250, '8 MiB at 32 MiB/s');
    t.equal(await scrub.step(), 250, 'not before');
    clock.now += 250;
    t.strictSame(
      await pass(scrub, 1000),
      ['treeless c', 'treeless b', 'treeless d'].map(name => `${name} at 32 MiB/s`),
    );
    t.equal(catalog.treeless, 0);
    t.ok(clock.now - started < 2000);
    t.strictSame(await pass(scrub, HOUR_MS), []);
  },
);

t.test('every file is read once in 90 days at a low pace, and a restart goes on where the last run was', async t => {
  const names = Array.from({ length: 250 }, (_, i) => `file ${1000 + i}`);
  const { clock, make, pass, entries, catalog } = await scene(t, names);
  const scrub = make();
  t.strictSame(await pass(scrub, 60_000), []);
  clock.now += roundMs - HOUR_MS;
  t.strictSame(await pass(scrub, 60_000), [], 'the files have just been hashed');
  clock.now += HOUR_MS;
  const read = (await pass(scrub, 240_000)).map(text => text.slice(0, 9));
  t.ok(read.length > 110 && read.length <= 120, `${read.length} files of 8 MiB in 240 s at 4 MiB/s`);
  const [gone] = entries.slice(-1);
  if (gone !== undefined) catalog.remove(gone);
  const again = make();
  const rest = (await pass(again, HOUR_MS)).map(text => text.slice(0, 9));
  t.strictSame([...new Set([...read, ...rest])], names.slice(0, -1), 'each file that is still there, in order');
  t.ok(read.length + rest.length < names.length + 100, 'a page of records at most is read twice');
  clock.now += roundMs - 2 * HOUR_MS;
  t.strictSame(await pass(again, 60_000), []);
  clock.now += HOUR_MS;
  t.equal((await pass(again, HOUR_MS)).length, names.length - 1, 'the next round');
  again.begin();
  t.equal((await pass(again, HOUR_MS)).length, names.length - 1, 'a round begun by hand');
});

t.test('a round that begins while the kept one is read from the store is not lost', async t => {
  const { make, pass } = await scene(t, ['a']);
  const scrub = make();
  const step = scrub.step();
  scrub.begin();
  await step;
  t.strictSame(await pass(scrub, HOUR_MS), ['a at 4 MiB/s']);
});

t.test('a tree that is asked for again is not read from the store again', async t => {
  const { entries, make, files } = await scene(t, ['a']);
  const scrub = make();
  const [entry] = entries;
  if (entry === undefined) throw new Error('there is a file');
  const leaves = Buffer.alloc(64 * 24, 7); // 8 MiB: depth 6
  const { root } = new TigerTree(8 * MIB, 6, leaves);
  let reads = 0;
  files.leavesOf = async () => {
    reads++;
    return leaves;
  };
  const asked = Object.create(entry, { file: { value: { ...entry.file, tigerRoot: root } } }) as CatalogEntry;
  for (let i = 0; i < 3; i++) t.ok((await scrub.treeOf(asked))?.root.equals(root));
  t.equal(reads, 1);
});
