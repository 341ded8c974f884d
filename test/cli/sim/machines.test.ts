// Sweeps over workers at a real Redis: one dies, one lies, and what comes out is what one process finds.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { command } from '../../support/command.ts';
import { projectRoot } from '../../support/fixtures.ts';
import { noRedis, startRedis } from '../../support/redis-server.ts';
import { MAIN } from '../../support/servent-process.ts';

if (noRedis !== false) process.stderr.write(`skipped: ${noRedis}\n`);

const SWEEP = JSON.stringify({
  model: 'kazaa',
  seeds: 4,
  servents: [60, 90],
  parameters: { descendants: [10, 20] },
});
const SUPPORT = join(projectRoot, 'dist/test/support/sweep-worker-process.js');

interface WorkerProcess {
  readonly child: ChildProcess;
  readonly name: string;
  readonly ended: Promise<number | string | null>;
}

/** Resolves when it is at the Redis. */
async function worker(t: Test, words: readonly string[]): Promise<WorkerProcess> {
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string | null);
  const told: string[] = [];
  const lines = createInterface({ input: child.stderr });
  const name = await new Promise<string>((resolve, reject) => {
    lines.on('line', line => {
      told.push(line);
      const [, found] = /^(\S+) does runs of sweeps/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    lines.on('close', () => reject(new Error(`no worker: ${told.join('; ')}`)));
  });
  return { child, name, ended };
}

interface Document {
  readonly workers: number;
  readonly units: readonly unknown[];
}

t.test('one worker dies, one lies: the sweep finds what one process finds', { skip: noRedis }, async t => {
  const { url } = await startRedis(t);
  const cwd = t.testdir({ 'sweep.json': SWEEP });
  const expected = (
    await command(['sim', 'sweep', 'sweep.json', '--json', '--workers', '1'], { cwd })
  ).json<Document>();
  t.equal(expected.units.length, 16);
  const [dying, liar] = await Promise.all([worker(t, [SUPPORT, url, 'dies']), worker(t, [SUPPORT, url, 'lies'])]);
  const swept = command(['sim', 'sweep', 'sweep.json', '--json', '--redis', url], { cwd });
  t.equal(await dying.ended, 'SIGKILL', 'it had taken two units');
  const honest = await Promise.all([worker(t, [MAIN, 'sim', 'worker', '--redis', url]), worker(t, [SUPPORT, url])]);
  const { code, err, ...outcome } = await swept;
  t.equal(code, 0, err);
  const { workers, units } = outcome.json<Document>();
  t.strictSame(units, expected.units);
  t.match(err, `liar: ${liar.name}, whose results differ`);
  t.equal(err.match(/liar: /g)?.length, 1, 'nobody else is called one');
  t.ok(workers === 2 || workers === 3, `${workers} workers`);
  const client = new Redis(url);
  t.strictSame(await client.keys('servent:*'), [], 'nothing of the sweep is left');
  client.disconnect();
  const [first, second] = honest;
  first.child.kill('SIGTERM');
  second.child.kill('SIGINT');
  t.strictSame(await Promise.all([first.ended, second.ended]), [0, 0]);
});

t.test('a Redis that goes away ends sweep and worker with one line each', { skip: noRedis }, async t => {
  const { url, child } = await startRedis(t);
  const cwd = t.testdir({ 'sweep.json': SWEEP });
  const alone = command(['sim', 'worker', '--redis', url, '--workers', '1'], { cwd });
  // one worker is not enough: it does not end by itself
  const swept = command(['sim', 'sweep', 'sweep.json', '--redis', url], { cwd });
  const client = new Redis(url, { retryStrategy: () => null });
  client.on('error', () => undefined);
  while ((await client.keys('servent:sweep:*:claims')).length === 0) await client.ping();
  child.kill('SIGKILL');
  const line = /^servent: Redis at 127\.0\.0\.1:\d+ went away \(.*\): start it again, then this command$/m;
  for (const outcome of await Promise.all([alone, swept])) {
    t.equal(outcome.code, 1);
    t.match(outcome.err, line);
  }
});

t.test('a sweep that is stopped leaves nothing at the Redis', { skip: noRedis }, async t => {
  const { url } = await startRedis(t);
  const cwd = t.testdir({ 'sweep.json': SWEEP });
  const stop = new AbortController();
  const swept = command(['sim', 'sweep', 'sweep.json', '--redis', url], { cwd, signal: stop.signal });
  const client = new Redis(url);
  while ((await client.llen('bull:servent-sweep:wait')) < 32) await client.ping();
  stop.abort();
  t.match(await swept, { code: 130, out: '' });
  t.strictSame(await client.keys('servent:*'), []);
  t.equal(await client.llen('bull:servent-sweep:wait'), 0);
  client.disconnect();
});

t.test('where no Redis is, one line says so', async t => {
  const cwd = t.testdir({ 'sweep.json': SWEEP });
  for (const words of [['sweep', 'sweep.json'], ['worker']])
    t.match(await command(['sim', ...words, '--redis', 'redis://:secret@127.0.0.1:1'], { cwd }), {
      code: 1,
      out: '',
      err: /^servent: no Redis answers at 127\.0\.0\.1:1 \([^\n]*ECONNREFUSED[^\n]*\): start one with "redis-server"[^\n]*\n$/,
    });
  t.match(await command(['sim', 'worker', '--redis', 'http://127.0.0.1'], { cwd }), { code: 2, err: /redis:\/\/HOST/ });
});
