// Decides how a batch of rows gets into a database exactly once, when the outcome of an attempt may be unknown.

/** What the database says of a batch. */
export interface BatchAnswer {
  /** An earlier attempt is still under way there. */
  readonly running: boolean;
  /** Rows of the batch that it has, each counted once. */
  readonly present: number;
}

/** `insert`: all rows. `missing`: those that are not there. */
export type DeliveryStep = 'wait' | 'done' | 'insert' | 'missing';

/** `answer` null: nobody has tried to insert this batch before. */
export function deliveryStep(rows: number, answer: BatchAnswer | null): DeliveryStep {
  if (rows === 0) return 'done';
  if (answer === null) return 'insert';
  if (answer.running) return 'wait';
  if (answer.present >= rows) return 'done';
  return answer.present === 0 ? 'insert' : 'missing';
}

const FIRST_WAIT_MS = 500;
const WAIT_MAX_MS = 60_000;

/** Milliseconds until the next attempt after so many failures in a row. */
export function deliveryWait(failures: number): number {
  return Math.min(WAIT_MAX_MS, FIRST_WAIT_MS * 2 ** Math.min(Math.max(failures - 1, 0), 16));
}

/** Columns that a table of the database lacks or has with another type, in words; null: it is as it should be. */
export function columnFault(
  expected: readonly { readonly name: string; readonly type: string }[],
  found: readonly { readonly name: string; readonly type: string }[],
): string | null {
  const types = new Map(found.map(({ name, type }) => [name, type]));
  const faults = expected.flatMap(({ name, type }) => {
    const has = types.get(name);
    if (has === undefined) return [`lacks the column ${name} (${type})`];
    return has === type ? [] : [`has the column ${name} as ${has} instead of ${type}`];
  });
  return faults.length === 0 ? null : faults.join(', ');
}
