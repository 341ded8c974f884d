// When saved searches run by themselves: seldom enough for the neighbours, more seldom while nothing new comes, a few at a time.
import type { Random } from '../../ports.ts';
import { REPEAT_MS } from './past-searches.ts';

/** Searches that run at a time; more would fill our share of the neighbours' query rates. */
const RUNNING_MAX = 2;
/** Between two starts, so that many that are due together do not go out as a burst. */
const GAP_MS = 10_000;
/** Without `every`: the first wait, and what it grows by after each run that found nothing new. */
const GROWTH = 1.5;
const WAIT_MAX_MS = 24 * 3_600_000;
/** Added to each wait at random, never taken off: neighbours ignore what comes too early. */
const JITTER_SHARE = 0.1;
/** No neighbour was asked, so that none ignores the next run. */
const UNASKED_MS = 60_000;

interface Entry {
  readonly id: string;
  /** Null: the schedule decides. */
  everyMs: number | null;
  paused: boolean;
  /** Without jitter. */
  waitMs: number;
  dueAt: number;
  /** From when its wait counts. */
  since: number;
  running: boolean;
}

export interface RunOutcome {
  /** Whether any neighbour was asked. */
  readonly asked: boolean;
  /** Contents that no earlier run had. */
  readonly found: number;
}

export class SavedSchedule {
  readonly #random: Random;
  /** Bounded by the owner. */
  readonly #entries = new Map<string, Entry>();
  #running = 0;
  #startAt = Number.NEGATIVE_INFINITY;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Due at once, or after what is left of its wait of the last run. `waitMs`: its last wait, null for the first one. */
  add(id: string, everyMs: number | null, now: number, leftMs = 0, waitMs: number | null = null): void {
    const entry = { id, everyMs, paused: false, waitMs: REPEAT_MS, dueAt: now, since: now, running: false };
    entry.waitMs = everyMs === null ? within(waitMs ?? REPEAT_MS) : Math.max(REPEAT_MS, everyMs);
    entry.dueAt = now + Math.min(Math.max(0, leftMs), entry.waitMs * (1 + JITTER_SHARE));
    if (leftMs > 0) entry.since = entry.dueAt - entry.waitMs;
    this.#entries.set(id, entry);
  }

  remove(id: string): void {
    if (this.#entries.get(id)?.running === true) this.#running--;
    this.#entries.delete(id);
  }

  pause(id: string, paused: boolean): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.paused = paused;
  }

  /** The time since the last run counts towards the new interval. */
  setEvery(id: string, everyMs: number | null, now: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.everyMs === everyMs) return;
    entry.everyMs = everyMs;
    entry.waitMs = Math.max(REPEAT_MS, everyMs ?? 0);
    if (entry.dueAt > now) entry.dueAt = Math.max(now, entry.since + entry.waitMs);
  }

  /** The one to start now, due longest; null: none. `start` follows before the next call. */
  due(now: number): string | null {
    if (this.#running >= RUNNING_MAX || now < this.#startAt) return null;
    let first: Entry | null = null;
    for (const entry of this.#entries.values())
      if (isIdle(entry) && entry.dueAt <= now && (first === null || entry.dueAt < first.dueAt)) first = entry;
    return first?.id ?? null;
  }

  /** Also by hand, before it is due. False: it runs already. */
  start(id: string, now: number): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.running) return false;
    entry.running = true;
    this.#running++;
    this.#startAt = now + GAP_MS;
    return true;
  }

  end(id: string, { asked, found }: RunOutcome, now: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || !entry.running) return;
    entry.running = false;
    this.#running--;
    if (entry.everyMs !== null) entry.waitMs = Math.max(REPEAT_MS, entry.everyMs);
    else if (asked) entry.waitMs = found > 0 ? REPEAT_MS : within(entry.waitMs * GROWTH);
    entry.since = now;
    const waitMs = asked ? entry.waitMs : UNASKED_MS;
    entry.dueAt = now + waitMs * (1 + (JITTER_SHARE * this.#random.below(1001)) / 1000);
  }

  /** What is left of its wait, and the wait, for the store. */
  waitOf(id: string, now: number): { leftMs: number; waitMs: number } | null {
    const entry = this.#entries.get(id);
    return entry === undefined ? null : { leftMs: Math.max(0, entry.dueAt - now), waitMs: entry.waitMs };
  }

  isRunning(id: string): boolean {
    return this.#entries.get(id)?.running ?? false;
  }

  get running(): number {
    return this.#running;
  }

  /** When `due` may have one; Infinity: not before something else happens. */
  nextAt(): number {
    if (this.#running >= RUNNING_MAX) return Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) if (isIdle(entry)) next = Math.min(next, entry.dueAt);
    return Math.max(next, this.#startAt);
  }
}

const isIdle = ({ paused, running }: Entry): boolean => !paused && !running;
const within = (waitMs: number): number => Math.min(WAIT_MAX_MS, Math.max(REPEAT_MS, waitMs));
