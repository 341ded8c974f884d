import fc from 'fast-check';
import t from 'tap';
import { Tally } from '../../../protocol/qrp/tally.ts';

const OWNERS = 96;
const nobody = new Uint8Array(OWNERS);

t.test('matched is who is in enough of the sets, whether these come as cells or one by one', async () => {
  const set = fc.record({ owners: fc.uniqueArray(fc.nat(OWNERS - 1)), asCells: fc.boolean() });
  fc.assert(
    fc.property(fc.array(set, { maxLength: 20 }), fc.integer({ min: 1, max: 20 }), (sets, needed) => {
      const tally = new Tally();
      tally.widen(OWNERS / 32);
      tally.begin(OWNERS / 32, needed);
      for (const { owners, asCells } of sets) {
        if (asCells) {
          const cells = new Uint32Array(1 + OWNERS / 32);
          for (const owner of owners) cells[1 + (owner >>> 5)] = (cells[1 + (owner >>> 5)] ?? 0) | (1 << (owner & 31));
          tally.addCells(cells, 1);
        } else for (const owner of owners) tally.addOwner(owner);
      }
      const matched: number[] = [];
      tally.takeMatched(matched, nobody);
      const inSets = (owner: number) => sets.filter(({ owners }) => owners.includes(owner)).length;
      const expected = Array.from({ length: OWNERS }, (_, owner) => owner).filter(owner => inSets(owner) >= needed);
      return matched.join() === expected.join();
    }),
  );
});

t.test('several counts, and what was found otherwise, come out together and once', async t => {
  const tally = new Tally();
  tally.widen(2);
  tally.begin(2, 2);
  for (const owner of [3, 40, 3]) tally.addOwner(owner);
  tally.begin(2, 1);
  tally.addOwner(3);
  tally.match(63);
  tally.widen(4);
  const matched: number[] = [];
  tally.takeMatched(matched, nobody);
  t.same(matched, [3, 63]);
  tally.takeMatched(matched, nobody);
  t.equal(matched.length, 2, 'and are forgotten');
  tally.match(63);
  tally.takeMatched(matched, nobody.slice().fill(1));
  tally.takeMatched(matched, nobody);
  t.equal(matched.length, 2, 'as is who is gone');
});
