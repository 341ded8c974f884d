// Formats numbers and times. Pure; bytes, rates and durations are in api/format.ts.

const UNITS = ['', 'k', 'M', 'G', 'T'];

/** Formats `812`, `9,999`, `12.3k`, `1.2M`. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return '–';
  if (Math.abs(count) < 10_000) return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
  let value = count;
  let unit = 0;
  for (; Math.abs(value) >= 999.95 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${Math.abs(value) >= 99.95 ? Math.round(value) : value.toFixed(1)}${UNITS[unit]}`;
}

/** Formats `0/s`, `0.4/s`, `37/s`, `12.3k/s`. */
export function formatPerSecond(value: number): string {
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : formatCount(value)}/s`;
}

/** Formats local time as `14:03:59`. */
export function formatClock(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '–';
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(part => String(part).padStart(2, '0')).join(':');
}
