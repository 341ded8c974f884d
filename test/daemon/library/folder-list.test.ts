// The list of shared folders: none inside another, and each with what was chosen for it, at later starts too.
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FolderList } from '../../../daemon/library/folder-list.ts';
import { silentLog } from '../../../daemon/log.ts';
import { FileStore } from '../../../daemon/store/files.ts';
import { Store } from '../../../daemon/store/store.ts';

async function scene(t: Test) {
  const folder = t.testdir({ music: { live: {} }, films: {} });
  const store = await Store.open(join(folder, 'store'), silentLog);
  t.teardown(() => store.close());
  const files = new FileStore(store, silentLog);
  const at = (...path: string[]): string => join(folder, ...path);
  const open = async (...configured: string[]): Promise<FolderList> => {
    const list = new FolderList({ store: files, own: null, exclude: ['*.tmp'], log: silentLog, now: () => 7 });
    await list.load(configured);
    return list;
  };
  return { at, open };
}

const pathsOf = (list: FolderList): string[] => Array.from(list, ({ path }) => path);

t.test('a folder inside a shared one, or around it, is refused', async t => {
  const { at, open } = await scene(t);
  const list = await open(at('music'));
  await t.rejects(list.add(at('music', 'live'), {}), { code: 'LIBRARY_FOLDER_OVERLAPS', message: /inside/ });
  const { id } = await list.add(at('films'), {});
  await list.remove([...list][0]?.id ?? '');
  await list.add(at('music', 'live'), {});
  await t.rejects(list.add(at('music'), {}), { code: 'LIBRARY_FOLDER_OVERLAPS', message: /unshare it first/ });
  t.strictSame(pathsOf(list), [at('films'), at('music', 'live')]);
  t.equal((await list.remove(id)).removed, true);
  t.throws(() => list.get(id), { code: 'LIBRARY_FOLDER_UNKNOWN' });
});

t.test('folders that were added, and what was chosen for all, are there at the next start', async t => {
  const { at, open } = await scene(t);
  const first = await open(at('music'));
  await first.change([...first][0]?.id ?? '', { label: 'songs' });
  await first.add(at('films'), { exclude: ['*.nfo'] });
  const second = await open(at('music'));
  t.strictSame(pathsOf(second), [at('music'), at('films')]);
  t.strictSame(
    Array.from(second, ({ choices: { label, exclude } }) => [label, ...exclude]),
    [['songs'], [null, '*.nfo']],
  );
  t.strictSame(pathsOf(await open()), [at('films')], 'one of the configuration is shared by it alone');
});

t.test('the folder of a file is told, unless its owner or a pattern for all leaves it out', async t => {
  const { at, open } = await scene(t);
  const list = await open(at('music'), at('films'));
  const [, films] = [...list];
  const folderOf = (...path: string[]): string | null => list.of(at(...path))?.path ?? null;
  await list.change(films?.id ?? '', { exclude: ['cut'] });
  t.equal(folderOf('films', 'a'), at('films'));
  t.strictSame([folderOf('films', 'cut'), folderOf('music', 'a.tmp'), folderOf('other')], [null, null, null]);
  list.exclude = [];
  t.equal(folderOf('music', 'a.tmp'), at('music'));
  t.strictSame(list.sample(at('films'), { label: 'x' }).choices, { exclude: ['cut'], force: false, label: 'x' });
});
