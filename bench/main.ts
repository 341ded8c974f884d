// Lists the benchmarks, or runs those named (all with no name given to --all), each in a process of its own.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

interface Benchmark {
  about: string;
  /** Of node. */
  flags?: readonly string[];
  run(): Promise<Record<string, unknown>>;
}

const self = fileURLToPath(import.meta.url);
const folder = dirname(self);
const extension = extname(self);

function names(): string[] {
  return readdirSync(folder)
    .filter(file => extname(file) === extension && basename(file, extension) !== 'main')
    .map(file => basename(file, extension))
    .sort();
}

const load = async (name: string): Promise<Benchmark> =>
  (await import(pathToFileURL(join(folder, name + extension)).href)) as Benchmark;

const words = process.argv.slice(2);
if (words[0] === '--one') {
  const name = words[1] ?? '';
  const result = await (await load(name)).run();
  process.stdout.write(`${JSON.stringify({ bench: name, ...result })}\n`);
} else if (words.length === 0) {
  process.stdout.write('npm run bench -- NAME…   or   npm run bench -- --all\n\n');
  for (const name of names()) process.stdout.write(`${name.padEnd(16)} ${(await load(name)).about}\n`);
} else {
  const chosen = words[0] === '--all' ? names() : words;
  const unknown = chosen.filter(name => !names().includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`no benchmark called ${unknown.join(', ')}; there are: ${names().join(', ')}\n`);
    process.exit(2);
  }
  for (const name of chosen) {
    const { flags = [] } = await load(name);
    const command = [...process.execArgv, ...flags, self, '--one', name];
    const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
}
