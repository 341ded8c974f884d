// Dynamic querying of one search of ours or of a leaf: decides which links to ask next, with which TTL, from the results so far.
// Pure. Mostly LimeWire's steps and gtk-gnutella's goals.

export interface DynamicQueryLimits {
  /** Hit records that are enough for a search of ours and of a leaf, which has about three ultrapeers to itself. */
  readonly ownGoal: number;
  readonly leafGoal: number;
  /** A search by hash is content with this part of them: one source would do. */
  readonly urnShare: number;
  /** After asking leaves, as long as it is not known how fast neighbours answer; then as long as they take, but this. */
  readonly leafWaitMs: number;
  readonly leafWaitMsMin: number;
  /** After a probe (for each TTL), after each further step; longer where neighbours answer later. */
  readonly probeWaitMs: number;
  readonly stepWaitMs: number;
  /** Steps become shorter by this while little is found, down to the least. */
  readonly stepHasteMs: number;
  readonly stepWaitMsMin: number;
  /** No step waits longer, however slow neighbours are. */
  readonly waitMsMax: number;
  /** How long a leaf may take to say how many hits it kept. */
  readonly statusWaitMs: number;
  /** Ultrapeers, by what peers say of their degree; the query is over when so many have been asked. */
  readonly horizonMax: number;
  /** A search that runs so long has found what there is. */
  readonly lifeMs: number;
  /** Running at a time: of one leaf, of all leaves. */
  readonly perLeafMax: number;
  readonly ofLeavesMax: number;
}

export const DYNAMIC_QUERY_LIMITS: DynamicQueryLimits = {
  ownGoal: 150,
  leafGoal: 50,
  urnShare: 1 / 25,
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
  horizonMax: Number.POSITIVE_INFINITY, // degrees are said, not real: a small network is asked whole
};

/** A link that can be asked: an ultrapeer or a legacy peer. */
export interface Prospect {
  readonly id: number;
  /** X-Degree. */
  readonly degree: number;
  /** Most TTL that this query may have there. */
  readonly ttlMax: number;
  /** Verdict of its table; null when it sent none. */
  readonly matches: boolean | null;
  /** X-Ext-Probes: the same query with more TTL is welcome. */
  readonly again: boolean;
  readonly queuedBytes: number;
}

export interface Ask {
  readonly id: number;
  readonly ttl: number;
}

export const NextStep = { Wait: 0, Send: 1, AskStatus: 2, Exhausted: 3, Done: 4 } as const;
export type NextStep = (typeof NextStep)[keyof typeof NextStep];

/** Ultrapeers of the probe as long as nothing is found; when part of the goal is met, fewer. */
const PROBES = 3;
/** At most so many ultrapeers a step, as long as nothing at all is found. */
const STEP_ASKS_MAX = 3;
/** Leaves that are asked before it is known how much such leaves have. */
const LEAF_PROBES = 4;
/** LimeWire's guess at the leaves of an ultrapeer. */
const HOSTS_PER_ULTRAPEER = 16;
/** Leaves asked at once for each result that is missing: tables promise what is not there now and then. */
const LEAVES_PER_RESULT = 1.5;
/** gtk-gnutella's bounds on what a peer says of itself. */
const DEGREE_MAX = 50;
const TTL_MAX = 5;
/** Of each TTL's new hosts so many have been reached before. */
const OVERLAP = 0.8;
/** Times the goal: kept or not, so many have gone by. */
const SEEN_MAX = 20;
/** When a leaf is asked for its count, gtk-gnutella's numbers. */
const STATUS_ASKS = 3;
const STATUS_RESULTS = 20;
const STATUS_TIMEOUTS_MAX = 2;
/** A leaf's count is over all of its ultrapeers. */
const ULTRAPEERS_OF_LEAF = 3;

/** Ultrapeers within `ttl` steps through a peer of that degree, when nobody is met twice. */
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

/** Least TTL that reaches `hosts` leaves through one connection. */
export function ttlFor(hosts: number, degree: number, ttlMax: number): number {
  for (let ttl = 1; ttl < ttlMax; ttl++) if (HOSTS_PER_ULTRAPEER * hostsWithin(degree, ttl) >= hosts) return ttl;
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
  /** What a guided leaf kept at the last count, and what had been seen by then. */
  #kept = 0;
  #seenAtStatus = 0;
  /** Says how many hits it kept: BEAR/11 is understood. */
  guided = false;
  /** Its hits go by UDP, past us. */
  unseen = false;
  /** How long answers over one link take at present; null: not known. */
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

  /** Results that count: what a guided leaf kept is its share of ours, what it has not told of yet counts in full. */
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

  #isDone(now: number): boolean {
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
    if (this.#isDone(now)) return NextStep.Done;
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
    const probes = Math.ceil((PROBES * (this.goal - this.results)) / this.goal);
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
      const hosts = (missing * this.#horizon * HOSTS_PER_ULTRAPEER) / this.results / left.length;
      this.#ask(prospect, full ? prospect.ttlMax : ttlFor(hosts, prospect.degree, prospect.ttlMax), asks);
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
