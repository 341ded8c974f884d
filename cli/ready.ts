// Prints the ready line of a serving command on standard output. When that is full or closed, the command serves on and says so in the log.
import type { Log } from './in-process.ts';
import { print, type Terminal } from './terminal.ts';

export function sayReady(terminal: Terminal, log: Log, line: string): void {
  terminal.stdout.on?.('error', ({ code }) => log.warn({ code, line }, 'standard output cannot be written'));
  print(terminal, line);
}
