// One servent as a process of its own: started, asked through its API, stopped. For the demo and for tests.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Client, createClient } from '../api/client.ts';

const READY_WAIT_MS = 60_000;
const STOP_WAIT_MS = 8_000;

const LOCAL_WORDS = ['--profile', 'local', '--port', '0', '--api-port', '0'];

export interface ServentProcessOptions {
  name: string;
  /** Path of the built daemon/main.js. */
  program: string;
  dataDir: string;
  /** More words for `servent start`. */
  args?: readonly string[];
  /** First words of `servent start`; absent: profile `local` on free ports. */
  words?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Makes other words of those that run it, to run it elsewhere. */
  wrap?: (command: string, args: readonly string[]) => [string, string[]];
  /** Words for Node itself. */
  nodeArgs?: readonly string[];
  /** Where its API is reached from here, when that is not where it says. */
  apiUrl?: string;
}

export class ServentProcess {
  readonly name: string;
  readonly dataDir: string;
  /** HOST:PORT. */
  readonly gnutella: string;
  /** http://HOST:PORT. */
  readonly api: string;
  readonly client: Client;
  readonly child: ChildProcess;
  /** What it said on standard error. */
  readonly log: () => string;

  private constructor(
    options: ServentProcessOptions,
    child: ChildProcess,
    ready: RegExpExecArray,
    token: string,
    log: () => string,
  ) {
    this.name = options.name;
    this.dataDir = options.dataDir;
    this.gnutella = ready[1] ?? '';
    this.api = options.apiUrl ?? ready[2] ?? '';
    this.child = child;
    this.client = createClient({ url: this.api, token });
    this.log = log;
  }

  /** Resolves at its ready line; rejects with what it said when it ends first. */
  static async start(options: ServentProcessOptions): Promise<ServentProcess> {
    const {
      program,
      nodeArgs = [],
      words = LOCAL_WORDS,
      args = [],
      wrap = (command, args) => [command, [...args]],
    } = options;
    const line = [...nodeArgs, program, 'start', '--data-dir', options.dataDir, ...words, ...args];
    const child = spawn(...wrap(process.execPath, line), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-65_536);
    });
    const ready = await new Promise<RegExpExecArray>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${options.name} was not ready in time\n${said}`)),
        READY_WAIT_MS,
      );
      const settle = (act: () => void) => {
        clearTimeout(timer);
        act();
      };
      createInterface(child.stdout).on('line', line => {
        const match = /^ready gnutella=(\S+) api=(\S+)$/.exec(line);
        if (match !== null) settle(() => resolve(match));
      });
      child.once('exit', code => settle(() => reject(new Error(`${options.name} ended with ${code}\n${said}`))));
    });
    const token = (await readFile(join(options.dataDir, 'api-token'), 'utf8')).trim();
    return new ServentProcess(options, child, ready, token, () => said);
  }

  /** Clean stop; its exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const exited = once(this.child, 'exit') as Promise<[number | null]>;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_WAIT_MS);
    const [code] = await exited;
    clearTimeout(timer);
    return code;
  }
}
