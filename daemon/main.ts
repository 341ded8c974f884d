#!/usr/bin/env node
// Entry: hands the command line to the command tree and its exit code to the system.
import { ignoreSignals } from '../cli/signals-ignored.ts';
import { keepSmall } from './engine.ts';

ignoreSignals();
if (process.argv[2] === 'start') keepSmall(); // before anything is loaded
const { run } = await import('../cli/command-line.ts');

/** Commands that serve: they go on when nobody reads their output. */
const SERVES: ReadonlySet<string | undefined> = new Set(['start', 'cache']);

process.stderr.on('error', () => undefined); // there is nowhere left to say it
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (SERVES.has(process.argv[2])) return;
  if (code === 'EPIPE') process.exit(0); // `servent peers | head` closes our output early: nothing to complain about
  process.stderr.write(`servent: standard output cannot be written (${code}): the answer is not complete\n`);
  process.exit(1);
});

/** What a command may leave open, such as the rest of a failed start, keeps the process no longer than this. */
const LEFT_OPEN_WAIT_MS = 500;
/** Of those, a file or name that the system still waits for keeps even `exit` from ending the process. */
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
