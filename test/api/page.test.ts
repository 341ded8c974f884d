import fc from 'fast-check';
import t from 'tap';
import { z } from 'zod';
import type { ListRequest, Page } from '../../api/control.ts';
import { fieldsOf } from '../../api/fields.ts';
import { parseFilter } from '../../api/filter.ts';
import { pageOf } from '../../api/page.ts';
import { parseSort } from '../../api/sort.ts';

const identity = (row: string): string => row;

function walk(rows: string[], limit: number): string[] {
  const seen: string[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: Page<string> = pageOf(rows, { limit, ...(cursor === null ? {} : { cursor }) }, identity, identity);
    seen.push(...page.items);
    if (page.next === null) return seen;
    cursor = page.next;
  }
}

t.test('walking the pages gives every row once and in order, whatever the limit', async () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1 })), fc.integer({ min: 1, max: 7 }), (rows, limit) => {
      const seen = walk(rows, limit);
      return seen.length === rows.length && seen.every((row, i) => row === rows[i]);
    }),
  );
});

t.test('rows that come in front of the cursor or vanish do not make others appear twice', async t => {
  const rows = ['a', 'b', 'c', 'd', 'e'];
  const { next } = pageOf(rows, { limit: 2 }, identity, identity);
  const after = (now: string[]): string[] => pageOf(now, { limit: 9, cursor: next ?? '' }, identity, identity).items;
  t.strictSame(after(rows), ['c', 'd', 'e']);
  t.strictSame(after(['x', 'y', ...rows]), ['c', 'd', 'e']);
  t.strictSame(after(['b', 'c', 'd']), ['c', 'd']);
  t.strictSame(after(['a', 'c', 'd']), ['c', 'd'], 'the last row given has gone');
  t.strictSame(after(['x', 'a', 'c', 'd']), ['c', 'd'], 'and another one has come in front');
  t.strictSame(after([]), []);
});

t.test('a made-up cursor is refused', async () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), cursor => {
      try {
        pageOf(['a'], { limit: 1, cursor }, identity, identity);
        return true;
      } catch (error) {
        return error instanceof Error && error.name === 'ApiError';
      }
    }),
  );
});

interface Row {
  id: string;
  size: number | null;
  name: string;
}

const item = z.object({ id: z.string(), size: z.number().nullable(), name: z.string() });
const fields = fieldsOf(item);
const rowsOf = fc
  .array(
    fc.record({
      size: fc.option(fc.integer({ min: 0, max: 5 })),
      name: fc.string({ unit: fc.constantFrom('a', 'B', 'c'), maxLength: 3 }),
    }),
    { maxLength: 40 },
  )
  .map(rows => rows.map((row, i): Row => ({ id: `r${i}`, ...row })));

function walkAll(rows: Row[], request: Omit<ListRequest, 'cursor'>): Row[] {
  const seen: Row[] = [];
  for (let cursor: string | null = null; ; ) {
    const asked: ListRequest = { ...request, ...(cursor === null ? {} : { cursor }) };
    const page: Page<Row> = pageOf(
      rows,
      asked,
      row => row.id,
      row => row,
    );
    seen.push(...page.items);
    if (page.next === null) return seen;
    cursor = page.next;
  }
}

t.test('sorted and filtered pages together are what sorting and filtering everything gives', async () => {
  const key = ({ name }: Row): string => name.toLowerCase();
  const last = (value: number | null, sign: number): number => (value === null ? 1e9 : sign * value);
  fc.assert(
    fc.property(rowsOf, fc.integer({ min: 1, max: 7 }), fc.boolean(), (rows, limit, descending) => {
      const sort = parseSort(descending ? '-size,name' : 'size,name', fields);
      const filter = parseFilter('name~a or size>2', fields, 0);
      const sign = descending ? -1 : 1;
      const expected = rows
        .filter(row => /a/i.test(row.name) || (row.size ?? -1) > 2)
        .sort(
          (a, b) =>
            last(a.size, sign) - last(b.size, sign) ||
            (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.id < b.id ? -1 : 1),
        );
      const seen = walkAll(rows, { limit, sort, filter });
      return seen.length === expected.length && seen.every((row, i) => row === expected[i]);
    }),
  );
});

t.test('a filtered page goes on behind its last item, whatever lies between', async t => {
  const rows = Array.from({ length: 1000 }, (_, i): Row => ({ id: String(i), size: i % 100, name: '' }));
  const filter = parseFilter('size=99', fields, 0);
  t.strictSame(
    walkAll(rows, { limit: 3, filter }).map(row => row.id),
    ['99', '199', '299', '399', '499', '599', '699', '799', '899', '999'],
  );
});

t.test('a sorted list that changes between two pages gives nothing twice', async t => {
  const rows = ['d', 'b', 'a', 'c'].map((name): Row => ({ id: name, size: 0, name }));
  const sort = parseSort('name', fields);
  const first = pageOf(
    rows,
    { limit: 2, sort },
    row => row.id,
    row => row.name,
  );
  t.strictSame(first.items, ['a', 'b']);
  const now = [
    { id: 'aa', size: 0, name: 'aa' },
    ...rows.filter(row => row.id !== 'b'),
    { id: 'e', size: 0, name: 'e' },
  ];
  const next = pageOf(
    now,
    { limit: 9, sort, cursor: first.next ?? '' },
    row => row.id,
    row => row.name,
  );
  t.strictSame(next, { items: ['c', 'd', 'e'], next: null });
});

t.test('views are made for the page and no more, where the fields can be read directly', async t => {
  let views = 0;
  const rows = Array.from({ length: 10_000 }, (_, i) => ({ n: (i * 7919) % 10_000 }));
  const { items } = pageOf(
    rows,
    { limit: 5, sort: parseSort('-size', fields), filter: parseFilter('size>10 and size<9000', fields, 0) },
    row => String(row.n),
    row => {
      views++;
      return row.n;
    },
    { size: row => row.n },
  );
  t.strictSame(items, [8999, 8998, 8997, 8996, 8995]);
  t.equal(views, 5);
});

t.test('a cursor that points far past the end costs nothing', async t => {
  // to count so far would take longer than the time limit of a test
  const cursor = Buffer.from(`[${Number.MAX_SAFE_INTEGER},"nobody"]`).toString('base64url');
  t.strictSame(pageOf(['a', 'b'], { limit: 9, cursor }, identity, identity), { items: [], next: null });
});

t.test('an order has up to three fields that the list has', async t => {
  for (const text of ['nothing', 'size,name,id,size', '', '-', 'size,', '__proto__'])
    t.throws(() => parseSort(text, fields), { name: 'SortError' }, text);
  t.equal(parseSort('+size, -name', fields).text, 'size,-name');
});
