// The limits of bandwidth as the API shows them.
import type { BudgetView, LimitsView, LimitView } from '../../api/control.ts';
import { DIRECTION_OF, PARTS } from '../../protocol/bandwidth/scheduler.ts';
import type { Clock } from '../clock.ts';
import type { Limits } from '../network/limits.ts';

export interface LimitedParts {
  readonly network: { readonly limits: Limits };
  readonly library: { readonly hashing: { readonly rate: number } };
  readonly live: { readonly settings: { readonly library: { readonly hashSpeed: number } } };
  readonly clock: Clock;
}

export function limitsView({ network: { limits }, library, live, clock }: LimitedParts): LimitsView {
  const items = limits.now.map(
    ({ name, bytesPerSecond, stopped, origin, why, changesIn }): LimitView => ({
      name,
      value: bytesPerSecond,
      stopped,
      origin,
      why,
      used: usedBy(name, limits),
      changesAt: changesIn === null ? null : changeAt(clock.wallTime(), changesIn),
    }),
  );
  const value = live.settings.library.hashSpeed;
  const used = library.hashing.rate;
  const plain = { stopped: false, origin: 'setting', why: 'library.hashSpeed', changesAt: null } as const;
  return { items: [...items, { name: 'hashing', value, used, ...plain }], budget: budgetView(limits) };
}

/** Minutes of the timetable are those of the clock on the wall, which summer time moves. */
function changeAt(wallTime: number, minutes: number): string {
  const date = new Date(wallTime);
  date.setMinutes(date.getMinutes() + minutes, 0, 0);
  return date.toISOString();
}

export function budgetView(limits: Limits): BudgetView {
  const { state, bytes, used } = limits.budget;
  const { month, ends, ...moved } = limits.month;
  return { state, bytes, used, in: moved.in, out: moved.out, month, resetsAt: new Date(ends).toISOString() };
}

/** Null: not measured, as each upload has its own. */
function usedBy(name: LimitView['name'], limits: Limits): number | null {
  if (name === 'slot' || name === 'hashing') return null;
  const parts = PARTS.filter(part => name === 'total' || name === part || name === DIRECTION_OF[part]);
  return parts.reduce((sum, part) => sum + limits.used(part), 0);
}
