import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { link, rename } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { placeFile, removeCopy, replaceFile } from '../../../daemon/transfer/place-file.ts';

const noLinks = (async () => {
  throw Object.assign(new Error('no links here'), { code: 'EPERM' });
}) as typeof link;

for (const [what, linkFile] of [
  ['with links', link],
  ['without links', noLinks],
] as const) {
  t.test(`a file gets its name, or the next free one: ${what}`, async t => {
    const folder = join(t.testdir(), 'downloads');
    const parts = t.testdirName;
    for (const [i, name] of ['song.mp3', 'song (1).mp3', 'song (2).mp3'].entries()) {
      const part = join(parts, `part-${i}`);
      writeFileSync(part, `content ${i}`);
      t.equal(await placeFile(part, folder, 'song.mp3', linkFile), join(folder, name));
    }
    t.strictSame(
      readdirSync(folder)
        .sort()
        .map(name => readFileSync(join(folder, name), 'utf8')),
      ['content 1', 'content 2', 'content 0'],
    );
  });

  t.test(`a folder of that name is not touched: ${what}`, async t => {
    const folder = t.testdir({ song: {}, part: 'x' });
    t.equal(await placeFile(join(folder, 'part'), folder, 'song', linkFile), join(folder, 'song (1)'));
  });
}

t.test('its own file is recognised after a crash', async t => {
  const folder = t.testdir({ part: 'x' });
  const path = await placeFile(join(folder, 'part'), folder, 'song');
  t.ok(existsSync(join(folder, 'part')), 'the part stays until its record is changed');
  t.equal(await placeFile(join(folder, 'part'), folder, 'song'), path);
});

t.test(
  'to another volume the whole file is copied before its name appears; a crash in between makes no second',
  async t => {
    const home = t.testdir({ parts: { 'id.part': 'content' }, target: { song: 'another' } });
    const [part, folder] = [join(home, 'parts', 'id.part'), join(home, 'target')];
    const otherVolume = (async (from, to) => {
      if (String(from).startsWith(join(home, 'parts')) && !existsSync(String(to)))
        throw Object.assign(new Error('another volume'), { code: 'EXDEV' });
      return link(from, to);
    }) as typeof link;
    writeFileSync(join(folder, '.id.part.copying'), 'the beginning of a copy, from before a crash');
    const path = await placeFile(part, folder, 'song', otherVolume);
    t.equal(path, join(folder, 'song (1)'));
    t.equal(readFileSync(path, 'utf8'), 'content');
    t.ok(existsSync(part));
    t.equal(await placeFile(part, folder, 'song', otherVolume), path, 'its own file is recognised');
    await removeCopy(part, folder);
    await removeCopy(part, folder);
    t.strictSame(readdirSync(folder).sort(), ['song', 'song (1)']);
    t.equal(readFileSync(path, 'utf8'), 'content');
  },
);

t.test('a part that is gone, a folder that cannot be: an error that says where', async t => {
  const folder = t.testdir({ file: '', part: 'x' });
  await t.rejects(placeFile(join(folder, 'none'), folder, 'song'), { code: 'DISK_FAILED', message: /ENOENT/ });
  await t.rejects(placeFile(join(folder, 'none'), folder, 'song', noLinks), { code: 'DISK_FAILED' });
  t.notOk(existsSync(join(folder, 'song')), 'no empty file is left');
  await t.rejects(placeFile(join(folder, 'part'), join(folder, 'file'), 'song'), { code: 'DISK_FORBIDDEN' });
  mkdirSync(join(folder, 'ok'));
});

t.test('a file on another volume is replaced by a whole copy', async t => {
  const home = t.testdir({
    parts: { 'id.part': 'right' },
    target: { song: 'wrong', '.id.part': 'of another attempt' },
  });
  const [part, folder] = [join(home, 'parts', 'id.part'), join(home, 'target')];
  const otherVolume = (async (from, to) => {
    if (from === part) throw Object.assign(new Error('another volume'), { code: 'EXDEV' });
    return rename(from, to);
  }) as typeof rename;
  t.equal(await replaceFile(part, join(folder, 'song'), otherVolume), join(folder, 'song'));
  t.equal(readFileSync(join(folder, 'song'), 'utf8'), 'right');
  t.strictSame(readdirSync(folder), ['song']);
});
