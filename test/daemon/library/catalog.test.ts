import fc from 'fast-check';
import t from 'tap';
import { Catalog } from '../../../daemon/library/catalog.ts';
import { SharedFolder } from '../../../daemon/library/shared-folder.ts';

const found = (path: string, size = 1, dev = 1) => ({
  ...{ path, size, dev },
  name: path.slice(path.lastIndexOf('/') + 1),
  mtimeMs: 1_700_000_000_000.25,
  ctimeMs: 1_700_000_000_001.5,
});
const sha1 = (n: number): Buffer => Buffer.alloc(20, n);

t.test('a catalog holds what was added and not removed, by path, by index and for searches', async () => {
  const path = fc
    .tuple(fc.constantFrom('/', '/a', '/a/b', '/ab'), fc.constantFrom('x', 'y.txt', 'é', '日本', 'b'))
    .map(([folder, name]) => (folder === '/' ? `/${name}` : `${folder}/${name}`));
  const step = fc.record({
    path,
    size: fc.integer({ min: 1, max: 3 }),
    what: fc.constantFrom('add', 'share', 'remove'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const catalog = new Catalog();
      const folder = new SharedFolder('/', true);
      const known = new Map<string, { index: number; size: number; shared: boolean }>();
      const used = new Set<number>();
      for (const { path, size, what } of steps) {
        const before = known.get(path);
        const entry = catalog.byPath(path);
        if (entry?.index !== before?.index) return false;
        if (entry === null) {
          if (what !== 'add') continue;
          const added = catalog.add(found(path, size), folder);
          if (used.has(added.index)) return false;
          used.add(added.index);
          known.set(path, { index: added.index, size, shared: false });
        } else if (what === 'share') {
          catalog.share(entry, {
            sha1: sha1(entry.index % 256),
            tigerRoot: entry.index % 2 === 0 ? Buffer.alloc(24, entry.index % 256) : null,
          });
          if (before !== undefined) before.shared = true;
        } else if (what === 'remove') {
          if (catalog.remove(entry) !== before?.shared || catalog.remove(entry)) return false;
          known.delete(path);
        }
      }
      const shared = [...known.values()].filter(({ shared }) => shared);
      return (
        catalog.size === known.size &&
        folder.files === shared.length &&
        folder.bytes === shared.reduce((sum, { size }) => sum + size, 0) &&
        catalog
          .list(-1, 1000)
          .map(({ path }) => path)
          .sort()
          .join() === [...known.keys()].sort().join() &&
        [...known].every(([path, { index, size, shared }]) => {
          const entry = catalog.byIndex(index);
          return (
            entry?.path === path &&
            entry.size === size &&
            (entry.file !== null) === shared &&
            catalog.pathOf(index) === path &&
            catalog.isShared(index) === shared
          );
        })
      );
    }),
  );
});

t.test('what a scan has not seen is told, and counts of a file end with it', async t => {
  const catalog = new Catalog();
  const [one, two] = [new SharedFolder('/one', true), new SharedFolder('/two', true)];
  const old = catalog.add(found('/one/old'), one);
  catalog.countHit(old.index);
  catalog.countUpload(old.index);
  t.same([old.hits, old.uploads], [1, 1]);
  catalog.add(found('/one/kept'), one);
  catalog.add(found('/two/other'), two);
  one.generation++;
  t.equal(catalog.see(found('/one/kept'), one), 2);
  t.equal(catalog.see(found('/one/kept', 7), one), -1, 'another size');
  t.equal(catalog.see(found('/one/new'), one), -1);
  t.strictSame([...catalog.indicesIn(({ folder }) => folder === one, one.generation)].flat(), [1]);
  t.strictSame([...catalog.indicesIn(({ folder }) => folder === one)].flat(), [1, 2]);
  catalog.remove(old);
  const next = catalog.add(found('/one/next'), one);
  t.same([next.index, next.hits, next.uploads, old.hits], [4, 0, 0, 0]);
  t.equal(catalog.byIndex(old.index), null);
});
