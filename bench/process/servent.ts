// A servent under test: a whole daemon in a process of its own, and what the kernel says of it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '../../api/client.ts';
import { readApiToken } from '../../api/runtime-files.ts';

/** _SC_CLK_TCK: Linux says 100 to every process. */
const TICKS_PER_SECOND = 100;
/** The watch on the event loop counts from one of its timers to the next, so this is what an idle loop shows. */
const WATCH_MS = 20;

/** The admin API of the servent under test. */
export interface ApiAt {
  port: number;
  token: string;
}

export class ServentProcess {
  readonly port: number;
  readonly api: ApiAt;
  readonly #child: ChildProcess;
  readonly dataDir: string;

  constructor(child: ChildProcess, port: number, api: ApiAt, dataDir: string) {
    this.#child = child;
    this.port = port;
    this.api = api;
    this.dataDir = dataDir;
  }

  /** An ultrapeer on a free port of loopback, as `servent start` runs it, with a data folder of its own, or that of an earlier one. */
  static async start(options: readonly string[], earlier?: string): Promise<ServentProcess> {
    const dataDir = earlier ?? (await mkdtemp(join(tmpdir(), 'servent-bench-')));
    const self = fileURLToPath(import.meta.url);
    const main = join(dirname(self), '..', '..', 'daemon', `main${extname(self)}`);
    const quiet = [
      '--profile',
      'local',
      '--mode',
      'ultrapeer',
      '--port',
      '0',
      '--api-port',
      '0',
      '--log-level',
      'warn',
    ];
    const child = spawn(
      process.execPath,
      [...process.execArgv, main, 'start', ...quiet, ...options, '--data-dir', dataDir],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    if (child.stdout === null) throw new Error('no pipe from the servent');
    for await (const chunk of child.stdout) {
      const [, port, apiPort] = /ready gnutella=\S+:(\d+) api=\S+:(\d+)/.exec(String(chunk)) ?? [];
      if (port === undefined) continue;
      const token = (await readApiToken(dataDir)) ?? '';
      return new ServentProcess(child, Number(port), { port: Number(apiPort), token }, dataDir);
    }
    throw new Error('the servent ended before it was ready');
  }

  /** Waits until so many files are shared and none is left to hash. */
  async hashed(files: number): Promise<void> {
    const client = createClient({ url: `http://127.0.0.1:${this.api.port}`, token: this.api.token });
    for (;;) {
      const { library } = await client.status();
      if (library.files === files && library.hashing === 0) return;
      await wait(500);
    }
  }

  /** Its data folder stays. */
  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }

  async stop(): Promise<void> {
    await this.end();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** User and system time of all threads so far. */
  get cpuSeconds(): number {
    return this.#secondsIn('stat');
  }

  /** Of that, what the thread of the overlay took. */
  get mainThreadSeconds(): number {
    return this.#secondsIn(`task/${this.#child.pid}/stat`);
  }

  /** What threads took that have a lower priority than the thread of the overlay, as the one of the recording has. */
  get backgroundSeconds(): number {
    const tasks = readdirSync(`/proc/${this.#child.pid}/task`).map(id => this.#statOf(`task/${id}/stat`));
    const own = this.#statOf(`task/${this.#child.pid}/stat`).niceness;
    return tasks.reduce((sum, { niceness, seconds }) => sum + (niceness > own ? seconds : 0), 0);
  }

  #secondsIn(file: string): number {
    return this.#statOf(file).seconds;
  }

  #statOf(file: string): { seconds: number; niceness: number } {
    const stat = readFileSync(`/proc/${this.#child.pid}/${file}`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      niceness: Number(fields[16]),
    };
  }

  /** 99th percentile of how late the event loop's timers were since the last call; the first one begins the watch. */
  async loopDelayP99Ms(): Promise<number> {
    const { port, token } = this.api;
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    const seconds = Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(await answer.text())?.[1]);
    return Number(Math.max(0, seconds * 1000 - WATCH_MS).toFixed(1));
  }

  /** As the kernel shows it to anybody; nothing here tells the servent to collect its garbage. */
  get rssKiB(): number {
    return this.#statusKiB('VmRSS');
  }

  /** Of that, what is not pages of files. */
  get anonymousKiB(): number {
    return this.#statusKiB('RssAnon');
  }

  #statusKiB(name: string): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  }
}
