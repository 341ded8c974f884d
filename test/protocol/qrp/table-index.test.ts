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

interface Kept {
  readonly table: QrpTable;
  readonly counted: boolean;
}

const folded = (table: QrpTable) => (table.bits > INDEX_BITS_MAX ? table.resized(2 ** INDEX_BITS_MAX) : table);

t.test('the index and each table alone give the same verdict, whatever comes, goes and is swept', async () => {
  const someWords = fc.subarray(WORDS);
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ words: someWords, bits: fc.integer({ min: 8, max: 19 }) }) },
    { weight: 2, arbitrary: fc.nat(11) },
    { weight: 1, arbitrary: fc.constant('sweep' as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), someWords, (steps, asked) => {
      const index = new TableIndex();
      const left = new Map<number, Kept>();
      for (const step of steps) {
        if (step === 'sweep') index.sweep();
        else if (typeof step === 'number') {
          const [owner, kept] = [...left][step] ?? [];
          if (owner === undefined || kept === undefined) continue;
          index.remove(owner, new PackedTable(kept.table), kept.counted);
          left.delete(owner);
        } else {
          const kept = { table: QrpTable.of(step.words).resized(2 ** step.bits), counted: step.words.length % 2 === 0 };
          const owner = index.add(new PackedTable(kept.table), kept.counted);
          if (owner === null || left.has(owner)) return false;
          left.set(owner, kept);
        }
      }
      const hashes = queryHashes(asked.join(' '), [Buffer.alloc(20, 7)]);
      const found: number[] = [];
      index.match(hashes, found);
      const expected = [...left].filter(([, { table }]) => folded(table).mayMatch(hashes)).map(([owner]) => owner);
      const union = new QrpTable(2 ** 17);
      index.addUnionTo(union);
      const merged = new QrpTable(2 ** 17);
      for (const { table, counted } of left.values()) if (counted) merged.merge(table);
      return found.sort().join() === expected.sort().join() && union.equals(merged);
    }),
  );
});

t.test('who goes at once by the thousand leaves nothing behind, though nobody sweeps', async t => {
  const index = new TableIndex();
  const table = new PackedTable(QrpTable.of(['alpha', 'beta']).resized(65_536));
  const owners = Array.from({ length: 3_000 }, () => index.add(table, true));
  const [stays, ...leave] = owners;
  for (const owner of leave) index.remove(owner ?? 0, table, true);
  const found: number[] = [];
  index.match(queryHashes('alpha beta', []), found);
  t.same(found, [stays]);
  for (let n = 0; n < 20_000; n++) {
    const owner = index.add(table, true) ?? Number.NaN;
    if (!(owner < 3_000)) t.fail(`owner ${owner}: numbers of those who went are given to others`);
    index.remove(owner, table, true);
  }
});

t.test('there are as many owners as numbers', async t => {
  const index = new TableIndex();
  const table = new PackedTable(QrpTable.of([]));
  for (let owner = 0; owner < 65_535; owner++) index.add(table, false);
  t.equal(index.add(table, false), null);
  index.remove(7, table, false);
  t.equal(index.add(table, false), 7);
});

t.test('the same with hundreds of owners that have much in common, tables replaced, and some gone', async () => {
  const popular = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'];
  const crowd = fc.array(fc.subarray(popular), { minLength: 300, maxLength: 700 });
  const others = fc.array(fc.tuple(fc.nat(299), fc.subarray(popular)), { maxLength: 50 });
  const some = fc.array(fc.nat(299), { maxLength: 200 });
  fc.assert(
    fc.property(crowd, others, some, fc.subarray(popular, { minLength: 1 }), (specs, changes, gone, asked) => {
      const index = new TableIndex();
      const tables = new Map<number, QrpTable>();
      for (const words of specs) {
        const table = QrpTable.of(words);
        tables.set(index.add(new PackedTable(table), true) ?? -1, table);
      }
      for (const [owner, words] of changes) {
        const next = QrpTable.of(words);
        const before = tables.get(owner) ?? next;
        if (!index.replace(owner, new PackedTable(before), new PackedTable(next), true)) return false;
        tables.set(owner, next);
      }
      for (const owner of gone) {
        const table = tables.get(owner);
        if (table !== undefined && tables.delete(owner)) index.remove(owner, new PackedTable(table), true);
      }
      for (let step = 0; step < gone.length % 4; step++) index.sweep();
      const hashes = queryHashes(asked.join(' '), []);
      const found: number[] = [];
      index.match(hashes, found);
      const expected = [...tables].flatMap(([owner, table]) => (table.mayMatch(hashes) ? [owner] : []));
      const merged = new QrpTable(2 ** 14);
      for (const table of tables.values()) merged.merge(table);
      const union = new QrpTable(2 ** 14);
      index.addUnionTo(union);
      const counts = union.count === [...merged.present()].length;
      return found.join() === expected.sort((a, b) => a - b).join() && union.equals(merged) && counts;
    }),
    { numRuns: 40 },
  );
});

t.test('a table of another size is no replacement', async t => {
  const index = new TableIndex();
  const small = new PackedTable(QrpTable.of(['alpha']));
  const owner = index.add(small, true) ?? -1;
  t.notOk(index.replace(owner, small, new PackedTable(QrpTable.of(['beta']).resized(65_536)), true));
  const found: number[] = [];
  index.match(queryHashes('alpha', []), found);
  t.same(found, [owner], 'and changes nothing');
});

t.test(
  'slots that few tables have take little; with many they are all there, before and after places are given up',
  async t => {
    const index = new TableIndex();
    const union = new QrpTable(1_024);
    const kept: { readonly owner: number; readonly table: QrpTable }[] = [];
    for (let n = 0; n < 60; n++) {
      const table = tableOf(
        10,
        Array.from({ length: 5 }, (_, i) => (n * 211 + i * i * 37) & 1_023),
      );
      const owner = index.add(new PackedTable(table), n % 2 === 0);
      if (owner === null) throw new Error('no number left');
      kept.push({ owner, table });
      if (n % 2 === 0) union.merge(table);
      for (let slot = 0; slot < 1_024; slot++) {
        const found: number[] = [];
        index.match({ words: [], delimited: [], urns: [slot << 22] }, found);
        const wanted = kept.filter(({ table }) => table.has(slot)).map(({ owner }) => owner);
        if (found.join() !== wanted.join()) t.same(found, wanted, `slot ${slot} after ${n + 1} tables`);
      }
      const told = new QrpTable(1_024);
      index.addUnionTo(told);
      t.ok(told.equals(union), `the union after ${n + 1} tables`);
    }
  },
);
