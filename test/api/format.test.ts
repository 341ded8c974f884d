import fc from 'fast-check';
import t from 'tap';
import {
  formatAge,
  formatBytes,
  formatDuration,
  formatLeftOut,
  formatRate,
  formatShare,
  printable,
} from '../../api/format.ts';

t.test('sizes have four characters at most and the unit that fits', async t => {
  for (const [bytes, text] of [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1_048_000, '1023 KiB'],
    [102_350, '100 KiB'],
    [1_048_575, '1.0 MiB'],
    [4_200_000, '4.0 MiB'],
    [5 * 1024 ** 4, '5.0 TiB'],
    [Number.MAX_SAFE_INTEGER, '8.0 PiB'],
  ] as const)
    t.equal(formatBytes(bytes), text);
  t.equal(formatRate(1536.4), '1.5 KiB/s');
});

t.test('durations show the two units that matter', async t => {
  for (const [seconds, text] of [
    [0.4, '0 s'],
    [59.4, '59 s'],
    [60, '1 min'],
    [3599, '59 min'],
    [7500, '2 h 5 min'],
    [7200, '2 h'],
    [90_000, '1 d 1 h'],
    [-5, '0 s'],
  ] as const)
    t.equal(formatDuration(seconds), text);
  t.equal(formatAge('2026-11-21T10:00:00Z', Date.parse('2026-11-21T10:03:20Z')), '3 min');
});

t.test('a share is 100 % at the end and not before', async t => {
  t.equal(formatShare(999_999, 1_000_000), '99 %');
  t.equal(formatShare(1_000_000, 1_000_000), '100 %');
  t.equal(formatShare(0, 0), '100 %');
});

t.test('printable text is one line that cannot move the cursor and loses nothing else', async t => {
  t.equal(printable('naïve 日本 🎵.mp3'), 'naïve 日本 🎵.mp3');
  t.equal(printable('a\u001b[31mb\nc\u202ed'), 'a\ufffd[31mb\ufffdc\ufffdd');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const shown = printable(text);
      return (
        shown.length === text.length && ![...shown].some(char => char < ' ' || (char >= '\u007f' && char <= '\u009f'))
      );
    }),
  );
});

t.test('what is left out is told in files and folders, with why', async t => {
  t.equal(formatLeftOut([]), '');
  const left = { files: 2, folders: 1, why: 'hidden' };
  t.equal(
    formatLeftOut([left, { files: 0, folders: 2, why: 'mail' }]),
    '1 folder and 2 files (hidden), 2 folders (mail)',
  );
});
