// The setting `limits.schedule`: a weekly timetable of limits.
import { readEntry, type ScheduleEntry } from '../protocol/bandwidth/timetable.ts';
import { entriesOf, type Kind } from './kinds.ts';

const ENTRIES_MAX = 50;

/** An error says what is wrong with the first bad entry. */
export const scheduleList: Kind<ScheduleEntry[]> = entriesOf(
  ENTRIES_MAX,
  'a list, each item {days, from, to} with upload, download or overlay in bytes per second, such as {days: weekdays, from: "08:00", to: "18:00", upload: 100000}',
  readEntry,
);
