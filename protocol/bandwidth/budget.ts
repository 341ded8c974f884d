// A budget of bytes a month, both directions together: how much of it is used, and what that means for limits.

/** Bytes by month, `2026-11`. A clock set back finds the count of the month it goes back to. */
export type MonthBytes = Readonly<Record<string, { readonly in: number; readonly out: number }>>;

/** Older months are forgotten. */
const MONTHS_MAX = 13;
/** From this share of the budget on the rest is spread over the rest of the month. */
const SLOW_SHARE = 0.9;

export class MonthCount {
  #months: Record<string, { in: number; out: number }> = {};

  /** Adds what was counted in earlier runs. Values of another shape are left out. */
  restore(months: unknown): void {
    for (const [month, bytes] of Object.entries((months ?? {}) as MonthBytes)) {
      const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
      if (/^\d{4}-\d{2}$/.test(month) && isCount(bytes?.in) && isCount(bytes?.out))
        this.add(month, bytes.in, bytes.out);
    }
  }

  add(month: string, bytesIn: number, bytesOut: number): void {
    const bytes = this.#months[month] ?? { in: 0, out: 0 };
    this.#months[month] = { in: bytes.in + bytesIn, out: bytes.out + bytesOut };
    const names = Object.keys(this.#months).sort();
    for (const name of names.slice(0, -MONTHS_MAX)) if (name !== month) delete this.#months[name];
  }

  of(month: string): { in: number; out: number } {
    return this.#months[month] ?? { in: 0, out: 0 };
  }

  get months(): MonthBytes {
    return this.#months;
  }
}

export type BudgetState =
  /** No budget is set. */
  | 'none'
  | 'open'
  /** Most of it is used: what is left is spread over the rest of the month. */
  | 'slow'
  /** Used up: transfers stop until the next month. */
  | 'spent';

export interface Budget {
  readonly state: BudgetState;
  /** Bytes a month; 0: none. */
  readonly bytes: number;
  readonly used: number;
  /** What is left, spread over the rest of the month; 0 unless it is `slow`. */
  readonly bytesPerSecond: number;
  readonly secondsLeft: number;
}

export function budgetOf(bytes: number, used: number, secondsLeft: number): Budget {
  const state = stateOf(bytes, used);
  const bytesPerSecond = state === 'slow' ? Math.max(1, Math.floor((bytes - used) / Math.max(1, secondsLeft))) : 0;
  return { state, bytes, used, bytesPerSecond, secondsLeft };
}

function stateOf(bytes: number, used: number): BudgetState {
  if (bytes === 0) return 'none';
  if (used >= bytes) return 'spent';
  return used >= SLOW_SHARE * bytes ? 'slow' : 'open';
}
