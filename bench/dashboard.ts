// The dashboard: pictures of lists with 100,000 rows, and the real program on a real daemon that 2,000 queries a second pass through.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Rehearsal } from '../tui/demo/rehearsal.ts';
import { ServentProcess } from './process/servent.ts';
import { Peers } from './routing-tcp/peers.ts';

export const about =
  'dashboard: pictures of 100,000 rows; CPU, memory and first picture of the real program at 2,000 queries/s';

const ROWS = 100_000;
const PICTURES = 300;
const QPS = 2000;
const LOAD_SECONDS = 20;
const TICKS_PER_SECOND = 100;

export async function run(): Promise<Record<string, unknown>> {
  return { rows: ROWS, pictures: await pictures(), program: await program() };
}

/** Milliseconds a picture, from the model to the canvas: rows move, the cursor moves. */
async function pictures(): Promise<Record<string, unknown>> {
  const rehearsal = new Rehearsal({ columns: 200, rows: 50, files: ROWS, peers: 1000 });
  // What a daemon would have said, all of it at once.
  const { items } = await rehearsal.world.client.files({ limit: ROWS });
  rehearsal.send({ type: 'data', context: 0, at: rehearsal.model.now, data: { files: items } });
  await rehearsal.press('7', 'tab');
  const firstMs = timed(() => rehearsal.draw());
  const took: number[] = [];
  for (let i = 0; i < PICTURES; i++) {
    await Promise.resolve();
    rehearsal.send({ type: 'key', key: i % 10 === 0 ? 'pagedown' : 'down' });
    took.push(timed(() => rehearsal.draw()));
  }
  took.sort((a, b) => a - b);
  const sortMs = timed(() => {
    rehearsal.send({ type: 'sort', list: 'files', column: 'size' });
    rehearsal.draw();
  });
  const at = (part: number): number => round(took[Math.floor(part * took.length)] ?? 0);
  return { medianMs: at(0.5), p99Ms: at(0.99), firstMs: round(firstMs), sortMs: round(sortMs) };
}

const round = (value: number): number => Math.round(value * 100) / 100;

function timed(work: () => unknown): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}

async function program(): Promise<Record<string, unknown> | string> {
  if (spawnSync('script', ['--version']).status !== 0) return 'skipped: script(1) of util-linux is missing';
  const servent = await ServentProcess.start(['--max-ultrapeers', '64']);
  const peers = new Peers(false);
  let terminal: Terminal | null = null;
  try {
    await peers.connect(servent.port, 5, 'ultrapeer');
    terminal = await Terminal.open(servent.dataDir);
    const { firstPictureMs } = terminal;
    await wait(3000);
    const idle = await terminal.load(() => wait(10_000));
    terminal.press('3');
    await wait(1000);
    const busy = await terminal.load(() => peers.step(QPS, LOAD_SECONDS, 1, 100));
    return {
      firstPictureMs: Math.round(firstPictureMs),
      idleCpuPercent: idle.cpuPercent,
      qps: QPS,
      cpuPercent: busy.cpuPercent,
      kilobytesPerSecond: busy.kilobytesPerSecond,
      rssMb: terminal.rssMb,
    };
  } finally {
    await terminal?.close();
    peers.close();
    await servent.stop();
  }
}

/** The dashboard in a terminal of 200 by 50 that nobody looks at. */
class Terminal {
  readonly firstPictureMs: number;
  readonly #script: ChildProcess;
  readonly #pid: number;
  #bytes = 0;

  private constructor(script: ChildProcess, firstPictureMs: number, pid: number) {
    this.#script = script;
    this.firstPictureMs = firstPictureMs;
    this.#pid = pid;
    script.stdout?.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
    });
  }

  static async open(dataDir: string): Promise<Terminal> {
    const self = fileURLToPath(import.meta.url);
    const main = join(dirname(self), '..', 'daemon', `main${extname(self)}`);
    const words = [process.execPath, ...process.execArgv, main, 'tui', '--data-dir', dataDir, '--no-mouse'];
    const line = `stty cols 200 rows 50; exec ${words.map(word => `'${word}'`).join(' ')}`;
    const env = { ...process.env, TERM: 'xterm-256color', LANG: 'C.UTF-8', XDG_CONFIG_HOME: dataDir };
    const begun = performance.now();
    const script = spawn('script', ['-qfc', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'], env });
    let seen = '';
    for await (const chunk of script.stdout.iterator({ destroyOnReturn: false })) {
      seen = (seen + String(chunk)).slice(-200_000);
      if (seen.includes('ultrapeers')) break;
    }
    const firstPictureMs = performance.now() - begun;
    const pid = Number(spawnSync('pgrep', ['-P', String(script.pid)], { encoding: 'utf8' }).stdout.trim());
    return new Terminal(script, firstPictureMs, pid);
  }

  press(key: string): void {
    this.#script.stdin?.write(key);
  }

  /** Of a core, while something goes on. */
  async load(during: () => Promise<unknown>): Promise<{ cpuPercent: number; kilobytesPerSecond: number }> {
    const [ticks, bytes, begun] = [this.#ticks, this.#bytes, performance.now()];
    await during();
    const seconds = (performance.now() - begun) / 1000;
    return {
      cpuPercent: round(((this.#ticks - ticks) / TICKS_PER_SECOND / seconds) * 100),
      kilobytesPerSecond: round((this.#bytes - bytes) / 1000 / seconds),
    };
  }

  get rssMb(): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
  }

  async close(): Promise<void> {
    const ended = once(this.#script, 'exit');
    this.press('q');
    await ended;
  }

  get #ticks(): number {
    const stat = readFileSync(`/proc/${this.#pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }
}
