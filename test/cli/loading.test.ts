// Checks which packages commands and the daemon load at the start.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../support/fixtures.ts';

/** Files and packages that loading this file loads with it. */
function loadedWith(file: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const source = readFileSync(join(projectRoot, file), 'utf8');
  for (const [, names = '', from = ''] of source.matchAll(/^(?:import|export) ([^;]*?)from '([^']+)';/gms)) {
    if (names.startsWith('type ')) continue;
    if (from.endsWith('-wasm.js')) continue; // made by the build
    if (from.startsWith('.')) loadedWith(join(dirname(file), from), seen);
    else if (!from.startsWith('node:')) seen.add(from);
  }
  return seen;
}

const LIGHT = new Set(['commander', 'ipaddr.js', 'rfc4648', 'blessed']);

const packagesOf = (file: string): string[] => [...loadedWith(file)].filter(name => !name.endsWith('.ts'));
const commandLine = readFileSync(join(projectRoot, 'cli/command-line.ts'), 'utf8');
const atOnce = [...commandLine.matchAll(/import\('\.\/([\w-]+\.ts)'\)/g)]
  .map(([, name = '']) => `cli/${name}`)
  .filter(file => !/(tree|start|get)\.ts$/.test(file));

t.test('commands that people wait for, and the dashboard, load neither schemas nor the daemon', async t => {
  t.ok(atOnce.length > 10, 'commands are found');
  for (const file of ['daemon/main.ts', 'cli/command-line.ts', 'tui/main.ts', ...atOnce])
    t.strictSame(
      packagesOf(file).filter(name => !LIGHT.has(name)),
      [],
      file,
    );
});

t.test(
  'a daemon is ready without what only some use: it loads the API and its schemas when somebody calls it',
  async t => {
    const atStart = ['cli/start.ts', 'daemon/log.ts', 'daemon/daemon.ts'].flatMap(packagesOf);
    t.strictSame(
      [...new Set(atStart)].sort(),
      ['commander', 'content-disposition', 'ignore', 'ipaddr.js', 'level', 'pino', 'rfc4648', 'saxes', 'uuid'],
      'no zod, no koa, no yaml, no prom-client',
    );
  },
);

t.test('a heavy library would be seen', async t => {
  t.ok(packagesOf('daemon/daemon.ts').includes('level') || packagesOf('daemon/daemon.ts').includes('classic-level'));
  t.ok(packagesOf('api/app.ts').includes('zod'));
});
