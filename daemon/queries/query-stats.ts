// Passing queries counted: per second, minute and quarter of an hour, by hops, TTL, neighbour and word. Bounded whatever comes.
import type { Link } from '../../protocol/overlay/links/link.ts';
import { queryWords } from '../../protocol/search/tokenizer.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import { parseQuery } from '../../protocol/wire/query.ts';
import type { Privacy, WordHasher } from './query-words.ts';
import { TopKeys } from './top-keys.ts';

export type Span = 'minute' | 'hour' | 'day';

interface Counted {
  readonly queries: number;
  readonly answered: number;
  /** Records. */
  readonly hits: number;
  readonly duplicates: number;
}

export interface QueryStatsReport extends Counted {
  readonly privacy: Privacy;
  readonly span: Span;
  /** That were counted so far. */
  readonly seconds: number;
  /** From 0 to 1. */
  readonly answerRate: number;
  readonly byHops: number[];
  readonly byTtl: number[];
  readonly words: ReturnType<TopKeys['top']>;
  readonly peers: ReturnType<TopKeys['top']>;
  /** The share of queries whose words were looked at, from 0 to 1. */
  readonly sampled: number;
  /** Oldest first. `at`: milliseconds since 1970. */
  readonly series: readonly (Counted & { readonly at: number })[];
}

/** Indices of counters in a bucket. */
const QUERIES = 0;
const ANSWERED = 1;
const HITS = 2;
const DUPLICATES = 3;
const PARSED = 4;
const BY_HOPS = 5;
/** Hops or TTL values from this one on share a counter. */
const STEPS_MAX = 8;
const BY_TTL = BY_HOPS + STEPS_MAX + 1;
const SLOTS = BY_TTL + STEPS_MAX + 1;

/** Queries parsed for words a second; above that only every second, third … query. */
const PARSED_PER_SECOND = 1_000;
const WORD_CHARACTERS_MAX = 64;
const KEYS = 256;
/** Parts of a span. A view covers this many complete parts and the present one. */
const PARTS = 6;

interface Bucket {
  /** Its end. */
  at: number;
  counts: Float64Array;
}

interface Keys {
  words: TopKeys;
  peers: TopKeys;
}

interface Part {
  counts: Float64Array;
  keys: Keys;
}

const noKeys = (): Keys => ({ words: new TopKeys(KEYS), peers: new TopKeys(KEYS) });
const noCounts = (): Float64Array => new Float64Array(SLOTS);
const newPart = (): Part => ({ counts: noCounts(), keys: noKeys() });

class Ring {
  /** Complete buckets of the covered time, oldest first. */
  readonly buckets: Bucket[] = [];
  /** Complete parts, oldest first; at most PARTS. */
  readonly parts: Part[] = [];
  openPart = newPart();
  readonly #stepSeconds: number;
  readonly #partSeconds: number;
  #open = noCounts();
  #passed = 0;

  /** `steps`: number in a span; a multiple of PARTS. */
  constructor(stepSeconds: number, steps: number) {
    this.#stepSeconds = stepSeconds;
    this.#partSeconds = (stepSeconds * steps) / PARTS;
  }

  /** Seconds covered by the parts, including the present one. */
  get seconds(): number {
    return this.parts.length * this.#partSeconds + (this.#passed % this.#partSeconds);
  }

  /** Adds a second. Returns the keys of a part that is complete now. */
  add(counts: Float64Array, at: number): Keys | null {
    sumInto(this.#open, counts);
    sumInto(this.openPart.counts, counts);
    this.#passed++;
    if (this.#passed % this.#stepSeconds === 0) {
      this.buckets.push({ at, counts: this.#open });
      this.#open = noCounts();
    }
    if (this.#passed % this.#partSeconds !== 0) return null;
    const complete = this.openPart;
    this.parts.push(complete);
    if (this.parts.length > PARTS) {
      this.parts.shift();
      this.buckets.splice(0, this.#partSeconds / this.#stepSeconds);
    }
    this.openPart = newPart();
    return complete.keys;
  }
}

export interface QueryStatsOptions {
  privacy: Privacy;
  hasher: WordHasher;
}

export class QueryStats {
  readonly #hasher: WordHasher;
  #privacy: Privacy;
  #second = noCounts();
  /** Queries of this second by link; bounded by the links. */
  #fromLinks = new Map<Link, number>();
  #rings = newRings();
  #words = noKeys().words;
  /** Every n-th query is parsed for words. */
  #stride = 1;
  #duplicatesBefore = 0;

  constructor({ privacy, hasher }: QueryStatsOptions) {
    this.#privacy = privacy;
    this.#hasher = hasher;
  }

  reset(privacy: Privacy): void {
    this.#privacy = privacy;
    this.#second = noCounts();
    this.#fromLinks = new Map();
    this.#rings = newRings();
    this.#words = noKeys().words;
  }

  /** Hot path: called for every passing query. */
  note(from: Link, frame: Frame, ownHits: number): void {
    const { bytes, start } = frame;
    const second = this.#second;
    const seen = bump(second, QUERIES);
    if (ownHits > 0) {
      bump(second, ANSWERED);
      bump(second, HITS, ownHits);
    }
    bump(second, BY_TTL + Math.min(bytes.readUInt8(start + 17), STEPS_MAX));
    bump(second, BY_HOPS + Math.min(bytes.readUInt8(start + 18), STEPS_MAX));
    this.#fromLinks.set(from, (this.#fromLinks.get(from) ?? 0) + 1);
    if (this.#privacy === 'counts' || seen % this.#stride !== 0) return;
    if ((second[PARSED] ?? 0) >= PARSED_PER_SECOND) return;
    bump(second, PARSED);
    this.#noteWords(frame);
  }

  /** `first`: these are the first hits of the query. */
  noteHits(records: number, first: boolean): void {
    bump(this.#second, HITS, records);
    if (first) bump(this.#second, ANSWERED);
  }

  /** Call every second. `duplicates`: total since the start. */
  tick(at: number, duplicates: number): void {
    const second = this.#second;
    this.#second = noCounts();
    second[DUPLICATES] = Math.max(0, duplicates - this.#duplicatesBefore);
    this.#duplicatesBefore = duplicates;
    this.#stride = Math.max(1, Math.ceil((second[QUERIES] ?? 0) / PARSED_PER_SECOND));
    const { minute, hour, day } = this.#rings;
    for (const [link, count] of this.#fromLinks) minute.openPart.keys.peers.add(formatEndpoint(link.endpoint), count);
    this.#fromLinks.clear();
    minute.openPart.keys.words.merge(this.#words);
    this.#words = noKeys().words;
    passOn(minute.add(second, at), hour);
    passOn(hour.add(second, at), day);
    day.add(second, at);
  }

  report(span: Span, top: number): QueryStatsReport {
    const ring = this.#rings[span];
    const { counts, keys } = newPart();
    const of = (slot: number): number => counts[slot] ?? 0;
    for (const part of [...ring.parts, ring.openPart]) {
      sumInto(counts, part.counts);
      mergeAll(keys, part.keys);
    }
    // Keys not yet passed up to this ring.
    if (span !== 'minute') mergeAll(keys, this.#rings.minute.openPart.keys);
    if (span === 'day') mergeAll(keys, this.#rings.hour.openPart.keys);
    return {
      privacy: this.#privacy,
      span,
      seconds: ring.seconds,
      queries: of(QUERIES),
      answered: of(ANSWERED),
      answerRate: of(QUERIES) === 0 ? 0 : Math.min(1, of(ANSWERED) / of(QUERIES)),
      hits: of(HITS),
      duplicates: of(DUPLICATES),
      byHops: [...counts.subarray(BY_HOPS, BY_TTL)],
      byTtl: [...counts.subarray(BY_TTL, SLOTS)],
      words: keys.words.top(top),
      peers: keys.peers.top(top),
      sampled: of(QUERIES) === 0 ? 1 : of(PARSED) / of(QUERIES),
      series: ring.buckets.map(({ at, counts: bucket }) => ({
        at,
        queries: bucket[QUERIES] ?? 0,
        answered: bucket[ANSWERED] ?? 0,
        hits: bucket[HITS] ?? 0,
        duplicates: bucket[DUPLICATES] ?? 0,
      })),
    };
  }

  #noteWords(frame: Frame): void {
    let text: string;
    try {
      ({ text } = parseQuery(frame.payload()));
    } catch {
      return; // the core counts malformed queries
    }
    for (const word of queryWords(text)) {
      const short = word.slice(0, WORD_CHARACTERS_MAX);
      this.#words.add(this.#privacy === 'hashed' ? this.#hasher.word(short) : short, this.#stride);
    }
  }
}

/** A minute by seconds, an hour by minutes, a day by quarters of an hour. */
function newRings(): Record<Span, Ring> {
  return { minute: new Ring(1, 60), hour: new Ring(60, 60), day: new Ring(900, 96) };
}

function sumInto(sums: Float64Array, counts: Float64Array): void {
  for (let i = 0; i < SLOTS; i++) sums[i] = (sums[i] ?? 0) + (counts[i] ?? 0);
}

function bump(counts: Float64Array, slot: number, by = 1): number {
  const next = (counts[slot] ?? 0) + by;
  counts[slot] = next;
  return next;
}

function passOn(complete: Keys | null, ring: Ring): void {
  if (complete !== null) mergeAll(ring.openPart.keys, complete);
}

function mergeAll(into: Keys, from: Keys): void {
  into.words.merge(from.words);
  into.peers.merge(from.peers);
}
