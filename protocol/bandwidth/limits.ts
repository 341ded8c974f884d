// Which limit holds now, and why: from the settings, the timetable or the budget. Pure.
import type { Budget } from './budget.ts';
import type { LimitName } from './scheduler.ts';
import { entryAt, type LocalTime, minutesToChange, type ScheduledPart, type ScheduleEntry } from './timetable.ts';

const LIMIT_NAMES = [
  'total',
  'out',
  'in',
  'upload',
  'slot',
  'download',
  'overlay',
  'udp',
] as const satisfies readonly LimitName[];

/** Bytes per second, 0: no limit. */
export type LimitSettings = Readonly<Record<LimitName, number>> & {
  readonly schedule: readonly ScheduleEntry[];
  /** Bytes of both directions; 0: no budget. */
  readonly monthlyBytes: number;
};

export interface LimitNow {
  readonly name: LimitName;
  /** 0: no limit. */
  readonly bytesPerSecond: number;
  /** Nothing of it runs. */
  readonly stopped: boolean;
  readonly origin: 'setting' | 'schedule' | 'budget';
  /** For people: the key or the entry that it comes from. */
  readonly why: string;
  /** Minutes until the timetable changes it; null: it does not. */
  readonly changesIn: number | null;
}

const STOPPED_PARTS: ReadonlySet<LimitName> = new Set(['upload', 'download']);
const SCHEDULED: ReadonlySet<LimitName> = new Set(['upload', 'download', 'overlay'] satisfies ScheduledPart[]);

export function limitsNow(settings: LimitSettings, at: LocalTime, budget: Budget): LimitNow[] {
  return LIMIT_NAMES.map(name => limitNow(name, settings, at, budget));
}

function limitNow(name: LimitName, settings: LimitSettings, at: LocalTime, budget: Budget): LimitNow {
  const plain: LimitNow = {
    name,
    bytesPerSecond: settings[name],
    stopped: false,
    origin: 'setting',
    why: `limits.${name}`,
    changesIn: null,
  };
  const { state, bytesPerSecond } = budget;
  if (state === 'spent' && STOPPED_PARTS.has(name))
    return { ...plain, stopped: true, origin: 'budget', why: 'limits.monthlyBytes: used up until the next month' };
  if (state === 'slow' && name === 'total' && (plain.bytesPerSecond === 0 || bytesPerSecond < plain.bytesPerSecond))
    return {
      ...plain,
      bytesPerSecond,
      origin: 'budget',
      why: 'limits.monthlyBytes: what is left, over the rest of the month',
    };
  if (!SCHEDULED.has(name)) return plain;
  const part = name as ScheduledPart;
  const changesIn = minutesToChange(settings.schedule, part, at);
  const entry = entryAt(settings.schedule, part, at);
  if (entry === null) return { ...plain, changesIn };
  const { days, from, to } = entry;
  const number = settings.schedule.indexOf(entry) + 1;
  return {
    ...plain,
    bytesPerSecond: entry[part] ?? 0,
    origin: 'schedule',
    why: `limits.schedule, entry ${number}: ${days.length === 7 ? 'daily' : days.join(' ')} ${from} to ${to}`,
    changesIn,
  };
}
