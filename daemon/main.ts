#!/usr/bin/env node
// Entry: runs the command line and exits with its code.
import { ignoreSignals } from '../cli/signals-ignored.ts';
import { limitHeap } from './v8.ts';

ignoreSignals();
if (process.argv[2] === 'start') limitHeap(); // before the other modules load
const { run } = await import('../cli/command-line.ts');

/** Commands that go on when their output is closed. */
const SERVES: ReadonlySet<string | undefined> = new Set(['start', 'cache']);

process.stderr.on('error', () => undefined); // no stream is left to report to
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (SERVES.has(process.argv[2])) return;
  if (code === 'EPIPE') process.exit(0); // `servent peers | head` closes the output early: no error
  process.stderr.write(`servent: standard output cannot be written (${code}): the output is not complete\n`);
  process.exit(1);
});

/** Longest wait for handles that a command left open, such as those of a failed start. */
const LEFT_OPEN_WAIT_MS = 500;
/** Longest wait for pending file and name requests, which block process.exit(); then the process kills itself. */
const EXIT_WAIT_MS = 400;
const HOLDS_EXIT: ReadonlySet<string> = new Set(['FSReqCallback', 'FSReqPromise', 'GetAddrInfoReqWrap']);

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
});
setTimeout(() => {
  if (!process.getActiveResourcesInfo().some(kind => HOLDS_EXIT.has(kind))) process.exit();
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), EXIT_WAIT_MS).unref();
}, LEFT_OPEN_WAIT_MS).unref();
