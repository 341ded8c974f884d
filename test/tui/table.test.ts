import fc from 'fast-check';
import t from 'tap';
import { createModel, type ListState } from '../../tui/model.ts';
import { type Column, cursorIn, type ListSpec, ordered, placeColumns, scrollTop } from '../../tui/table.ts';
import { lists } from '../../tui/views/all.ts';

interface Row {
  id: string;
  size: number;
}
const column = (id: string, rank: number, width: number, grow = 0): Column<Row> => ({
  id,
  title: id.toUpperCase(),
  of: row => (id === 'size' ? String(row.size) : row.id),
  ...(id === 'size' ? { by: (row: Row) => row.size } : {}),
  rank,
  width,
  grow,
});
const spec: ListSpec<Row> = {
  id: 'files',
  title: 'Rows',
  one: 'row',
  many: 'rows',
  columns: [column('id', 0, 10, 1), column('size', 1, 8), column('rest', 2, 12)],
  rows: () => [],
  keyOf: row => row.id,
  nameOf: row => row.id,
  empty: '',
  fields: new Map([
    ['id', { path: 'id', kind: 'text', plural: false, choices: [] }],
    ['size', { path: 'size', kind: 'number', plural: false, choices: [] }],
  ]),
};
const state = (change: Partial<ListState> = {}): ListState => ({
  key: null,
  index: 0,
  sort: null,
  filter: '',
  marks: new Set(),
  columns: null,
  ...change,
});
const rows: readonly Row[] = ['pear', 'apple', 'fig', 'date'].map((id, i) => ({ id, size: [30, 4, 100, 4][i] ?? 0 }));
const ids = (change: Partial<ListState>): string[] => ordered(spec, state(change), rows, 0).rows.map(({ id }) => id);

t.test('rows are ordered by number or by text, and equals keep their places', async t => {
  t.strictSame(ids({}), ['pear', 'apple', 'fig', 'date']);
  t.strictSame(ids({ sort: { column: 'size', descending: false } }), ['apple', 'date', 'pear', 'fig']);
  t.strictSame(ids({ sort: { column: 'size', descending: true } }), ['fig', 'pear', 'apple', 'date']);
  t.strictSame(ids({ sort: { column: 'id', descending: false } }), ['apple', 'date', 'fig', 'pear']);
  t.strictSame(ids({ sort: { column: 'gone', descending: false } }), ['pear', 'apple', 'fig', 'date']);
});

t.test('a filter wants all its words and none of those with an exclamation mark', async t => {
  t.strictSame(ids({ filter: 'p' }), ['pear', 'apple']);
  t.strictSame(ids({ filter: 'P EA' }), ['pear']);
  t.strictSame(ids({ filter: '!p' }), ['fig', 'date']);
  t.strictSame(ids({ filter: 'size=4 !apple' }), ['date']);
  t.strictSame(ids({ filter: 'size>4 or a*' }), ['pear', 'fig']);
  t.strictSame(ids({ filter: '!' }).length, 4, 'half typed');
});

t.test('the order is made once for the same rows', async t => {
  const sorted = state({ sort: { column: 'size', descending: true } });
  t.equal(ordered(spec, sorted, rows, 0), ordered(spec, sorted, rows, 5000));
  t.not(ordered(spec, sorted, rows, 0), ordered(spec, sorted, [...rows], 0));
});

t.test(
  'the cursor follows its row; on the first place it stays there; a row that vanished leaves it where it was',
  async t => {
    t.equal(cursorIn(spec, state({ key: 'fig', index: 2 }), rows), 2);
    t.equal(cursorIn(spec, state({ key: 'fig', index: 0 }), rows), 2);
    t.equal(cursorIn(spec, state({ key: null, index: 3 }), rows), 0);
    t.equal(cursorIn(spec, state({ key: 'gone', index: 3 }), rows), 3);
    t.equal(cursorIn(spec, state({ key: 'gone', index: 9 }), rows), 3);
    t.equal(cursorIn(spec, state({ key: 'fig' }), []), -1);
  },
);

t.test('columns leave by rank when there is no room, and the room that is left is shared', async t => {
  const at = (width: number) => placeColumns(spec.columns, width).map(({ column, x, width }) => [column.id, x, width]);
  t.strictSame(at(40), [
    ['id', 0, 16],
    ['size', 18, 8],
    ['rest', 28, 12],
  ]);
  t.strictSame(at(20), [
    ['id', 0, 10],
    ['size', 12, 8],
  ]);
  t.strictSame(at(5), [['id', 0, 5]]);
});

t.test('no list has columns that overlap or leave the table, at any width', async t => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(lists)), fc.integer({ min: 1, max: 300 }), (list, width) => {
      let end = 0;
      for (const placed of placeColumns(list.columns, width)) {
        if (placed.x < end || placed.x + placed.width > width) t.fail(`${list.id} at ${width}: ${placed.column.id}`);
        end = placed.x + placed.width;
      }
    }),
  );
  t.pass();
});

t.test('the view scrolls as little as can be, and the cursor is always in it', async t => {
  t.equal(scrollTop(0, 9, 10, 100), 0);
  t.equal(scrollTop(0, 10, 10, 100), 1);
  t.equal(scrollTop(50, 40, 10, 100), 40);
  t.equal(scrollTop(95, 99, 10, 100), 90);
  t.equal(scrollTop(5, 2, 10, 3), 0);
  const nat = fc.nat({ max: 1000 });
  fc.assert(
    fc.property(
      nat,
      nat,
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 1000 }),
      (top, at, height, count) => {
        const cursor = at % count;
        const next = scrollTop(top, cursor, height, count);
        if (next < 0 || cursor < next || cursor >= next + height || next > Math.max(0, count - height))
          t.fail(JSON.stringify([top, cursor, height, count]));
      },
    ),
  );
});

t.test('every list sorts by columns that it has', async t => {
  const model = createModel({ contexts: [], now: 0, columns: 80, rows: 24 });
  for (const list of Object.values(lists)) {
    const sort = model.lists[list.id].sort;
    if (sort !== null)
      t.ok(
        list.columns.some(({ id }) => id === sort.column),
        `${list.id}: ${sort.column}`,
      );
    t.equal(new Set(list.columns.map(({ id }) => id)).size, list.columns.length);
  }
});
