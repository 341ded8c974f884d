// Private files in a shared folder are shared by no way at all, under whatever name they lie there, and folders of the system by nobody.
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type FileRecord, FileStore } from '../../../daemon/store/files.ts';
import { Store } from '../../../daemon/store/store.ts';
import { formatBase32 } from '../../../protocol/wire/urn.ts';
import { resolveSettings } from '../../../settings/resolve.ts';
import { command } from '../../support/command.ts';
import { HttpClient } from '../../support/http-client.ts';
import { find, names, openLibrary, sha1, spiedLog } from '../../support/library.ts';
import { startServent, until } from '../../support/running-servent.ts';

const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n';

const share = {
  'song.ogg': 'la',
  id_ed25519: KEY,
  'holiday picture.jpg': KEY,
  'safe.kdbx': 'x',
  '.env': 'TOKEN=x',
  backup: { 'notes.txt': 'SQLite format 3\0 logins', '.git': { config: 'x' } },
};

const leftOutOf = (folder: { leftOut: readonly { rule: string; files: number; folders: number }[] } | undefined) =>
  folder?.leftOut.map(({ rule, files, folders }) => `${rule} ${files} ${folders}`).sort();

const LEFT_OUT = ['database 1 0', 'password-store 1 0', 'private-key 2 0', 'secret-settings 1 1'];

t.test('private files are found by no word and no hash, and are counted and said', async t => {
  const root = t.testdir({ share, data: {} });
  const { library, messages, close } = await openLibrary(t, join(root, 'data'), [join(root, 'share')]);
  await library.settled();
  t.strictSame(names(library), ['song.ogg']);
  t.equal(library.list(0, 100).length, 1, 'nor are they listed as files to hash');
  for (const word of ['id', 'holiday', 'safe', 'notes']) t.strictSame(find(library, word), [], word);
  t.strictSame([...library.words()].sort(), ['ogg', 'song']);
  t.equal(library.bySha1(sha1(KEY)), null);
  t.strictSame(leftOutOf(library.folders()[0]), LEFT_OUT);
  t.match(library.folders(), [{ error: null, files: 1 }]);
  t.strictSame(messages, [], 'no warning: it is as it should be');
  await library.rescan();
  t.strictSame(leftOutOf(library.folders()[0]), LEFT_OUT, 'counted once, scan for scan');
  await close();

  const again = await openLibrary(t, join(root, 'data'), [join(root, 'share')]);
  await again.library.settled();
  t.strictSame(names(again.library), ['song.ogg']);
  t.strictSame(leftOutOf(again.library.folders()[0]), LEFT_OUT, 'known without being read again');
  writeFileSync(join(root, 'share', 'holiday picture.jpg'), 'a picture after all');
  await again.library.rescan();
  await again.library.settled();
  t.strictSame(names(again.library), ['holiday picture.jpg', 'song.ogg']);
  t.equal(again.library.hashing.done, 1);
});

t.test(
  'files that an earlier version hashed are judged before they are shared again, and not hashed again',
  async t => {
    const root = t.testdir({ share: { 'song.ogg': 'la', 'innocent.txt': KEY }, data: {} });
    const at = (name: string): string => join(root, 'share', name);
    const first = await openLibrary(t, join(root, 'data'), [join(root, 'share')]);
    await first.library.settled();
    await first.close();
    const { log } = spiedLog();
    const store = await Store.open(join(root, 'data', 'db'), log);
    const table = store.table<FileRecord>('files');
    for (const [name, bytes] of [
      ['song.ogg', 'la'],
      ['innocent.txt', KEY],
    ] as const) {
      const { size = 0, mtimeMs = 0 } = (await table.get(at(name))) ?? {};
      await table.put(at(name), { size, mtimeMs, sha1: formatBase32(sha1(bytes)) });
    }
    await store.close();
    const { library } = await openLibrary(t, join(root, 'data'), [join(root, 'share')]);
    await library.settled();
    t.strictSame(names(library), ['song.ogg']);
    t.equal(library.bySha1(sha1(KEY)), null);
    t.strictSame(leftOutOf(library.folders()[0]), ['private-key 1 0']);
    t.equal(library.hashing.done, 0);
  },
);

t.test('a download that is private is not shared either', async t => {
  const root = t.testdir({ share: {}, data: {} });
  const { library } = await openLibrary(t, join(root, 'data'), [join(root, 'share')]);
  await library.settled();
  for (const [name, bytes] of [
    ['fetched.txt', KEY],
    ['id_rsa', 'x'],
  ] as const) {
    const path = join(root, 'share', name);
    writeFileSync(path, bytes);
    t.equal(await library.addFile(path, sha1(bytes)), null, name);
  }
  t.equal(library.files, 0);
  await library.rescan();
  await library.settled();
  t.equal(library.files, 0);
  t.strictSame(leftOutOf(library.folders()[0]), ['private-key 2 0']);
  renameSync(join(root, 'share', 'fetched.txt'), join(root, 'share', 'moved.txt'));
  await library.rescan();
  await library.settled();
  t.equal(library.files, 0, 'under another name neither');
});

t.test('a store that forgot nothing of a private file keeps only its verdict', async t => {
  const root = t.testdir({ share: { 'a.txt': KEY }, data: {} });
  const { library, close } = await openLibrary(t, join(root, 'data'), [join(root, 'share')]);
  await library.settled();
  await library.rescan();
  await close();
  const { log } = spiedLog();
  const store = await Store.open(join(root, 'data', 'db'), log);
  const files = new FileStore(store, log);
  t.match(await files.lookUp([join(root, 'share', 'a.txt')]), [{ sha1: '', rule: 'private-key' }]);
  await store.close();
});

t.test('strangers get private files by no URL, and folders of the system are refused by every way in', async t => {
  const root = t.testdir({ share, data: { shared: {} }, outside: {} });
  const link = join(root, 'outside', 'innocent');
  symlinkSync('/etc', link);
  const { client, gnutella } = await startServent(t, join(root, 'data'));
  const { id } = await client.shareFolder({ path: join(root, 'share') });
  const folder = await until('the folder is judged', async () => {
    const found = (await client.folders({})).items.find(folder => folder.id === id);
    return found?.files === 1 && leftOutOf(found)?.join() === LEFT_OUT.join() ? found : null;
  });
  t.match(
    folder.leftOut.find(({ rule }) => rule === 'private-key'),
    { why: 'a private key', files: 2 },
  );
  const urn = `urn:sha1:${formatBase32(sha1(KEY))}`;
  for (const target of [
    `/uri-res/N2R?${urn}`,
    ...['id_ed25519', 'holiday%20picture.jpg', 'safe.kdbx'].flatMap(name =>
      [1, 2, 3, 4, 5, 6].map(i => `/get/${i}/${name}`),
    ),
    '/id_ed25519',
    '/../id_ed25519',
  ]) {
    const http = await HttpClient.open(t, gnutella.port);
    const { status, body } = await http.ask(`GET ${target} HTTP/1.1`);
    t.ok(status >= 400, `${target}: ${status}`);
    t.notMatch(body.toString('latin1'), 'OPENSSH');
  }
  const browsed = await (await HttpClient.open(t, gnutella.port)).ask(
    'GET / HTTP/1.1',
    'Accept: application/x-gnutella-packets',
    'Connection: close',
  );
  t.equal(browsed.status, 200);
  t.ok(browsed.body.includes('song.ogg'));
  t.notOk(['id_ed25519', 'holiday', 'safe', 'notes'].some(name => browsed.body.includes(name)));

  const refused = ['/', '/etc', '/proc', '/proc/self', link, homedir()];
  for (const path of refused) {
    await t.rejects(
      client.shareFolder({ path }),
      { message: /is (never|not) shared: .*Share a folder that holds only/ },
      path,
    );
    await t.rejects(client.changeConfig({ library: { folders: [path] } }), /is (never|not) shared: /, path);
  }
  t.equal((await client.folders({})).items.length, 2);
  const env = { SERVENT_DATA_DIR: join(root, 'data') };
  const said = /left out.*2 files \(a private key\)/;
  t.match((await command(['library'], { env })).err, said);
  t.match((await command(['doctor'], { env })).out, said);
  const cli = await command(['share', '/etc'], { env });
  t.not(cli.code, 0);
  t.match(cli.err, /\/etc is not shared: it holds the settings of the system.*--force/);
});

t.test('a start that is to share a folder of the system stops and says what to do', async t => {
  const root = t.testdir({ data: {} });
  const dataDir = join(root, 'data');
  for (const [sources, where] of [
    [{ env: {}, flags: { dataDir, 'library.folders': ['/etc'] } }, '--share'],
    [{ env: { SERVENT_LIBRARY_FOLDERS: homedir() }, flags: { dataDir } }, 'SERVENT_LIBRARY_FOLDERS'],
  ] as const)
    await t.rejects(resolveSettings(sources), {
      message: new RegExp(`^library\\.folders: expected folders that may be shared \\(.* is not shared: .*${where}`),
    });
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(dataDir, 'servent.yaml'), 'library:\n  folders: [/proc]\n');
  await t.rejects(resolveSettings({ env: {}, flags: { dataDir } }), /never shared: it shows running programs/);
  const { code, err } = await command([
    'start',
    '--data-dir',
    dataDir,
    '--profile',
    'local',
    '--port',
    '0',
    '--api-port',
    '0',
  ]);
  t.not(code, 0);
  t.match(err, /\/proc is never shared/);
});

t.test('a folder of the system that an earlier version shared is not shared any more', async t => {
  const root = t.testdir({ data: {}, share: { a: 'a' } });
  const { log } = spiedLog();
  const store = await Store.open(join(root, 'data', 'db'), log);
  await new FileStore(store, log).keepFolder('/etc', { addedAt: 1 });
  await store.close();
  const { library, messages } = await openLibrary(t, join(root, 'data'), [join(root, 'share')]);
  await library.settled();
  t.match(library.folders(), [{ files: 1 }, { path: '/etc', state: 'failed', files: 0, error: /not shared/ }]);
  t.equal(messages.length, 1);
});
