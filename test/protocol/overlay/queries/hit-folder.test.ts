import t from 'tap';
import { folderIn, isInFolder } from '../../../../protocol/overlay/queries/hit-folder.ts';

const at = (path: string | Buffer) => folderIn({ ggep: [{ id: 'PATH', payload: Buffer.from(path) }] });

t.test('the folder of a hit', async t => {
  t.equal(folderIn({ ggep: [] }), null);
  t.equal(at('Music/Moons'), 'Music/Moons');
  t.equal(at('/Music//./Moons/'), 'Music/Moons');
  t.equal(at('Music\\Moons'), 'Music/Moons', 'as Windows writes it');
  t.equal(at(Buffer.from([0x4d, 0xfc])), 'Mü', 'Latin-1');
  for (const bad of ['', '/', 'a/../../etc', 'x'.repeat(2000)]) t.equal(at(bad), null);
});

t.test('a folder is chosen by its name or path, with those within', async t => {
  const folder = 'Music/The Band/Moons';
  for (const wanted of ['moons', 'The Band', 'Music', 'The Band/Moons', 'Music/The Band/Moons/', '/music'])
    t.ok(isInFolder(folder, wanted), wanted);
  for (const wanted of ['Moon', 'Band', 'Music/Moons', 'Moons/Music']) t.notOk(isInFolder(folder, wanted), wanted);
  t.notOk(isInFolder(null, 'Music'));
});
