// Runs the compiled test files side by side. `tap run` would compile and instrument anew in every process, which takes longer
// than the tests; for one file it serves well: `npx tap run test/tidy.test.ts`.
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { TapConfig } from '@tapjs/config';
import { report } from '@tapjs/reporter';
import tap from 'tap';
import { projectRoot } from './support/fixtures.ts';

const config = await TapConfig.load();
const root = join(projectRoot, 'dist');

/** Pure tests last: they are short and fill the gaps. */
function testFiles(): string[] {
  const files = readdirSync(join(root, 'test'), { encoding: 'utf8', recursive: true })
    .filter(file => file.endsWith('.test.js'))
    .map(file => join('test', file))
    .filter(file => existsSync(join(projectRoot, file.replace(/\.js$/, '.ts')))) // compiled once, since removed
    .sort();
  const isPure = (file: string) => file.startsWith(join('test', 'protocol'));
  return [...files.filter(file => !isPure(file)), ...files.filter(isPure)];
}

/** What was asked for, as it stands in the sources: `test/tidy.test.ts`, or part of a path. */
function chosen(files: string[], words: string[]): string[] {
  const wanted = words.map(word => relative(projectRoot, join(projectRoot, word)).replace(/\.ts$/, '.js'));
  return wanted.length === 0 ? files : files.filter(file => wanted.some(word => file.includes(word)));
}

const files = chosen(testFiles(), config.positionals);
if (files.length === 0) {
  process.stderr.write(`no test file has ${config.positionals.join(' or ')} in its path\n`);
  process.exit(2);
}

tap.setTimeout(0); // each file has its own
tap.jobs = config.get('jobs') ?? 1;
const reporter = config.get('reporter') ?? 'tap';
if (reporter !== 'tap') await report(reporter, tap, config);
await Promise.all(
  files.map(file =>
    tap.spawn(process.execPath, ['--enable-source-maps', join(root, file)], {
      name: file.replace(/\.js$/, '.ts'),
      cwd: projectRoot,
      buffered: true,
      timeout: (config.get('timeout') ?? 60) * 1000,
    }),
  ),
);
