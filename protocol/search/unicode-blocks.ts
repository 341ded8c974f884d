// Unicode blocks: a change of block ends a keyword in gtk-gnutella and LimeWire.

// Lengths of the blocks (and of the gaps between them) in units of 16 code points, hexadecimal, from U+0000 on; Unicode 14.
const LENGTHS = `
8 8 8 d 6 5 7 9 10 3 6 7 10 5 3 4 4 4 2 1 3 6 8 8 8 8 8 8 8 8 8 8 8 8 10 a 6 10 18 2 6 28 2 6 2 2 2 2 8 b 5 5 3 6 2 2 9 5 8 4 4 5
3 1 3 1 3 8 4 4 10 10 7 3 3 3 5 4 7 10 10 4 2 a 8 2 6 10 c 3 1 10 8 8 10 10 6 2 8 3 5 6 2 8 8 e 1 1 4 6 6 3 6 1 2 3 1 10 10 19c 4
520 49 4 3 14 6 6 2 e 3 1 4 6 2 3 3 2 6 2 6 2 6 2 3 4 5 4 2bb 5 38 8 40 190 20 5 2b 1 1 1 2 2 9 f 1 8 8 4 5 4 3 8 2 4 2 3 2 3 2 4
2 5 3 3 5 3 4 5 4 18 4 4 4 2 2 3 3 2 2 2 4 2 6 6 2 2 2 4 4 2 2 3 5 5 3 8 4 12 2 4 4 3 4 4 3 2 8 5 3 5 3 6 2 5 3 3 5 8 8 8 6 a 8 6
2 5 3 5 b 5 5 6 6 4 6 5 6 1 4 10 7 5 4 6 5 13 2 b 1 4 40 8 d a4 7 43 1 fc 28 218 24 3 6 3 9 2b 6 6 a 4 2 180 30 20 8 227 1 10 3 4
19 90 a 1 125 d 3 10 10 5 9 2 6 2 8 40 2b 45 10 3 d 5 14 3 4 4e 2 e 2 6 31 5 4 5 b 10 10 3 7 6 10 10 30 5 3 8 8 8 10 10 7 9 10 40
a6e 2 104 e 169 1d4 c1 22 5e 135 aecb 8 8 f fe1 1000`;

const starts = new Uint32Array(LENGTHS.trim().split(/\s+/).length + 1);
for (const [i, length] of LENGTHS.trim().split(/\s+/).entries()) {
  starts[i + 1] = (starts[i] ?? 0) + 16 * Number.parseInt(length, 16);
}

/** The number of a code point's block (gaps between blocks count). */
export function blockOf(codePoint: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((starts[middle] ?? 0) <= codePoint) low = middle;
    else high = middle - 1;
  }
  return low;
}
