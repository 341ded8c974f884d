import fc from 'fast-check';
import t from 'tap';
import { ROWS_END, UnionCursor } from '../../../protocol/search/posting-cursor.ts';
import { PostingLists } from '../../../protocol/search/posting-lists.ts';

const all = (lists: PostingLists, list: number): number[] => {
  const rows: number[] = [];
  const cursor = lists.cursor(list);
  for (let { row } = cursor; row < ROWS_END; row = cursor.seek(row + 1)) rows.push(row);
  return rows;
};

t.test('lists of any length are ascending and hold what was inserted and not deleted', async () => {
  const run = fc.record({
    list: fc.nat(3),
    first: fc.nat(4000),
    count: fc.constantFrom(1, 2, 3, 100, 1500, 3000),
    step: fc.constantFrom(1, 2, 7),
    insert: fc.boolean(),
    backwards: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 20 }), runs => {
      const lists = new PostingLists();
      const expected = [new Set<number>(), new Set<number>(), new Set<number>(), new Set<number>()];
      for (const { list, first, count, step, insert, backwards } of runs) {
        const rows = expected[list] ?? new Set();
        for (let i = 0; i < count; i++) {
          const row = first + step * (backwards ? count - 1 - i : i);
          if (!insert) {
            rows.delete(row);
            lists.delete(list, row);
          } else if (!rows.has(row)) {
            rows.add(row);
            lists.insert(list, row);
          }
        }
      }
      return expected.every((rows, list) => {
        const sorted = [...rows].sort((a, b) => a - b);
        return lists.length(list) === sorted.length && all(lists, list).join() === sorted.join();
      });
    }),
    { numRuns: 60 },
  );
});

t.test('cells of lists that end are used again', async t => {
  const lists = new PostingLists();
  const fill = (): void => {
    for (let list = 0; list < 50; list++) for (let row = 0; row < 20 * list; row++) lists.insert(list, row);
  };
  fill();
  const { cells } = lists;
  for (let round = 0; round < 5; round++) {
    for (let list = 0; list < 50; list++) for (let row = 20 * list - 1; row >= 0; row--) lists.delete(list, row);
    t.equal(lists.cells, 0);
    fill();
    t.equal(lists.cells, cells);
  }
});

t.test('a cursor over one list or several moves to the next row at or after the wanted one', async () => {
  const stretch = fc.record({ first: fc.nat(20_000), count: fc.nat(2500), step: fc.constantFrom(1, 3, 11) });
  const property = fc.property(
    fc.array(fc.array(stretch, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
    fc.array(fc.nat(50_000), { maxLength: 40 }),
    (contents, wanted) => {
      const lists = new PostingLists();
      const rows = new Set<number>();
      for (const [list, stretches] of contents.entries()) {
        const own = new Set<number>();
        for (const { first, count, step } of stretches) for (let i = 0; i < count; i++) own.add(first + i * step);
        for (const row of own) {
          lists.insert(list, row);
          rows.add(row);
        }
      }
      const sorted = [...rows].sort((a, b) => a - b);
      const union = new UnionCursor(contents.map((_, list) => lists.cursor(list)));
      const ascending = [...wanted].sort((a, b) => a - b);
      const isFound = (): boolean =>
        ascending.every(row => union.seek(row) === (sorted.find(other => other >= row) ?? ROWS_END));
      if (!isFound()) return false;
      union.rewind();
      return isFound();
    },
  );
  fc.assert(property, { numRuns: 60 });
});
