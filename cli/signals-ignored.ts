// Ignores signals that would open Node's debugger or end the process.

/** With SIGXFSZ ignored, a file above the size limit fails the write instead. */
const IGNORED = ['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGXFSZ'] as const;

/** Signals that other servers use to reopen logs or dump state; they are logged. */
export const MEANT: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2'];

export function ignoreSignals(): void {
  if (process.platform === 'win32') return;
  for (const name of IGNORED) process.on(name, () => undefined);
}
