import fc from 'fast-check';
import t from 'tap';
import { OwnerLists } from '../../../protocol/qrp/owner-lists.ts';

const LISTS = 5;

const ownersOf = (lists: OwnerLists, list: number): number[] => {
  const into = new Uint16Array(lists.length(list));
  const length = lists.collect(list, into);
  return [...into.subarray(0, length)].sort((a, b) => a - b);
};

t.test('lists hold what sets would, whatever comes and goes', async () => {
  const step = fc.record({ list: fc.nat(LISTS - 1), owner: fc.nat(40) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), steps => {
      const lists = new OwnerLists(LISTS);
      const sets = Array.from({ length: LISTS }, () => new Set<number>());
      for (const { list, owner } of steps) {
        const set = sets[list];
        if (set?.delete(owner) === true) lists.remove(list, owner);
        else {
          set?.add(owner);
          lists.add(list, owner);
        }
      }
      return sets.every((set, list) => {
        const wanted = [...set].sort((a, b) => a - b);
        return lists.length(list) === wanted.length && ownersOf(lists, list).join() === wanted.join();
      });
    }),
  );
});

t.test('a list as long as can be, over many pages, comes out whole; what is not there is not removed', async t => {
  const lists = new OwnerLists(2);
  for (let owner = 0; owner < 65_535; owner++) lists.add(owner % 3 === 0 ? 0 : 1, owner);
  t.equal(lists.length(0) + lists.length(1), 65_535);
  t.equal(ownersOf(lists, 1).at(-1), 65_534);
  lists.remove(0, 1);
  t.equal(lists.length(0), 21_845);
  for (let owner = 0; owner < 65_535; owner += 3) lists.remove(0, owner);
  t.same(ownersOf(lists, 0), []);
  for (let owner = 0; owner < 65_535; owner += 3) lists.add(0, owner);
  t.equal(lists.length(0), 21_845, 'in the chunks that were given back');
});
