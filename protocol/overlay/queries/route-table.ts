// GUID -> link: which link a query came from (hits go back there), which links lead to a servent (pushes go there).
// Fixed-size typed arrays, because a busy ultrapeer learns a hundred thousand GUIDs a second and forgets them again.
import type { Random } from '../../ports.ts';

/** No link. Link ids start at 1. */
export const NO_LINK = 0;
/** The servent itself: its own queries are in the table too. */
export const OURSELVES = -1;
/** Somebody without a link: a query that came by datagram. */
export const BY_DATAGRAM = -2;

export interface RouteTableLimits {
  /** Up to here a generation grows while it fills; beyond, a full one is followed by one twice as large. A power of two. */
  readonly entriesMin: number;
  /** Entries of a generation at most; the table holds twice that, in 64 bytes an entry. A power of two. */
  readonly entriesMax: number;
  /** A generation that lasts this long is replaced; one that fills up sooner is followed by one twice as large. */
  readonly generationMs: number;
}

/** Entries of an empty generation: a servent that relays nothing needs no more. A power of two. */
const ENTRIES_FIRST = 1;
/** Words of one entry: GUID 4, link, alternate link, mark, unused. Half a cache line. */
const STRIDE = 8;
const LINK = 4;
const ALTERNATE = 5;
const MARK = 6;

/** One generation: open addressing with linear probing, never more than half full. */
class Generation {
  entriesMax: number;
  words: Int32Array;
  #mask: number;
  entries = 0;
  since: number;

  constructor(entriesMax: number, since: number) {
    this.entriesMax = entriesMax;
    this.words = new Int32Array(2 * entriesMax * STRIDE);
    this.#mask = 2 * entriesMax - 1;
    this.since = since;
  }

  /** Twice the room, with the same entries in it. */
  grow(key0: number, key1: number): void {
    const before = this.words;
    this.entriesMax *= 2;
    this.words = new Int32Array(2 * this.entriesMax * STRIDE);
    this.#mask = 2 * this.entriesMax - 1;
    for (let from = 0; from < before.length; from += STRIDE) {
      if (before[from + LINK] === NO_LINK) continue;
      const [a = 0, b = 0, c = 0, d = 0] = before.subarray(from, from + LINK);
      this.words.set(before.subarray(from, from + STRIDE), this.find(hashOf(a, b, c, d, key0, key1), a, b, c, d));
    }
  }

  /** Offset of the entry, or of the free place where it belongs. */
  find(hash: number, a: number, b: number, c: number, d: number): number {
    const { words } = this;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = slot * STRIDE;
      if (words[at + LINK] === NO_LINK) return at;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return at;
    }
  }

  clear(since: number): void {
    this.words.fill(0);
    this.entries = 0;
    this.since = since;
  }
}

export class RouteTable {
  readonly #limits: RouteTableLimits;
  readonly #key0: number;
  readonly #key1: number;
  #young: Generation;
  /** Null before the first swap. */
  #old: Generation | null = null;
  /** Generations that filled up before their time. */
  earlySwaps = 0;
  // the last GUID looked up, as words and hash
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;
  #hash = 0;
  // where the last lookup ended
  #words: Int32Array;
  #at = 0;

  constructor(limits: RouteTableLimits, random: Random, now: number) {
    this.#limits = limits;
    const key = Buffer.alloc(8);
    random.fill(key);
    this.#key0 = key.readInt32LE(0);
    this.#key1 = key.readInt32LE(4);
    const entriesFirst = Math.min(ENTRIES_FIRST, limits.entriesMin);
    this.#young = new Generation(entriesFirst, now);
    this.#words = this.#young.words;
  }

  get entries(): number {
    return this.#young.entries + (this.#old?.entries ?? 0);
  }

  /** Bytes of its arrays. */
  get memoryBytes(): number {
    return this.#young.words.byteLength + (this.#old?.words.byteLength ?? 0);
  }

  /**
   * Looks for the GUID at `start`. True when it is known: then link, alternate and mark tell about it until the next
   * call.
   */
  find(guid: Buffer, start: number): boolean {
    this.#load(guid, start);
    const { words } = this.#young;
    this.#words = words;
    this.#at = this.#young.find(this.#hash, this.#a, this.#b, this.#c, this.#d);
    if (words[this.#at + LINK] !== NO_LINK) return true;
    const old = this.#old;
    if (old === null) return false;
    const at = old.find(this.#hash, this.#a, this.#b, this.#c, this.#d);
    if (old.words[at + LINK] === NO_LINK) return false;
    this.#words = old.words;
    this.#at = at;
    return true;
  }

  /** Where it was first seen. Valid after a find() that was true. */
  get link(): number {
    return this.#words[this.#at + LINK] ?? NO_LINK;
  }

  /** A second link that has brought it, NO_LINK when there was none. */
  get alternate(): number {
    return this.#words[this.#at + ALTERNATE] ?? NO_LINK;
  }

  set alternate(link: number) {
    this.#words[this.#at + ALTERNATE] = link;
  }

  /** 32 bits for the caller. */
  get mark(): number {
    return this.#words[this.#at + MARK] ?? 0;
  }

  set mark(mark: number) {
    this.#words[this.#at + MARK] = mark;
  }

  /** After a find() that was false: takes the GUID in. */
  add(link: number, mark: number, now: number): void {
    if (this.#young.entries >= this.#young.entriesMax) {
      if (this.#young.entriesMax < this.#limits.entriesMin) this.#young.grow(this.#key0, this.#key1);
      else this.#swap(now);
      this.#at = this.#young.find(this.#hash, this.#a, this.#b, this.#c, this.#d);
    }
    const { words } = this.#young;
    const at = this.#at;
    words[at] = this.#a;
    words[at + 1] = this.#b;
    words[at + 2] = this.#c;
    words[at + 3] = this.#d;
    words[at + LINK] = link;
    words[at + ALTERNATE] = NO_LINK;
    words[at + MARK] = mark;
    this.#words = words;
    this.#young.entries++;
  }

  /** After a find() that was true: makes it young again. */
  touch(now: number): void {
    if (this.#words === this.#young.words) return;
    const { link, alternate, mark } = this;
    this.#at = this.#young.find(this.#hash, this.#a, this.#b, this.#c, this.#d);
    this.add(link, mark, now);
    this.alternate = alternate;
  }

  /** After a find() that was true: leads to another link. */
  replace(link: number): void {
    this.#words[this.#at + LINK] = link;
  }

  /** Swaps generations when it is time; when it is next, Infinity while there is nothing to forget and no memory to give back. */
  tick(now: number): number {
    if (now >= this.#young.since + this.#limits.generationMs) this.#swap(now);
    const small =
      this.#young.entriesMax === ENTRIES_FIRST && (this.#old?.entriesMax ?? ENTRIES_FIRST) === ENTRIES_FIRST;
    return small && this.entries === 0 ? Number.POSITIVE_INFINITY : this.#young.since + this.#limits.generationMs;
  }

  #swap(now: number): void {
    const filled = this.#young;
    const early = now < filled.since + this.#limits.generationMs;
    let { entriesMax } = filled;
    if (early) {
      this.earlySwaps++;
      entriesMax = Math.min(2 * entriesMax, this.#limits.entriesMax);
    } else if (filled.entries < entriesMax / 8) entriesMax = Math.max(entriesMax / 2, ENTRIES_FIRST);
    const spare = this.#old;
    this.#old = filled;
    if (spare?.entriesMax === entriesMax) {
      spare.clear(now);
      this.#young = spare;
    } else this.#young = new Generation(entriesMax, now);
  }

  #load(guid: Buffer, start: number): void {
    if (start < 0 || start + 16 > guid.length) throw new RangeError('no GUID there');
    this.#a = word(guid, start);
    this.#b = word(guid, start + 4);
    this.#c = word(guid, start + 8);
    this.#d = word(guid, start + 12);
    this.#hash = hashOf(this.#a, this.#b, this.#c, this.#d, this.#key0, this.#key1);
  }
}

/**
 * HalfSipHash-1-3 of 16 bytes as four little-endian words. Keyed, so that no peer can choose GUIDs that fall into one
 * place.
 */
export function hashOf(a: number, b: number, c: number, d: number, key0: number, key1: number): number {
  let v0 = key0;
  let v1 = key1;
  let v2 = key0 ^ 0x6c79_6765;
  let v3 = key1 ^ 0x7465_6462;
  // the four words, the length, three rounds to finish
  for (let round = 0; round < 8; round++) {
    const m = round === 0 ? a : round === 1 ? b : round === 2 ? c : round === 3 ? d : round === 4 ? 0x1000_0000 : 0;
    if (round === 5) v2 ^= 0xff;
    v3 ^= m;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= m;
  }
  return v1 ^ v3;
}

/** readInt32LE without its checks: the caller made them once for the whole GUID. */
function word(bytes: Buffer, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
