// Searches for words and takes one of the results: the best one, or the one that the user chooses.
import { createInterface } from 'node:readline/promises';
import type { Client } from '../api/client.ts';
import type { ResultView } from '../api/control.ts';
import { counted, formatBytes, printable } from '../api/format.ts';
import { CommandError } from './failure.ts';
import { resultsOf } from './search.ts';
import { pause } from './signals.ts';
import { type Column, table } from './table.ts';
import { note, type Terminal } from './terminal.ts';

const POLL_MS = 250;
/** How long other results are awaited after the first one. */
const OTHERS_MS = 4_000;
/** Longest search that the API takes. */
const SEARCH_SECONDS_MAX = 3600;
/** Results in the list to choose from. */
const ROWS_MAX = 20;
const TRIES_MAX = 5;

export interface Choice {
  /** Takes the first result. */
  first: boolean;
  /** Whether the user may be asked. */
  asks: boolean;
  /** Seconds to wait for the first result. */
  patience: number;
}

/** Resolves with the ids of the search and of the result taken. Rejects with CommandError when there is none. */
export async function searchAndChoose(
  terminal: Terminal,
  client: Client,
  words: string,
  { first, asks, patience }: Choice,
  signal: AbortSignal,
): Promise<{ search: string; result: string }> {
  const duration = Math.min(SEARCH_SECONDS_MAX, Math.max(1, patience));
  const { id } = await client.startSearch({ text: words, duration });
  note(terminal, `searching for ${printable(words)}`);
  const deadline = Date.now() + duration * 1000;
  let foundAt: number | null = null;
  let results: ResultView[] = [];
  while (Date.now() < (foundAt === null ? deadline : foundAt + (first ? 0 : OTHERS_MS))) {
    await pause(POLL_MS, signal);
    results = await resultsOf(client, id);
    if (results.length > 0) foundAt ??= Date.now();
  }
  results.sort((a, b) => Number(b.urn !== null) - Number(a.urn !== null) || b.sources.length - a.sources.length);
  const [best] = results;
  if (best === undefined) throw new CommandError(`nothing was found within ${duration} s: try fewer words`);
  const taken = asks && results.length > 1 ? await asked(terminal, results.slice(0, ROWS_MAX), signal) : best;
  const others = results.length > 1 ? `, one of ${counted(results.length, 'result')}` : '';
  note(terminal, `found ${printable(taken.name)}, ${formatBytes(taken.size)}${asks ? '' : others}`);
  return { search: id, result: taken.id };
}

const COLUMNS: readonly Column<[number, ResultView]>[] = [
  { title: '', of: ([number]) => String(number), right: true },
  { title: 'SIZE', of: ([, { size }]) => formatBytes(size), right: true },
  { title: 'SOURCES', of: ([, { sources }]) => String(sources.length), right: true },
  { title: 'NAME', of: ([, { name }]) => name },
];

async function asked(terminal: Terminal, results: readonly ResultView[], signal: AbortSignal): Promise<ResultView> {
  note(
    terminal,
    table(
      COLUMNS,
      results.map((result, i): [number, ResultView] => [i + 1, result]),
    ),
  );
  const lines = createInterface({ input: terminal.stdin ?? process.stdin });
  signal.addEventListener('abort', () => lines.close(), { once: true }); // ends the loop
  try {
    const answers = lines[Symbol.asyncIterator]();
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      terminal.stderr.write('which one? [1] ');
      const answer = await answers.next();
      if (answer.done === true) break;
      const chosen = results[Number(answer.value.trim() || 1) - 1];
      if (chosen !== undefined) return chosen;
      note(terminal, `expected a number from 1 to ${results.length}`);
    }
  } finally {
    lines.close();
  }
  signal.throwIfAborted();
  throw new CommandError('nothing was chosen: --first takes the first result');
}
