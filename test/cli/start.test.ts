import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { readRuntime } from '../../api/runtime-files.ts';
import { command } from '../support/command.ts';
import { projectRoot } from '../support/fixtures.ts';
import { until } from '../support/running-servent.ts';

interface Started {
  child: ChildProcess;
  /** Its lines on standard output. */
  lines: string[];
  /** Resolves when it has ended. */
  ended: Promise<{ code: number | null; said: string }>;
}

const local = ['--profile', 'local', '--port', '0', '--api-port', '0'];

function startIn(t: Test, dataDir: string, ...flags: string[]): Started {
  const words = [join(projectRoot, 'dist', 'daemon', 'main.js'), 'start', ...local, '--data-dir', dataDir, ...flags];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface(child.stdout).on('line', line => lines.push(line));
  const said = text(child.stderr);
  const ended = once(child, 'exit').then(async ([code]) => ({ code: code as number | null, said: await said }));
  return { child, lines, ended };
}

async function ready({ child, lines, ended }: Started): Promise<void> {
  const early = ended.then(({ said }) => Promise.reject(new Error(`ended before it was ready\n${said}`)));
  while (lines.length === 0) await Promise.race([once(child.stdout ?? child, 'data'), early]);
}

t.test('start prints one line when it listens, answers, refuses to start twice, and stops cleanly', async t => {
  const folder = t.testdir({ first: {}, second: {}, third: {}, file: '' });
  const dataDir = join(folder, 'first');
  const shares = [join(folder, 'second'), join(folder, 'third')];
  const flags = shares.flatMap(path => ['--share', path]);
  const started = startIn(t, dataDir, '--no-deflate', ...flags);
  await ready(started);
  const line = started.lines[0] ?? '';
  const [, gnutella = '', api = ''] =
    /^ready gnutella=(127\.0\.0\.1:\d+) api=(http:\/\/127\.0\.0\.1:\d+)$/.exec(line) ?? [];
  t.ok(gnutella, `the ready line: ${line}`);
  t.strictSame(await readRuntime(dataDir), { pid: started.child.pid, api, gnutella });
  if (process.platform !== 'win32') t.equal((await stat(join(dataDir, 'api-token'))).mode & 0o777, 0o600);
  const status = await command(['status', '--json', '--data-dir', dataDir]);
  t.match(status.json(), { profile: 'local', peers: { leaves: 0, ultrapeers: 0 } });
  for (const [key, value] of [
    ['profile', 'local'],
    ['gnutella.deflate', 'false'],
    ['library.folders', shares.join('\n')],
  ] as const)
    t.match(await command(['config', 'get', key, '--data-dir', dataDir]), { code: 0, out: `${value}\n`, err: '' });

  const portOf = (address: string): string => address.slice(address.lastIndexOf(':') + 1);
  for (const [name, words, said] of [
    ['first', [], /another servent is using .*--data-dir/],
    ['second', ['--port', portOf(gnutella)], /in use by another program.*--port/],
    ['third', ['--api-port', portOf(api)], /the admin API cannot listen .*--api-port/],
    ['file', [], /a file is where a folder is needed/],
  ] as const) {
    const outcome = await command([
      'start',
      ...local,
      '--log-level',
      'silent',
      '--data-dir',
      join(folder, name),
      ...words,
    ]);
    t.match(outcome, { code: 1, out: '', err: /^servent: [^\n]+\n$/ });
    t.match(outcome.err, said);
  }

  started.child.kill('SIGTERM');
  started.child.kill('SIGINT'); // npm passes on what the terminal has already sent
  const { code, said } = await started.ended;
  t.equal(code, 0, said);
  t.equal(started.lines.length, 1, 'standard output has nothing but the ready line');
  t.equal(await readRuntime(dataDir), null);
});

t.test(
  'asked to stop before its start is over, it ends, whatever the start waits for',
  { skip: process.platform === 'win32' && 'no such files' },
  async t => {
    const dataDir = t.testdir();
    const pipe = join(dataDir, 'certificate.pem');
    execFileSync('mkfifo', [pipe]); // to read it is to wait for somebody who writes
    const started = startIn(t, dataDir, '--api-tls-cert', pipe, '--api-tls-key', pipe, '--log-level', 'debug');
    const opened = await until('it reads the pipe', async () =>
      open(pipe, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => null),
    );
    t.teardown(() => opened.close());
    started.child.kill('SIGTERM');
    const { said } = await started.ended;
    t.notMatch(said, 'did not stop within', 'it was not ended by the limit of a stop');
    t.match(said, /"msg":"stopping"/);
    t.strictSame(started.lines, [], 'it never said that it was ready');
  },
);
