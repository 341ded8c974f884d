import fc from 'fast-check';
import t from 'tap';
import { queryHashes } from '../../../protocol/qrp/hash.ts';
import { PackedTable } from '../../../protocol/qrp/packed-table.ts';
import { QrpTable } from '../../../protocol/qrp/table.ts';
import { INDEX_BITS_MAX, TableIndex } from '../../../protocol/qrp/table-index.ts';

const slotsOf = (bits: number) => fc.array(fc.nat(2 ** bits - 1), { maxLength: 200 });

const tableOf = (bits: number, present: readonly number[]): QrpTable => {
  const table = new QrpTable(2 ** bits);
  for (const slot of present) table.set(slot);
  return table;
};

t.test('packed and unpacked a table is the same, and never larger', async () => {
  const anyTable = fc.integer({ min: 0, max: 18 }).chain(bits => slotsOf(bits).map(slots => tableOf(bits, slots)));
  fc.assert(
    fc.property(anyTable, table => {
      const packed = new PackedTable(table);
      return packed.unpack().equals(table) && packed.memoryBytes <= table.cells.byteLength;
    }),
  );
});

t.test('a plain leaf’s table takes little; a full one no more than its bits', async t => {
  const sparse = new QrpTable(65_536);
  for (let i = 0; i < 655; i++) sparse.set((i * 40_503) & 0xffff);
  t.ok(new PackedTable(sparse).memoryBytes < 1_400);
  const full = new QrpTable(65_536);
  for (let slot = 0; slot < full.slots; slot++) full.set(slot);
  t.equal(new PackedTable(full).memoryBytes, 8_192);
  t.ok(new PackedTable(full).unpack().equals(full));
  t.equal(new PackedTable(new QrpTable(2 ** 21)).memoryBytes, 0);
});

t.test('folded, a packed table has the slots of its resized self', async () => {
  fc.assert(
    fc.property(slotsOf(16), fc.integer({ min: 4, max: 16 }), (slots, bits) => {
      const table = tableOf(16, slots);
      const folded = [...new PackedTable(table).slots(bits)];
      return JSON.stringify(folded) === JSON.stringify([...table.resized(2 ** bits).present()]);
    }),
  );
});

const WORDS = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'don’t', 'zeta', 'urn:sha1:xyz'];

t.test('the index and each table alone give the same verdict, whatever comes and goes', async () => {
  const someWords = fc.subarray(WORDS);
  const leaves = fc.array(fc.record({ words: someWords, bits: fc.integer({ min: 8, max: 19 }) }), { maxLength: 12 });
  fc.assert(
    fc.property(leaves, fc.array(fc.nat(11), { maxLength: 6 }), someWords, (specs, gone, asked) => {
      const index = new TableIndex();
      const tables = specs.map(({ words, bits }) => QrpTable.of(words).resized(2 ** bits));
      for (const [owner, table] of tables.entries()) index.add(owner, new PackedTable(table), owner % 2 === 0);
      const left = new Set(tables.keys());
      for (const owner of gone) {
        const table = tables[owner];
        if (table !== undefined && left.delete(owner)) index.remove(owner, new PackedTable(table), owner % 2 === 0);
      }
      const sha1 = Buffer.alloc(20, 7);
      const hashes = queryHashes(asked.join(' '), [sha1]);
      const found: number[] = [];
      index.match(hashes, found);
      const folded = (table: QrpTable) => (table.bits > INDEX_BITS_MAX ? table.resized(2 ** INDEX_BITS_MAX) : table);
      const expected = [...left].filter(owner => folded(tables[owner] ?? new QrpTable(1)).mayMatch(hashes));
      const union = new QrpTable(2 ** 17);
      index.addUnionTo(union);
      const merged = new QrpTable(2 ** 17);
      for (const owner of left) if (owner % 2 === 0) merged.merge(tables[owner] ?? merged);
      return (
        JSON.stringify([...new Set(found)].sort()) === JSON.stringify(expected.sort()) &&
        found.length === expected.length &&
        union.equals(merged)
      );
    }),
  );
});
