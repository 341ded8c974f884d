// Our own GWebCache and UDP host cache as a process: where the servents of the demo find one another.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const READY_WAIT_MS = 60_000;

export class CacheProcess {
  /** http://HOST:PORT/gwc/ */
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** `program`: path of the built daemon/main.js. Rejects when it is not ready in time. */
  static async start(program: string): Promise<CacheProcess> {
    const words = ['cache', '--host', '127.0.0.1', '--port', '0', '--log-level', 'warn'];
    const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface(child.stdout);
    const timer = setTimeout(() => child.kill('SIGKILL'), READY_WAIT_MS);
    for await (const line of lines) {
      const url = /^ready cache=(\S+) /.exec(line)?.[1];
      if (url === undefined) continue;
      clearTimeout(timer);
      return new CacheProcess(url, child);
    }
    clearTimeout(timer);
    throw new Error('the cache was not ready in time');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}
