// A weekly timetable of limits in local time. Pure: it is told the local day and time, so clocks that jump and summer time need nothing.

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];

const SCHEDULED_PARTS = ['upload', 'download', 'overlay'] as const;
export type ScheduledPart = (typeof SCHEDULED_PARTS)[number];

/** Limits of a part of the week, in bytes per second, 0: none. A part of the servent that it does not name is left to the settings. */
export interface ScheduleEntry extends Partial<Readonly<Record<ScheduledPart, number>>> {
  /** On which it begins. */
  readonly days: readonly Day[];
  /** HH:MM, from 00:00 */
  readonly from: string;
  /** HH:MM, to 24:00, not included; at or before `from`: of the next day. */
  readonly to: string;
}

export interface LocalTime {
  /** Index in DAYS. */
  readonly day: number;
  /** Since midnight. */
  readonly minute: number;
}

const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;
const RATE_MAX = 1_000_000_000_000;
const WORDS: Readonly<Record<string, readonly Day[]>> = {
  daily: DAYS,
  weekdays: DAYS.slice(0, 5),
  weekend: DAYS.slice(5),
};

/** The first entry that covers this time and names the part; null: none does. */
export function entryAt(entries: readonly ScheduleEntry[], part: ScheduledPart, at: LocalTime): ScheduleEntry | null {
  const now = at.day * DAY_MINUTES + at.minute;
  return entries.find(entry => entry[part] !== undefined && spansOf(entry).some(span => covers(span, now))) ?? null;
}

/** Minutes until another entry, or none, holds for the part; null: it stays so all week. */
export function minutesToChange(entries: readonly ScheduleEntry[], part: ScheduledPart, at: LocalTime): number | null {
  const now = at.day * DAY_MINUTES + at.minute;
  const holds = entryAt(entries, part, at);
  const bounds = entries
    .flatMap(entry => spansOf(entry).flatMap(({ start, end }) => [start, end]))
    .map(bound => (bound - now + 2 * WEEK_MINUTES) % WEEK_MINUTES)
    .filter(minutes => minutes > 0)
    .sort((a, b) => a - b);
  return bounds.find(minutes => entryAt(entries, part, later(now, minutes)) !== holds) ?? null;
}

function later(now: number, minutes: number): LocalTime {
  const then = (now + minutes) % WEEK_MINUTES;
  return { day: Math.floor(then / DAY_MINUTES), minute: then % DAY_MINUTES };
}

/** In minutes of the week from Monday; `end` may lie in the next week. */
interface Span {
  start: number;
  end: number;
}

function spansOf({ days, from, to }: ScheduleEntry): Span[] {
  const [first, last] = [minuteOf(from) ?? 0, minuteOf(to) ?? 0];
  const minutes = last > first ? last - first : last - first + DAY_MINUTES;
  return days.map(day => {
    const start = DAYS.indexOf(day) * DAY_MINUTES + first;
    return { start, end: start + minutes };
  });
}

const covers = ({ start, end }: Span, minute: number): boolean =>
  (start <= minute && minute < end) || (start <= minute + WEEK_MINUTES && minute + WEEK_MINUTES < end);

function minuteOf(text: string): number | null {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const minute = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && minute <= DAY_MINUTES ? minute : null;
}

const FIELDS: ReadonlySet<string> = new Set(['days', 'from', 'to', ...SCHEDULED_PARTS]);

/** Reads an entry as a person wrote it. A text says what is wrong with it and what to write instead. */
export function readEntry(given: unknown): ScheduleEntry | string {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return 'days, from, to and a limit, such as {days: weekdays, from: "08:00", to: "18:00", upload: 100000}';
  const fields = given as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(fields).find(name => !FIELDS.has(name));
  if (unknown !== undefined) return `only ${[...FIELDS].join(', ')}: remove ${unknown}`;
  const days = readDays(fields['days']);
  if (days === null) return `days: daily, weekdays, weekend, or a list of ${DAYS.join(', ')}, such as [mon, tue]`;
  const from = timeOf(fields['from']);
  if (from === null || from === '24:00') return 'from: a local time from "00:00" to "23:59", such as "22:30"';
  const to = timeOf(fields['to']);
  if (to === null)
    return 'to: a local time from "00:00" to "24:00", such as "06:00" (of the next day if it is before from)';
  const limits: Partial<Record<ScheduledPart, number>> = {};
  for (const part of SCHEDULED_PARTS) {
    const value = fields[part];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || Number(value) < 0 || Number(value) > RATE_MAX)
      return `${part}: whole bytes per second from 0 (no limit) to ${RATE_MAX}`;
    limits[part] = Number(value);
  }
  if (Object.keys(limits).length === 0)
    return 'at least one of upload, download and overlay, in bytes per second (0: no limit)';
  return { days, from, to, ...limits };
}

function readDays(given: unknown): Day[] | null {
  const words: readonly unknown[] = Array.isArray(given) ? given : [given];
  const named = new Set<Day>();
  for (const word of words) {
    const name = String(word).toLowerCase();
    const days = WORDS[name] ?? DAYS.filter(day => day === name);
    if (days.length === 0) return null;
    for (const day of days) named.add(day);
  }
  return named.size === 0 ? null : DAYS.filter(day => named.has(day));
}

/** As HH:MM; null: no time. */
function timeOf(given: unknown): string | null {
  const minute = typeof given === 'string' ? minuteOf(given) : null;
  if (minute === null) return null;
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}
