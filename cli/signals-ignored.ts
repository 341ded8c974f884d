// Signals that would open Node's debugger or end the process, and mean nothing to a servent.

/** A file that grows beyond a limit (SIGXFSZ) is an error of the write then, as a full disk is. */
const IGNORED = ['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGXFSZ'] as const;

/** People send these two to servers to have a log opened again or a state written. */
export const MEANT: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2'];

/** For the life of the process. */
export function ignoreSignals(): void {
  if (process.platform === 'win32') return;
  for (const name of IGNORED) process.on(name, () => undefined);
}
