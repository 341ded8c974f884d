// Installs and builds when that has not been done or something changed, then runs what was asked.
// Plain JavaScript on Node alone: it is what runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sourceFolders = [
  'protocol',
  'daemon',
  'settings',
  'cli',
  'api',
  'tui',
  'web',
  'test',
  'bench',
  'demo',
  'sim',
  'measure',
  'conf',
];
const lockWaitMs = 10 * 60_000;

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(
    `servent needs Node.js 20.19 or newer, this is ${process.versions.node}: install a newer one from your system or nodejs.org`,
  );
}

function digest(parts) {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

/** Changes whenever a source file does: path, size and mtime, so that nothing needs to be read. */
function sourcesStamp() {
  const parts = [
    readFileSync(join(root, 'tsconfig.json')),
    readFileSync(join(root, 'scripts', 'assembly.mjs')),
    process.versions.node,
  ];
  const walk = folder => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (path !== join('test', 'fixtures')) walk(path);
      } else {
        const { size, mtimeMs } = statSync(join(root, path));
        parts.push(`${path} ${size} ${mtimeMs}`);
      }
    }
  };
  for (const folder of sourceFolders) if (existsSync(join(root, folder))) walk(folder);
  return digest(parts);
}

function step(what, command, args) {
  process.stderr.write(`${what}\n`);
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (signal !== null) fail(`${what} was stopped (${signal}): run it again`);
  if (status !== 0) fail(`${stdout ?? ''}${stderr ?? ''}\n${what} failed: mend the error above and run it again`);
}

function stamped(file, stamp, work) {
  if (existsSync(file) && readFileSync(file, 'utf8') === stamp) return;
  work();
  writeFileSync(file, stamp);
}

/** False once the process that made the lock is gone: killed, or the machine went down. */
function isHeld(lock) {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')) || process.pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

/** Two commands started at once in a fresh clone must not install over each other. */
async function locked(work) {
  const lock = join(root, '.prepare.lock');
  let said = false;
  for (const deadline = Date.now() + lockWaitMs; ; await wait(250)) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!isHeld(lock) || Date.now() - statSync(lock, { throwIfNoEntry: false })?.mtimeMs > lockWaitMs)
        rmSync(lock, { recursive: true, force: true });
      else if (!said) process.stderr.write('waiting for another install…\n');
      said = true;
      if (Date.now() > deadline) fail(`another install seems to be running; if not, remove ${lock}`);
    }
  }
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.on('exit', release);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  work();
  release();
}

function prepare() {
  const installed = digest([readFileSync(join(root, 'package-lock.json')), process.versions.node]);
  stamped(join(root, 'node_modules', '.servent-stamp'), installed, () => {
    step('installing dependencies (once)…', 'npm', [
      'ci',
      '--include=dev',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
    ]);
  });
  stamped(join(root, 'dist', '.servent-stamp'), sourcesStamp(), () => {
    step('building…', process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc')]);
    step('compiling the hash tree…', process.execPath, [join(root, 'scripts', 'assembly.mjs')]);
  });
}

const stampsCurrent = () => {
  try {
    const read = folder => readFileSync(join(root, folder, '.servent-stamp'), 'utf8');
    const installed = digest([readFileSync(join(root, 'package-lock.json')), process.versions.node]);
    return read('node_modules') === installed && read('dist') === sourcesStamp();
  } catch {
    return false; // a stamp is missing: there is something to prepare
  }
};

const [what, ...words] = process.argv.slice(2);
const profileGiven = words.some(word => word.startsWith('--profile')) || process.env.SERVENT_PROFILE;
const inRoot = path => join(root, path);
const programs = {
  start: [inRoot('dist/daemon/main.js'), 'start', ...(profileGiven ? [] : ['--profile', 'local'])],
  test: [inRoot('dist/test/main.js')],
  demo: [inRoot('dist/demo/main.js')],
  bench: [inRoot('dist/bench/main.js')],
  build: null,
};
if (!(what in programs)) fail(`usage: node scripts/run.mjs ${Object.keys(programs).join('|')} [words]`);

if (!stampsCurrent()) await locked(prepare);
if (programs[what]) {
  // Paths in the words are meant from where the person stands; tap wants the project's folder.
  const cwd = what === 'test' ? root : (process.env.INIT_CWD ?? process.cwd());
  const child = spawn(process.execPath, [...programs[what], ...words], { cwd, stdio: 'inherit' });
  // The terminal sends Ctrl-C to the whole group; a signal sent to npm alone is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : code));
}
