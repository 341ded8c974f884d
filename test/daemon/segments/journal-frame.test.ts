import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { encodeFrame, journalContent } from '../../../daemon/segments/journal-frame.ts';
import { blockRows } from '../../../measure/block-slices.ts';
import { RowBlock } from '../../../measure/row-block.ts';
import type { TableName } from '../../../measure/tables.ts';
import { AUTHOR } from '../../support/journals.ts';
import { type AnyRow, anyGroups } from '../../support/row-arbitraries.ts';

function framesOf(table: TableName, groups: readonly (readonly AnyRow[])[]): Buffer[] {
  const block = new RowBlock(table);
  let before = 0;
  return groups.map(rows => {
    for (const row of rows) block.add(Number(row['seq']), Number(row['at_ms']), row);
    const frame = Buffer.from(encodeFrame(table, block, AUTHOR, before));
    block.clear();
    before += rows.length;
    return frame;
  });
}

/** The texts of the rows that can be read, and how many are told to be broken. */
function read(journal: Buffer): { whys: string[]; broken: number } {
  const { blocks, broken } = journalContent('roles', journal);
  return { whys: blocks.flatMap(blockRows).map(({ why }) => String(why)), broken };
}

const GROUPS = [['a'], ['b', 'c', 'd'], ['e', 'f'], ['g', 'h', 'i', 'j']].map((texts, group) =>
  texts.map((why, i) => ({ seq: 1000 * group + i, at_ms: 1_700_000_000_000, role: 'leaf', why })),
);
const FRAMES = framesOf('roles', GROUPS);
const ENDS = FRAMES.map((_, i) => FRAMES.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0));
const JOURNAL = Buffer.concat(FRAMES);
const whysOf = (groups: readonly (readonly { why: string }[])[]) => groups.flat().map(({ why }) => why);

t.test('rows of any values come back as they were', async () => {
  fc.assert(
    fc.property(anyGroups, ({ table, groups }) => {
      const { blocks, broken } = journalContent(table, Buffer.concat(framesOf(table, groups)));
      const rows = groups.flat().map(row => ({ ...AUTHOR, ...row }));
      return isDeepStrictEqual(blocks.flatMap(blockRows), rows) && broken === 0;
    }),
    { seed: 3, numRuns: 200 },
  );
});

t.test('wherever a journal is cut, the frames before are read and the rest is told', async t => {
  const wrong: number[] = [];
  for (let length = 0; length < JOURNAL.length; length++) {
    const { whys, broken } = read(JOURNAL.subarray(0, length));
    const whole = ENDS.filter(end => end <= length).length;
    const start = ENDS[whole - 1] ?? 0;
    // with its head the frame says how many rows it had
    const told = length === start ? 0 : length - start < 48 ? 1 : (GROUPS[whole]?.length ?? 0);
    if (whys.join() !== whysOf(GROUPS.slice(0, whole)).join() || broken !== told) wrong.push(length);
  }
  t.strictSame(wrong, []);
});

t.test('whichever byte of a journal is changed, one frame is lost, and that is told', async t => {
  const wrong: string[] = [];
  for (let at = 0; at < JOURNAL.length; at++)
    for (const flip of [0x01, 0x80, 0xff]) {
      const damaged = Buffer.from(JOURNAL);
      damaged[at] = (damaged[at] ?? 0) ^ flip;
      const { whys, broken } = read(damaged);
      const hit = ENDS.findIndex(end => at < end);
      const isLastHead = hit === GROUPS.length - 1 && at - (ENDS[hit - 1] ?? 0) < 48;
      const told = isLastHead ? 1 : (GROUPS[hit]?.length ?? 0);
      const left = whysOf(GROUPS.filter((_, i) => i !== hit));
      if (whys.join() !== left.join() || broken !== told) wrong.push(`${at} ^ ${flip}: ${whys} and ${broken}`);
    }
  t.strictSame(wrong, []);
});

t.test('what is no journal, and what a crash leaves between frames, ends no reader', async t => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat({ max: FRAMES.length }), (bytes, where) => {
      const journal = Buffer.concat([...FRAMES.slice(0, where), bytes, ...FRAMES.slice(where)]);
      const { whys, broken } = read(journal);
      // nothing is missing between two frames: only at the end it is not known what those bytes were
      return whys.join() === whysOf(GROUPS).join() && broken === (where === FRAMES.length ? 1 : 0);
    }),
    { seed: 4, numRuns: 500 },
  );
  t.strictSame(read(Buffer.alloc(0)), { whys: [], broken: 0 });
  t.strictSame(read(Buffer.alloc(5000)), { whys: [], broken: 1 });
});

t.test('frames of another servent, or of other columns, are no rows of this journal', async t => {
  const block = new RowBlock('roles');
  block.add(1, 1, { role: 'leaf', why: 'x' });
  const other = Buffer.from(encodeFrame('roles', block, { ...AUTHOR, run: '99999999' }, whysOf(GROUPS).length));
  t.strictSame(read(Buffer.concat([JOURNAL, other])), { whys: whysOf(GROUPS), broken: 1 });
  t.strictSame(journalContent('links', JOURNAL), { blocks: [], broken: whysOf(GROUPS).length });
});
