import fc from 'fast-check';
import t from 'tap';
import { NewestFiles } from '../../../protocol/search/newest-files.ts';
import type { SharedFile } from '../../../protocol/search/shared-file.ts';

const file = (index: number, modifiedAt: number): SharedFile => ({
  ...{ index, modifiedAt },
  name: `${index}`,
  size: 1,
  sha1: Buffer.alloc(20),
});

t.test('the newest are the newest, whatever comes and goes', async () => {
  const step = fc.record({ index: fc.nat(200), modifiedAt: fc.nat(50) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), steps => {
      const newest = new NewestFiles();
      const all = new Map<number, SharedFile>();
      for (const { index, modifiedAt } of steps) {
        const before = all.get(index);
        if (before === undefined) {
          all.set(index, file(index, modifiedAt));
          newest.add(file(index, modifiedAt));
        } else {
          all.delete(index);
          newest.remove(before);
        }
        const times = [...all.values()].map(each => each.modifiedAt).sort((a, b) => b - a);
        const taken = newest.take(5, all.values());
        if (taken.some(each => !all.has(each.index))) return false;
        if (taken.map(each => each.modifiedAt).join() !== times.slice(0, 5).join()) return false;
      }
      return true;
    }),
  );
});
