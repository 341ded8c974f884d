// What is excluded leaves the library at once and comes back when it is not; forced folders; previews.
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { OwnFolder } from '../../../daemon/library/own-folder.ts';
import { neverShared } from '../../../settings/never-shared.ts';
import { find, names, openLibrary, sha1 } from '../../support/library.ts';
import { secretSamples, writeSamples } from '../../support/secret-samples.ts';

const share = { 'song.ogg': 'la', 'disk.iso': 'iso', drafts: { 'song draft.ogg': 'l' }, deep: { 'keep.iso': 'keep' } };
const rulesOf = (folder: { leftOut: readonly { rule: string; files: number; folders: number }[] } | undefined) =>
  folder?.leftOut.map(({ rule, files, folders }) => `${rule} ${files} ${folders}`).sort();

t.test('a changed exclusion drops what it excludes before it resolves, and counts it by its pattern', async t => {
  const root = t.testdir({ share, data: {} });
  const { library, close } = await openLibrary(t, join(root, 'data'), [join(root, 'share')], { exclude: ['/drafts/'] });
  await library.settled();
  t.strictSame(names(library), ['disk.iso', 'keep.iso', 'song.ogg']);
  await library.useExclude(['*.iso']);
  t.strictSame([names(library), find(library, 'disk'), library.bySha1(sha1('iso'))], [['song.ogg'], [], null]);
  t.notOk([...library.words()].includes('iso'));
  await library.settled();
  t.strictSame(names(library), ['song draft.ogg', 'song.ogg'], 'what is not excluded any more is back');
  t.strictSame(rulesOf(library.folders()[0]), ['exclude: *.iso 2 0']);
  t.match(library.folders()[0]?.leftOut, [{ why: 'excluded by *.iso' }]);

  const { id = '' } = library.folders()[0] ?? {};
  await library.changeFolder(id, { exclude: ['!keep.iso', 'drafts'] });
  t.strictSame(names(library), ['song.ogg']);
  await library.settled();
  t.strictSame(names(library), ['keep.iso', 'song.ogg'], 'patterns of the folder come last');
  t.strictSame(rulesOf(library.folders()[0]), ['exclude: *.iso 1 0', 'exclude: drafts 0 1']);
  const draft = join(root, 'share', 'drafts', 'song draft.ogg');
  t.equal(await library.addFile(draft, sha1('l')), null, 'nor is a download into an excluded folder shared');
  await close();

  const again = await openLibrary(t, join(root, 'data'), [join(root, 'share')], { exclude: ['*.iso'] });
  await again.library.settled();
  t.strictSame(names(again.library), ['keep.iso', 'song.ogg'], 'and are kept for a folder of the configuration');
  t.equal(again.library.hashing.done, 0);
});

t.test('patterns of a folder added at run time are in force from its first scan and after a restart', async t => {
  const root = t.testdir({ share, data: {} });
  const first = await openLibrary(t, join(root, 'data'), []);
  await first.library.addFolder(join(root, 'share'), { exclude: ['*.iso'], label: 'Music' });
  await first.library.settled();
  t.strictSame(names(first.library), ['song draft.ogg', 'song.ogg']);
  t.strictSame([...first.library.browsable()].map(({ name, seenFolder }) => `${seenFolder}: ${name}`).sort(), [
    'Music/drafts: song draft.ogg',
    'Music: song.ogg',
  ]);
  await first.close();
  const again = await openLibrary(t, join(root, 'data'), []);
  await again.library.settled();
  t.strictSame(names(again.library), ['song draft.ogg', 'song.ogg']);
  t.match(again.library.folders(), [{ exclude: ['*.iso'], label: 'Music', force: false }]);
  await t.rejects(again.library.changeFolder('nobody', { label: 'x' }), { code: 'LIBRARY_FOLDER_UNKNOWN' });
});

t.test('a folder that looks like a home is shared by force, over restarts, without its secrets', async t => {
  const root = t.testdir({ home: { '.bashrc': 'x', '.ssh': { id: 'x' }, 'song.ogg': 'la', id_rsa: 'x' }, data: {} });
  const home = join(root, 'home');
  const first = await openLibrary(t, join(root, 'data'), []);
  await t.rejects(first.library.addFolder(home), { code: 'LIBRARY_FOLDER_REFUSED', message: /home folder.*--force/ });
  await first.library.addFolder(home, { force: true });
  await first.library.settled();
  t.strictSame(names(first.library), ['song.ogg']);
  await first.close();
  const again = await openLibrary(t, join(root, 'data'), []);
  await again.library.settled();
  t.match(again.library.folders(), [{ state: 'ready', files: 1, force: true }]);
  await t.rejects(
    again.library.changeFolder(again.library.folders()[0]?.id ?? '', { force: false }),
    /home folder/,
    'and is refused when it is not meant any more',
  );
  for (const path of ['/proc', '/sys', '/dev', join(home, '.ssh')])
    await t.rejects(again.library.addFolder(path, { force: true }), { message: /is never shared/ }, path);
});

t.test('the data folder is shared by no force', async t => {
  const root = t.testdir({ data: { shared: {}, token: 'x' } });
  const data = join(root, 'data');
  const { library } = await openLibrary(t, data, [], { own: new OwnFolder(data, () => []) });
  await t.rejects(library.addFolder(data, { force: true }), { code: 'LIBRARY_FOLDER_PRIVATE' });
  await library.addFolder(root, { force: true });
  await library.settled();
  t.strictSame(names(library), []);
});

t.test('a configured folder that has become a home says so and is shared again by force', async t => {
  const root = t.testdir({ share: { 'a.ogg': 'a' }, data: {} });
  const folder = join(root, 'share');
  mkdirSync(join(folder, '.ssh'));
  const { library } = await openLibrary(t, join(root, 'data'), [folder]);
  await library.settled();
  t.match(library.folders(), [
    { state: 'failed', files: 0, error: /is not shared: it is a home folder \(it has \.ssh\)/ },
  ]);
  await library.addFolder(folder, { force: true });
  await library.settled();
  t.match(library.folders(), [{ state: 'ready', files: 1, error: null }]);
});

t.test(
  'one of each secret: strangers find none by word, hash or table, and the preview names each with its rule',
  async t => {
    const root = t.testdir({ share: { 'song.ogg': 'la' }, data: {} });
    const folder = join(root, 'share');
    const samples = secretSamples(neverShared().list);
    writeSamples(folder, samples);
    const { library } = await openLibrary(t, join(root, 'data'), []);
    const preview = await library.preview(folder, {}, 10_000);
    t.strictSame([preview.files, preview.bytes, preview.isCut], [1, 2, false]);
    t.strictSame(preview.seen, [{ name: 'song.ogg', size: 2, folder: null }]);
    const said = new Map(preview.leftOut.map(({ path, rule }) => [path, rule]));
    for (const { leftOut, rule } of samples) t.equal(said.get(join(folder, leftOut)), rule, leftOut);
    t.equal(said.size, samples.length);
    t.strictSame(library.folders(), [], 'a preview shares nothing');

    await library.addFolder(folder);
    await library.settled();
    t.strictSame([names(library), [...library.words()].sort()], [['song.ogg'], ['ogg', 'song']]);
    for (const { path, bytes } of samples) {
      t.equal(library.bySha1(sha1(bytes)), null, path);
      const word = path.split(/[^a-z]+/i).find(word => word.length > 3) ?? 'txt';
      t.strictSame(find(library, word), [], word);
    }
    t.strictSame(
      rulesOf(library.folders()[0]),
      rulesOf({ leftOut: preview.byRule }),
      'the scan agrees with the preview',
    );
  },
);

t.test(
  'a preview has bounded lists, ends in time, knows excludes and labels, and refuses what sharing refuses',
  async t => {
    const root = t.testdir({ share, data: {} });
    const folder = join(root, 'share');
    symlinkSync('/etc/hostname', join(folder, 'leads out.txt'));
    const { library } = await openLibrary(t, join(root, 'data'), []);
    const preview = await library.preview(folder, { exclude: ['*.iso'], label: 'M' }, 1);
    t.match(preview, { files: 2, seen: { length: 1 }, leftOut: { length: 1 }, leftOutMore: 2, isCut: false });
    t.strictSame(rulesOf({ leftOut: preview.byRule }), ['exclude: *.iso 2 0', 'link 1 0']);
    const all = await library.preview(folder, { exclude: ['*.iso'], label: 'M' }, 10);
    t.strictSame(all.seen.map(({ name, folder }) => `${folder}: ${name}`).sort(), [
      'M/drafts: song draft.ogg',
      'M: song.ogg',
    ]);
    for (const path of ['/', '/etc', '/proc'])
      await t.rejects(library.preview(path, {}, 10), { code: 'LIBRARY_FOLDER_REFUSED' }, path);
    await t.rejects(library.preview(join(root, 'nowhere'), {}, 10), { code: 'LIBRARY_FOLDER_MISSING' });
    const three = [1, 2, 3].map(() => library.preview(folder, {}, 1));
    t.match(
      (await Promise.allSettled(three)).filter(({ status }) => status === 'rejected'),
      [{ reason: { code: 'LIBRARY_BUSY' } }],
    );
    const hasty = await openLibrary(t, join(root, 'data', 'hasty'), [], { previewMs: 0 });
    for (let i = 0; i < 300; i++) writeFileSync(join(folder, `${i}.txt`), 'x');
    t.match(await hasty.library.preview(folder, {}, 10), { isCut: true });
  },
);

t.test('a file that is renamed into what is excluded is gone with the next scan', async t => {
  const root = t.testdir({ share, data: {} });
  const { library } = await openLibrary(t, join(root, 'data'), [join(root, 'share')], { exclude: ['*.iso'] });
  await library.settled();
  renameSync(join(root, 'share', 'song.ogg'), join(root, 'share', 'song.ISO'));
  await library.rescan();
  await library.settled();
  t.strictSame(names(library), ['song draft.ogg']);
});
