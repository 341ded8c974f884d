// What lies in a shared folder and is not shared is counted and said, and errors end with their cause.
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Survey } from '../../../daemon/library/survey.ts';
import { names, openLibrary } from '../../support/library.ts';
import { asUnprivileged } from '../../support/unprivileged.ts';

const latin1 = (folder: string, name: string): Buffer =>
  Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);

t.test('a folder whose name is not UTF-8 is not left out in silence', async t => {
  const root = t.testdir({ share: { 'a.txt': 'a' } });
  const share = join(root, 'share');
  mkdirSync(latin1(share, 'M\u00fcsik'));
  writeFileSync(latin1(share, 'M\u00fcsik/lied.ogg'), 'la');
  const { library, messages } = await openLibrary(t, root, [share]);
  await library.settled();
  const error = `1 folder is left out: its name is not UTF-8 (${join(share, 'M\ufffdsik')})`;
  t.match(library.folders(), [
    {
      files: 1,
      state: 'ready',
      error,
      leftOut: [{ rule: 'not-utf8', files: 0, folders: 1, why: 'its name is not UTF-8' }],
    },
  ]);
  t.strictSame(messages, [`sharing ${share}: ${error}`]);
  writeFileSync(latin1(share, 'caf\u00e9'), 'x');
  await library.rescan();
  t.match(library.folders(), [{ error: /^1 folder and 1 file are left out: their names are not UTF-8 \(the first: / }]);
  renameSync(latin1(share, 'M\u00fcsik'), join(share, 'Müsik'));
  renameSync(latin1(share, 'caf\u00e9'), join(share, 'café'));
  await library.rescan();
  await library.settled();
  t.strictSame(names(library), ['a.txt', 'café', 'lied.ogg']);
  t.match(library.folders(), [{ error: null, leftOut: [] }]);
});

t.test('what nobody expects to be shared is counted by rule, without an error', async t => {
  const root = t.testdir({ share: { a: 'a', '.hidden': 'x', '.also': { config: 'x' }, empty: '', 'b.part': 'x' } });
  const share = join(root, 'share');
  symlinkSync(join(share, 'a'), join(share, 'link'));
  const { library, messages } = await openLibrary(t, root, [share]);
  await library.settled();
  const [folder] = library.folders();
  t.equal(folder?.error, null);
  t.strictSame(folder?.leftOut.map(({ rule, files, folders }) => [rule, files, folders]).sort(), [
    ['empty', 1, 0],
    ['hidden', 1, 1],
    ['link', 1, 0],
    ['partial', 1, 0],
  ]);
  t.strictSame(messages, [], 'no warning');
});

t.test('more files than the library holds are counted, and those it has stay', async t => {
  const root = t.testdir({ share: { a: 'a', b: 'b', c: 'c', d: 'd' } });
  const share = join(root, 'share');
  const { library } = await openLibrary(t, root, [share], { filesMax: 3 });
  await library.settled();
  t.equal(library.files, 3);
  t.match(library.folders(), [
    { leftOut: [{ rule: 'too-many', files: 1 }], error: /^1 file is left out: there are too many/ },
  ]);
  const before = names(library);
  await library.rescan();
  t.strictSame(names(library), before);
  t.match(library.folders(), [{ leftOut: [{ rule: 'too-many', files: 1 }] }]);
});

t.test('a path that is too long for the system is said as that', t => {
  const survey = new Survey();
  survey.noteUnreadable('/music/long', 'ENAMETOOLONG', 'folder');
  survey.noteUnreadable('/music/closed', 'EACCES', 'folder');
  t.strictSame(survey.faults, [
    '1 could not be read, the first: /music/closed (EACCES)',
    '1 folder is left out: its path is too long (/music/long)',
  ]);
  t.end();
});

t.test(
  'an error does not outlive its cause: all that was unreadable is shared, and nothing is said of it any more',
  async t => {
    const root = t.testdir({ share: { a: 'a', 'b.txt': 'b', closed: { c: 'c' } }, data: {} });
    const share = join(root, 'share');
    const closed = join(share, 'closed');
    await asUnprivileged(t, root, closed, async () => {
      chmodSync(join(share, 'b.txt'), 0);
      const scanned: (string | null)[] = [];
      const { library, close } = await openLibrary(t, join(root, 'data'), [share], {
        onScanned: ({ error }) => scanned.push(error),
      });
      await library.settled();
      t.match(library.folders(), [
        { error: /^1 could not be read, the first: .*closed \(EACCES\); .*b\.txt cannot be read \(EACCES\)$/ },
      ]);
      chmodSync(join(share, 'b.txt'), 0o644);
      chmodSync(closed, 0o755);
      await library.rescan();
      await library.settled();
      t.strictSame(names(library), ['a', 'b.txt', 'c']);
      t.match(library.folders(), [{ error: null }]);
      t.equal(scanned.at(-1), null, 'followers hear that it is over');
      await close();
    });
  },
);

t.test('a file that cannot be read and is deleted leaves no error', async t => {
  const root = t.testdir({ share: { a: 'a', b: 'b' }, data: {} });
  const share = join(root, 'share');
  await asUnprivileged(t, root, join(share, 'b'), async () => {
    const { library, close } = await openLibrary(t, join(root, 'data'), [share]);
    await library.settled();
    t.match(library.folders(), [{ error: /b cannot be read/ }]);
    renameSync(join(share, 'b'), join(root, 'b'));
    await library.rescan();
    t.match(library.folders(), [{ error: null }]);
    renameSync(join(root, 'b'), join(share, 'b'));
    await close();
  });
});
