#!/usr/bin/env node
// Entry: hands the command line to the command tree and its exit code to the system.
import { run } from './cli/program.ts';

// `servent peers | head` closes our output early: nothing to complain about.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
});
