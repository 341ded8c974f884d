// Log lines on standard error: JSON, or readable ones on a terminal. Standard output belongs to answers.
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Settings } from './settings.ts';

/** `log.child({ mod: 'library' })` for a part of the daemon. */
export type Log = Logger;

const STDERR = 2;
/** What must never reach a log, whoever passes it. */
const SECRETS = ['token', 'authorization', '*.token', '*.authorization', 'headers.authorization'];

export async function createLog(settings: Settings['log'], destination?: DestinationStream): Promise<Log> {
  const pretty = settings.format === 'pretty' || (settings.format === 'auto' && process.stderr.isTTY === true);
  const options = { level: settings.level, base: null, redact: { paths: SECRETS, censor: '(secret)' } };
  if (!pretty) return pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, destination ?? toStderr());
  // Only a person at a terminal pays for it.
  const { prettyFactory } = await import('pino-pretty');
  const readable = prettyFactory({
    colorize: process.stderr.hasColors?.() === true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'mod',
    messageFormat: (entry, key) =>
      `${typeof entry['mod'] === 'string' ? `${entry['mod']}: ` : ''}${String(entry[key])}`,
  });
  const out = destination ?? toStderr();
  return pino(options, { write: line => out.write(readable(line)) });
}

/** Written before the call returns, so that the last words of a crash are not lost. */
function toStderr(): DestinationStream {
  return pino.destination({ fd: STDERR, sync: true });
}

/** For tests and for parts that are used without a daemon. */
export const silentLog: Log = pino({ level: 'silent' });
