import fc from 'fast-check';
import t from 'tap';
import { type Dated, NewestFiles } from '../../../protocol/search/newest-files.ts';

t.test('the newest are the newest, whatever comes and goes', async () => {
  const step = fc.record({ row: fc.nat(200), modifiedAt: fc.nat(50) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), steps => {
      const newest = new NewestFiles();
      const all = new Map<number, Dated>();
      for (const file of steps) {
        const { row } = file;
        if (!all.has(row)) {
          all.set(row, file);
          newest.add(file);
        } else {
          all.delete(row);
          newest.remove(row);
        }
        const times = [...all.values()].map(each => each.modifiedAt).sort((a, b) => b - a);
        const taken = newest.take(5, () => all.values());
        if (taken.some(each => !all.has(each.row))) return false;
        if (taken.map(each => each.modifiedAt).join() !== times.slice(0, 5).join()) return false;
      }
      return true;
    }),
  );
});
