// Hashes Tiger (192 bits, 3 passes) and the levels of a tiger tree, in a memory of fixed size. AssemblyScript, compiled by
// scripts/assembly.mjs; protocol/digest/tiger-engine.ts is its only caller. Algorithm: Anderson and Biham, "Tiger: A Fast New Hash
// Function", 1996; the S-boxes are generated as its authors did, by `makeTables`.

/** Four S-boxes of 256 words, one after the other. */
const TABLES: usize = 0;
/** The last blocks of the two lanes, with their padding, and what the lanes hold. */
const TAIL_A: usize = 8192;
const TAIL_B: usize = 8256;
const STATE_A: usize = 8320;
const STATE_B: usize = 8352;
/** Digests of 24 bytes, NODES_MAX at most. */
const NODES: usize = 8448;
/** The byte before it belongs to nobody: a leaf's prefix is put there. */
const INPUT: usize = 65536;

const BLOCK_BYTES: usize = 64;
const LEAF_BYTES: usize = 1024;
const DIGEST_BYTES: usize = 24;

export const nodes: usize = NODES;
export const input: usize = INPUT;

@inline
function even(word: u64): u64 {
  const low = <u32>word;
  const high = <u32>(word >> 32);
  return (
    load<u64>((low << 3) & 0x7f8, TABLES) ^
    load<u64>((low >> 13) & 0x7f8, TABLES + 2048) ^
    load<u64>((high << 3) & 0x7f8, TABLES + 4096) ^
    load<u64>((high >> 13) & 0x7f8, TABLES + 6144)
  );
}

@inline
function odd(word: u64): u64 {
  const low = <u32>word;
  const high = <u32>(word >> 32);
  return (
    load<u64>((low >> 5) & 0x7f8, TABLES + 6144) ^
    load<u64>((low >> 21) & 0x7f8, TABLES + 4096) ^
    load<u64>((high >> 5) & 0x7f8, TABLES + 2048) ^
    load<u64>((high >> 21) & 0x7f8, TABLES)
  );
}

/** The state of one lane takes in one block. */
function compress(state: usize, block: usize): void {
  let x0 = load<u64>(block);
  let x1 = load<u64>(block, 8);
  let x2 = load<u64>(block, 16);
  let x3 = load<u64>(block, 24);
  let x4 = load<u64>(block, 32);
  let x5 = load<u64>(block, 40);
  let x6 = load<u64>(block, 48);
  let x7 = load<u64>(block, 56);
  let a = load<u64>(state);
  let b = load<u64>(state, 8);
  let c = load<u64>(state, 16);
  for (let factor: u64 = 5; ; factor += 2) {
    c ^= x0; a -= even(c); b = (b + odd(c)) * factor;
    a ^= x1; b -= even(a); c = (c + odd(a)) * factor;
    b ^= x2; c -= even(b); a = (a + odd(b)) * factor;
    c ^= x3; a -= even(c); b = (b + odd(c)) * factor;
    a ^= x4; b -= even(a); c = (c + odd(a)) * factor;
    b ^= x5; c -= even(b); a = (a + odd(b)) * factor;
    c ^= x6; a -= even(c); b = (b + odd(c)) * factor;
    a ^= x7; b -= even(a); c = (c + odd(a)) * factor;
    const d = a; a = c; c = b; b = d;
    if (factor == 9) break;
    x0 -= x7 ^ 0xa5a5a5a5a5a5a5a5; x1 ^= x0; x2 += x1; x3 -= x2 ^ (~x1 << 19);
    x4 ^= x3; x5 += x4; x6 -= x5 ^ (~x4 >> 23); x7 ^= x6;
    x0 += x7; x1 -= x0 ^ (~x7 << 19); x2 ^= x1; x3 += x2;
    x4 -= x3 ^ (~x2 >> 23); x5 ^= x4; x6 += x5; x7 -= x6 ^ 0x0123456789abcdef;
  }
  store<u64>(state, a ^ load<u64>(state));
  store<u64>(state, b - load<u64>(state, 8), 8);
  store<u64>(state, c + load<u64>(state, 16), 16);
}

/** The same for two lanes in step: each waits for the tables while the other is worked on. */
function compressTwo(blockA: usize, blockB: usize): void {
  let x0 = load<u64>(blockA), y0 = load<u64>(blockB);
  let x1 = load<u64>(blockA, 8), y1 = load<u64>(blockB, 8);
  let x2 = load<u64>(blockA, 16), y2 = load<u64>(blockB, 16);
  let x3 = load<u64>(blockA, 24), y3 = load<u64>(blockB, 24);
  let x4 = load<u64>(blockA, 32), y4 = load<u64>(blockB, 32);
  let x5 = load<u64>(blockA, 40), y5 = load<u64>(blockB, 40);
  let x6 = load<u64>(blockA, 48), y6 = load<u64>(blockB, 48);
  let x7 = load<u64>(blockA, 56), y7 = load<u64>(blockB, 56);
  let a = load<u64>(STATE_A), d = load<u64>(STATE_B);
  let b = load<u64>(STATE_A, 8), e = load<u64>(STATE_B, 8);
  let c = load<u64>(STATE_A, 16), f = load<u64>(STATE_B, 16);
  for (let factor: u64 = 5; ; factor += 2) {
    c ^= x0; f ^= y0; a -= even(c); d -= even(f); b = (b + odd(c)) * factor; e = (e + odd(f)) * factor;
    a ^= x1; d ^= y1; b -= even(a); e -= even(d); c = (c + odd(a)) * factor; f = (f + odd(d)) * factor;
    b ^= x2; e ^= y2; c -= even(b); f -= even(e); a = (a + odd(b)) * factor; d = (d + odd(e)) * factor;
    c ^= x3; f ^= y3; a -= even(c); d -= even(f); b = (b + odd(c)) * factor; e = (e + odd(f)) * factor;
    a ^= x4; d ^= y4; b -= even(a); e -= even(d); c = (c + odd(a)) * factor; f = (f + odd(d)) * factor;
    b ^= x5; e ^= y5; c -= even(b); f -= even(e); a = (a + odd(b)) * factor; d = (d + odd(e)) * factor;
    c ^= x6; f ^= y6; a -= even(c); d -= even(f); b = (b + odd(c)) * factor; e = (e + odd(f)) * factor;
    a ^= x7; d ^= y7; b -= even(a); e -= even(d); c = (c + odd(a)) * factor; f = (f + odd(d)) * factor;
    let old = a; a = c; c = b; b = old;
    old = d; d = f; f = e; e = old;
    if (factor == 9) break;
    x0 -= x7 ^ 0xa5a5a5a5a5a5a5a5; x1 ^= x0; x2 += x1; x3 -= x2 ^ (~x1 << 19);
    y0 -= y7 ^ 0xa5a5a5a5a5a5a5a5; y1 ^= y0; y2 += y1; y3 -= y2 ^ (~y1 << 19);
    x4 ^= x3; x5 += x4; x6 -= x5 ^ (~x4 >> 23); x7 ^= x6;
    y4 ^= y3; y5 += y4; y6 -= y5 ^ (~y4 >> 23); y7 ^= y6;
    x0 += x7; x1 -= x0 ^ (~x7 << 19); x2 ^= x1; x3 += x2;
    y0 += y7; y1 -= y0 ^ (~y7 << 19); y2 ^= y1; y3 += y2;
    x4 -= x3 ^ (~x2 >> 23); x5 ^= x4; x6 += x5; x7 -= x6 ^ 0x0123456789abcdef;
    y4 -= y3 ^ (~y2 >> 23); y5 ^= y4; y6 += y5; y7 -= y6 ^ 0x0123456789abcdef;
  }
  store<u64>(STATE_A, a ^ load<u64>(STATE_A));
  store<u64>(STATE_A, b - load<u64>(STATE_A, 8), 8);
  store<u64>(STATE_A, c + load<u64>(STATE_A, 16), 16);
  store<u64>(STATE_B, d ^ load<u64>(STATE_B));
  store<u64>(STATE_B, e - load<u64>(STATE_B, 8), 8);
  store<u64>(STATE_B, f + load<u64>(STATE_B, 16), 16);
}

function begin(state: usize): void {
  store<u64>(state, 0x0123456789abcdef);
  store<u64>(state, 0xfedcba9876543210, 8);
  store<u64>(state, 0xf096a5b4c3b2e187, 16);
}

/** The digest of `length` bytes. It may take the place of the bytes. */
function hash(message: usize, length: usize, digest: usize): void {
  begin(STATE_A);
  const end = message + length;
  for (; message + BLOCK_BYTES <= end; message += BLOCK_BYTES) compress(STATE_A, message);
  const rest = end - message;
  memory.copy(TAIL_A, message, rest);
  store<u8>(TAIL_A + rest, 1);
  memory.fill(TAIL_A + rest + 1, 0, BLOCK_BYTES - rest - 1);
  if (rest + 1 > BLOCK_BYTES - 8) {
    compress(STATE_A, TAIL_A);
    memory.fill(TAIL_A, 0, BLOCK_BYTES);
  }
  store<u64>(TAIL_A, (<u64>length) << 3, BLOCK_BYTES - 8);
  compress(STATE_A, TAIL_A);
  memory.copy(digest, STATE_A, DIGEST_BYTES);
}

/** Digests of two whole leaves that follow one another. The byte before each is overwritten. */
function hashTwoLeaves(leaf: usize, digest: usize): void {
  begin(STATE_A);
  begin(STATE_B);
  const second = leaf + LEAF_BYTES;
  store<u64>(TAIL_A, 0x100 | <u64>load<u8>(second - 1));
  store<u64>(TAIL_B, 0x100 | <u64>load<u8>(second + LEAF_BYTES - 1));
  store<u8>(leaf - 1, 0);
  store<u8>(second - 1, 0);
  for (let at: usize = 0; at < LEAF_BYTES; at += BLOCK_BYTES) compressTwo(leaf - 1 + at, second - 1 + at);
  memory.fill(TAIL_A + 8, 0, BLOCK_BYTES - 16);
  memory.fill(TAIL_B + 8, 0, BLOCK_BYTES - 16);
  store<u64>(TAIL_A, (LEAF_BYTES + 1) << 3, BLOCK_BYTES - 8);
  store<u64>(TAIL_B, (LEAF_BYTES + 1) << 3, BLOCK_BYTES - 8);
  compressTwo(TAIL_A, TAIL_B);
  memory.copy(digest, STATE_A, DIGEST_BYTES);
  memory.copy(digest + DIGEST_BYTES, STATE_B, DIGEST_BYTES);
}

/** The parents of four nodes that follow one another: each of a prefix and two of them, which is one block. */
function joinTwoPairs(from: usize, to: usize): void {
  begin(STATE_A);
  begin(STATE_B);
  store<u8>(TAIL_A, 1);
  store<u8>(TAIL_B, 1);
  memory.copy(TAIL_A + 1, from, 2 * DIGEST_BYTES);
  memory.copy(TAIL_B + 1, from + 2 * DIGEST_BYTES, 2 * DIGEST_BYTES);
  const end: usize = 2 * DIGEST_BYTES + 1;
  store<u64>(TAIL_A + end, 1);
  store<u64>(TAIL_B + end, 1);
  store<u64>(TAIL_A, end << 3, BLOCK_BYTES - 8);
  store<u64>(TAIL_B, end << 3, BLOCK_BYTES - 8);
  compressTwo(TAIL_A, TAIL_B);
  memory.copy(to, STATE_A, DIGEST_BYTES);
  memory.copy(to + DIGEST_BYTES, STATE_B, DIGEST_BYTES);
}

/** Once, before all else: the S-boxes, from the 64 bytes of input that the authors chose. */
export function makeTables(passes: i32): void {
  for (let i: usize = 0; i < 1024; i++) store<u64>(TABLES + (i << 3), (<u64>(i & 255)) * 0x0101010101010101);
  begin(STATE_A);
  let word: usize = 2;
  for (let pass = 0; pass < passes; pass++) {
    for (let row: usize = 0; row < 2048; row += 8) {
      for (let table: usize = TABLES; table < TABLES + 8192; table += 2048) {
        word = word == 2 ? 0 : word + 1;
        if (word == 0) compress(STATE_A, INPUT);
        for (let column: usize = 0; column < 8; column++) {
          const one = table + row + column;
          const other = table + ((<usize>load<u8>(STATE_A + (word << 3) + column)) << 3) + column;
          const byte = load<u8>(one);
          store<u8>(one, load<u8>(other));
          store<u8>(other, byte);
        }
      }
    }
  }
}

/** Tiger of the first bytes of the input, into the first node. */
export function digest(length: usize): void {
  hash(INPUT, length, NODES);
}

/** The leaves of the first bytes of the input, the last of which may be short, into nodes. Gives their number; spoils the input. */
export function leaves(length: usize): usize {
  const end = INPUT + length;
  let leaf = INPUT;
  let node = NODES;
  for (; leaf + 2 * LEAF_BYTES <= end; leaf += 2 * LEAF_BYTES) {
    hashTwoLeaves(leaf, node);
    node += 2 * DIGEST_BYTES;
  }
  // The empty file has a leaf, too.
  while (leaf < end || node == NODES) {
    const bytes = min(LEAF_BYTES, end - leaf);
    // The prefix takes the place of the last byte of a leaf that is done.
    store<u8>(leaf - 1, 0);
    hash(leaf - 1, bytes + 1, node);
    leaf += bytes;
    node += DIGEST_BYTES;
  }
  return (node - NODES) / DIGEST_BYTES;
}

/** One level up: pairs of the first `count` nodes become one each, and one that is left over stays as it is. Gives the number left. */
export function merge(count: usize): usize {
  const end = NODES + count * DIGEST_BYTES;
  let from = NODES;
  let to = NODES;
  for (; from + 4 * DIGEST_BYTES <= end; from += 4 * DIGEST_BYTES) {
    joinTwoPairs(from, to);
    to += 2 * DIGEST_BYTES;
  }
  if (from + 2 * DIGEST_BYTES <= end) {
    // Both lanes work, and the second for nothing: there is one such pair a level at most.
    joinTwoPairs(from, to);
    from += 2 * DIGEST_BYTES;
    to += DIGEST_BYTES;
  }
  if (from < end) {
    memory.copy(to, from, DIGEST_BYTES);
    to += DIGEST_BYTES;
  }
  return (to - NODES) / DIGEST_BYTES;
}
