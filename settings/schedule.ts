// The setting `limits.schedule`: a weekly timetable of limits.
import { readEntry, type ScheduleEntry } from '../protocol/bandwidth/timetable.ts';
import type { Checked, Kind } from './kinds.ts';

const ENTRIES_MAX = 50;

/** For the setting `limits.schedule`. An error says what is wrong with the first bad entry. */
export const scheduleList: Kind<ScheduleEntry[]> = {
  check: (given): Checked<ScheduleEntry[]> => {
    if (!Array.isArray(given)) return { ok: false, item: null };
    if (given.length > ENTRIES_MAX) return { ok: false, item: null, expected: `at most ${ENTRIES_MAX} entries` };
    const value: ScheduleEntry[] = [];
    for (const [item, each] of given.entries()) {
      const entry = readEntry(each);
      if (typeof entry === 'string') return { ok: false, item, expected: `entry ${item + 1} with ${entry}` };
      value.push(entry);
    }
    return { ok: true, value };
  },
  expected:
    'a list, each item {days, from, to} with upload, download or overlay in bytes per second, such as {days: weekdays, from: "08:00", to: "18:00", upload: 100000}',
  fromText: given => {
    try {
      const value: unknown = JSON.parse(given);
      return Array.isArray(value) ? value : [value];
    } catch {
      return given; // rejected by the check
    }
  },
};
