import t from 'tap';
import { commonNameOf, folderNames } from '../../../../protocol/transfer/downloads/batch.ts';

const named = (...names: string[]) => names.map(name => ({ name, folder: null }));

t.test('a batch is called by the folder in which all of it is', async t => {
  const files = ['a', 'b'].map(name => ({ name, folder: 'Music/The Band/Moons (1999)' }));
  t.equal(commonNameOf(files), 'Moons (1999)');
  t.equal(commonNameOf(files.slice(0, 1)), 'Moons (1999)', 'one file is enough');
  t.equal(commonNameOf([...files, { name: 'c', folder: 'Music' }]), null);
});

t.test('without a folder by what the names begin with, in whole words', async t => {
  for (const [names, common] of [
    [['Band - Moons - 01 One.mp3', 'Band - Moons - 02 Two.mp3'], 'Band - Moons'],
    [['Band - Moonlight.mp3', 'Band - Moonshine.mp3'], 'Band'],
    [['Blue Moon.mp3', 'Blue Moon.jpg'], 'Blue Moon'],
    [['Blue Moon', 'Blue Moon'], 'Blue Moon'],
    [['Blue (live).mp3', 'Blue (demo).mp3'], 'Blue'],
    [['01 a', '01 b'], null],
    [['abc', 'xyz'], null],
    [['alone.mp3'], null],
    [[], null],
  ] as const)
    t.equal(commonNameOf(named(...names)), common, names.join());
});

t.test('names of its folder are safe and do not end', async t => {
  const names = folderNames('../Music/AC:DC');
  t.strictSame([names.next().value, names.next().value, names.next().value], ['AC_DC', 'AC_DC (2)', 'AC_DC (3)']);
  t.equal(folderNames('..').next().value, '_');
  t.equal(folderNames('').next().value, 'noname');
});
