// Banned addresses: by their conduct for a time that grows when it happens again, or by hand. Bounded; kept over a restart as records.
import { LazyMap } from '../../../lazy-map.ts';
import type { BanReason, Offence } from './offence.ts';

export interface Ban {
  /** See subject.ts. */
  readonly subject: string;
  readonly reason: BanReason;
  /** What the person who banned by hand had to say. */
  readonly note: string | null;
  /** Times of the calls; `until` is Infinity for one that has to be lifted. */
  readonly since: number;
  readonly until: number;
  /** From 1: how often in a row. */
  readonly times: number;
  /** Connections closed without a word. */
  turnedAway: number;
  /** It was answered with 429 once. */
  told: boolean;
}

/** A ban as it is stored. Milliseconds since 1970; `until` null: until it is lifted. */
export interface BanRecord {
  readonly reason: BanReason;
  readonly note: string | null;
  readonly since: number;
  readonly until: number | null;
  readonly times: number;
}

export const FIRST_BAN_MS = 300_000;
export const LONGEST_BAN_MS = 10_800_000;
/** The next ban of an address within this time of its last one is twice as long. */
export const REMEMBERED_MS = 86_400_000;
const BANS_MAX = 4096;
const BANS_BY_HAND_MAX = 1024;

export class Bans {
  /** Those that are over are remembered for REMEMBERED_MS. At most BANS_MAX. */
  readonly #bans = new LazyMap<string, Ban>();
  readonly #onForgotten: (subject: string) => void;

  constructor(onForgotten: (subject: string) => void) {
    this.#onForgotten = onForgotten;
  }

  /** With those that are over. */
  get size(): number {
    return this.#bans.size;
  }

  /** Null: not banned now. */
  of(subject: string, now: number): Ban | null {
    const ban = this.#bans.get(subject);
    return ban !== undefined && ban.until > now ? ban : null;
  }

  /** Newest first. */
  list(now: number): Ban[] {
    return [...this.#bans.values()].filter(({ until }) => until > now).sort((a, b) => b.since - a.since);
  }

  /** How many hold. */
  running(now: number): number {
    let running = 0;
    for (const { until } of this.#bans.values()) if (until > now) running++;
    return running;
  }

  /** For its conduct. A ban that holds stays as it is. */
  add(subject: string, reason: Offence, now: number): Ban {
    const last = this.#bans.get(subject);
    if (last !== undefined && last.until > now) return last;
    const times = last !== undefined && now - last.until < REMEMBERED_MS ? last.times + 1 : 1;
    const ms = Math.min(LONGEST_BAN_MS, FIRST_BAN_MS * 2 ** Math.min(times - 1, 10));
    return this.#put({ subject, reason, note: null, since: now, until: now + ms, times, turnedAway: 0, told: false });
  }

  /** Null: there are BANS_BY_HAND_MAX. `ms` Infinity: until it is lifted. Replaces the ban that it has. */
  addByHand(subject: string, ms: number, note: string | null, now: number): Ban | null {
    const last = this.#bans.get(subject);
    if (last?.reason !== 'by_hand' && this.#byHand(now) >= BANS_BY_HAND_MAX) return null;
    const times = last?.times ?? 1;
    return this.#put({
      subject,
      note,
      times,
      since: now,
      until: now + ms,
      reason: 'by_hand',
      turnedAway: 0,
      told: false,
    });
  }

  /** Forgets that it was ever banned. False: it is not banned. */
  lift(subject: string, now: number): boolean {
    if (this.of(subject, now) === null) return false;
    this.#bans.delete(subject);
    return true;
  }

  /** `date`: milliseconds since 1970 of `now`. */
  recordOf({ reason, note, since, until, times }: Ban, now: number, date: number): BanRecord {
    const dateOf = (time: number): number => Math.round(date + time - now);
    return { reason, note, times, since: dateOf(since), until: until === Infinity ? null : dateOf(until) };
  }

  /** Takes back what was stored. A ban lasts no longer than it was meant to, however the clock was set in between. */
  restore(subject: string, record: BanRecord, now: number, date: number): boolean {
    const { reason, note, times } = record;
    const end = record.until ?? Infinity;
    const left = Math.min(end - date, end - record.since);
    if (this.#bans.size >= BANS_MAX || Number.isNaN(left) || left < -REMEMBERED_MS) return false;
    const since = now - Math.max(0, date - record.since);
    this.#bans.set(subject, { subject, reason, note, times, since, until: now + left, turnedAway: 0, told: false });
    return true;
  }

  #put(ban: Ban): Ban {
    if (!this.#bans.has(ban.subject) && this.#bans.size >= BANS_MAX) this.#makeRoom();
    this.#bans.set(ban.subject, ban);
    return ban;
  }

  #byHand(now: number): number {
    let count = 0;
    for (const { reason, until } of this.#bans.values()) if (reason === 'by_hand' && until > now) count++;
    return count;
  }

  /** The one that ended first goes, or ends first; none that has to be lifted. */
  #makeRoom(): void {
    let first: Ban | null = null;
    for (const ban of this.#bans.values()) {
      if (ban.reason === 'by_hand' && ban.until === Infinity) continue;
      if (first === null || ban.until < first.until) first = ban;
    }
    if (first === null) return;
    this.#bans.delete(first.subject);
    this.#onForgotten(first.subject);
  }
}
