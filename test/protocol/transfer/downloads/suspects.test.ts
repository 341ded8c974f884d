import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Suspects } from '../../../../protocol/transfer/downloads/suspects.ts';

const SLICE = 1000;
const SIZE = 1_000_000;
const unsure = { size: SIZE, isAsked: false, isFirm: false };
const firm = { ...unsure, isFirm: true };
const asked = { ...firm, isAsked: true };
const digest = (text: string): Buffer => Buffer.from(text.padEnd(24));
const from = (source: number, bytes = SLICE) => ({ source, voter: `10.0.0.${source}`, bytes });
const BEFORE = { source: null, voter: null, bytes: SLICE };

t.test('who brought all of a wrong slice is dropped at once', async t => {
  const suspects = new Suspects();
  t.strictSame(suspects.onWrong(0, digest('a'), [from(1)], asked), {
    charges: [{ source: 1, bytes: SLICE, isDropped: true }],
    tree: 'believed',
    pardoned: [],
  });
  t.equal(suspects.wrongBytes, SLICE);
});

t.test('of several that brought parts each is dropped with its second wrong slice', async t => {
  const suspects = new Suspects();
  const first = suspects.onWrong(0, digest('a'), [from(1, 400), from(2, 600)], asked);
  t.strictSame(first.charges, [
    { source: 1, bytes: 400, isDropped: false },
    { source: 2, bytes: 600, isDropped: false },
  ]);
  const second = suspects.onWrong(SLICE, digest('b'), [from(2, 500), from(3, 500)], asked);
  t.strictSame(second.charges, [
    { source: 2, bytes: 500, isDropped: true },
    { source: 3, bytes: 500, isDropped: false },
  ]);
});

t.test(
  'who shared wrong slices with a source that is then proven to lie is pardoned, and not suspected with it again',
  async t => {
    const suspects = new Suspects();
    suspects.onWrong(0, digest('a'), [from(1), from(2), from(3)], firm);
    suspects.onWrong(SLICE, digest('b'), [from(1), from(2)], firm);
    t.strictSame(suspects.onWrong(2 * SLICE, digest('c'), [from(2)], firm), {
      charges: [{ source: 2, bytes: SLICE, isDropped: true }],
      tree: 'believed',
      pardoned: [1],
    });
    for (let i = 3; i < 6; i++)
      t.strictSame(suspects.onWrong(i * SLICE, digest(`${i}`), [from(1, 400), from(2, 600)], firm).charges, [
        { source: 1, bytes: 400, isDropped: false },
        { source: 2, bytes: 600, isDropped: true },
      ]);
    t.strictSame(suspects.onWrong(6 * SLICE, digest('f'), [from(1)], firm).charges, [
      { source: 1, bytes: SLICE, isDropped: true },
    ]);
    t.strictSame(suspects.onNoneLeft(), [], 'both lie for certain');
  },
);

t.test('of those that share wrong slices only the one with the most is dropped', async t => {
  const suspects = new Suspects();
  const wrong = (slice: number, ...sources: number[]) =>
    suspects.onWrong(
      slice * SLICE,
      digest(`${slice}`),
      sources.map(source => from(source)),
      firm,
    );
  const dropped = ({ charges }: ReturnType<typeof wrong>) =>
    charges.flatMap(({ source, isDropped }) => (isDropped ? source : []));
  wrong(0, 1, 2);
  t.strictSame(dropped(wrong(1, 2, 3)), [2]);
  t.strictSame(dropped(wrong(2, 2, 3)), [2], 'the other has two as well, and is not the one with the most');
  wrong(3, 4, 5);
  t.strictSame(dropped(wrong(4, 4, 5)), [4, 5], 'nobody can tell');
  t.strictSame(wrong(5, 5, 1).pardoned, [4]);
});

t.test('bytes from before a restart are charged to nobody, but share the suspicion', async t => {
  const suspects = new Suspects();
  t.strictSame(suspects.onWrong(0, digest('a'), [BEFORE], asked).charges, []);
  t.strictSame(suspects.onWrong(0, digest('a'), [BEFORE, from(1)], asked).charges, [
    { source: 1, bytes: SLICE, isDropped: false },
  ]);
});

t.test('two addresses that bring the same wrong bytes outvote the tree, and the first is pardoned', async t => {
  for (const how of [unsure, firm]) {
    const suspects = new Suspects();
    suspects.onWrong(0, digest('same'), [from(1)], how);
    t.strictSame(suspects.onWrong(0, digest('same'), [from(2)], how), { charges: [], tree: 'outvoted', pardoned: [1] });
    t.equal(suspects.wrongBytes, 0);
  }
});

t.test('other bytes, the same address, unknown ones and the root of the user outvote nothing', async t => {
  const twice = (one: Parameters<Suspects['onWrong']>, other: Parameters<Suspects['onWrong']>): string => {
    const suspects = new Suspects();
    suspects.onWrong(...one);
    return suspects.onWrong(...other).tree;
  };
  const one = (...contributions: (typeof BEFORE | ReturnType<typeof from>)[]): Parameters<Suspects['onWrong']> => [
    0,
    digest('same'),
    contributions,
    unsure,
  ];
  t.equal(twice(one(from(1)), [0, digest('other'), [from(2)], unsure]), 'believed');
  t.equal(twice(one(from(1)), [SLICE, digest('same'), [from(2)], unsure]), 'believed');
  t.equal(twice(one(from(1)), one({ ...from(2), voter: from(1).voter })), 'believed');
  t.equal(twice(one(from(1), from(2)), one(from(2), from(3))), 'believed');
  t.equal(twice(one(BEFORE), one(from(2))), 'believed');
  t.equal(twice([0, digest('same'), [from(1)], asked], [0, digest('same'), [from(2)], asked]), 'believed');
  t.equal(twice(one(from(1), from(2)), one(from(3), from(4))), 'outvoted');
});

t.test(
  'a tree that nobody fits is doubted: after four tries of a slice, or a tenth of the file from two addresses',
  async t => {
    const tries = new Suspects();
    for (let i = 1; i < 4; i++) t.equal(tries.onWrong(0, digest(`${i}`), [from(i)], unsure).tree, 'believed');
    t.strictSame(tries.onWrong(0, digest('4'), [from(4)], unsure), {
      charges: [],
      tree: 'doubted',
      pardoned: [1, 2, 3],
    });
    const much = new Suspects();
    for (let i = 0; i < 8; i++)
      t.equal(much.onWrong(i * SLICE, digest(`${i}`), [from(1, 50_000)], unsure).tree, 'believed', 'one may be a liar');
    t.equal(much.onWrong(9 * SLICE, digest('9'), [from(2)], unsure).tree, 'doubted');
    const sure = new Suspects();
    for (let i = 1; i < 10; i++) t.equal(sure.onWrong(0, digest(`${i}`), [from(i)], firm).tree, 'believed');
  },
);

t.test('a slice that is right in the end is forgotten', async t => {
  const suspects = new Suspects();
  suspects.onWrong(0, digest('same'), [from(1)], unsure);
  suspects.onRight(0);
  t.equal(suspects.onWrong(0, digest('same'), [from(2)], unsure).tree, 'believed');
});

t.test('bad trees are charged like slices, and not pardoned with a tree', async t => {
  const suspects = new Suspects();
  t.notOk(suspects.onBadTree(1, false));
  t.ok(suspects.onBadTree(1, false));
  t.ok(suspects.onBadTree(2, true));
  suspects.onWrong(0, digest('a'), [from(1)], unsure);
  suspects.onWrong(SLICE, digest('b'), [from(3)], unsure);
  t.strictSame(suspects.onTreeGone(), [3]);
  t.strictSame(suspects.onTreeGone(), []);
});

t.test(
  'with a true tree no honest source is dropped but one that shared all wrong slices of an unproven liar',
  async () => {
    const visit = fc.record({
      slice: fc.nat({ max: 30 }),
      parts: fc.uniqueArray(fc.nat({ max: 5 }), { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(visit, { maxLength: 50 }), visits => {
        const suspects = new Suspects();
        const shared = new Map<number, number>();
        let isProven = false;
        for (const [i, { slice, parts }] of visits.entries()) {
          const isWrong = parts.includes(0); // source 0 lies, every time in another way
          if (!isWrong) {
            suspects.onRight(slice * SLICE);
            continue;
          }
          isProven ||= parts.length === 1;
          if (isProven) shared.clear();
          else for (const part of parts) shared.set(part, (shared.get(part) ?? 0) + 1);
          const lies = shared.get(0) ?? 0;
          const blame = suspects.onWrong(
            slice * SLICE,
            digest(`${i}`),
            parts.map(each => from(each)),
            firm,
          );
          assert.equal(blame.tree, 'believed');
          for (const { source, isDropped } of blame.charges)
            assert.equal(isDropped, (lies >= 2 && shared.get(source) === lies) || (source === 0 && isProven));
        }
      }),
    );
  },
);
