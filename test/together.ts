// Runs compiled test files one after the other in this process; main.ts starts it for the files of a folder. Each file is a test of
// its own in the report, under its name, with a time limit of its own; one that fails or cannot be loaded does not stop the others.
// TEST_FILES names them (arguments would become part of the names of tap's folders), TEST_SECONDS is the limit of each.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import tap from 'tap';
import { projectRoot } from './support/fixtures.ts';

const files = (process.env['TEST_FILES'] ?? '').split(' ');
const timeout = Number(process.env['TEST_SECONDS'] ?? 60) * 1000;
// properties are tried on the same examples in every run; others are tried by TEST_SEED
fc.configureGlobal({ seed: Number(process.env['TEST_SEED'] ?? 1) });
const test = tap.test.bind(tap);
tap.setTimeout(0); // each file has its own
tap.plan(files.length); // without it the report would end, and what is left would not be run, if the next file came a turn late
// tap removes the folder of a test before its teardowns, unless one was registered before the folder was made: what still runs would
// write into it, the removal would fail, and the teardowns, which end what runs, would be left out
tap.beforeEach(t => t.teardown(() => undefined));

for (const file of files) {
  const name = file.replace(/\.js$/, '.ts');
  const results = await test(name, { timeout }, async t => {
    tap.test = t.test.bind(t); // what the file declares at its top level goes into this test
    tap.setTimeout = t.setTimeout.bind(t); // and so does its limit
    await import(pathToFileURL(join(projectRoot, 'dist', file)).href);
  });
  if (!results?.count) tap.fail(`${name} declares no test`);
}
