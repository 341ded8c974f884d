import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import t from 'tap';
import { scanFolder } from '../../../daemon/library/scanner.ts';
import type { Reason } from '../../../daemon/library/survey.ts';
import { asUnprivileged } from '../../support/unprivileged.ts';

async function scan(root: string, signal = new AbortController().signal) {
  const paths: string[] = [];
  const unreadable: string[] = [];
  const leftOut: string[] = [];
  const slices: number[] = [];
  const survey = {
    enter: () => undefined,
    noteFile: () => undefined,
    noteUnreadable: (path: string, code: string) => void unreadable.push(`${relative(root, path)} ${code}`),
    leaveOut: (reason: Reason, path: string, kind: string) =>
      void leftOut.push(`${relative(root, path)}: ${kind}, ${typeof reason === 'string' ? reason : reason.rule}`),
  };
  for await (const slice of scanFolder(root, { signal, survey })) {
    slices.push(slice.length);
    for (const file of slice) paths.push(relative(root, file.path));
  }
  return { paths: paths.sort(), unreadable, leftOut: leftOut.sort(), slices };
}

t.test('files at any depth, without hidden, partial and empty ones', async t => {
  const root = t.testdir({
    'one.txt': '1',
    '.hidden.txt': 'x',
    '.git': { config: 'x' },
    'film.mkv.part': 'x',
    'film.mkv.crdownload': 'x',
    'draft.txt~': 'x',
    empty: '',
    deep: { deeper: { 'two.ogg': '22', 'three.PART': 'x' } },
    nothing: {},
  });
  const { paths, unreadable, leftOut } = await scan(root);
  t.strictSame(paths, ['deep/deeper/two.ogg', 'one.txt']);
  t.strictSame(unreadable, []);
  t.strictSame(
    leftOut,
    [
      '.git: folder, secret-settings',
      '.hidden.txt: file, hidden',
      'deep/deeper/three.PART: file, partial',
      'draft.txt~: file, partial',
      'empty: file, empty',
      'film.mkv.crdownload: file, partial',
      'film.mkv.part: file, partial',
    ],
    'each of which is told',
  );
});

t.test('pipes and sockets are told', async t => {
  const root = t.testdir({ a: 'a' });
  execFileSync('mkfifo', [join(root, 'pipe')]);
  symlinkSync(join(root, 'a'), join(root, 'link'));
  const server = createServer().listen(relative('.', join(root, 'socket')));
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { paths, unreadable, leftOut } = await scan(root);
  t.strictSame(paths, ['a']);
  t.strictSame(unreadable, []);
  t.strictSame(leftOut, ['link: file, link', 'pipe: file, special', 'socket: file, special']);
});

t.test('links are passed over, wherever they lead', async t => {
  const root = t.testdir({ shared: { 'in.txt': 'in', sub: {} }, secret: { 'out.txt': 'out' } });
  const shared = join(root, 'shared');
  symlinkSync(join(root, 'secret', 'out.txt'), join(shared, 'outside.txt'));
  symlinkSync(join(root, 'secret'), join(shared, 'outside'));
  symlinkSync(shared, join(shared, 'sub', 'round'));
  symlinkSync(join(shared, 'in.txt'), join(shared, 'inside.txt'));
  symlinkSync(join(root, 'nowhere'), join(shared, 'broken'));
  t.strictSame((await scan(shared)).paths, ['in.txt']);
});

t.test('odd names are found under exactly those names, bytes that are no text are not', async t => {
  const root = t.testdir();
  const names = [
    'e\u0301.txt',
    'é.txt',
    '日本語.ogg',
    '😀.jpg',
    'ﷺ.txt',
    'a\nb.txt',
    ' lead',
    '"quo\'te".mp3',
    `${'x'.repeat(251)}.txt`,
  ];
  for (const name of names) writeFileSync(join(root, name), 'x');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xff, 0x2e, 0x74, 0x78, 0x74])]), 'x');
  t.equal(readdirSync(root).length, names.length + 1);
  const { paths, leftOut } = await scan(root);
  t.strictSame(paths, [...names].sort());
  t.strictSame(leftOut, ['f\ufffd.txt: file, not-utf8']);
});

t.test('a folder that cannot be read is told once, the rest is found', async t => {
  const root = t.testdir({ open: { a: 'a' }, closed: { b: 'b' }, c: 'c' });
  await asUnprivileged(t, root, join(root, 'closed'), async () => {
    const { paths, unreadable } = await scan(root);
    t.strictSame(paths, ['c', 'open/a']);
    t.strictSame(unreadable, ['closed EACCES']);
  });
});

t.test('a missing folder is told', async t => {
  const { paths, unreadable } = await scan(join(t.testdir(), 'nowhere'));
  t.strictSame(paths, []);
  t.strictSame(unreadable, [' ENOENT']);
});

t.test('many files come in slices, and a signal ends the walk', async t => {
  const root = t.testdir();
  for (let i = 0; i < 150; i++) writeFileSync(join(root, `${i}`), 'x');
  const { slices } = await scan(root);
  t.strictSame(slices, [64, 64, 22]);
  const abort = new AbortController();
  abort.abort();
  t.strictSame((await scan(root, abort.signal)).paths, []);
});

t.test('a tree without end has one for us', async t => {
  const root = t.testdir();
  mkdirSync(join(root, ...Array<string>(105).fill('d')), { recursive: true });
  const { leftOut } = await scan(root);
  t.equal(leftOut.length, 1);
  t.match(leftOut[0], /: folder, too-deep$/);
});
