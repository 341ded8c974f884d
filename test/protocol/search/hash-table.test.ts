import fc from 'fast-check';
import t from 'tap';
import { HashTable } from '../../../protocol/search/hash-table.ts';

t.test('rows are found by their hash, also among many that collide, until they are removed', async () => {
  const step = fc.record({ row: fc.nat(300), add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600 }), fc.constantFrom(1, 3, 256, 65_536), (steps, hashes) => {
      const hashOf = (row: number): number => Math.imul(row % hashes, 0x9e3779b1);
      const table = new HashTable(hashOf);
      const rows = new Set<number>();
      for (const { row, add } of steps) {
        if (add === rows.has(row)) continue;
        if (add) {
          rows.add(row);
          table.add(row);
        } else {
          rows.delete(row);
          table.delete(row);
        }
      }
      for (let row = 0; row <= 300; row++) {
        const found = table.find(hashOf(row), other => other === row);
        if (found !== (rows.has(row) ? row : -1)) return false;
      }
      return table.find(hashOf(1), () => false) === -1;
    }),
  );
});
