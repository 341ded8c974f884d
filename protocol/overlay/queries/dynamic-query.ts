// Decides for one dynamic query, of ours or of a leaf, which links to ask next and with which TTL, from the results so far. Pure.
// The steps are mostly LimeWire's, the goals gtk-gnutella's.

export interface DynamicQueryLimits {
  /** Hit records at which a query of ours, or of a leaf, ends. A leaf has about three ultrapeers that each look for as many. */
  readonly ownGoal: number;
  readonly leafGoal: number;
  /** Factor of the goal for a query by hash, where a single source is of use. */
  readonly urnShare: number;
  /** Ultrapeers asked by the probe when nothing is found yet; fewer when part of the goal is met. */
  readonly probes: number;
  /** Wait after leaves were asked, while the answer time of neighbours is unknown; then the answer time, but at least the minimum. */
  readonly leafWaitMs: number;
  readonly leafWaitMsMin: number;
  /** Wait after a probe, times its TTL, and after each further step; longer when neighbours answer more slowly. */
  readonly probeWaitMs: number;
  readonly stepWaitMs: number;
  /** Each step waits so much less than the one before, down to the minimum. */
  readonly stepHasteMs: number;
  readonly stepWaitMsMin: number;
  /** Longest wait of a step. */
  readonly waitMsMax: number;
  /** Time limit for a leaf's answer with the number of hits it kept. */
  readonly statusWaitMs: number;
  /** Estimated number of ultrapeers reached at which the query ends; computed from the peers' X-Degree. */
  readonly horizonMax: number;
  /** Age at which the query ends. */
  readonly lifeMs: number;
  /** Most queries that run at a time: of one leaf, of all leaves. */
  readonly perLeafMax: number;
  readonly ofLeavesMax: number;
}

export const DYNAMIC_QUERY_LIMITS: DynamicQueryLimits = {
  ownGoal: 150,
  leafGoal: 50,
  urnShare: 1 / 25,
  probes: 3,
  leafWaitMs: 2_400,
  leafWaitMsMin: 600,
  probeWaitMs: 2_400,
  stepWaitMs: 3_700,
  stepHasteMs: 100,
  stepWaitMsMin: 1_500,
  waitMsMax: 10_000,
  statusWaitMs: 10_000,
  horizonMax: 500_000,
  lifeMs: 10 * 60_000,
  perLeafMax: 8,
  ofLeavesMax: 2_048,
};

/** For networks where a round trip takes a millisecond: loopback, a lab. */
export const LOCAL_DYNAMIC_QUERY: DynamicQueryLimits = {
  ...DYNAMIC_QUERY_LIMITS,
  leafWaitMs: 100,
  leafWaitMsMin: 100,
  probeWaitMs: 100,
  stepWaitMs: 150,
  stepHasteMs: 10,
  stepWaitMsMin: 50,
  waitMsMax: 2_400,
  statusWaitMs: 1_000,
  horizonMax: Number.POSITIVE_INFINITY, // the degrees that peers state are too high there, and a small network can be asked as a whole
};

/** A link that can be asked: an ultrapeer or a legacy peer. */
export interface Prospect {
  readonly id: number;
  /** X-Degree. */
  readonly degree: number;
  /** Largest TTL with which this query may be sent to it. */
  readonly ttlMax: number;
  /** Whether its QRP table matches the query; null when it sent none. */
  readonly matches: boolean | null;
  /** X-Ext-Probes: it accepts the same query again with a higher TTL. */
  readonly again: boolean;
  readonly queuedBytes: number;
}

export interface Ask {
  readonly id: number;
  readonly ttl: number;
}

export const NextStep = { Wait: 0, Send: 1, AskStatus: 2, Exhausted: 3, Done: 4 } as const;
export type NextStep = (typeof NextStep)[keyof typeof NextStep];

/** Most ultrapeers asked by a step while nothing is found. */
const STEP_ASKS_MAX = 3;
/** Leaves asked first, to estimate how many results a leaf gives. */
const LEAF_PROBES = 4;
/** Leaves asked at once for each missing result. Above 1, because a QRP table can match without a file. */
const LEAVES_PER_RESULT = 1.5;
/** Bounds on the degree and TTL that a peer states, as in gtk-gnutella. */
const DEGREE_MAX = 50;
const TTL_MAX = 5;
/** Share of the hosts added by each TTL that were reached before. */
const OVERLAP = 0.8;
/** The query ends when this many times the goal of hit records was seen, whatever the leaf kept. */
const SEEN_MAX = 20;
/** Links asked and results seen before a leaf is asked for its count, and timeouts until it no longer is; as in gtk-gnutella. */
const STATUS_ASKS = 3;
const STATUS_RESULTS = 20;
const STATUS_TIMEOUTS_MAX = 2;
/** Divisor of a leaf's count, which includes the hits from its other ultrapeers. */
const ULTRAPEERS_OF_LEAF = 3;

/** Ultrapeers within `ttl` hops through a peer of that degree, if none is reached twice. */
export function hostsWithin(degree: number, ttl: number): number {
  let hosts = 0;
  let ring = 1;
  for (let step = 0; step < ttl; step++) {
    hosts += ring;
    ring *= degree - 1;
  }
  return hosts;
}

/** The same as gtk-gnutella weighs it. */
export function weightedHosts(degree: number, ttl: number): number {
  const bounded = Math.min(ttl, TTL_MAX);
  return hostsWithin(Math.min(degree, DEGREE_MAX), bounded) * OVERLAP ** (bounded - 1);
}

/** Least TTL that reaches so many ultrapeers through one connection. */
export function ttlFor(ultrapeers: number, degree: number, ttlMax: number): number {
  for (let ttl = 1; ttl < ttlMax; ttl++) if (hostsWithin(degree, ttl) >= ultrapeers) return ttl;
  return ttlMax;
}

export class DynamicQuery {
  readonly #limits: DynamicQueryLimits;
  /** Hit records that are enough. */
  readonly goal: number;
  readonly startedAt: number;
  /** Milliseconds of the overlay's clock: when step() has something to do. */
  nextAt: number;
  /** Hit records seen for it. */
  seen = 0;
  /** Hits that a guided leaf kept, as of its latest count, and hit records seen at that time. */
  #kept = 0;
  #seenAtStatus = 0;
  /** Says how many hits it kept: BEAR/11 is understood. */
  guided = false;
  /** Its hits go to the searcher by UDP, so we do not see them. */
  unseen = false;
  /** Present answer time over one link in milliseconds; null: unknown. */
  answerMs: number | null = null;
  /** Ids of leaves whose tables match, not asked yet. */
  readonly #leaves: number[];
  #leavesAsked = 0;
  #resultsBeforeLeaves = 0;
  /** Id of an ultrapeer to the TTL it was asked with. At most as many as there are links. */
  readonly #asked = new Map<number, number>();
  #horizon = 1;
  #steps = 0;
  #probed = false;
  #asksSinceStatus = 0;
  #statusDue = 0;
  #statusTimeouts = 0;
  #stopped = false;

  constructor(limits: DynamicQueryLimits, goal: number, leaves: readonly number[], now: number) {
    this.#limits = limits;
    this.goal = goal;
    this.#leaves = [...leaves];
    this.startedAt = now;
    this.nextAt = now;
  }

  /** Results compared with the goal: our share of the hits that a guided leaf kept, plus all hits seen since its latest count. */
  get results(): number {
    return this.#kept / ULTRAPEERS_OF_LEAF + this.seen - this.#seenAtStatus;
  }

  /** Estimated ultrapeers reached, ourselves included. */
  get horizon(): number {
    return this.#horizon;
  }

  /** The leaf told how many hits it has kept; it may do so unasked. */
  onStatus(kept: number, now: number): void {
    this.#kept = kept;
    this.#seenAtStatus = this.seen;
    if (this.#statusDue > 0) this.nextAt = now;
    this.#statusDue = 0;
    this.#statusTimeouts = 0;
    this.#asksSinceStatus = 0;
  }

  /** Nobody waits for it any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** Enough was found or asked, or it took too long. */
  isDone(now: number): boolean {
    return (
      this.#stopped ||
      this.results >= this.goal ||
      this.seen >= SEEN_MAX * this.goal ||
      this.#horizon >= this.#limits.horizonMax ||
      now - this.startedAt >= this.#limits.lifeMs
    );
  }

  /**
   * What to do at `now`; with Send `asks` is filled. Prospects come in an order of chance, none twice. Exhausted: all
   * have been asked with all the TTL they take; a new one may still come.
   */
  step(now: number, prospects: readonly Prospect[], asks: Ask[]): NextStep {
    if (this.isDone(now)) return NextStep.Done;
    if (now < this.nextAt) return NextStep.Wait;
    if (this.#leaves.length > 0) return this.#askLeaves(now, asks);
    if (this.#awaitsStatus(now)) return NextStep.Wait;
    if (this.#wantsStatus()) {
      this.#statusDue = now + this.#limits.statusWaitMs;
      this.nextAt = this.#statusDue;
      return NextStep.AskStatus;
    }
    const ranked = rank(prospects);
    if (!this.#probed) return this.#probe(now, ranked, asks);
    return this.#widen(now, ranked, asks);
  }

  /** A few at first, then as many as are needed by what those had: of a popular file a few have enough. */
  #askLeaves(now: number, asks: Ask[]): NextStep {
    const first = this.#leavesAsked === 0;
    if (first) this.#resultsBeforeLeaves = this.results;
    const each = first ? 1 : Math.max(1, (this.results - this.#resultsBeforeLeaves) / this.#leavesAsked);
    const needed = Math.ceil(((this.goal - this.results) * LEAVES_PER_RESULT) / each);
    const batch = this.#leaves.splice(0, first ? Math.min(needed, LEAF_PROBES) : needed);
    for (const id of batch) asks.push({ id, ttl: 1 });
    this.#leavesAsked += batch.length;
    const { leafWaitMs, leafWaitMsMin } = this.#limits;
    this.nextAt = now + Math.max(leafWaitMsMin, this.answerMs ?? leafWaitMs);
    return NextStep.Send;
  }

  /** Longer where answers over so many links take longer. */
  #wait(now: number, atLeastMs: number, links: number): void {
    this.nextAt = now + Math.max(atLeastMs, Math.min((this.answerMs ?? 0) * links, this.#limits.waitMsMax));
  }

  #awaitsStatus(now: number): boolean {
    if (this.#statusDue === 0) return false;
    if (now < this.#statusDue) return true;
    this.#statusDue = 0;
    this.#asksSinceStatus = 0;
    if (++this.#statusTimeouts >= STATUS_TIMEOUTS_MAX) this.guided = false;
    return false;
  }

  #wantsStatus(): boolean {
    if (!this.guided || this.#asksSinceStatus < STATUS_ASKS) return false;
    return this.unseen || this.seen - this.#seenAtStatus >= STATUS_RESULTS;
  }

  /** A few with a matching table, their leaves only; without such a few others, one step further. */
  #probe(now: number, ranked: readonly Prospect[], asks: Ask[]): NextStep {
    const probes = Math.ceil((this.#limits.probes * (this.goal - this.results)) / this.goal);
    const matching = ranked.filter(({ matches }) => matches === true).slice(0, probes);
    const ttl = matching.length > 0 ? 1 : 2;
    const probed = matching.length > 0 ? matching : ranked.filter(({ again }) => again).slice(0, probes);
    this.#probed = true;
    if (probed.length === 0) return this.#widen(now, ranked, asks);
    for (const prospect of probed) this.#ask(prospect, ttl, asks);
    this.#wait(now, this.#limits.probeWaitMs * ttl, ttl + 1); // its leaves are one link further
    return NextStep.Send;
  }

  #widen(now: number, ranked: readonly Prospect[], asks: Ask[]): NextStep {
    const fresh = ranked.filter(({ id }) => !this.#asked.has(id));
    const more = ranked.filter(prospect => this.#canTakeMore(prospect));
    const left = [...fresh, ...more];
    if (left.length === 0) {
      this.nextAt = now + this.#limits.stepWaitMs;
      return NextStep.Exhausted;
    }
    const missing = Math.max(0, this.goal - this.results);
    const found = this.results > 0;
    for (const prospect of left.slice(0, found ? 1 : Math.min(this.#steps + 1, STEP_ASKS_MAX))) {
      // a peer that cannot be asked twice is asked in full, else the rare file behind it is missed
      const full = !found || !prospect.again || this.#asked.has(prospect.id);
      const ultrapeers = (missing * this.#horizon) / this.results / left.length;
      this.#ask(prospect, full ? prospect.ttlMax : ttlFor(ultrapeers, prospect.degree, prospect.ttlMax), asks);
    }
    const { stepWaitMs, stepHasteMs, stepWaitMsMin } = this.#limits;
    const ttl = asks.reduce((most, ask) => Math.max(most, ask.ttl), 1);
    this.#wait(now, Math.max(stepWaitMsMin, stepWaitMs - this.#steps * stepHasteMs), ttl + 1);
    this.#steps++;
    return NextStep.Send;
  }

  /** After a probe that stopped at the peer itself even LimeWire takes the query again. */
  #canTakeMore({ id, ttlMax, again }: Prospect): boolean {
    const ttl = this.#asked.get(id);
    return ttl !== undefined && ttl < ttlMax && (again || ttl === 1);
  }

  #ask(prospect: Prospect, ttl: number, asks: Ask[]): void {
    // its own leaves have nothing: TTL 1 would be wasted
    const useful = ttl === 1 && prospect.matches === false ? 2 : ttl;
    const taken = Math.min(useful, prospect.ttlMax);
    const before = this.#asked.get(prospect.id) ?? 0;
    this.#asked.set(prospect.id, taken);
    this.#asksSinceStatus++;
    if (taken === 1 && prospect.matches === false) return; // nowhere to go from there
    this.#horizon += weightedHosts(prospect.degree, taken) - weightedHosts(prospect.degree, before);
    asks.push({ id: prospect.id, ttl: taken });
  }
}

/** Those whose tables match first, those that say no last; among equals the shortest queue. */
function rank(prospects: readonly Prospect[]): Prospect[] {
  const worth = ({ matches }: Prospect): number => (matches === true ? 0 : matches === null ? 1 : 2);
  return [...prospects].sort((a, b) => worth(a) - worth(b) || a.queuedBytes - b.queuedBytes);
}
