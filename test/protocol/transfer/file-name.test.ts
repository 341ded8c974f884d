import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { numberedName, safeFileName } from '../../../protocol/transfer/file-name.ts';

t.test('names that could do harm are made safe', async t => {
  const cases: [string, string][] = [
    ['../../etc/passwd', 'passwd'],
    ['C:\\Windows\\win.ini', 'win.ini'],
    ['a/b\\c.txt', 'c.txt'],
    ['..', '_'],
    ['.', '_'],
    ['', 'noname'],
    ['   ', 'noname'],
    ['.bashrc', '_bashrc'],
    ['-rf', '_rf'],
    ['a\0b.txt', 'a_b.txt'],
    ['bell\x07.mp3', 'bell_.mp3'],
    ['what?*:<>|".txt', 'what_______.txt'],
    ['trailing. . .', 'trailing'],
    ['con', 'noname'],
    ['NUL.txt', 'noname'],
    ['lpt9.tar.gz', 'noname'],
    ['console.txt', 'console.txt'],
    ['gpj.\u202eexe', 'gpj.exe'],
    ['zero\u200bwidth', 'zerowidth'],
    ['half \ud83d pair', 'half \ufffd pair'],
    ['tag\u{e0041}\u{e007f}ged.txt', 'tagged.txt'],
    ['a\u3164\u115f\u1160\uffa0.txt', 'a.txt'],
    ['\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt', '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt'],
    ['\u0915\u094d\u200d\u0937', '\u0915\u094d\u200d\u0937'],
    ['a\u200d\u200c.e\u200dxe\u200d', 'a.e\u200dxe'],
    ['e\u0301t\u00e9.txt', 'été.txt'],
    ['plain name (1).tar.gz', 'plain name (1).tar.gz'],
  ];
  for (const [text, name] of cases) t.equal(safeFileName(text), name, JSON.stringify(text));
});

t.test('long names keep their extension and whole characters', async t => {
  const long = safeFileName(`${'é'.repeat(200)}.mp3`);
  t.equal(long, `${'é'.repeat(88)}.mp3`);
  t.equal(Buffer.byteLength(safeFileName('😀'.repeat(100))), 180);
  t.equal(Buffer.byteLength(safeFileName(`x.${'y'.repeat(300)}`)), 180, 'that is no extension');
});

t.test('any text gives a name that stays in its folder, and stays itself', async () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.string({
      unit: fc.constantFrom(
        '.',
        ' ',
        '\u200c',
        '\u200d',
        '\u3164',
        '/',
        '\\',
        '-',
        'a',
        'con',
        '\u0301',
        '😀',
        '\ud800',
      ),
      maxLength: 60,
    }),
  );
  fc.assert(
    fc.property(texts, text => {
      const name = safeFileName(text);
      assert.ok(name.length > 0 && Buffer.byteLength(name) <= 180);
      assert.ok(!/[/\\\p{Cc}]|^[.-]|[. ]$/u.test(name), JSON.stringify(name));
      assert.equal(safeFileName(name), name);
    }),
    { numRuns: 3000 },
  );
});

t.test('a number goes before the extension', async t => {
  t.equal(numberedName('song.mp3', 1), 'song (1).mp3');
  t.equal(numberedName('README', 2), 'README (2)');
  t.equal(numberedName('archive.tar.gz', 3), 'archive.tar (3).gz');
});
