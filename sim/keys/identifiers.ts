// Identifiers: numbers of up to 32 bits that servents and keys share; hashing, distances, and which servent a key belongs to.
// Servents are numbered in the order of their identifiers, so that the servent after the highest identifier is number 0.
import type { SeededRandom } from '../seeded-random.ts';

/** No servent, in a table of servents. */
export const NOBODY = 0xffff_ffff;

/** 32 bits that depend on each bit of the value (the last steps of MurmurHash3). */
export function hashed(value: number, salt = 0): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b) ^ Math.imul(salt + 1, 0x9e37_79b1);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

/** So many different identifiers of 32 bits, ascending. */
export function drawIdentifiers(count: number, random: SeededRandom): Uint32Array {
  let drawn = Uint32Array.from({ length: count }, () => random.next());
  for (;;) {
    drawn.sort();
    const different = drawn.filter((id, i) => i === 0 || id !== drawn[i - 1]);
    if (different.length === count) return different;
    drawn = Uint32Array.from({ length: count }, (_, i) => different[i] ?? random.next());
  }
}

/** How many of the ascending identifiers are below the key: the index of the first that is not. */
export function countBelow(ids: Uint32Array, key: number, from = 0, to = ids.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? 0) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A circle of 2^bits identifiers. */
export class Circle {
  readonly #mask: number;

  constructor(bits = 32) {
    this.#mask = bits === 32 ? -1 : (1 << bits) - 1;
  }

  /** How far it is from the one to the other, upwards. */
  distance(from: number, to: number): number {
    return ((to - from) & this.#mask) >>> 0;
  }

  /** Up or down, whichever is less. */
  nearness(a: number, b: number): number {
    return Math.min(this.distance(a, b), this.distance(b, a));
  }

  plus(id: number, distance: number): number {
    return ((id + distance) & this.#mask) >>> 0;
  }

  /** Whether the point is above `after` and not above `upTo`, going round; all points are when the two are one. */
  isBetween(point: number, after: number, upTo: number): boolean {
    const width = this.distance(after, upTo);
    const at = this.distance(after, point);
    return width === 0 || (at > 0 && at <= width);
  }
}

/** The first servent whose identifier is the key or follows it, of those that `isMember`; NOBODY without any. */
export function successorOf(ids: Uint32Array, key: number, isMember: (servent: number) => boolean): number {
  const first = countBelow(ids, key);
  for (let step = 0; step < ids.length; step++) {
    const servent = (first + step) % ids.length;
    if (isMember(servent)) return servent;
  }
  return NOBODY;
}

/** The servent whose identifier is nearest to the key, up or down, of those that `isMember`; the lower one of two; NOBODY without any. */
export function closestOf(
  ids: Uint32Array,
  key: number,
  circle: Circle,
  isMember: (servent: number) => boolean,
): number {
  const above = successorOf(ids, key, isMember);
  let below = (countBelow(ids, key) + ids.length - 1) % ids.length;
  for (let step = 1; step < ids.length && !isMember(below); step++) below = (below + ids.length - 1) % ids.length;
  const [up, down] = [ids[above] ?? 0, ids[below] ?? 0];
  const [far, near] = [circle.nearness(up, key), circle.nearness(down, key)];
  return near < far || (near === far && down < up) ? below : above;
}

/** So many of those that `isMember`, by exclusive or with the key, the closest first. */
export function closestByXor(
  ids: Uint32Array,
  key: number,
  count: number,
  isMember: (servent: number) => boolean,
): number[] {
  const found: number[] = [];
  const collect = (from: number, to: number, bit: number, prefix: number): void => {
    if (from === to || found.length >= count) return;
    if (bit < 0) {
      if (isMember(from)) found.push(from);
      return;
    }
    const half = prefix + 2 ** bit;
    const middle = countBelow(ids, half, from, to);
    const isAbove = ((key >>> bit) & 1) === 1;
    if (isAbove) collect(middle, to, bit - 1, half);
    collect(from, middle, bit - 1, prefix);
    if (!isAbove) collect(middle, to, bit - 1, half);
  };
  collect(0, ids.length, 31, 0);
  return found;
}
