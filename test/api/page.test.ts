import fc from 'fast-check';
import t from 'tap';
import type { Page } from '../../api/control.ts';
import { pageOf } from '../../api/page.ts';

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
