// Finds nodes that lie more densely around a key than chance allows: who wants to hide a value places many there. Of n nodes the k nearest share
// log2(n/k) bits with the key, half of them no more than that, a quarter one more, and so on; the Kullback–Leibler divergence says how far a
// lookup's nearest nodes are from that (Cholez, Chrisment and Festor 2010; gtk-gnutella does the same).
import { K } from './bucket.ts';

/** Of the distribution of prefixes, in bits: that of honest nodes is nearly always below. */
export const DIVERGENCE_MAX = 1.01;
/** Prefix lengths that are told apart. */
const LENGTHS = 11;

/**
 * Which of the k nearest nodes should be left out, as indices. `bits`: that each shares with the key, nearest first. `size`: nodes of the
 * network. One of many of a length is as good as another: the furthest are kept.
 */
export function crowded(bits: readonly number[], size: number): number[] {
  if (bits.length < K || size <= K) return [];
  const first = Math.floor(Math.log2(size / K));
  // the estimate of the size may be too low, and the logarithm lies between two lengths
  const [low, high] = [first, first + 1].map(from => countsOf(bits, from)) as [number[], number[]];
  if (Math.min(divergence(low), divergence(high)) <= DIVERGENCE_MAX) return [];
  const left: number[] = [];
  const counts = high;
  while (divergence(counts) > DIVERGENCE_MAX) {
    const length = worst(counts);
    const index = bits.findIndex((each, i) => lengthOf(each, first + 1) === length && !left.includes(i));
    if (index < 0) break;
    left.push(index);
    counts[length] = (counts[length] as number) - 1;
  }
  return left;
}

function lengthOf(bits: number, first: number): number {
  return Math.min(LENGTHS - 1, Math.max(0, bits - first));
}

function countsOf(bits: readonly number[], first: number): number[] {
  const counts: number[] = new Array(LENGTHS).fill(0);
  for (const each of bits) {
    const length = lengthOf(each, first);
    counts[length] = (counts[length] as number) + 1;
  }
  return counts;
}

/** What nodes of one length contribute: more than expected is positive. */
function contribution(count: number, length: number): number {
  return count === 0 ? 0 : (count / K) * (Math.log2(count / K) + length + 1);
}

export function divergence(counts: readonly number[]): number {
  return counts.reduce((sum, count, length) => sum + contribution(count, length), 0);
}

/** The length whose nodes contribute most, each. */
function worst(counts: readonly number[]): number {
  let [at, most] = [0, Number.NEGATIVE_INFINITY];
  for (const [length, count] of counts.entries()) {
    const each = count === 0 ? Number.NEGATIVE_INFINITY : contribution(count, length) / count;
    if (each > most) [at, most] = [length, each];
  }
  return at;
}
