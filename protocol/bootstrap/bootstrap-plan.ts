// Decides how to find first neighbours: dial known hosts, then ask caches in rounds until there is a link. Pure: the shell carries out
// what step() returns and reports the outcomes.
import { LazySet } from '../lazy-set.ts';
import type { Random } from '../ports.ts';
import type { CacheBook } from './cache-book.ts';

export type CacheKind = 'udp' | 'web';

export interface BootstrapTiming {
  /** Wait for dialled hosts before a cache is asked. */
  readonly dialMs: number;
  /** Known hosts to dial before a cache is asked. */
  readonly dialsFirst: number;
  /** Ask a cache after this even when known hosts are left to dial. */
  readonly dialMaxMs: number;
  /** Wait for an answer before the next cache is asked; a later answer is accepted. */
  readonly answerMs: Readonly<Record<CacheKind, number>>;
  /** Pause after the first round, doubled after each further one up to roundMaxMs, ± 25 % at random. */
  readonly roundMs: number;
  readonly roundMaxMs: number;
}

/** LimeWire waits 20 s for known hosts. The 10 s for UDP host caches include the DNS look-up. */
export const PUBLIC_TIMING: BootstrapTiming = {
  dialMs: 20_000,
  dialsFirst: 20,
  dialMaxMs: 120_000,
  answerMs: { udp: 10_000, web: 20_000 },
  roundMs: 30_000,
  roundMaxMs: 10 * 60_000,
};
export const LOCAL_TIMING: BootstrapTiming = {
  dialMs: 500,
  dialsFirst: 20,
  dialMaxMs: 5_000,
  answerMs: { udp: 2_000, web: 6_000 },
  roundMs: 500,
  roundMaxMs: 4_000,
};

/** Learnt caches asked in a round; GWebCaches are a minute apart. */
const LEARNT_PER_ROUND: Readonly<Record<CacheKind, number>> = { udp: 10, web: 3 };
/** Caches that may not be asked within this time are left to the next round. */
const PATIENCE_MS = 60_000;
const JITTER = 0.25;
const JITTER_STEPS = 1024;

/** Times are wall-clock milliseconds, as caches are stored across restarts. */
export interface BootstrapFacts {
  readonly now: number;
  /** Ultrapeers connected and wanted. */
  readonly links: number;
  readonly wanted: number;
  /** Datagrams can be sent; if not, UDP host caches are skipped. */
  readonly udp: boolean;
  /** Whether a known host may be dialled now. */
  readonly dialable: () => boolean;
  /** Number of hosts dialled since `progressAt`. */
  readonly tried: () => number;
}

export type BootstrapCommand =
  /** There are enough neighbours, or none are wanted. */
  | { readonly kind: 'rest' }
  /** Dial known hosts; no cache is asked before `until`. */
  | { readonly kind: 'dial'; readonly until: number }
  /** Ask a cache; report answered() or failed(). */
  | { readonly kind: 'ask'; readonly cache: CacheKind; readonly address: string }
  | { readonly kind: 'wait'; readonly until: number };

interface Turn {
  readonly cache: CacheKind;
  readonly address: string;
}

export interface CacheCount {
  readonly known: number;
  /** In this round, or the last one during the pause. */
  readonly asked: number;
  readonly answered: number;
}

export interface BootstrapReport {
  /** `alone`: no further host to dial and no cache is known. `unwanted`: no neighbours are wanted. */
  readonly state: 'unwanted' | 'linked' | 'dialling' | 'asking' | 'waiting' | 'alone';
  /** The cache whose answer is awaited. */
  readonly asking: string | null;
  readonly caches: Readonly<Record<CacheKind, CacheCount>>;
  /** Rounds begun since the last link. */
  readonly round: number;
  /** When a cache is asked next if there is no link by then; null: none will be. */
  readonly nextAt: number | null;
}

export class BootstrapPlan {
  readonly #books: Readonly<Record<CacheKind, CacheBook>>;
  readonly #timing: BootstrapTiming;
  readonly #random: Random;
  /** Time of the last link, the last answer with hosts, or the start. */
  #progressAt: number;
  #linked = false;
  #udp = true;
  #round = 0;
  #roundAt: number;
  /** Caches left in this round: at most the configured ones and LEARNT_PER_ROUND of each kind. */
  #turns: Turn[] = [];
  #awaited: (Turn & { readonly until: number }) | null = null;
  #state: BootstrapReport['state'] = 'waiting';
  #nextAt: number | null = null;
  /** Addresses asked, and those that answered, in this round. */
  #asked: Record<CacheKind, LazySet<string>> = { udp: new LazySet(), web: new LazySet() };
  #answered: Record<CacheKind, LazySet<string>> = { udp: new LazySet(), web: new LazySet() };
  #lastNow: number;

  constructor(books: Readonly<Record<CacheKind, CacheBook>>, timing: BootstrapTiming, random: Random, now: number) {
    this.#books = books;
    this.#timing = timing;
    this.#random = random;
    this.#progressAt = now;
    this.#roundAt = now;
    this.#lastNow = now;
  }

  /** Time of the last link, the last answer with hosts, or the start. */
  get progressAt(): number {
    return this.#progressAt;
  }

  /** Decides what to do; call about every second, or after `rest` when links or wanted have changed. A cache returned by `ask` counts as asked. */
  step(facts: BootstrapFacts): BootstrapCommand {
    const { now, links, wanted } = facts;
    this.#follow(now);
    this.#udp = facts.udp;
    if (this.#awaited !== null && now >= this.#awaited.until)
      this.failed(this.#awaited.cache, this.#awaited.address, true);
    if (links > 0) this.#progressAt = now;
    if (links > 0 !== this.#linked) this.#startOver(now);
    if (links >= wanted) return this.#rest(wanted === 0 ? 'unwanted' : 'linked');
    if (this.#awaited !== null) return this.#wait(this.#awaited.until, 'asking');
    const dialUntil = this.#dialUntil(facts);
    if (dialUntil > now) {
      this.#state = 'dialling';
      this.#nextAt = links > 0 ? null : dialUntil;
      return { kind: 'dial', until: dialUntil };
    }
    return this.#ask(now);
  }

  /** Reports an answer with `hosts` addresses to dial. */
  answered(cache: CacheKind, address: string, now: number, hosts: number): void {
    this.#books[cache].answered(address, now);
    if (this.#asked[cache].has(address)) this.#answered[cache].add(address);
    if (this.#isAwaited(cache, address)) this.#awaited = null;
    if (hosts > 0) this.#progressAt = now;
  }

  /** `reached`: see CacheBook.failed(). */
  failed(cache: CacheKind, address: string, reached: boolean): void {
    this.#books[cache].failed(address, reached);
    if (this.#isAwaited(cache, address)) this.#awaited = null;
  }

  report(): BootstrapReport {
    const count = (kind: CacheKind): CacheCount => ({
      known: kind === 'udp' && !this.#udp ? 0 : this.#books[kind].size,
      asked: this.#asked[kind].size,
      answered: this.#answered[kind].size,
    });
    return {
      state: this.#state,
      asking: this.#awaited?.address ?? null,
      caches: { udp: count('udp'), web: count('web') },
      round: this.#round,
      nextAt: this.#nextAt,
    };
  }

  #isAwaited(cache: CacheKind, address: string): boolean {
    return this.#awaited?.cache === cache && this.#awaited.address === address;
  }

  /** Shifts all waits when the clock was set back. */
  #follow(now: number): void {
    const back = Math.max(0, this.#lastNow - now);
    this.#lastNow = now;
    if (back === 0) return;
    this.#progressAt -= back;
    this.#roundAt -= back;
    if (this.#awaited !== null) this.#awaited = { ...this.#awaited, until: this.#awaited.until - back };
  }

  /** The first link came, or the last one was lost. */
  #startOver(now: number): void {
    this.#linked = !this.#linked;
    this.#progressAt = now;
    this.#round = 0;
    this.#roundAt = now;
    this.#turns = [];
  }

  #rest(state: 'unwanted' | 'linked'): BootstrapCommand {
    this.#state = state;
    this.#nextAt = null;
    return { kind: 'rest' };
  }

  #wait(until: number, state: BootstrapReport['state']): BootstrapCommand {
    this.#state = state;
    this.#nextAt = until;
    return { kind: 'wait', until };
  }

  /** When to stop waiting for known hosts; `now` to ask a cache. */
  #dialUntil(facts: BootstrapFacts): number {
    const { dialMs, dialsFirst, dialMaxMs } = this.#timing;
    const dialable = facts.dialable();
    if (facts.links > 0) return dialable ? facts.now + dialMs : facts.now;
    const tried = facts.tried();
    if (dialable && tried < dialsFirst) return this.#progressAt + dialMaxMs;
    return tried > 0 ? this.#progressAt + dialMs : facts.now; // wait for running dials
  }

  #ask(now: number): BootstrapCommand {
    if (this.#turns.length === 0) {
      const at = Math.max(this.#roundAt, this.#firstDueAt(now));
      if (!Number.isFinite(at)) return this.#alone(now);
      if (now < at) return this.#wait(at, 'waiting');
      this.#begin(now);
    }
    const due = this.#turns.map(turn => ({ turn, at: this.#books[turn.cache].dueAt(turn.address, now) }));
    const soon = due.filter(({ at }) => at - now <= PATIENCE_MS);
    const next = soon.find(({ at }) => at <= now);
    this.#turns = soon.flatMap(({ turn }) => (turn === next?.turn ? [] : [turn]));
    if (next !== undefined) return this.#send(next.turn, now);
    if (soon.length > 0) return this.#wait(Math.min(...soon.map(({ at }) => at)), 'asking');
    return this.#wait(Math.max(this.#roundAt, this.#firstDueAt(now)), 'waiting');
  }

  #alone(now: number): BootstrapCommand {
    this.#state = 'alone';
    this.#nextAt = null;
    return { kind: 'wait', until: now + this.#timing.roundMaxMs };
  }

  #send({ cache, address }: Turn, now: number): BootstrapCommand {
    this.#books[cache].asked(address, now);
    this.#asked[cache].add(address);
    const until = now + this.#timing.answerMs[cache];
    this.#awaited = { cache, address, until };
    this.#roundAt = until + this.#backoffMs();
    this.#state = 'asking';
    this.#nextAt = until;
    return { kind: 'ask', cache, address };
  }

  /** Starts a round: the user's caches first, UDP before HTTP. */
  #begin(now: number): void {
    const own: Turn[] = [];
    const others: Turn[] = [];
    for (const cache of this.#kinds) {
      const book = this.#books[cache];
      let learnt = 0;
      for (const address of book.inTurn()) {
        if (book.dueAt(address, now) > now + PATIENCE_MS) continue;
        if (book.isOwn(address)) own.push({ cache, address });
        else if (book.isConfigured(address) || learnt++ < LEARNT_PER_ROUND[cache]) others.push({ cache, address });
      }
    }
    this.#turns = [...own, ...others];
    this.#round++;
    this.#asked = { udp: new LazySet(), web: new LazySet() };
    this.#answered = { udp: new LazySet(), web: new LazySet() };
  }

  /** GWebCaches are few, so they are asked only without a link; with one there are pongs and X-Try headers. */
  get #kinds(): readonly CacheKind[] {
    const udp: readonly CacheKind[] = this.#udp ? ['udp'] : [];
    return this.#linked ? udp : [...udp, 'web'];
  }

  #firstDueAt(now: number): number {
    return Math.min(...this.#kinds.map(kind => this.#books[kind].firstDueAt(now)));
  }

  #backoffMs(): number {
    const { roundMs, roundMaxMs } = this.#timing;
    const ms = Math.min(roundMs * 2 ** Math.min(this.#round - 1, 30), roundMaxMs);
    return ms * (1 - JITTER + (2 * JITTER * this.#random.below(JITTER_STEPS)) / JITTER_STEPS);
  }
}
