// Runs the compiled test files: processes side by side, each for one file or those of one folder (together.ts). `tap run` would
// compile and instrument anew in every process, which takes longer than the tests; for one file it serves well:
// `npx tap run test/tidy.test.ts`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { TapConfig } from '@tapjs/config';
import { report } from '@tapjs/reporter';
import tap from 'tap';
import { projectRoot } from './support/fixtures.ts';

const config = await TapConfig.load();
const root = join(projectRoot, 'dist');

function testFiles(): string[] {
  return readdirSync(join(root, 'test'), { encoding: 'utf8', recursive: true })
    .filter(file => file.endsWith('.test.js'))
    .map(file => join('test', file))
    .filter(file => existsSync(join(projectRoot, file.replace(/\.js$/, '.ts')))) // compiled once, since removed
    .sort();
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

/** A terminal or a browser is waited for most of the time: alone, so that others run meanwhile. */
const isAlone = (file: string): boolean => /support\/(pane|browser)\.js/.test(readFileSync(join(root, file), 'utf8'));

interface Batch {
  readonly name: string;
  readonly files: string[];
}

/** Files for each process, slow ones first: those alone, then those of a folder of test/ or test/daemon/. */
function batches(files: readonly string[]): Batch[] {
  const byName = new Map<string, Batch>();
  for (const file of files) {
    const [, first = '', second = ''] = file.split(sep);
    const folder = [first, second].slice(0, first === 'daemon' ? 2 : 1).filter(part => !part.endsWith('.js'));
    const name = isAlone(file) ? file : join('test', ...folder);
    const batch = byName.get(name) ?? { name, files: [] };
    batch.files.push(file);
    byName.set(name, batch);
  }
  const size = ({ name, files }: Batch): number => (name === files[0] ? Infinity : files.length);
  return [...byName.values()].sort((a, b) => size(b) - size(a));
}

const seconds = config.get('timeout') ?? 60;
/** Times that of a file. Each file of a batch has its own; what blocks the process is ended by this one. */
const BATCH_TIMEOUT = 5;

/** Where each failure is, said once more below the report: what is kept of a long one is its end. */
const failed: string[] = [];
function collect(parser: typeof tap.parser): void {
  parser.on('child', collect);
  parser.on('assert', ({ ok, fullname, diag }) => {
    const at = (diag as { at?: { fileName: string; lineNumber: number } } | null)?.at;
    if (!ok) failed.push(at === undefined ? fullname : `${fullname} (${at.fileName}:${at.lineNumber})`);
  });
}
collect(tap.parser);
process.once('exit', () => {
  for (const where of failed) process.stderr.write(`failed: ${where}\n`);
});

tap.setTimeout(0); // each file has its own
tap.jobs = config.get('jobs') ?? 1;
const reporter = config.get('reporter') ?? 'tap';
if (reporter !== 'tap') await report(reporter, tap, config);
await Promise.all(
  batches(files).map(({ name, files }) => {
    const [only = ''] = files.length === 1 ? files : [];
    return tap.spawn(process.execPath, ['--enable-source-maps', join(root, only || join('test', 'together.js'))], {
      name: only.replace(/\.js$/, '.ts') || name,
      cwd: projectRoot,
      env: { ...process.env, TEST_FILES: files.join(' '), TEST_SECONDS: String(seconds) },
      buffered: true,
      timeout: (only ? 1 : BATCH_TIMEOUT) * seconds * 1000,
    });
  }),
);
