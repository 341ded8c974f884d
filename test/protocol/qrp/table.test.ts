import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { qrpHash, queryHashes, urnHashes } from '../../../protocol/qrp/hash.ts';
import { encodeTable, TableReceiver } from '../../../protocol/qrp/patch.ts';
import { QrpTable } from '../../../protocol/qrp/table.ts';
import { nameWords, queryWords } from '../../../protocol/search/tokenizer.ts';
import { readFixture } from '../../support/fixtures.ts';

interface Vectors {
  qrp_table_64k: { style: string; words: string[]; bits: number; set_slots: number[] }[];
}

t.test('made in slices a table is the same, and none of them has more than a thousand words', async t => {
  const words = Array.from({ length: 7_000 }, (_, i) => `word${i * 7919}`);
  let taken = 0;
  function* counted() {
    for (const word of words) {
      taken++;
      yield word;
    }
  }
  const making = QrpTable.inSlices(counted());
  let slices = 0;
  for (let before = 0; ; before = taken, slices++) {
    const { done, value } = making.next();
    t.ok(taken - before <= 1_000);
    if (done !== true) continue;
    t.ok(value.equals(QrpTable.of(words)));
    break;
  }
  t.equal(slices, 7);
});

t.test('words and their prefixes set the slots of the vectors', async t => {
  for (const { words, bits, set_slots } of readFixture<Vectors>('vectors/vectors.json').qrp_table_64k) {
    const table = new QrpTable(1 << bits);
    for (const word of words) table.insertWord(word);
    for (const slot of set_slots) t.ok(table.has(slot), `slot ${slot}`);
    // debian linux mp3 and their beginnings: debia debi linu lin
    t.equal(table.count, 7);
  }
});

t.test('gtk-gnutella’s own table of the same files has no slot that ours lacks', async t => {
  interface Capture {
    shared_files: { name: string }[];
    qrp: { servent: { slots: number; set: number[] } };
  }
  for (const name of ['gtkg-up-dials-up', 'gtkg-leaf-dials-up']) {
    const { shared_files, qrp } = readFixture<Capture>(`gtk-gnutella/${name}.json`);
    const table = new QrpTable(qrp.servent.slots);
    for (const { name } of shared_files) for (const word of nameWords(name)) table.insertWord(word);
    t.strictSame(
      qrp.servent.set.filter(slot => !table.has(slot)),
      [],
      name,
    );
    t.ok(table.count <= 2 * qrp.servent.set.length, 'nor does ours have much more');
  }
});

t.test('sizes are powers of two', async t => {
  for (const slots of [0, 3, -1, 2 ** 22, 2.5, Number.NaN]) t.throws(() => new QrpTable(slots), RangeError);
  for (const slots of [1, 2, 8, 32, 2 ** 21]) t.equal(new QrpTable(slots).slots, slots);
});

t.test('the own table grows until a slot in a hundred is set', async t => {
  t.equal(QrpTable.of([]).slots, 2 ** 14);
  const words = Array.from({ length: 5000 }, (_, i) => `w${i}`);
  const table = QrpTable.of(words);
  t.ok(table.fill <= 0.01 && table.fill > 0.004, `${table.fill}`);
});

t.test('a URN alone passes when the table has it', async t => {
  const sha1 = createHash('sha1').update('one').digest();
  const other = createHash('sha1').update('two').digest();
  const table = QrpTable.of(['unrelated'], urnHashes(sha1));
  t.ok(table.mayMatch(queryHashes('\\', [sha1])));
  t.notOk(table.mayMatch(queryHashes('\\', [other])));
  t.ok(table.mayMatch(queryHashes('unrelated', [other])), 'words count when the URN misses');
  t.notOk(table.mayMatch(queryHashes('', [])), 'nothing asked is nothing found');
});

t.test('both of two words must be there, of more two thirds', async t => {
  const table = QrpTable.of(['alpha', 'beta', 'gamma']);
  t.ok(table.mayMatch(queryHashes('gamma alpha', [])));
  t.notOk(table.mayMatch(queryHashes('gamma delta', [])));
  t.ok(table.mayMatch(queryHashes('alpha delta beta', [])));
  t.ok(table.mayMatch(queryHashes('alpha beta gamma delta', [])), 'three of four');
  t.notOk(table.mayMatch(queryHashes('alpha delta beta epsilon', [])), 'two of four');
});

t.test('a table of LimeWire is asked with LimeWire’s words', async t => {
  const table = new QrpTable(65536);
  table.set(qrpHash('dont', 16));
  table.set(qrpHash('panic', 16));
  t.ok(table.mayMatch(queryHashes("Don't panic", [])));
});

t.test('set, clear and merge keep the count', async t => {
  const table = new QrpTable(64);
  for (const slot of [0, 31, 32, 63, 63]) table.set(slot);
  t.strictSame([...table.present()], [0, 31, 32, 63]);
  table.clear(31);
  table.clear(31);
  t.equal(table.count, 3);
  t.strictSame([...table.resized(8).present()], [0, 4, 7]);
  t.strictSame([...table.resized(256).present()], [0, 1, 2, 3, 128, 129, 130, 131, 252, 253, 254, 255]);
  t.ok(table.resized(256).resized(64).equals(table));
  t.notOk(table.equals(new QrpTable(64)));
});

t.test('a file passes every query of its words, whatever became of the table on the way', async () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
    fc
      .array(
        fc.constantFrom('Linux', "don't", 'R&B', 'résumé', 'the', '日本語', 'AC/DC', 'straße', '[x]', 'smørrebrød'),
      )
      .map(words => `${words.join(' ')}.ogg`),
  );
  fc.assert(
    fc.property(
      fc.array(name, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 0, max: 17 }),
      fc.integer({ min: 0, max: 17 }),
      fc.boolean(),
      (names, bits, mergedBits, deflate) => {
        const table = QrpTable.of(names.flatMap(nameWords)).resized(1 << bits);
        const receiver = new TableReceiver();
        for (const update of encodeTable(null, table, { deflate, pieceBytes: 100 })) receiver.receive(update);
        const received = receiver.table ?? new QrpTable(1);
        const merged = new QrpTable(1 << mergedBits);
        merged.merge(received);
        return names.every(name => {
          const long = queryWords(name).filter(word => Buffer.byteLength(word) >= 3);
          const texts = [name, long.join(' '), ...long].filter(text => queryHashes(text, []).words.length > 0);
          return texts.every(text => {
            const hashes = queryHashes(text, []);
            return table.mayMatch(hashes) && received.mayMatch(hashes) && merged.mayMatch(hashes);
          });
        });
      },
    ),
    { numRuns: 100 },
  );
});
