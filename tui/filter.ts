// What is typed after `/`: words that a row must have, `!word` for those it must not have.
import type { Column } from './table.ts';

export interface Matcher<T> {
  readonly accepts: (row: T) => boolean;
  /** Why the filter cannot be understood, for a person; then everything is accepted. */
  readonly fault: string | null;
}

export function matcher<T>(filter: string, columns: readonly Column<T>[], now: number): Matcher<T> {
  const wanted: string[] = [];
  const unwanted: string[] = [];
  for (const word of filter.toLowerCase().split(/\s+/)) {
    if (word.startsWith('!') && word.length > 1) unwanted.push(word.slice(1));
    else if (word !== '' && word !== '!') wanted.push(word);
  }
  const accepts = (row: T): boolean => {
    const text = columns
      .map(column => column.of(row, now))
      .join('\n')
      .toLowerCase();
    return wanted.every(word => text.includes(word)) && !unwanted.some(word => text.includes(word));
  };
  return { accepts, fault: null };
}
