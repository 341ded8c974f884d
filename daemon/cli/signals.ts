// Being asked to stop.
import { once } from 'node:events';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Resolves to the first signal that asks this process to stop. Later ones change nothing: a terminal and npm may both pass on one Ctrl-C.
 * The handlers stay, so that nobody else's (write-file-atomic has some while it writes) finds itself alone and ends the process.
 */
export async function askedToStop(): Promise<string> {
  const asked = new AbortController();
  for (const name of SIGNALS) process.on(name, () => asked.abort(name));
  await once(asked.signal, 'abort');
  return String(asked.signal.reason);
}
