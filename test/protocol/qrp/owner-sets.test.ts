import fc from 'fast-check';
import t from 'tap';
import { OwnerSets } from '../../../protocol/qrp/owner-sets.ts';

const LISTS = 5;

const ownersOf = (lists: OwnerSets, list: number): number[] => {
  const into = new Uint16Array(lists.length(list));
  const length = lists.collect(list, into);
  return [...into.subarray(0, length)].sort((a, b) => a - b);
};

t.test('lists hold what sets would, whatever comes, goes and comes again after the sweep', async () => {
  const added = fc.array(fc.record({ list: fc.nat(LISTS - 1), owner: fc.nat(40) }), { maxLength: 150 });
  fc.assert(
    fc.property(fc.array(fc.record({ added, gone: fc.array(fc.nat(40)) }), { maxLength: 4 }), rounds => {
      const lists = new OwnerSets(LISTS);
      const sets = Array.from({ length: LISTS }, () => new Set<number>());
      for (const { added, gone } of rounds) {
        for (const { list, owner } of added) {
          if (sets[list]?.has(owner) === false) lists.add(list, owner);
          sets[list]?.add(owner);
        }
        const marks = new Uint8Array(41);
        for (const owner of gone) marks[owner] = 1;
        for (let list = 0; list < LISTS; list++) lists.sweep(list, marks, new Uint16Array(41));
        for (const set of sets) for (const owner of gone) set.delete(owner);
      }
      return sets.every((set, list) => {
        const wanted = [...set].sort((a, b) => a - b);
        return lists.length(list) === wanted.length && ownersOf(lists, list).join() === wanted.join();
      });
    }),
  );
});

t.test('a list as long as can be, over many pages, comes out whole; a sweep gives its chunks back', async t => {
  const lists = new OwnerSets(2);
  const gone = new Uint8Array(65_535);
  const scratch = new Uint16Array(65_535);
  for (let owner = 0; owner < 65_535; owner++) lists.add(owner % 3 === 0 ? 0 : 1, owner);
  t.equal(lists.length(0) + lists.length(1), 65_535);
  t.equal(ownersOf(lists, 1).at(-1), 65_534);
  lists.sweep(0, gone, scratch);
  t.equal(lists.length(0), 21_845, 'nobody is gone');
  lists.sweep(0, gone.fill(1), scratch);
  t.same(ownersOf(lists, 0), []);
  for (let owner = 0; owner < 65_535; owner += 3) lists.add(0, owner);
  t.equal(lists.length(0), 21_845);
  t.equal(lists.length(1), 43_690, 'the chunks that were given back are not those of the other list');
  t.equal(ownersOf(lists, 1).at(-1), 65_534);
});

t.test('as bits or as a list, what goes in comes out: many owners come, and go again', async t => {
  const sets = new OwnerSets(2);
  for (let owner = 0; owner < 5_000; owner++) sets.add(0, owner);
  t.ok(sets.isDense(0));
  t.notOk(sets.isDense(1));
  sets.remove(0, 5_000);
  t.equal(sets.length(0), 5_000, 'one that is not there');
  for (let owner = 0; owner < 5_000; owner++) if (owner % 50 !== 0) sets.remove(0, owner);
  t.notOk(sets.isDense(0));
  t.same(
    ownersOf(sets, 0),
    Array.from({ length: 100 }, (_, i) => 50 * i),
  );
  for (let owner = 0; owner < 5_000; owner++) sets.add(1, owner);
  const gone = new Uint8Array(5_000).fill(1, 1_000);
  sets.sweep(1, gone, new Uint16Array(5_000));
  t.ok(sets.isDense(1), 'a thousand of eight thousand');
  t.equal(ownersOf(sets, 1).join(), Array.from({ length: 1_000 }, (_, i) => i).join());
  sets.sweep(1, gone.fill(1, 10), new Uint16Array(5_000));
  t.notOk(sets.isDense(1));
  t.equal(ownersOf(sets, 1).length, 10);
});

t.test('a set of bits becomes a list when owners are many more than it has', async t => {
  const sets = new OwnerSets(1);
  for (let owner = 0; owner < 20; owner++) sets.add(0, owner);
  t.ok(sets.isDense(0), '20 of 256');
  sets.add(0, 60_000);
  t.notOk(sets.isDense(0), '21 of 65,536');
  t.same(ownersOf(sets, 0), [...Array.from({ length: 20 }, (_, i) => i), 60_000]);
});
