import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { bitprintOf, ContentHasher, treeOf } from '../../../protocol/digest/content-digest.ts';
import { SliceCheck } from '../../../protocol/digest/slice-check.ts';
import { TigerTree } from '../../../protocol/digest/tiger-tree.ts';
import { TigerTreeHasher } from '../../../protocol/digest/tiger-tree-hasher.ts';
import { fullDepth, keptDepth, sliceBytes, sliceCount } from '../../../protocol/digest/tree-shape.ts';
import { formatBase32, formatSha1Urn } from '../../../protocol/wire/urn.ts';
import { pattern } from '../../support/byte-patterns.ts';
import { readFixture } from '../../support/fixtures.ts';
import { testBytes } from '../../support/shared-files.ts';
import { slowRoot } from '../../support/tiger-oracle.ts';

const vectors = readFixture<{
  hashes: {
    content: string;
    length: number;
    urn_sha1: string;
    tth: string;
    bitprint: string;
    full_depth: number;
    thex_depth: number;
    thex_leaf_bytes: number;
    thex_leaf_count: number;
    thex_node_total: number;
  }[];
  tree_detail: { content: string; length: number; levels_root_first_hex: string[][] }[];
  slice_check: { content: string; length: number; slice0_tth: string; slice1_tth: string };
}>('vectors/transfer-vectors.json');

/** Fed in pieces of that many bytes. */
function treeIn(bytes: Buffer, pieceBytes = bytes.length + 1): TigerTree {
  const hasher = new TigerTreeHasher();
  for (let at = 0; at < bytes.length; at += pieceBytes) hasher.update(bytes.subarray(at, at + pieceBytes));
  return hasher.finish();
}

const hexLevels = (tree: TigerTree): string[][] =>
  tree.levels.map(level => level.toString('hex').match(/.{48}/g) ?? []);

t.test('SHA-1, root, bitprint and shape are the published ones', async t => {
  for (const vector of vectors.hashes) {
    const digest = new ContentHasher().update(pattern(vector.content, vector.length)).finish();
    const tree = treeOf(digest, vector.length);
    if (tree === null) throw new Error('a digest that does not fit itself');
    const found = {
      ...vector,
      urn_sha1: formatSha1Urn(digest.sha1),
      tth: formatBase32(digest.tigerRoot),
      bitprint: bitprintOf(digest),
      full_depth: fullDepth(vector.length),
      thex_depth: tree.depth,
      thex_leaf_bytes: tree.sliceBytes,
      thex_leaf_count: tree.sliceCount,
      thex_node_total: tree.levels.flat().reduce((sum, level) => sum + level.length / 24, 0),
    };
    t.strictSame(found, vector, `${vector.content} ${vector.length}`);
  }
});

t.test('all nodes of small trees are the published ones', async t => {
  for (const { content, length, levels_root_first_hex } of vectors.tree_detail) {
    const bytes = pattern(content, length);
    const leaves: Buffer[] = [];
    for (let at = 0; at < length; at += 1024) leaves.push(treeIn(bytes.subarray(at, at + 1024)).root);
    t.strictSame(hexLevels(new TigerTree(length, fullDepth(length), Buffer.concat(leaves))), levels_root_first_hex);
  }
});

t.test('roots agree with the description at the edges of leaves and branches', async t => {
  const edges = [1, 2, 3, 4, 8, 16, 64, 128].flatMap(leaves => [1024 * leaves - 1, 1024 * leaves, 1024 * leaves + 1]);
  for (const size of [0, 1, ...edges]) {
    const bytes = pattern('pat251', size);
    t.ok(treeIn(bytes, 5000).root.equals(slowRoot(bytes)), `${size} bytes`);
  }
});

t.test('a tree is the same however its bytes come', async t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 40_000 }),
      fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 20 }),
      (size, pieces) => {
        const bytes = pattern('pat251', size);
        const hasher = new TigerTreeHasher();
        let at = 0;
        for (const piece of pieces) {
          hasher.update(bytes.subarray(at, at + piece));
          at = Math.min(size, at + piece);
        }
        return hasher.update(bytes.subarray(at)).finish().root.equals(treeIn(bytes).root);
      },
    ),
    { numRuns: 60 },
  );
  // More leaves than are kept: the levels above take their place, whatever the pieces.
  for (const size of [2 ** 21 - 1, 2 ** 21, 2 ** 21 + 1, 2 ** 22 + 1025, 9_000_001]) {
    const bytes = pattern('pat251', size);
    const whole = treeIn(bytes);
    t.strictSame([whole.size, whole.depth], [size, keptDepth(size)]);
    for (const piece of [1024, 65_537, 2 ** 20 + 3072])
      t.strictSame(hexLevels(treeIn(bytes, piece)), hexLevels(whole), `${size} bytes by ${piece}`);
  }
});

t.test('depths are those of other servents, and a tree of any size stays small', async t => {
  const mib = 2 ** 20;
  t.strictSame(
    [0, mib / 4 - 1, mib / 4, mib, 64 * mib - 1, 64 * mib, 256 * mib, 1024 * mib, 2 ** 50].map(keptDepth),
    [0, 0, 1, 3, 8, 9, 10, 11, 11],
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), size => {
      const depth = keptDepth(size);
      const count = sliceCount(size, depth);
      return depth <= fullDepth(size) && count <= 2 ** depth && (depth === 0 || 2 * count > 2 ** depth);
    }),
  );
  t.equal(sliceBytes(2 ** 36, 11), 2 ** 25);
});

t.test('every leaf vouches for its slice', async t => {
  const { content, length, slice0_tth, slice1_tth } = vectors.slice_check;
  const bytes = pattern(content, length);
  const tree = treeIn(bytes);
  t.strictSame([tree.leaf(0), tree.leaf(1)].map(formatBase32), [slice0_tth, slice1_tth]);
  t.strictSame(
    [tree.slice(0), tree.slice(1)],
    [
      { start: 0, end: 262_144 },
      { start: 262_144, end: 300_000 },
    ],
  );
  t.strictSame(
    [0, 262_143, 262_144, 299_999].map(offset => tree.sliceAt(offset)),
    [0, 0, 1, 1],
  );
  t.strictSame(tree.slicesWithin(0, 300_000), { first: 0, end: 2 });
  t.strictSame(tree.slicesWithin(1, 300_000), { first: 1, end: 2 });
  t.strictSame(tree.slicesWithin(0, 299_999), { first: 0, end: 1 });
  t.strictSame(tree.slicesWithin(1, 299_999), { first: 1, end: 1 }, 'none');
});

t.test('a wrong byte is found in its slice and in no other', async t => {
  const bytes = Buffer.from(pattern('pat251', 1_000_000));
  const tree = treeIn(bytes);
  t.equal(tree.sliceCount, 4);
  bytes[600_000] = 1 + (bytes[600_000] ?? 0);
  const check = new SliceCheck(tree, 1);
  const verdicts = [];
  for (let at = tree.sliceBytes; at < bytes.length; at += 10_007)
    verdicts.push(...check.update(bytes.subarray(at, at + 10_007)));
  t.strictSame(verdicts, [
    { slice: 1, isRight: true },
    { slice: 2, isRight: false },
    { slice: 3, isRight: true },
  ]);
  t.throws(() => check.update(Buffer.of(1)), RangeError);
  t.strictSame(new SliceCheck(tree, 0).update(bytes).length, 4, 'all at once');
  t.throws(() => new SliceCheck(tree, 4), RangeError);
});

t.test('leaves that cannot be those of a file make no tree', async t => {
  const digest = new ContentHasher().update(pattern('pat251', 600_000)).finish();
  t.ok(treeOf(digest, 600_000));
  t.equal(treeOf(digest, 500_000), null, 'other size');
  t.equal(treeOf({ ...digest, tigerRoot: Buffer.alloc(24) }, 600_000), null, 'other root');
  t.equal(treeOf({ ...digest, leaves: digest.leaves.subarray(1) }, 600_000), null, 'cut');
  t.throws(() => new TigerTree(1024, 1, Buffer.alloc(48)), RangeError, 'too deep');
  t.throws(() => new TigerTree(-1, 0, Buffer.alloc(24)), RangeError);
});

const hasRhash = spawnSync('rhash', ['--version']).status === 0;
t.test('rhash agrees on 200 random files', { skip: hasRhash ? false : 'rhash is not installed' }, async t => {
  const folder = t.testdir();
  // sizes at the edges of leaves, and at those of the branches above, where a tree gets a level more
  const leaves = [1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 32, 33, 64, 65, 127, 128, 255, 256, 511, 512, 1023, 1024];
  const edges = leaves.flatMap(count => [1024 * count - 1, 1024 * count, 1024 * count + 1]);
  const random = testBytes(1_500_000, 7);
  const others = Array.from({ length: 200 - 3 - edges.length }, (_, i) => random.readUInt32LE(4 * i) % 150_000);
  const sizes = [0, 1, 1_499_999, ...edges, ...others];
  const ours = sizes.map((size, i) => {
    const start = Math.min(i, random.length - size);
    const bytes = random.subarray(start, start + size);
    writeFileSync(join(folder, String(i)), bytes);
    const hasher = new ContentHasher();
    for (let at = 0; at < size; at += 50_000 + i) hasher.update(bytes.subarray(at, at + 50_000 + i));
    const { sha1, tigerRoot } = hasher.finish();
    return `${formatBase32(sha1)} ${formatBase32(tigerRoot)}`;
  });
  t.equal(ours.length, 200);
  const words = ['--printf', '%bh %bT\\n', ...sizes.map((_, i) => String(i))];
  const { stdout } = spawnSync('rhash', words, { encoding: 'utf8', cwd: folder });
  t.strictSame(stdout.trim().toUpperCase().split('\n'), ours);
});
