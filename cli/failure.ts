// Errors as one line that says what to do next, and the exit code that goes with them.
import { constants } from 'node:os';
import { CommanderError } from 'commander';
import { NoAnswerError, RefusedError } from '../api/client.ts';
import { printable } from '../api/format.ts';
import { SettingsError } from '../settings/faults.ts';

export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

/** A failure already said in words for the person at the terminal. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT_FAILURE) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

/** Somebody asked for it: nothing is said, and the exit code is the one that shells know (128 and the number of the signal). */
export class EndedBySignal extends CommandError {
  constructor(signal: NodeJS.Signals) {
    super(signal, 128 + constants.signals[signal]);
    this.name = 'EndedBySignal';
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(message, EXIT_USAGE);
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (error instanceof SettingsError) return error.byFlag ? EXIT_USAGE : EXIT_FAILURE;
  return error instanceof CommandError ? error.exitCode : EXIT_FAILURE;
}

export function explain(error: unknown): string {
  if (error instanceof NoAnswerError)
    return `no daemon answers at ${error.url} (${error.message}): start one with "servent start", or say where it is with --api URL`;
  if (error instanceof RefusedError && error.problem.code === 'UNAUTHORIZED')
    return 'the daemon does not accept the token: give the one from the file api-token in its data folder with --token or --data-dir';
  if (!(error instanceof Error)) return oneLine(String(error));
  const { code, path } = error as NodeJS.ErrnoException;
  // of a write the system names no file, and the remedy is the same for all
  const advice =
    code === undefined ? undefined : (OF_THE_DISK[code] ?? (path === undefined ? undefined : ADVICE[code]));
  return oneLine(advice === undefined ? error.message : `${error.message}: ${advice}`);
}

const OF_THE_DISK: Record<string, string> = {
  ENOSPC: 'make room on the disk',
  EDQUOT: 'make room: the quota is used up',
  EIO: 'the disk fails: look into the log of the system',
};

/** For what the system says about a file. */
const ADVICE: Record<string, string> = {
  EACCES: 'give the user who runs the servent access to it, or choose another place',
  EPERM: 'give the user who runs the servent access to it, or choose another place',
  EROFS: 'choose a place that can be written',
  ENOENT: 'make it, or name another',
  ENOTDIR: 'a file is where a folder is needed: move it away, or choose another place',
  EEXIST: 'a file is where a folder is needed: move it away, or choose another place',
  EMFILE: 'too many open files: raise the limit with "ulimit -n"',
};

/** With what strangers chose in it made harmless. */
function oneLine(text: string): string {
  return printable(text.trim().replace(/\s*\n\s*/g, '; '));
}
