// Dates as HTTP heads carry them (IMF-fixdate, RFC 9110 section 5.6.7), computed without a clock or a locale.

const DAY_MS = 86_400_000;
const WEEKDAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'];
const MONTHS = ['Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec', 'Jan', 'Feb'];
/** Days from 1 March 0000 to 1 January 1970: years that begin in March have their leap day at the end. */
const EPOCH_DAYS = 719_468;
/** In 400 years of the Gregorian calendar. */
const ERA_DAYS = 146_097;
const YEAR_9999_MS = 253_402_300_799_999;

/** `at`: milliseconds since 1970; dates outside the years 1970 to 9999 are moved to the nearer end. */
export function formatHttpDate(at: number): string {
  const ms = Math.min(Math.max(0, Math.floor(at) || 0), YEAR_9999_MS);
  const days = Math.floor(ms / DAY_MS);
  const seconds = Math.floor((ms % DAY_MS) / 1000);
  const time = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(part => pad(Math.floor(part), 2)).join(':');

  const dayOfEra = (days + EPOCH_DAYS) % ERA_DAYS;
  const era = Math.floor((days + EPOCH_DAYS) / ERA_DAYS);
  // leaves the leap days of 4 years, of 100 years and of 400 years out
  const leapFree =
    dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor(leapFree / 365);
  const dayOfYear = dayOfEra - 365 * yearOfEra - Math.floor(yearOfEra / 4) + Math.floor(yearOfEra / 100);
  // from March on the months have 31, 30, 31, 30, 31 days, and again: 153 days in five months
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
  const year = 400 * era + yearOfEra + (month >= 10 ? 1 : 0);
  return `${WEEKDAYS[days % 7]}, ${pad(day, 2)} ${MONTHS[month]} ${pad(year, 4)} ${time} GMT`;
}

/**
 * The milliseconds since 1970 of a date in the form of formatHttpDate. Null for any other text, the two obsolete forms of RFC 850 and
 * asctime included: no servent sends them.
 */
export function parseHttpDate(text: string): number | null {
  const [, day, monthName, year, hours, minutes, seconds] =
    /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/.exec(text) ?? [];
  const month = MONTHS.indexOf(monthName ?? '');
  if (day === undefined || month < 0) return null;
  const yearOfMarch = Number(year) - (month >= 10 ? 1 : 0);
  const leapDays = Math.floor(yearOfMarch / 4) - Math.floor(yearOfMarch / 100) + Math.floor(yearOfMarch / 400);
  const days = 365 * yearOfMarch + leapDays + Math.floor((153 * month + 2) / 5) + Number(day) - 1 - EPOCH_DAYS;
  const at = days * DAY_MS + ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return formatHttpDate(at) === text ? at : null;
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');
