// Tiger and its hash tree as their descriptions read, in big integers: slow, and sharing no line with what it is held against.
const MASK = 2n ** 64n - 1n;
const SEED = 'Tiger - A Fast New Hash Function, by Ross Anderson and Eli Biham';

type State = [bigint, bigint, bigint];

const start = (): State => [0x0123456789abcdefn, 0xfedcba9876543210n, 0xf096a5b4c3b2e187n];
const byteOf = (word: bigint, column: number): number => Number((word >> BigInt(8 * column)) & 0xffn);

/** Four S-boxes, generated as the authors did. */
export const tables: bigint[][] = Array.from({ length: 4 }, () =>
  Array.from({ length: 256 }, (_, i) => BigInt(i) * 0x0101010101010101n),
);

function compress(state: State, block: Buffer): void {
  const x = Array.from({ length: 8 }, (_, i) => block.readBigUInt64LE(8 * i));
  const at = (i: number): bigint => x[i] ?? 0n;
  const box = (table: number, word: bigint, column: number): bigint => tables[table]?.[byteOf(word, column)] ?? 0n;
  const schedule = (): void => {
    const set = (i: number, value: bigint): void => {
      x[i] = value & MASK;
    };
    set(0, at(0) - (at(7) ^ 0xa5a5a5a5a5a5a5a5n));
    set(1, at(1) ^ at(0));
    set(2, at(2) + at(1));
    set(3, at(3) - (at(2) ^ (((at(1) ^ MASK) << 19n) & MASK)));
    set(4, at(4) ^ at(3));
    set(5, at(5) + at(4));
    set(6, at(6) - (at(5) ^ ((at(4) ^ MASK) >> 23n)));
    set(7, at(7) ^ at(6));
    set(0, at(0) + at(7));
    set(1, at(1) - (at(0) ^ (((at(7) ^ MASK) << 19n) & MASK)));
    set(2, at(2) ^ at(1));
    set(3, at(3) + at(2));
    set(4, at(4) - (at(3) ^ ((at(2) ^ MASK) >> 23n)));
    set(5, at(5) ^ at(4));
    set(6, at(6) + at(5));
    set(7, at(7) - (at(6) ^ 0x0123456789abcdefn));
  };
  let [a, b, c] = state;
  for (const factor of [5n, 7n, 9n]) {
    if (factor !== 5n) schedule();
    for (const word of x) {
      c ^= word;
      a = (a - (box(0, c, 0) ^ box(1, c, 2) ^ box(2, c, 4) ^ box(3, c, 6))) & MASK;
      b = ((b + (box(3, c, 1) ^ box(2, c, 3) ^ box(1, c, 5) ^ box(0, c, 7))) * factor) & MASK;
      [a, b, c] = [b, c, a];
    }
  }
  state[0] ^= a;
  state[1] = (b - state[1]) & MASK;
  state[2] = (c + state[2]) & MASK;
}

function makeTables(): void {
  const state = start();
  let word = 2;
  for (let i = 0; i < 5 * 256; i++) {
    for (const table of tables) {
      word = (word + 1) % 3;
      if (word === 0) compress(state, Buffer.from(SEED, 'latin1'));
      for (let column = 0; column < 8; column++) {
        const other = byteOf(state[word] ?? 0n, column);
        const [one, two] = [table[i % 256] ?? 0n, table[other] ?? 0n];
        const difference = (one ^ two) & (0xffn << BigInt(8 * column));
        if (i % 256 === other) continue;
        table[i % 256] = one ^ difference;
        table[other] = two ^ difference;
      }
    }
  }
}

makeTables();

export function slowTiger(...parts: Uint8Array[]): Buffer {
  const message = Buffer.concat(parts);
  const whole = Buffer.alloc(Math.ceil((message.length + 9) / 64) * 64);
  message.copy(whole);
  whole[message.length] = 1;
  whole.writeBigUInt64LE(BigInt(8 * message.length), whole.length - 8);
  const state = start();
  for (let at = 0; at < whole.length; at += 64) compress(state, whole.subarray(at, at + 64));
  const digest = Buffer.alloc(24);
  for (const [i, word] of state.entries()) digest.writeBigUInt64LE(word, 8 * i);
  return digest;
}

/** Split where the left branch is the largest power of two of leaves that leaves something to the right. */
export function slowRoot(bytes: Buffer): Buffer {
  if (bytes.length <= 1024) return slowTiger(Buffer.of(0), bytes);
  let left = 1024;
  while (2 * left < bytes.length) left *= 2;
  return slowTiger(Buffer.of(1), slowRoot(bytes.subarray(0, left)), slowRoot(bytes.subarray(left)));
}
