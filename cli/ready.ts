// The one line that what serves prints on standard output. Who started it may not read that, or not have room for it: it serves all the same.
import type { Log } from './in-process.ts';
import { print, type Terminal } from './terminal.ts';

export function sayReady(terminal: Terminal, log: Log, line: string): void {
  terminal.stdout.on?.('error', ({ code }) => log.warn({ code, line }, 'standard output cannot be written'));
  print(terminal, line);
}
