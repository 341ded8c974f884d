// Judges whether a link asks the same again too soon. Memory is bounded, times are the caller's.
import { HEADER_BYTES } from '../../constants.ts';
import { TimedKeys } from '../../timed-keys.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { Drop } from '../links/drops.ts';
import type { Link } from '../links/link.ts';

export interface QueryGuardLimits {
  /**
   * The same from a leaf again, after one that passed. gtk-gnutella drops it for 1,700 s, and its own leaves ask again after
   * 1,800 s at the earliest; LimeWire's leaves never do so by themselves. So what comes sooner is a person who tries again,
   * and finds nothing without being told why. Nor would a long time save traffic: other words cost as much, and QueryRates
   * bounds both. 10 s are those in which a repeat is of no use: the first query is at its first steps (3.7 s each), and a
   * gtk-gnutella ultrapeer drops the same text with equal hops and TTL from a neighbour for 5 to 10 s.
   */
  readonly leafRepeatMs: number;
  /** The same from an ultrapeer with equal hops and TTL: gtk-gnutella's lower bound, as more is lost by dropping other people's. */
  readonly ultrapeerRepeatMs: number;
}

export const QUERY_GUARD: QueryGuardLimits = {
  leafRepeatMs: 10_000,
  ultrapeerRepeatMs: 5_000,
};

/** Remembered of leaves, and as many of ultrapeers; when there are more within the time, a repetition may pass. */
const TEXTS_MAX = 32_768;
/** Flags, which may differ between two askings of the same. */
const FLAGS_BYTES = 2;

export class QueryGuard {
  /** Hashes of link and text that passed. */
  readonly #ofLeaves: TimedKeys<number>;
  readonly #ofUltrapeers: TimedKeys<number>;

  constructor(limits: QueryGuardLimits, now: number) {
    this.#ofLeaves = new TimedKeys(limits.leafRepeatMs, TEXTS_MAX, now);
    this.#ofUltrapeers = new TimedKeys(limits.ultrapeerRepeatMs, TEXTS_MAX, now);
  }

  /** For a query that is no duplicate: why it is dropped, or null. */
  judge(link: Link, frame: Frame, now: number): Drop | null {
    // a leaf passes nothing on, and two people may ask the same through one ultrapeer
    if (link.ourRole === 'leaf') return null;
    return this.#repeats(link, frame, link.role === 'leaf', now) ? Drop.QueryRepeated : null;
  }

  /** What is dropped is not remembered: the time counts from the last one that passed, as in gtk-gnutella. */
  #repeats(link: Link, frame: Frame, leaf: boolean, now: number): boolean {
    const passed = leaf ? this.#ofLeaves : this.#ofUltrapeers;
    const seed = leaf ? link.id : link.id ^ (frame.hops << 24) ^ (frame.ttl << 16);
    const key = hashOf(frame.bytes, frame.start + HEADER_BYTES + FLAGS_BYTES, frame.end, seed);
    if (passed.has(key, now)) return true;
    passed.add(key, now);
    return false;
  }
}

/** FNV-1a. Who finds a collision silences a query of its own link only. */
function hashOf(bytes: Buffer, start: number, end: number, seed: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes.readUInt8(at), 0x01000193);
  return hash;
}
