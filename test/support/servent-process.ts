// A servent as a process of its own, with the files or pipes that a test gives it.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Client, createClient } from '../../api/client.ts';
import { readApiToken, readRuntime } from '../../api/runtime-files.ts';
import { projectRoot } from './fixtures.ts';
import { until } from './running-servent.ts';

export const MAIN = join(projectRoot, 'dist', 'daemon', 'main.js');

export interface ServentProcess {
  child: ChildProcess;
  client: Client;
  /** Exit code or signal. */
  ended: Promise<number | string | null>;
}

/** Resolves when its API answers; killed when the test ends. */
export async function startProcess(
  t: Test,
  dataDir: string,
  stdio: StdioOptions,
  flags: readonly string[] = [],
): Promise<ServentProcess> {
  const words = ['start', '--profile', 'local', '--port', '0', '--api-port', '0', '--data-dir', dataDir, ...flags];
  const child = spawn(process.execPath, [MAIN, ...words], { stdio });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string | null);
  const url = await until('it says where it listens', async () => {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode} before it was ready`);
    return (await readRuntime(dataDir))?.api ?? null;
  });
  return { child, client: createClient({ url, token: (await readApiToken(dataDir)) ?? '' }), ended };
}
