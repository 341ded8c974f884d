import fc from 'fast-check';
import t from 'tap';
import { z } from 'zod';
import type { ListRequest, Page } from '../../api/control.ts';
import { fieldsOf } from '../../api/fields.ts';
import { parseFilter } from '../../api/filter.ts';
import { LongList } from '../../api/long-list.ts';
import { pageOf } from '../../api/page.ts';
import { parseSort } from '../../api/sort.ts';
import { sorting } from '../../api/sorting.ts';

interface Row {
  id: string;
  size: number | null;
  name: string;
  seenAt: string;
}

const item = z.object({ id: z.string(), size: z.number().nullable(), name: z.string(), seenAt: z.iso.datetime() });
const fields = fieldsOf(item);
const idOf = ({ id }: Row): string => id;
const same = (row: Row): Row => row;

const rowOf = fc.record({
  size: fc.option(fc.integer({ min: 0, max: 5 })),
  name: fc.string({ unit: fc.constantFrom('a', 'B', 'c'), maxLength: 3 }),
});

/** Long enough to be kept in order, made of a few rows again and again. */
const ROWS = 6_000;

class Rows {
  rows: Row[];
  version = 0;
  asked = 0;
  readonly list: LongList<Row, Row>;
  #next = 0;

  constructor(made: readonly { size: number | null; name: string }[]) {
    this.rows = Array.from({ length: ROWS }, (_, i) => this.#row(made[i % made.length] ?? { size: 1, name: '' }));
    this.list = new LongList<Row, Row>({
      rows: () => {
        this.asked++;
        return this.rows;
      },
      versionOf: () => String(this.version),
      keyOf: idOf,
      view: same,
      direct: {},
    });
  }

  #row({ size, name }: { size: number | null; name: string }): Row {
    return { id: `r${this.#next++}`, size, name, seenAt: '2026-01-01T00:00:00.000Z' };
  }

  change(row: { size: number | null; name: string }, at: number): void {
    this.rows = this.rows.toSpliced(at % this.rows.length, 1, this.#row(row), this.#row(row));
    this.version++;
  }

  /** As the list is now, without anything that was kept. */
  searched(request: ListRequest): Page<Row> {
    return pageOf(this.rows, request, idOf, same);
  }

  async untilKept(): Promise<void> {
    while (this.list.orders === 0) await new Promise(resolve => setImmediate(resolve));
  }
}

const requestOf = fc.record({
  sort: fc
    .constantFrom('size,name', '-size', 'name', '-name,size', 'size,-name,id')
    .map(text => parseSort(text, fields)),
  filter: fc.option(
    fc.constantFrom('size>2', 'name~a or size=null', 'not name=B', 'size=7').map(text => parseFilter(text, fields, 0)),
    { nil: undefined },
  ),
  limit: fc.integer({ min: 1_000, max: 2_500 }),
});

t.test(
  'pages of a kept order are those of a search, cursor for cursor, also when rows change between them',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowOf, { minLength: 1, maxLength: 20 }),
        requestOf,
        fc.array(fc.option(fc.tuple(rowOf, fc.nat()), { freq: 2 }), { maxLength: 4 }),
        async (made, { filter, ...rest }, changes) => {
          const rows = new Rows(made);
          const request = { ...rest, ...(filter === undefined ? {} : { filter }) };
          await rows.list.page(request);
          await rows.untilKept();
          for (let cursor: string | null | undefined, n = 0; cursor !== null; n++) {
            const change = changes[n];
            if (change != null) rows.change(...change);
            const asked: ListRequest = { ...request, ...(cursor === undefined ? {} : { cursor }) };
            const { items, next } = await rows.list.page(asked);
            const expected = rows.searched(asked);
            if (next !== expected.next) return false;
            if (items.length !== expected.items.length || items.some((row, i) => row !== expected.items[i]))
              return false;
            cursor = next;
          }
          return true;
        },
      ),
      { numRuns: 15 },
    );
  },
);

t.test('sorting a piece at a time gives what sorting at once gives', async () => {
  fc.assert(
    fc.property(
      fc.array(rowOf, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 0, max: 5_000 }),
      (made, length) => {
        const rows = Array.from({ length }, (_, i) => ({
          ...(made[i % made.length] as Row),
          id: `r${(i * 7919) % 10_007}`,
        }));
        const order = parseSort('-size,name', fields).compile<Row>(
          path => row => (row as unknown as Record<string, unknown>)[path],
        );
        const steps = sorting(rows, row => row.name !== 'a', order, idOf);
        let step = steps.next();
        while (step.done !== true) step = steps.next();
        const expected = pageOf(
          rows.filter(row => row.name !== 'a'),
          { limit: 5_001, sort: parseSort('-size,name', fields) },
          idOf,
          same,
        ).items;
        return step.value.length === expected.length && step.value.every((row, i) => row === expected[i]);
      },
    ),
    { numRuns: 40 },
  );
});

t.test('a page of a long list that stands still is had without looking through the list', async t => {
  const rows = new Rows([{ size: 1, name: 'b' }]);
  const request = { limit: 10, sort: parseSort('-size,name', fields), filter: parseFilter('size>0', fields, 0) };
  const { next } = await rows.list.page(request);
  await rows.untilKept();
  const asked = rows.asked;
  for (let n = 0; n < 5; n++) await rows.list.page({ ...request, cursor: next ?? '' });
  t.equal(rows.asked, asked);
  rows.change({ size: 9, name: 'first' }, 3);
  t.equal((await rows.list.page(request)).items[0]?.name, 'first', 'it has changed');
  t.ok(rows.asked > asked);
});

t.test('a list that changes while it is sorted is not kept, and a later one is', async t => {
  const rows = new Rows([{ size: 1, name: 'b' }]);
  const request = { limit: 10, sort: parseSort('name', fields) };
  await rows.list.page(request);
  rows.version++;
  for (let n = 0; n < 50; n++) await new Promise(resolve => setImmediate(resolve));
  t.equal(rows.list.orders, 0);
  await rows.list.page(request);
  await rows.untilKept();
  t.equal(rows.list.orders, 1);
});

t.test('what counts from now is never kept, nor what is short; and orders are few', async t => {
  const rows = new Rows([{ size: 1, name: 'b' }]);
  const later = async (): Promise<void> => {
    for (let n = 0; n < 50; n++) await new Promise(resolve => setImmediate(resolve));
  };
  const sort = parseSort('name', fields);
  await rows.list.page({ limit: 10, sort, filter: parseFilter('seenAt > -2h', fields, Date.UTC(2026, 0, 1)) });
  await later();
  t.equal(rows.list.orders, 0, 'two hours ago is another time in a second');
  for (let size = 0; size < 7; size++) {
    await rows.list.page({ limit: 10, sort, filter: parseFilter(`size!=${size}`, fields, 0) });
    await later();
  }
  t.equal(rows.list.orders, 4);
  const few = new Rows([{ size: 1, name: 'b' }]);
  few.rows.length = 4_000;
  await few.list.page({ limit: 10, sort });
  await later();
  t.equal(few.list.orders, 0);
});

t.test('a row that cannot be read fails the page that asks, and nothing behind it', async t => {
  let isBroken = false;
  const rows = Array.from({ length: ROWS }, (_, i) => i);
  const list = new LongList<number, { size: number }>({
    rows: () => rows,
    versionOf: () => '',
    keyOf: String,
    view: size => {
      if (isBroken) throw new Error('broken');
      return { size };
    },
    direct: {},
  });
  const request = { limit: 1, sort: parseSort('-size', fields) };
  await list.page(request);
  isBroken = true;
  await t.rejects(list.page(request), { message: 'broken' });
  isBroken = false;
  t.strictSame((await list.page(request)).items, [{ size: ROWS - 1 }]);
});
