// Prints the ready line on standard output; a failed write is logged and the command goes on.
import type { Log } from './in-process.ts';
import { print, type Terminal } from './terminal.ts';

export function sayReady(terminal: Terminal, log: Log, line: string): void {
  terminal.stdout.on?.('error', ({ code }) => log.warn({ code, line }, 'standard output cannot be written'));
  print(terminal, line);
}
