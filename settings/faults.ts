// Errors of a configuration, with texts for users.
import type { SettingKey } from './settings.ts';

export interface Fault {
  key: string;
  /** One line with key, value, expected value and source. */
  text: string;
  /** Whether the value came from a flag of this command line. */
  byFlag?: boolean;
}

export class SettingsError extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[], cause?: unknown) {
    const [first] = faults;
    const more = faults.length > 1 ? `; ${faults.length - 1} more: \`servent config check\` lists them` : '';
    super(`${first?.text ?? 'bad configuration'}${more}`, cause === undefined ? undefined : { cause });
    this.name = 'SettingsError';
    this.faults = faults;
  }

  /** Whether all faults come from flags of this command line. */
  get byFlag(): boolean {
    return this.faults.some(fault => fault.byFlag === true);
  }
}

const SHOWN_MAX = 80;

/** Formats a value, shortened to fit a line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

export function wrongValue(key: SettingKey, expected: string, value: unknown, where: string, byFlag = false): Fault {
  return { key, text: `${key}: expected ${expected}, got ${shown(value)} (${where})`, byFlag };
}

const DISTANCE_MAX = 3;
const NAME_MAX = 64;

/** Returns the known name nearest to `name`, at most three letters and half of its length away, or null. */
export function nearest(name: string, known: Iterable<string>): string | null {
  if (name.length > NAME_MAX) return null;
  let best: string | null = null;
  let bestDistance = Math.min(DISTANCE_MAX, Math.floor(name.length / 2)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substituted));
    }
    above = row;
  }
  return above[b.length] ?? 0;
}
