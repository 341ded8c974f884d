// Being asked to stop, or to read the configuration again.
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Resolves to the first signal that asks this process to stop. Later ones change nothing: a terminal and npm may both pass on one Ctrl-C.
 * SIGHUP asks to read the configuration again, unless it comes because the terminal has been closed or there is nothing to read again.
 * The handlers stay, so that nobody else's (write-file-atomic has some while it writes) finds itself alone and ends the process.
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

/** Who was started at a terminal that is no more. A daemon under a supervisor never had one. */
function terminalHasGone(): boolean {
  if (!hadTerminal) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true; // ENXIO: that is the answer
  }
}

const hadTerminal = process.stdin.isTTY === true || process.stderr.isTTY === true;
