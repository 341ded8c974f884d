// Formats numbers and times for narrow columns. Pure; formats shared with the command line are in api/format.ts.
export { formatBytes, formatRate, formatShare } from '../api/format.ts';

/** Formats as `42s`, `3m05s`, `2h05m`, `4d01h`: at most six characters up to 99 days. */
export function formatSpan(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}s`;
  const two = (large: number, unit: string, small: number, part: string): string =>
    `${large}${unit}${String(small).padStart(2, '0')}${part}`;
  if (whole < 3600) return two(Math.floor(whole / 60), 'm', whole % 60, 's');
  if (whole < 86_400) return two(Math.floor(whole / 3600), 'h', Math.floor(whole / 60) % 60, 'm');
  const days = Math.floor(whole / 86_400);
  return days >= 100 ? `${days}d` : two(days, 'd', Math.floor(whole / 3600) % 24, 'h');
}

/** Formats the time since an ISO time; `never` for null. */
export function formatSince(time: string | null, nowMs: number): string {
  return time === null ? 'never' : formatSpan((nowMs - Date.parse(time)) / 1000);
}

/** Formats local time as `14:03:59`. */
export function formatClock(ms: number, utc = false): string {
  const date = new Date(utc ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000);
  return Number.isNaN(date.getTime()) ? '--:--:--' : date.toISOString().slice(11, 19);
}

/** Formats as the clock, with the date if it is not today: `2026-11-20 14:03:59`. */
export function formatMoment(ms: number, nowMs: number, utc = false): string {
  const day = (at: number): string =>
    new Date(utc ? at : at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
  const clock = formatClock(ms, utc);
  return Number.isNaN(ms) || day(ms) === day(nowMs) ? clock : `${day(ms)} ${clock}`;
}

const COUNT_UNITS = ['', 'k', 'M', 'G', 'T'];

/** Formats as `812`, `9999`, `12.3k`, `1.2M`: at most five characters. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return '?';
  if (Math.abs(count) < 10_000) return String(Math.round(count));
  let value = count;
  let unit = 0;
  for (; Math.abs(value) >= 999.95 && unit < COUNT_UNITS.length - 1; unit++) value /= 1000;
  return `${value >= 99.95 ? Math.round(value) : value.toFixed(1)}${COUNT_UNITS[unit]}`;
}

/** Formats a rate per second as `0`, `0.4`, `37`, `2.1k`. */
export function formatPerSecond(perSecond: number): string {
  return perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : formatCount(perSecond);
}

/** Formats all digits, in groups of three with commas. */
export function formatExact(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}
