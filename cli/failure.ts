// Turns errors into one line with a remedy, and into exit codes.
import { constants } from 'node:os';
import { CommanderError } from 'commander';
import { NoAnswerError, RefusedError } from '../api/client.ts';
import { printable } from '../api/format.ts';
import { SettingsError } from '../settings/faults.ts';

export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

/** A failure whose message is for the user. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT_FAILURE) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

/** Ended by a signal: prints nothing; the exit code is 128 + the number of the signal, as shells have it. */
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
    return `no daemon answers at ${error.url} (${error.message}): start one with "servent start", or give its URL with --api`;
  if (error instanceof RefusedError && error.problem.code === 'UNAUTHORIZED')
    return 'the daemon does not accept the token: give its data folder with --data-dir, or the contents of api-token there with --token';
  if (!(error instanceof Error)) return oneLine(String(error));
  const { code, path } = error as NodeJS.ErrnoException;
  // a failed write names no file
  const advice =
    code === undefined ? undefined : (OF_THE_DISK[code] ?? (path === undefined ? undefined : ADVICE[code]));
  return oneLine(advice === undefined ? error.message : `${error.message}: ${advice}`);
}

const OF_THE_DISK: Record<string, string> = {
  ENOSPC: 'free space on the disk',
  EDQUOT: 'the disk quota is used up: free space',
  EIO: 'the disk fails: read the log of the system',
};

/** Remedies by error code, for errors about a file. */
const ADVICE: Record<string, string> = {
  EACCES: 'give the user of the servent access to it, or choose another place',
  EPERM: 'give the user of the servent access to it, or choose another place',
  EROFS: 'choose a writable place',
  ENOENT: 'create it, or choose another',
  ENOTDIR: 'a file is where a folder is needed: move it away, or choose another place',
  EEXIST: 'a file is where a folder is needed: move it away, or choose another place',
  EMFILE: 'too many open files: raise the limit with "ulimit -n"',
};

/** Joins the lines of a text and replaces control characters. */
function oneLine(text: string): string {
  return printable(text.trim().replace(/\s*\n\s*/g, '; '));
}
