// Runs the compiled test files: processes side by side, each for one that waits or several of one folder (together.ts). `tap run` would
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

/** Its servents wait for one another in real time behind real routers: alone, when it is asked for. */
const LABORATORY = join('test', 'lab');

/** What was asked for, as it stands in the sources: `test/tidy.test.ts`, or part of a path. */
function chosen(files: string[], words: string[]): string[] {
  const wanted = words.map(word => relative(projectRoot, join(projectRoot, word)).replace(/\.ts$/, '.js'));
  if (wanted.length > 0) return files.filter(file => wanted.some(word => file.includes(word)));
  process.stderr.write(`left out: ${LABORATORY}, which has "npm test -- ${LABORATORY}"\n`);
  return files.filter(file => !file.startsWith(join(LABORATORY, '/')));
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
  readonly isAlone: boolean;
  seconds: number;
}

/** Of most files, and of those that take much longer, on two cores. A file that is not here any more does no harm. */
const USUAL_SECONDS = 0.5;
const SECONDS: Readonly<Record<string, number>> = {
  'api/abuse': 10,
  'api/fuzz': 15,
  'cli/commands': 8,
  'cli/follow': 7,
  'cli/full-output': 12,
  'cli/get': 25,
  'cli/sim/machines': 8,
  'cli/start': 6,
  'conf/prometheus': 8,
  'daemon/backup': 8,
  'daemon/daemon': 8,
  'daemon/library/changes': 5,
  'daemon/library/followed': 10,
  'daemon/library/media': 8,
  'daemon/library/media-reader': 8,
  'daemon/library/sharing': 5,
  'daemon/network/dht-contents': 10,
  'daemon/recording/clickhouse': 30,
  'daemon/recording/kill': 9,
  'daemon/recording/recording': 5,
  'daemon/transfer/cut-swarms': 15,
  'daemon/transfer/downloads': 7,
  'daemon/transfer/downloads-over-time': 5,
  'daemon/transfer/file-server-abuse': 12,
  'daemon/transfer/kill': 8,
  'daemon/transfer/limits': 6,
  'daemon/transfer/saved-searches': 6,
  'daemon/transfer/source-finder': 5,
  'daemon/transfer/verified-downloads': 20,
  'docs/automation': 12,
  'lab/pairs': 35,
  'lab/places': 4,
  'sim/dht/dht-network': 6,
  'sim/dht/eclipse': 8,
  'sim/models/applications': 8,
  'sim/models/gnutella06': 12,
  'sim/models/structured': 10,
  'sim/models/unstructured': 6,
  'sim/servents/storm': 20,
  'sim/servents/ultrapeer-loss': 12,
};
/** A folder that takes longer has further processes. Each costs a second to start. */
const BATCH_SECONDS = 30;

const secondsOf = (file: string): number =>
  SECONDS[file.slice('test/'.length, -'.test.js'.length).replaceAll(sep, '/')] ?? USUAL_SECONDS;

/**
 * Files for each process, slow ones first: those alone, in turn with those of a folder of test/ or test/daemon/, so that some wait while
 * others compute.
 */
function batches(files: readonly string[]): Batch[] {
  const all: Batch[] = [];
  const open = new Map<string, Batch>();
  for (const file of files) {
    const [, first = '', second = ''] = file.split(sep);
    const folder = [first, second].slice(0, first === 'daemon' ? 2 : 1).filter(part => !part.endsWith('.js'));
    const name = join('test', ...folder);
    const before = open.get(name);
    if (isAlone(file)) all.push({ name: file, files: [file], isAlone: true, seconds: secondsOf(file) });
    else if (before !== undefined && before.seconds + secondsOf(file) <= BATCH_SECONDS) {
      before.files.push(file);
      before.seconds += secondsOf(file);
    } else {
      const number = all.filter(batch => batch.name.startsWith(`${name} `)).length + 1;
      const batch = { name: `${name} ${number}`, files: [file], isAlone: false, seconds: secondsOf(file) };
      open.set(name, batch);
      all.push(batch);
    }
  }
  const alone = all.filter(batch => batch.isAlone);
  const others = all.filter(batch => !batch.isAlone).sort((a, b) => b.seconds - a.seconds);
  return Array.from({ length: Math.max(alone.length, others.length) }).flatMap((_, i) =>
    [others[i], alone[i]].filter(batch => batch !== undefined),
  );
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
  batches(files).map(({ name, files, isAlone }) => {
    const [only = ''] = isAlone ? files : [];
    return tap.spawn(process.execPath, ['--enable-source-maps', join(root, only || join('test', 'together.js'))], {
      name: only.replace(/\.js$/, '.ts') || name,
      cwd: projectRoot,
      env: { ...process.env, TEST_FILES: files.join(' '), TEST_SECONDS: String(seconds) },
      buffered: true,
      timeout: (only ? 1 : BATCH_TIMEOUT) * seconds * 1000,
    });
  }),
);
