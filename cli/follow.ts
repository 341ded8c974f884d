// --follow: shows a list as the daemon's events change it: a redrawn table on a terminal, one line per event on a pipe.
import type { LogLevel } from '../api/control.ts';
import type { ServentEvent, Topic } from '../api/events.ts';
import { printable } from '../api/format.ts';
import type { Daemon } from './connection.ts';
import { CommandError } from './failure.ts';
import { askedToStop } from './signals.ts';
import { note, print, rowPrinter, type Terminal } from './terminal.ts';

export interface Followed {
  topics: readonly Topic[];
  /** Lowest level, for the topic `log`. */
  level?: LogLevel;
}

/** Passes events to `onEvents` as they come. Resolves when the terminal's signal aborts; throws when the daemon refuses. */
export async function followEvents(
  terminal: Terminal,
  { follow }: Daemon,
  { topics, level }: Followed,
  onEvents: (events: readonly ServentEvent[]) => void,
): Promise<void> {
  const ended = new AbortController();
  const stop = (): void => ended.abort();
  terminal.signal?.addEventListener('abort', stop, { once: true });
  if (terminal.signal?.aborted === true) stop();
  if (terminal.signal === undefined) void askedToStop().then(stop);
  let refused: string | null = null;
  try {
    await follow({
      topics,
      ...(level === undefined ? {} : { level }),
      after: null,
      interval: 1,
      signal: ended.signal,
      onEvents,
      onGap: ({ skipped }) => note(terminal, `${skipped ?? 'some'} events were skipped: they came too fast`),
      onState: state => {
        if (state.state === 'open') return;
        if (state.refusal !== null) {
          refused = state.reason;
          stop();
        } else note(terminal, `lost the daemon (${state.reason}); retry in ${state.retryMs / 1000} s`);
      },
    });
  } finally {
    terminal.signal?.removeEventListener('abort', stop);
  }
  if (refused !== null) throw new CommandError(refused);
}

/** Least time between two redraws. */
const DRAW_MS = 250;

/** Draws `text()` now and, in the same place, after events. */
export async function redrawn(
  terminal: Terminal,
  daemon: Daemon,
  topic: Topic | null,
  text: () => Promise<string>,
): Promise<void> {
  const { stdout } = terminal;
  const draw = async (): Promise<void> => {
    const lines = (await text()).split('\n').slice(0, Math.max(2, (stdout.rows ?? 24) - 1));
    const wide = stdout.columns ?? 80;
    stdout.write(`\x1b[H${lines.map(line => `${[...line].slice(0, wide).join('')}\x1b[K`).join('\n')}\n\x1b[J`);
  };
  stdout.write('\x1b[2J');
  await draw();
  let timer: NodeJS.Timeout | null = null;
  let drawing: Promise<void> = Promise.resolve();
  try {
    // the status event comes every second and refreshes counters and ages
    await followEvents(terminal, daemon, { topics: topic === null ? ['status'] : [topic, 'status'] }, () => {
      timer ??= setTimeout(() => {
        timer = null;
        drawing = drawing
          .then(draw)
          .catch(error => note(terminal, error instanceof Error ? error.message : String(error)));
      }, DRAW_MS);
    });
  } finally {
    if (timer !== null) clearTimeout(timer);
    await drawing;
  }
}

/** Prints one line per event of the topic: JSON, or time, type and `shown(event)`. */
export async function printed(
  terminal: Terminal,
  daemon: Daemon,
  followed: Followed,
  json: boolean,
  shown: (event: ServentEvent) => string,
): Promise<void> {
  const rows = rowPrinter(terminal);
  await followEvents(terminal, daemon, followed, events => {
    if (json) return rows(events);
    for (const event of events)
      print(terminal, `${event.at.slice(11, 19)}  ${event.type.padEnd(17)}  ${printable(shown(event))}`);
  });
}

/** Text with blanks is quoted, so that its end is seen. */
function isPlain(value: unknown): boolean {
  return typeof value === 'string' ? !/[\s"]/.test(value) : typeof value !== 'object';
}

/** Formats fields as `id=3 reason=bye`. */
export function plainly(data: unknown): string {
  if (typeof data !== 'object' || data === null) return String(data);
  return Object.entries(data)
    .map(([name, value]) => `${name}=${isPlain(value) ? String(value) : JSON.stringify(value)}`)
    .join(' ');
}
