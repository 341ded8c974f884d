// Queries through a real servent process over loopback: one neighbour sends, thirty must each get every copy.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Peers, type Step } from './routing-tcp/peers.ts';

export const about = 'queries over TCP through a servent process: 1 sender, 30 receivers';

const SINKS = 30;
const QPS = [1000, 4000, 8000, 10_000, 12_000, 14_000, 16_000];
const STEP_SECONDS = 3;
const DRAIN_MS = 1000;
/** _SC_CLK_TCK: Linux says 100 to every process. */
const TICKS_PER_SECOND = 100;

export async function run(): Promise<Record<string, unknown>> {
  const { servent, port } = await startServent();
  const peers = new Peers();
  try {
    await peers.connect(port, SINKS);
    await peers.step(2000, 1, DRAIN_MS); // warms both sides up
    const steps: (Step & { cpuPer100k: number })[] = [];
    for (const qps of QPS) {
      const cpuBefore = cpuSeconds(servent);
      const step = await peers.step(qps, STEP_SECONDS, DRAIN_MS);
      const cpuPer100k = ((cpuSeconds(servent) - cpuBefore) / (step.sent + step.out)) * 100_000;
      steps.push({ ...step, cpuPer100k: Number(cpuPer100k.toFixed(3)) });
      if (step.lost > 0) break;
    }
    const clean = steps.filter(step => step.lost === 0);
    return {
      sinks: SINKS,
      bestOutPerSecond: Math.max(0, ...clean.map(step => step.outPerSecond)),
      p99MsAt1000Qps: steps[0]?.p99Ms,
      duplicates: peers.duplicates,
      rssKiB: rssKiB(servent),
      steps: steps.map(({ qps, outPerSecond, lost, cpuPer100k, p50Ms, p99Ms }) => ({
        qps,
        outPerSecond,
        lost,
        cpuPer100k,
        p50Ms,
        p99Ms,
      })),
    };
  } finally {
    peers.close();
    servent.kill('SIGTERM');
  }
}

async function startServent(): Promise<{ servent: ChildProcess; port: number }> {
  const self = fileURLToPath(import.meta.url);
  const main = join(dirname(self), 'routing-tcp', `servent${extname(self)}`);
  const servent = spawn(process.execPath, [...process.execArgv, main], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const chunk of servent.stdout) {
    const port = /gnutella=[\d.]+:(\d+)/.exec(String(chunk))?.[1];
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
