// A preview in words.
import t from 'tap';
import { previewLines } from '../../api/preview-lines.ts';
import { aPreview } from '../support/sample-views.ts';

t.test('a preview says what would be seen, what is left out by which rule, and what is not listed', t => {
  t.strictSame(previewLines({ ...aPreview, cut: 'there was no time' }), {
    summary: 'Strangers would see 3 files, 1.1 MiB, of /srv/more; left out: 2 files (a private key).',
    seen: ['music/song.ogg (977 KiB)', 'notes.txt (97.7 KiB)'],
    leftOut: ['id_rsa: a private key (private-key)'],
    notes: ['1 file more would be seen', '1 more would be left out', 'there was no time'],
  });
  const plain = { ...aPreview, seenMore: 0, leftOut: [], leftOutMore: 0, byRule: [] };
  t.match(previewLines(plain), { summary: /; nothing is left out\.$/, leftOut: [], notes: [] });
  const [shown] = previewLines({ ...plain, seen: [{ name: 'a\u202eb', size: 1, folder: null }] }).seen;
  t.equal(shown, 'a\ufffdb (1 B)', 'names that turn the reading direction do not');
  t.end();
});
