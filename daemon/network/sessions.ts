// How long this servent has been up, now and in earlier runs: kept in the store, so that a crash costs a minute of it.
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { PeriodicSave } from '../store/periodic-save.ts';
import type { Table } from '../store/table.ts';

const SAVE_MS = 60_000;
/** Above it the oldest are dropped. */
const SESSIONS_MAX = 50;
const DAY_MS = 86_400_000;
/** Older sessions are dropped. */
const KEPT_MS = 30 * DAY_MS;

/** Times in wall-clock milliseconds, rates in bytes per second. */
export interface Session {
  startedAt: number;
  /** Latest time at which it ran. */
  seenAt: number;
  /** Best sustained upload rate. */
  bestUpload: number;
}

export class Sessions {
  readonly #table: Table<Session>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #current: Session;
  #past: Session[] = [];
  readonly #saves = new PeriodicSave(SAVE_MS, () => this.#save());

  constructor(table: Table<Session>, startedAt: Date, clock: Clock, log: Log) {
    this.#table = table;
    this.#clock = clock;
    this.#log = log;
    this.#current = { startedAt: startedAt.getTime(), seenAt: startedAt.getTime(), bestUpload: 0 };
  }

  async start(): Promise<void> {
    const { startedAt } = this.#current;
    const all: [string, Session][] = [];
    for await (const entry of this.#table.entries()) all.push(entry);
    const fresh = all.filter(([, past]) => isSession(past) && startedAt - past.startedAt <= KEPT_MS);
    const kept = new Set(fresh.slice(1 - SESSIONS_MAX).map(([key]) => key));
    this.#past = fresh.filter(([key]) => kept.has(key)).map(([, past]) => past);
    await this.#table.batch(all.filter(([key]) => !kept.has(key)).map(([key]) => ({ type: 'del', key })));
    await this.#saves.save();
    this.#saves.start();
  }

  stop(): Promise<void> {
    return this.#saves.stop();
  }

  /** Duration of the present session, ms. */
  get uptimeMs(): number {
    return Math.max(0, this.#clock.wallTime() - this.#current.startedAt);
  }

  /** Average duration of a session, ms; the present one counts as far as it has run. */
  get averageMs(): number {
    const past = this.#past.reduce((sum, { startedAt, seenAt }) => sum + seenAt - startedAt, 0);
    return (past + this.uptimeMs) / (this.#past.length + 1);
  }

  /** Average uptime per day since the first kept session, seconds; divides by one day at least. */
  get dailySeconds(): number {
    const first = this.#past[0]?.startedAt ?? this.#current.startedAt;
    const spanMs = Math.max(this.#clock.wallTime() - first, DAY_MS);
    return Math.round((this.averageMs * (this.#past.length + 1) * 86_400) / spanMs);
  }

  /** Bytes per second; null when nothing was sent. */
  get bestUpload(): number | null {
    const best = Math.max(this.#current.bestUpload, ...this.#past.map(({ bestUpload }) => bestUpload));
    return best > 0 ? best : null;
  }

  sawUpload(bytesPerSecond: number): void {
    this.#current.bestUpload = Math.max(this.#current.bestUpload, Math.round(bytesPerSecond));
  }

  async #save(): Promise<void> {
    this.#current.seenAt = this.#clock.wallTime();
    try {
      await this.#table.put(new Date(this.#current.startedAt).toISOString(), { ...this.#current });
    } catch (err) {
      this.#log.warn({ err }, 'the uptime could not be saved; trying again later');
    }
  }
}

/** Rejects inconsistent records, as after a change of the clock. */
function isSession({ startedAt, seenAt, bestUpload }: Session): boolean {
  return Number.isFinite(bestUpload) && startedAt > 0 && seenAt >= startedAt;
}
