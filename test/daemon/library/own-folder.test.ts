// The data folder holds token, keys and state: nobody gets them by sharing it, a folder above it, or a link to it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { OwnFolder } from '../../../daemon/library/own-folder.ts';
import { resolveSettings } from '../../../settings/resolve.ts';
import { find, names, openLibrary } from '../../support/library.ts';
import { startServent, until } from '../../support/running-servent.ts';

/** A home with music in it, and a data folder as a servent leaves it. */
function home(t: Test): { music: string; data: string; db: string } {
  const root = t.testdir({
    db: {},
    music: {
      'song.ogg': 'la',
      servent: {
        'api-token': 'secret-token',
        'servent.yaml': 'profile: local',
        store: { CURRENT: 'manifest' },
        notes: { 'diary.txt': 'dear' },
        shared: { 'gift.txt': 'for you' },
        downloads: { 'film.ogg': 'whole', '.incomplete': { 'd1.part': 'half' } },
      },
    },
  });
  const music = join(root, 'music');
  return { music, data: join(music, 'servent'), db: join(root, 'db') };
}

t.test('a folder above the data folder is shared without it, but for what its owner named', async t => {
  const { music, data, db } = home(t);
  const named = [join(data, 'shared'), join(data, 'downloads')];
  const { library } = await openLibrary(t, db, [music], { own: new OwnFolder(data, () => named) });
  await library.settled();
  t.strictSame(names(library), ['film.ogg', 'gift.txt', 'song.ogg']);
  t.strictSame(find(library, 'token'), []);
});

t.test('neither the data folder, nor a link to it, nor its state is taken', async t => {
  const { music, data, db } = home(t);
  const link = join(music, 'innocent');
  symlinkSync(data, link);
  const { library } = await openLibrary(t, db, [link], { own: new OwnFolder(link, () => []) });
  await library.settled();
  t.match(library.folders(), [{ state: 'failed', error: /which must stay private: share another folder/ }]);
  symlinkSync(data, join(music, 'twin'));
  for (const path of [data, join(music, 'twin'), `${data}/`, join(data, 'store'), join(music, 'twin', 'store')])
    await t.rejects(library.addFolder(path), { code: 'LIBRARY_FOLDER_PRIVATE' }, path);
  t.equal(library.files, 0);
  const [failed] = library.folders();
  await library.removeFolder(failed?.id ?? '');
  await library.addFolder(join(data, 'downloads', '.incomplete'));
  await library.addFolder(join(data, 'notes'));
  await library.settled();
  t.strictSame(names(library), ['diary.txt'], 'a folder of its own is; parts of downloads are not');
});

t.test('the data folder is not shared through a second mount of it', async t => {
  const { music, data, db } = home(t);
  const mount = join(music, 'mount');
  mkdirSync(mount);
  if (spawnSync('mount', ['--bind', data, mount]).status !== 0) {
    void t.test('a second mount', { skip: 'this user cannot mount a folder' }, () => undefined);
    return;
  }
  try {
    const { library } = await openLibrary(t, db, [music], { own: new OwnFolder(data, () => [join(data, 'shared')]) });
    await library.settled();
    t.strictSame(names(library), ['gift.txt', 'song.ogg']);
    const [folder] = library.folders();
    await library.removeFolder(folder?.id ?? '');
    for (const path of [mount, join(mount, 'store'), join(mount, 'notes')])
      await t.rejects(library.addFolder(path), { code: 'LIBRARY_FOLDER_PRIVATE' }, path);
  } finally {
    spawnSync('umount', [mount]);
  }
});

t.test('a configuration that shares the data folder, or a link to it, is refused with what to do', async t => {
  const { music, data } = home(t);
  const link = join(music, 'innocent');
  symlinkSync(data, link);
  for (const path of [data, link])
    await t.rejects(resolveSettings({ env: {}, flags: { dataDir: data, 'library.folders': [path] } }), {
      message: /^library\.folders: expected folders other than the data folder.*--share/,
    });
});

t.test('a running servent refuses its data folder by every way in', async t => {
  const root = t.testdir({ data: { shared: {} }, outside: {} });
  const [data, outside] = [join(root, 'data'), join(root, 'outside')];
  const link = join(outside, 'innocent');
  symlinkSync(data, link);
  const { client } = await startServent(t, data);
  const own = (await client.folders({})).items[0];
  await client.unshareFolder({ id: own?.id ?? '' });
  for (const path of [data, link, join(data, 'store')]) {
    await t.rejects(client.shareFolder({ path }), /token, keys and state/, path);
  }
  for (const path of [data, link])
    await t.rejects(client.changeConfig({ library: { folders: [path] } }), /other than the data folder/, path);
  writeFileSync(join(outside, 'song.ogg'), 'la');
  await client.shareFolder({ path: outside });
  const files = await until('the song is shared', async () => {
    const { items } = await client.files({});
    return items.length > 0 ? items : null;
  });
  t.strictSame(
    files.map(({ name }) => name),
    ['song.ogg'],
  );
});
