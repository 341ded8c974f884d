import fc from 'fast-check';
import t from 'tap';
import { BitSlicedCounter } from '../../../protocol/qrp/bit-sliced-counter.ts';

const OWNERS = 96;
const nobody = new Uint8Array(OWNERS);

t.test('matched is who is in enough of the sets, whether these come as cells or one by one', async () => {
  const set = fc.record({ owners: fc.uniqueArray(fc.nat(OWNERS - 1)), asCells: fc.boolean() });
  fc.assert(
    fc.property(fc.array(set, { maxLength: 20 }), fc.integer({ min: 1, max: 20 }), (sets, needed) => {
      const counter = new BitSlicedCounter();
      counter.widen(OWNERS / 32);
      counter.begin(OWNERS / 32, needed);
      for (const { owners, asCells } of sets) {
        if (asCells) {
          const cells = new Uint32Array(1 + OWNERS / 32);
          for (const owner of owners) cells[1 + (owner >>> 5)] = (cells[1 + (owner >>> 5)] ?? 0) | (1 << (owner & 31));
          counter.addCells(cells, 1);
        } else for (const owner of owners) counter.addOwner(owner);
      }
      const matched: number[] = [];
      counter.takeMatched(matched, nobody);
      const inSets = (owner: number) => sets.filter(({ owners }) => owners.includes(owner)).length;
      const expected = Array.from({ length: OWNERS }, (_, owner) => owner).filter(owner => inSets(owner) >= needed);
      return matched.join() === expected.join();
    }),
  );
});

t.test('several counts, and what was found otherwise, come out together and once', async t => {
  const counter = new BitSlicedCounter();
  counter.widen(2);
  counter.begin(2, 2);
  for (const owner of [3, 40, 3]) counter.addOwner(owner);
  counter.begin(2, 1);
  counter.addOwner(3);
  counter.match(63);
  counter.widen(4);
  const matched: number[] = [];
  counter.takeMatched(matched, nobody);
  t.same(matched, [3, 63]);
  counter.takeMatched(matched, nobody);
  t.equal(matched.length, 2, 'and are forgotten');
  counter.match(63);
  counter.takeMatched(matched, nobody.slice().fill(1));
  counter.takeMatched(matched, nobody);
  t.equal(matched.length, 2, 'as is who is gone');
});
