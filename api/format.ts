// Formats values of the API as text, for the command line, the dashboard and the web page. Pure.

import type { HashingView, LimitView, SearchView, UploadView } from './control.ts';

type Repeat = Pick<SearchView, 'askedBefore' | 'askAgainAt' | 'text'>;

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Formats bytes as `4.0 MiB`; the number has at most four characters. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1023.5 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/** Use against a limit: `480 KiB/s of 512 KiB/s`. */
export function formatLimit({ value, used, stopped }: Pick<LimitView, 'value' | 'used' | 'stopped'>): string {
  if (stopped) return 'stopped';
  return used === null ? formatRate(value) : `${formatRate(used)} of ${formatRate(value)}`;
}

/** Formats a duration in its two largest units: `42 s`, `3 min`, `2 h 5 min`, `4 d 1 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** A playing time as `3:25` or `1:02:03`; empty when it is not known. */
export function formatPlayTime(seconds: number | null): string {
  if (seconds === null) return '';
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A bit rate in kbit/s; empty when it is not known. */
export function formatBitrate(kbps: number | null): string {
  return kbps === null ? '' : String(Math.round(kbps));
}

/** Formats the time since an ISO time. */
export function formatAge(time: string, nowMs: number): string {
  return formatDuration((nowMs - Date.parse(time)) / 1000);
}

/** Warns that neighbours may ignore a repeated search; null when they do not. */
export function formatRepeat(search: Repeat, nowMs: number): string | null {
  const { askedBefore, askAgainAt, text } = search;
  if (askedBefore === null || (askAgainAt !== null && Date.parse(askAgainAt) <= nowMs)) return null;
  const way = text === null ? '' : '; change a word to make it a new search';
  return `asked ${formatAge(askedBefore, nowMs)} ago; neighbours ignore repeats for up to 28 minutes${way}`;
}

/** Formats a count with its noun: `1 file`, `2 files`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Formats a ratio as `37 %`, rounded down. */
export function formatShare(done: number, whole: number): string {
  if (whole <= 0 || done >= whole) return '100 %';
  return `${Math.floor((done / whole) * 100)} %`;
}

/**
 * Replaces characters that could move the cursor, change colours or turn the reading direction: file names, queries and user agents come
 * from other servents.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression searches for them
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '\ufffd');
}

/** State of a neighbour of `gnutella.connect`: `connected`, or `503 Too many leaves; retry in 2 min`. */
export function keptText({ state, nextIn, why }: { state: string; nextIn: number | null; why: string | null }): string {
  if (state === 'connected') return 'connected';
  const next = state === 'dialling' || nextIn === null ? 'connecting' : `retry in ${formatDuration(Math.ceil(nextIn))}`;
  return why === null ? next : `${printable(why)}; ${next}`;
}

/** `2 files (a private key), 1 folder (its name begins with a dot)`: the files and folders that are not shared, by rule. */
export function formatLeftOut(leftOut: readonly { files: number; folders: number; why: string }[]): string {
  return leftOut.map(({ why, ...left }) => `${formatFilesAndFolders(left)} (${why})`).join(', ');
}

/** Formats `1 folder and 2 files`. */
export function formatFilesAndFolders({ files, folders }: { files: number; folders: number }): string {
  const amounts = [folders > 0 ? counted(folders, 'folder') : '', files > 0 ? counted(files, 'file') : ''];
  return amounts.filter(amount => amount !== '').join(' and ');
}

/** `hashing 12 files  3.1 MB left  1.0 MB/s  3 s left  /music/a.ogg` */
export function formatHashing({ state, files, bytes, rate, eta, current }: HashingView): string {
  if (state === 'cancelled') return 'hashing was cancelled: "servent rescan" goes on';
  if (state !== 'hashing') return state === 'idle' ? 'everything is hashed' : 'scanning';
  const parts = [`hashing ${counted(files, 'file')}`, `${formatBytes(bytes)} left`, formatRate(rate)];
  if (eta !== null) parts.push(`${formatDuration(eta)} left`);
  if (current !== null) parts.push(printable(current));
  return parts.join('  ');
}

type Place = NonNullable<UploadView['queue']>;

const WAIT_WORDS: Readonly<Record<Place['why'], string>> = {
  slots_taken: 'slots are taken',
  others_first: 'others first',
  address_share: 'address has its share',
  slot_kept: 'a slot is kept for it',
  passed_over: 'let its turn pass',
};

/** Why an upload waits: `slots are taken, passive`. */
export function formatWait({ why, active }: Pick<Place, 'why' | 'active'>): string {
  return `${WAIT_WORDS[why]}${active ? '' : ', passive'}`;
}
