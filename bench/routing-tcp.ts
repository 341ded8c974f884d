// Queries through a real servent process over loopback: one of 31 neighbours sends, then all do; every other must get its copy.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Peers, type Step } from './routing-tcp/peers.ts';

export const about = 'queries over TCP through a servent process with 31 neighbours';

const NEIGHBOURS = 31;
const QPS = [1000, 4000, 8000, 10_000, 12_000, 16_000, 20_000];
const MESH_QPS = [1000, 4000, 10_000];
const STEP_SECONDS = 3;
const DRAIN_MS = 1000;
/** _SC_CLK_TCK: Linux says 100 to every process. */
const TICKS_PER_SECOND = 100;

export async function run(): Promise<Record<string, unknown>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'servent-bench-'));
  const { servent, port } = await startServent(dataDir);
  const peers = new Peers();
  try {
    const rssKiBIdle = rssKiB(servent);
    await peers.connect(port, NEIGHBOURS);
    await peers.step(2000, 1, 1, DRAIN_MS); // warms both sides up
    const steps = await climb(servent, peers, QPS, 1);
    const mesh = await climb(servent, peers, MESH_QPS, NEIGHBOURS);
    const clean = steps.filter(step => step.lost === 0);
    return {
      fanOut: NEIGHBOURS - 1,
      bestOutPerSecond: Math.max(0, ...clean.map(step => step.outPerSecond)),
      p99MsAt1000Qps: steps[0]?.p99Ms ?? null,
      duplicates: peers.duplicates,
      rssKiBIdle,
      rssKiBAfter: rssKiB(servent),
      steps,
      mesh,
    };
  } finally {
    peers.close();
    servent.kill('SIGTERM');
    await once(servent, 'exit');
    await rm(dataDir, { recursive: true, force: true });
  }
}

type MeasuredStep = Step & { cpuSecondsPer100k: number };

/** One step after the other until one loses copies. */
async function climb(servent: ChildProcess, peers: Peers, paces: number[], senders: number): Promise<MeasuredStep[]> {
  const steps: MeasuredStep[] = [];
  for (const qps of paces) {
    const cpuBefore = cpuSeconds(servent);
    const step = await peers.step(qps, STEP_SECONDS, senders, DRAIN_MS);
    const cpuSecondsPer100k = ((cpuSeconds(servent) - cpuBefore) / (step.sent + step.out)) * 100_000;
    steps.push({ ...step, cpuSecondsPer100k: Number(cpuSecondsPer100k.toFixed(3)) });
    if (step.lost > 0) break;
  }
  return steps;
}

/** A whole daemon, as `servent start` runs it, with a data folder of its own. */
async function startServent(dataDir: string): Promise<{ servent: ChildProcess; port: number }> {
  const self = fileURLToPath(import.meta.url);
  const main = join(dirname(self), '..', 'daemon', `main${extname(self)}`);
  const options = [
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
  const servent = spawn(
    process.execPath,
    [...process.execArgv, main, 'start', ...options, '--max-ultrapeers', '64', '--data-dir', dataDir],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const chunk of servent.stdout) {
    const port = /ready gnutella=\S+:(\d+)/.exec(String(chunk))?.[1];
    if (port !== undefined) return { servent, port: Number(port) };
  }
  throw new Error('the servent ended before it was ready');
}

/** User and system time of all threads so far. */
function cpuSeconds(process: ChildProcess): number {
  const stat = readFileSync(`/proc/${process.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function rssKiB(process: ChildProcess): number {
  const status = readFileSync(`/proc/${process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
}
