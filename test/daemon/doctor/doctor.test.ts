import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { DoctorView } from '../../../api/control.ts';
import { command } from '../../support/command.ts';
import { startServent, until } from '../../support/running-servent.ts';

const findingsOf = ({ findings }: DoctorView, name: string) => findings.filter(finding => finding.name === name);

t.test('doctor of a running servent tells what the daemon knows, and exits 1', async t => {
  const root = t.testdir({
    data: { store: { 'MANIFEST-000001': 'rubbish' }, 'store.damaged-long-ago': {} },
    share: { 'a.txt': 'a' },
    gone: {},
    'a-file': '',
    list: '<html>\nnot found\n',
    downloads: {},
  });
  const gone = join(root, 'gone');
  const { client, dataDir } = await startServent(t, join(root, 'data'), {
    'library.folders': [join(root, 'share'), gone],
    'downloads.folder': join(root, 'a-file', 'downloads'),
    'gnutella.blockLists': [join(root, 'list')],
  });
  await rm(gone, { recursive: true });
  await client.rescan();
  await until('the folder is missed', async () => {
    const { items } = await client.folders();
    return items.some(({ state }) => state === 'failed') ? true : null;
  });
  const said = await client.doctor();
  t.equal(said.ok, false);
  t.match(findingsOf(said, 'shared folder'), [
    { state: 'ok', detail: join(root, 'share') },
    { state: 'bad', detail: /gone does not exist/, mend: /rescan/ },
  ]);
  t.match(findingsOf(said, 'download folder'), [{ state: 'bad', detail: /a-file/, mend: /--download-dir/ }]);
  t.match(findingsOf(said, 'block list'), [{ state: 'bad', detail: /0 are understood: it blocks nobody/ }]);
  t.match(findingsOf(said, 'database'), [
    { state: 'warning', detail: /store.damaged-long-ago/ },
    { state: 'bad', detail: /store.damaged-\d{4}/, mend: /servent restore/ },
  ]);
  const env = { SERVENT_DATA_DIR: dataDir };
  const told = await command(['doctor'], { env });
  t.equal(told.code, 1);
  t.match(told.err, /^servent: 4 to fix: /);
  const status = await client.status();
  t.strictSame(
    status.attention.map(({ name }) => name),
    ['shared folder', 'block list', 'database'],
  );
  const shown = await command(['status'], { env });
  t.match(shown.out, /attention: +block list: .*blocks nobody/);
  t.match(shown.out, /servent doctor/);

  await mkdir(gone);
  await client.rescan();
  await until('the folder is there again', async () => {
    const { attention } = await client.status();
    return attention.some(({ name }) => name === 'shared folder') ? null : true;
  });
});

t.test('part files whose download is lost are named at the start, in status and by doctor, and stay', async t => {
  const root = t.testdir({ data: {}, downloads: { '.incomplete': { 'lost.part': '12345', 'a note.txt': '' } } });
  const folder = join(root, 'downloads');
  const { client } = await startServent(t, join(root, 'data'), { 'downloads.folder': folder });
  const lost = join(folder, '.incomplete', 'lost.part');
  t.strictSame((await client.status()).lostParts, { count: 1, bytes: 5, paths: [lost] });
  t.match((await client.status()).attention, [{ name: 'part files', detail: new RegExp(lost), mend: /backup/ }]);
  const urn = `urn:sha1:${'A'.repeat(32)}`;
  const { id } = await client.startDownload({ urn, name: 'known', size: 5, sources: [] });
  await writeFile(join(folder, '.incomplete', `${id}.part`), '1');
  t.match(findingsOf(await client.doctor(), 'part files'), [{ state: 'warning', detail: /^1 part file \(5 B\)/ }]);
  await rm(lost);
  t.strictSame(findingsOf(await client.doctor(), 'part files'), []);
  t.strictSame((await client.status()).lostParts, { count: 0, bytes: 0, paths: [] });
});

t.test('a change that waits for a restart is told until then', async t => {
  const { client } = await startServent(t, t.testdir({}));
  await client.changeConfig({ gnutella: { tls: true } });
  t.match((await client.status()).attention, [{ name: 'restart', detail: /gnutella.tls/ }]);
  await client.changeConfig({ gnutella: { tls: null } });
  t.strictSame((await client.status()).attention, []);
});

t.test('doctor without a daemon reads the block lists and looks into the folders', async t => {
  const root = t.testdir({ list: 'rubbish\n', 'a-file': '', data: { 'store.damaged-1': {} } });
  const env = {
    SERVENT_API: 'http://127.0.0.1:1',
    SERVENT_DATA_DIR: join(root, 'data'),
    SERVENT_GNUTELLA_PORT: '0',
    SERVENT_API_PORT: '0',
    SERVENT_GNUTELLA_BLOCK_LISTS: join(root, 'list'),
    SERVENT_DOWNLOADS_FOLDER: join(root, 'a-file', 'x'),
    SERVENT_LIBRARY_FOLDERS: join(root, 'unmounted'),
    SERVENT_API_TLS_CERT: join(root, 'a-file'),
    SERVENT_API_TLS_KEY: join(root, 'a-file'),
  };
  const { code, out } = await command(['doctor'], { env });
  t.equal(code, 1);
  for (const line of [
    /^BAD {3}block list: .*list has 1 line, of which 0 are understood/m,
    /^BAD {3}download folder: /m,
    /^BAD {3}shared folder: .*unmounted does not exist\n {6}-> .*mount its disk/m,
    /^BAD {3}API certificate: /m,
    /^note {2}database: .*store.damaged-1/m,
  ])
    t.match(out, line);
});
