// Which queries are too many: by link, by address, and by saying the same again. Memory bounded, times the caller's.
import { HEADER_BYTES } from '../constants.ts';
import type { Frame } from '../wire/frame-reader.ts';
import { Drop } from './drops.ts';
import type { Link } from './link.ts';
import { KeyedRateLimit, RateLimit } from './rate-limit.ts';

export interface QueryGuardLimits {
  /** A person types slowly; even a leaf of scripts needs no more. */
  readonly leaf: RateLimit;
  /** Far above what deployed ultrapeers relay, far below what fills the route table. */
  readonly ultrapeer: RateLimit;
  /** All leaves behind one address together. */
  readonly leavesOfAddress: RateLimit;
  /** A leaf that repeats itself (gtk-gnutella: 1.7 s), an ultrapeer that sends the same with equal hops and TTL (5 to 10 s). */
  readonly leafRepeatMs: number;
  readonly ultrapeerRepeatMs: number;
}

export const QUERY_GUARD: QueryGuardLimits = {
  leaf: new RateLimit(1_000, 20),
  ultrapeer: new RateLimit(5, 2_000),
  leavesOfAddress: new RateLimit(250, 60),
  leafRepeatMs: 1_700,
  ultrapeerRepeatMs: 5_000,
};

const ADDRESSES_MAX = 16_384;
/** Of each generation; beyond it a generation ends early and a repetition may pass. */
const TEXTS_MAX = 16_384;
/** Longer than both repeat times: a text is looked for in two generations. */
const GENERATION_MS = 5_000;
/** Flags, which may differ between two askings of the same. */
const FLAGS_BYTES = 2;

/** Verdict of a query that may pass; the others are of Drop. */
export const PASSES = -1;

export class QueryGuard {
  readonly #limits: QueryGuardLimits;
  readonly #addresses: KeyedRateLimit;
  /** Hash of link and text to when it came last. */
  #young = new Map<number, number>();
  #old = new Map<number, number>();
  #youngSince = 0;

  constructor(limits: QueryGuardLimits) {
    this.#limits = limits;
    this.#addresses = new KeyedRateLimit(limits.leavesOfAddress, ADDRESSES_MAX);
  }

  /** For a query that is no duplicate. PASSES or why not: a Drop. */
  judge(link: Link, frame: Frame, now: number): number {
    const leaf = link.role === 'leaf';
    const due = (leaf ? this.#limits.leaf : this.#limits.ultrapeer).admit(link.queryDue, now);
    if (due < 0) return Drop.QueryTooSoon;
    link.queryDue = due;
    if (leaf && !this.#addresses.admit(link.endpoint.host, now)) return Drop.QueryTooSoon;
    // a leaf passes nothing on, and two people may ask the same through one ultrapeer
    if (link.ourRole === 'leaf') return PASSES;
    return this.#repeats(link, frame, leaf, now) ? Drop.QueryRepeated : PASSES;
  }

  #repeats(link: Link, frame: Frame, leaf: boolean, now: number): boolean {
    this.#turn(now);
    const seed = leaf ? link.id : link.id ^ (frame.hops << 24) ^ (frame.ttl << 16);
    const key = hashOf(frame.bytes, frame.start + HEADER_BYTES + FLAGS_BYTES, frame.end, seed);
    const before = this.#young.get(key) ?? this.#old.get(key);
    this.#young.set(key, now);
    return before !== undefined && now - before < (leaf ? this.#limits.leafRepeatMs : this.#limits.ultrapeerRepeatMs);
  }

  #turn(now: number): void {
    if (now - this.#youngSince < GENERATION_MS && this.#young.size < TEXTS_MAX) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSince = now;
  }
}

/** FNV-1a. Who finds a collision silences a query of its own link only. */
function hashOf(bytes: Buffer, start: number, end: number, seed: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes.readUInt8(at), 0x01000193);
  return hash;
}
