import fc from 'fast-check';
import t from 'tap';
import { Records } from '../../../protocol/search/records.ts';
import { TextKey } from '../../../protocol/search/text-key.ts';

const key = new TextKey();
const put = (records: Records, row: number, text: string): void => {
  const { bytes, length } = key.set(text);
  records.set(row, bytes, length);
};

t.test('texts of any length and script are kept as they are, whatever is replaced and removed', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.constantFrom('', 'a', '日本語', 'x'.repeat(127), 'é'.repeat(64), 'y'.repeat(128), '🎵'.repeat(5000)),
  );
  const step = fc.record({ row: fc.constantFrom(0, 1, 2, 31, 4095, 4096, 9000), text: fc.option(text) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), steps => {
      const records = new Records();
      const expected = new Map<number, string>();
      for (const { row, text } of steps) {
        if (text === null) {
          records.delete(row);
          expected.delete(row);
        } else {
          put(records, row, text);
          expected.set(row, text);
        }
      }
      return [0, 1, 2, 31, 4095, 4096, 9000].every(row => {
        const known = expected.get(row);
        const { bytes, length } = key.set(known ?? 'else');
        return (
          records.has(row) === (known !== undefined) &&
          records.text(row) === (known ?? '') &&
          records.equals(row, bytes, length) === (known !== undefined) &&
          (known === undefined || (records.compare(row, bytes, length) === 0 && records.hash(row, 7) === key.hash(7)))
        );
      });
    }),
  );
});

t.test('records are ordered as their bytes are', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const records = new Records();
      put(records, 5, a);
      const { bytes, length } = key.set(b);
      return Math.sign(records.compare(5, bytes, length)) === Buffer.compare(Buffer.from(a), Buffer.from(b));
    }),
  );
});

t.test('holes are closed while their neighbours stay', async t => {
  const records = new Records();
  const name = (row: number, round: number): string => `${round} of ${row} ${'-'.repeat((row * 31 + round) % 300)}`;
  for (let round = 0; round < 12; round++) {
    for (let row = 0; row < 5000; row++) if (row % 7 <= round % 7) put(records, row, name(row, round));
  }
  for (let row = 0; row < 5000; row++) {
    let last = 11;
    while (row % 7 > last % 7) last--;
    if (records.text(row) !== name(row, last)) t.fail(`record ${row}`);
  }
  t.ok(records.bytes < 5000 * 330 + 2 * 4096 * 330, 'no more than half of it is holes');
  for (let row = 0; row < 5000; row++) records.delete(row);
  t.equal(records.bytes, 0, 'all is given back');
});
