import fc from 'fast-check';
import t from 'tap';
import { IndexSet } from '../../../protocol/search/index-set.ts';

t.test('agrees with a set of numbers, and gives the lowest first', async t => {
  const index = fc.oneof(fc.nat(70), fc.nat(20_000), fc.constantFrom(31, 32, 4095, 4096, 8191));
  const step = fc.tuple(fc.constantFrom('add', 'delete', 'take'), index);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const set = new IndexSet();
      const model = new Set<number>();
      for (const [what, n] of steps) {
        if (what === 'add') set.add(n);
        if (what === 'add') model.add(n);
        if (what === 'delete') set.delete(n);
        if (what === 'delete') model.delete(n);
        if (what === 'take') {
          const lowest = [...model].sort((a, b) => a - b).slice(0, n % 5);
          t.strictSame(set.take(n % 5), lowest);
          for (const one of lowest) model.delete(one);
        }
        t.equal(set.size, model.size);
        t.equal(set.has(n), model.has(n));
      }
      set.clear();
      t.equal(set.size, 0);
    }),
  );
});
