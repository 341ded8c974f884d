// How many nodes the DHT has, from how densely their KUIDs lie around a point: our own KUID and the targets of lookups; and from what
// others say in PONG. The median of all, for some of them may lie.
import { distance } from './kuid.ts';

/** Nodes around a point that give an estimate. */
const NODES_MIN = 15;
const OF_LOOKUPS = 20;
const OF_OTHERS = 8;
const LIFE_MS = 60 * 60_000;
/** More than there are IPv4 addresses is a lie. */
const SIZE_MAX = 2 ** 32;

interface Estimate {
  readonly size: number;
  readonly at: number;
}

export class SizeEstimate {
  #own = 0;
  readonly #ofLookups: Estimate[] = [];
  readonly #ofOthers: Estimate[] = [];
  /** Until something is learned: every PONG tells it. */
  #size: number | null = null;

  /** 1 when nothing is known. */
  get size(): number {
    this.#size ??= this.#median();
    return this.#size;
  }

  #median(): number {
    const others = median(this.#ofOthers.map(({ size }) => size));
    const sizes = this.#ofLookups.map(({ size }) => size);
    if (this.#own > 0) sizes.push(this.#own);
    // the word of others counts as one
    if (others > 0) sizes.push(others);
    return Math.max(1, Math.round(median(sizes)));
  }

  /** The nodes nearest to our own KUID, nearest first: all that lie there must be among them. */
  aroundUs(own: Buffer, nearest: readonly Buffer[]): void {
    this.#size = null;
    this.#own = nearest.length < NODES_MIN ? nearest.length + 1 : densityAround(own, nearest);
  }

  /** The nearest nodes that a lookup ended with, nearest first. */
  aroundTarget(target: Buffer, nearest: readonly Buffer[], now: number): void {
    this.#size = null;
    if (nearest.length >= NODES_MIN)
      keep(this.#ofLookups, { size: densityAround(target, nearest), at: now }, OF_LOOKUPS);
  }

  /** Another node's estimate. */
  fromOther(size: number, now: number): void {
    this.#size = null;
    if (size >= 1 && size <= SIZE_MAX) keep(this.#ofOthers, { size, at: now }, OF_OTHERS);
  }
}

function keep(estimates: Estimate[], estimate: Estimate, max: number): void {
  estimates.push(estimate);
  while (estimates.length > max || estimate.at - (estimates[0] as Estimate).at > LIFE_MS) estimates.shift();
}

/** With n nodes the k-th nearest lies at k/n of the space in the mean; (k - 1) / distance is the unbiased estimate. */
function densityAround(point: Buffer, nearest: readonly Buffer[]): number {
  const furthest = nearest.at(-1);
  if (furthest === undefined) return 1;
  const bytes = distance(point, furthest);
  const share = bytes.readUInt32BE(0) / 2 ** 32 + bytes.readUInt32BE(4) / 2 ** 64;
  return share === 0 ? SIZE_MAX : Math.min(SIZE_MAX, (nearest.length - 1) / share);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
