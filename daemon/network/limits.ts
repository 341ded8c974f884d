// Keeps the limits of bandwidth that hold now: follows settings, timetable and monthly budget, and counts what is used.
import { type Budget, type BudgetState, budgetOf, MonthCount } from '../../protocol/bandwidth/budget.ts';
import { type LimitNow, type LimitSettings, limitsNow } from '../../protocol/bandwidth/limits.ts';
import type { Part } from '../../protocol/bandwidth/scheduler.ts';
import type { LocalTime } from '../../protocol/bandwidth/timetable.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Bandwidth, Moved } from '../net/bandwidth.ts';
import type { Table } from '../store/table.ts';

const TICK_MS = 1000;
/** Rates are those of so many ticks. */
const SAMPLES = 5;
const SAVE_MS = 60_000;
const KEY = 'months';

export interface LimitsOptions {
  readonly bandwidth: Bandwidth;
  /** Read anew at each tick. */
  readonly settings: () => LimitSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly table: Table<unknown>;
}

/** Local time of the machine. `month`: `2026-11`. */
export function localTime(wallTime: number): LocalTime & { month: string; monthEnds: number } {
  const date = new Date(wallTime);
  return {
    day: (date.getDay() + 6) % 7,
    minute: date.getHours() * 60 + date.getMinutes(),
    month: `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}`,
    monthEnds: new Date(date.getFullYear(), date.getMonth() + 1, 1).getTime(),
  };
}

export class Limits {
  /** Called when the state of the budget has changed, first when start() has read what was used. */
  onBudget: (budget: Budget, before: BudgetState) => void = () => undefined;
  readonly #options: LimitsOptions;
  readonly #count = new MonthCount();
  #counted: Moved = { in: 0, out: 0 };
  /** What had moved at the last ticks, oldest first: at most SAMPLES. */
  readonly #samples: { at: number; moved: Readonly<Record<Part, number>> }[] = [];
  #now: readonly LimitNow[] = [];
  #budget: Budget = budgetOf(0, 0, 0);
  /** What the limits were last computed from. */
  #basis = '';
  #timer: NodeJS.Timeout | null = null;
  #savedAt = 0;

  constructor(options: LimitsOptions) {
    this.#options = options;
  }

  /** Reads what was used in earlier runs. Rejects with StoreError. */
  async start(): Promise<void> {
    this.#count.restore(await this.#options.table.get(KEY));
    this.tick();
    this.#timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.tick();
    await this.#save();
  }

  /** The limits that hold now. */
  get now(): readonly LimitNow[] {
    return this.#now;
  }

  get budget(): Budget {
    return this.#budget;
  }

  /** Uploads and downloads are stopped. */
  get spent(): boolean {
    return this.#budget.state === 'spent';
  }

  /** Bytes of this month. */
  get month(): Moved & { month: string; ends: number } {
    const { month, monthEnds } = localTime(this.#options.clock.wallTime());
    return { ...this.#count.of(month), month, ends: monthEnds };
  }

  /** Bytes per second over the last seconds. */
  used(part: Part): number {
    const { bandwidth, clock } = this.#options;
    const [oldest] = this.#samples;
    if (oldest === undefined) return 0;
    const ms = Math.max(TICK_MS, clock.now() - oldest.at);
    return Math.round(((bandwidth.moved[part] - oldest.moved[part]) * 1000) / ms);
  }

  /** Call when settings have changed, too: then they hold at once. */
  tick(): void {
    const { bandwidth, clock, settings } = this.#options;
    const now = clock.now();
    const wallTime = clock.wallTime();
    const { month, monthEnds, day, minute } = localTime(wallTime);
    const total = bandwidth.total;
    this.#count.add(month, total.in - this.#counted.in, total.out - this.#counted.out);
    this.#counted = total;
    if (now - (this.#samples.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= TICK_MS / 2)
      this.#samples.push({ at: now, moved: { ...bandwidth.moved } });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    const given = settings();
    const used = this.#count.of(month);
    const before = this.#budget.state;
    this.#budget = budgetOf(given.monthlyBytes, used.in + used.out, (monthEnds - wallTime) / 1000);
    const { state } = this.#budget;
    const basis = JSON.stringify([given, day, minute, state]);
    if (basis !== this.#basis) {
      this.#basis = basis;
      this.#now = limitsNow(given, { day, minute }, this.#budget);
      for (const { name, bytesPerSecond } of this.#now) bandwidth.limit(name, bytesPerSecond);
    }
    if (state !== before) this.onBudget(this.#budget, before);
    if (now - this.#savedAt >= SAVE_MS || (state !== before && state === 'spent')) void this.#save();
  }

  async #save(): Promise<void> {
    const { table, clock, log } = this.#options;
    this.#savedAt = clock.now();
    await table
      .put(KEY, this.#count.months)
      .catch((err: unknown) => log.warn({ err }, 'the bytes used this month could not be stored'));
  }
}
