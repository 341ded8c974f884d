import t from 'tap';
import { impossibleSize, isDisguised } from '../../../protocol/search/fake-name.ts';

const NO_FACTS = { seconds: null, kbps: null };

t.test('a program that is named as something to play, look at or read is disguised', async t => {
  for (const name of [
    'song.mp3.exe',
    'Blue Moon.MP3.EXE',
    'holiday.jpg.scr',
    'manual.pdf.exe',
    'film.avi .exe',
    'film.avi_.com',
    'clip.wmv.lnk',
    'Invoice.doc.js',
    `song${' '.repeat(60)}.exe`,
    'holiday \u202egpj.exe',
    'song\u202e3pm.scr',
  ])
    t.ok(isDisguised(name), name);
});

t.test('ordinary programs, archives and names with many dots are not disguised', async t => {
  for (const name of [
    'setup.exe',
    'winamp 2.91.exe',
    'player.v1.2.3.exe',
    'my.program.exe',
    'mp3.exe',
    'song.mp3',
    'song.mp3.zip',
    'song.exe.mp3',
    'jquery.min.js',
    'readme.md.bat',
    'a.b.c.d.msi',
    'שלום.mp3',
    '',
    '.exe',
    'x'.repeat(5000),
  ])
    t.notOk(isDisguised(name), name.slice(0, 40));
});

t.test('a long name costs no more than a short one', async t => {
  const names = [
    '.mp3'.repeat(100_000),
    ` ${' '.repeat(400_000)}.exe`,
    `${'. '.repeat(200_000)}.exe`,
    '.a'.repeat(200_000),
  ];
  // more than a look at each character would take longer than the time limit of a test
  for (const name of names) for (let i = 0; i < 100; i++) t.type(isDisguised(name), 'boolean');
});

t.test('sizes that no file of the type has', async t => {
  for (const [name, size] of [
    ['film.avi', 0],
    ['film.avi', 9_000],
    ['song.mp3', 700],
    ['disk.iso', 30_000],
    ['a.zip', 12],
    ['tune.mid', 40_000_000],
    ['linux.torrent', 700_000_000],
  ] as const)
    t.ok(impossibleSize(name, size, NO_FACTS), `${name} ${size}`);
});

t.test('small and large files that exist', async t => {
  for (const [name, size] of [
    ['film.avi', 734_003_200],
    ['ring.mp3', 9_000],
    ['reference.mov', 1_200],
    ['click.wav', 300],
    ['banner.swf', 2_000],
    ['notes.txt', 0],
    ['empty.zip', 22],
    ['tune.mid', 3_000],
    ['linux.torrent', 30_000],
    ['dvd.iso', 4_700_000_000],
    ['no extension', 0],
  ] as const)
    t.equal(impossibleSize(name, size, NO_FACTS), null, `${name} ${size}`);
});

t.test('playing time and bit rate that the bytes cannot hold', async t => {
  t.match(impossibleSize('song.mp3', 300_000, { seconds: 240, kbps: 192 }), /too few for 240 s at 192/);
  t.equal(impossibleSize('song.mp3', 5_760_000, { seconds: 240, kbps: 192 }), null);
  t.equal(impossibleSize('song.mp3', 3_000_000, { seconds: 240, kbps: 320 }), null, 'variable bit rate');
  t.equal(impossibleSize('film.avi', 734_003_200, { seconds: 5400, kbps: 1000 }), null);
  t.equal(impossibleSize('book.pdf', 1000, { seconds: 240, kbps: 192 }), null, 'nothing to play');
});
