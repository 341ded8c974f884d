// A Redis of a test's own: on loopback, in its own folder, ended with the test.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';

export interface RedisServer {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Why tests with a Redis are skipped; false: they are not. */
export const noRedis =
  spawnSync('redis-server', ['--version']).status === 0 ? false : 'there is no redis-server: install Debian’s package';

/** Resolves when it takes connections. */
export async function startRedis(t: Test): Promise<RedisServer> {
  const port = await freePort();
  const words = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    t.testdir({}),
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const child = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  for await (const line of createInterface({ input: child.stdout }))
    if (/ready to accept connections/i.test(line)) return { url: `redis://127.0.0.1:${port}`, child };
  throw new Error('redis-server ended before it was ready');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
