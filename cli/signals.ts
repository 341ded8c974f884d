// Waits for signals to stop or to reload the configuration.
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { EndedBySignal } from './failure.ts';
import type { Terminal } from './terminal.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Resolves to the first signal to stop; later ones are ignored, since a terminal and npm may both pass on one Ctrl-C.
 * SIGHUP reloads; it stops without `onReload` or when the terminal was closed. The handlers stay installed: write-file-atomic
 * ends the process when its handler is the only one.
 */
export async function askedToStop(onReload?: () => void): Promise<string> {
  const asked = new AbortController();
  process.on('SIGHUP', () => {
    if (onReload === undefined || terminalHasGone()) asked.abort('SIGHUP');
    else onReload();
  });
  for (const name of SIGNALS) process.on(name, () => asked.abort(name));
  await once(asked.signal, 'abort');
  return String(asked.signal.reason);
}

/** Aborts with EndedBySignal when the user stops the command. */
export function stopSignal({ signal }: Pick<Terminal, 'signal'>): AbortSignal {
  const stop = new AbortController();
  const onStop = (name: string): void => stop.abort(new EndedBySignal(name as NodeJS.Signals));
  if (signal === undefined) void askedToStop().then(onStop);
  else if (signal.aborted) onStop('SIGINT');
  else signal.addEventListener('abort', () => onStop('SIGINT'), { once: true });
  return stop.signal;
}

/** Waits; rejects with the reason of `signal` when it aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** True when the controlling terminal was closed; false under a supervisor. */
function terminalHasGone(): boolean {
  if (!hadTerminal) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true; // ENXIO
  }
}

const hadTerminal = process.stdin.isTTY === true || process.stderr.isTTY === true;
