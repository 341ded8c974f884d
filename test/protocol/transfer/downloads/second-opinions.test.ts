import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { type Provenance, SecondOpinions } from '../../../../protocol/transfer/downloads/second-opinions.ts';
import { type ByteRange, RangeSet } from '../../../../protocol/transfer/range-set.ts';

const MIB = 1 << 20;
const brought = (source: number | null, trust: number, ...ranges: ByteRange[]): Provenance => ({
  source,
  trust,
  ranges: RangeSet.of(ranges),
});

t.test('the least trusted source is heard first, each once, in blocks of 1 MiB', async t => {
  const opinions = new SecondOpinions();
  const all = [
    brought(1, 5, { start: 0, end: 2 * MIB + 7 }),
    brought(2, 1, { start: 3 * MIB, end: 4 * MIB }),
    brought(3, 0),
  ];
  t.strictSame(opinions.next(all, 9), { source: 2, blocks: [{ start: 3 * MIB, end: 4 * MIB }] });
  t.strictSame(opinions.next(all, 9), {
    source: 1,
    blocks: [
      { start: 0, end: MIB },
      { start: MIB, end: 2 * MIB },
      { start: 2 * MIB, end: 2 * MIB + 7 },
    ],
  });
  t.equal(opinions.next(all, 9), null);
  t.equal(opinions.round, null);
  t.equal(new SecondOpinions().next([brought(9, 0, { start: 0, end: 5 })], 9), null, 'what the other brought stays');
});

t.test('rounds are bounded', async t => {
  const opinions = new SecondOpinions();
  let rounds = 0;
  for (let i = 0; i < 100; i++) if (opinions.next([brought(i, 0, { start: 0, end: 1 })], 900) !== null) rounds++;
  t.equal(rounds, 8);
});

t.test('bytes from before a restart are fetched again too, and charged to nobody', async t => {
  const opinions = new SecondOpinions();
  opinions.next([brought(null, 0, { start: 0, end: 10 })], 9);
  opinions.onDigests([Buffer.from('old')]);
  t.strictSame(opinions.liars([Buffer.from('new')]), new Map());
});

t.test(
  'with one liar among the sources its bytes are found and it alone is named, and each byte is fetched twice at most',
  async () => {
    const BLOCKS = 12;
    const hash = (bytes: Buffer): Buffer => createHash('sha1').update(bytes).digest();
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 4 }), { minLength: BLOCKS, maxLength: BLOCKS }),
        fc.nat({ max: 4 }),
        fc.array(fc.nat({ max: 9 }), { minLength: 5, maxLength: 5 }),
        (told, liar, trusts) => {
          const owners = [...told];
          fc.pre(owners.includes(liar));
          const truth = Buffer.from('0123456789ab');
          const content = Buffer.from(truth.map((byte, i) => (owners[i] === liar ? byte ^ 1 : byte)));
          const opinions = new SecondOpinions();
          let fetchedAgain = 0;
          for (let round = 0; !content.equals(truth); round++) {
            const sources = [...new Set(owners)];
            const next = opinions.next(
              sources.map(source => ({
                source,
                trust: trusts[source] ?? 0,
                ranges: RangeSet.of(owners.flatMap((owner, i) => (owner === source ? [{ start: i, end: i + 1 }] : []))),
              })),
              5,
            );
            assert.ok(next !== null && round < 6);
            opinions.onDigests(next.blocks.map(({ start, end }) => hash(content.subarray(start, end))));
            for (const { start, end } of next.blocks) {
              fetchedAgain += end - start;
              // from the sixth, who is honest
              for (let i = start; i < end; i++) {
                content[i] = truth[i] ?? 0;
                owners[i] = 5;
              }
            }
          }
          const liars = opinions.liars(opinions.blocks.map(({ start, end }) => hash(content.subarray(start, end))));
          assert.deepEqual([...liars.keys()], [liar]);
          assert.ok(fetchedAgain <= BLOCKS);
        },
      ),
    );
  },
);
