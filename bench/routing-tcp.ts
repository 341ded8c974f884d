// Queries through a real servent process over loopback: one of its neighbours sends, then all do; every other must get its copy.
// Before that one asks what the servent itself has, one query at a time.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServentProcess } from './process/servent.ts';
import { WORDS } from './process/shake-hands.ts';
import { Asker } from './routing-tcp/asker.ts';
import { Peers, type Step } from './routing-tcp/peers.ts';

export const about =
  'queries over TCP to a servent process, one at a time, and through it: 31 neighbours, 32 and 200 leaves, 31 deflated both ways';

const QPS = [1000, 4000, 8000, 10_000, 12_000, 16_000, 20_000];
const MESH_QPS = [1000, 4000, 10_000];
const TWO_TIER_QPS = [300, 1000, 1300, 1600, 2000];
/** Shared with those who ask one query at a time. */
const FILES = 2000;
const COLD_QUERIES = 400;
const STEP_SECONDS = 3;
const DRAIN_MS = 1000;

interface SetUp {
  ultrapeers: number;
  leaves: number;
  deflate: boolean;
}

export async function run(): Promise<Record<string, unknown>> {
  const flat = { ultrapeers: 31, leaves: 0, deflate: false };
  return {
    oneAtATime: await asked(),
    ...(await measured(flat, QPS, MESH_QPS)),
    twoTier: await measured({ ultrapeers: 32, leaves: 200, deflate: false }, TWO_TIER_QPS, []),
    deflated: await measured({ ...flat, deflate: true }, QPS, MESH_QPS),
  };
}

/** Queries that the servent answers itself, each sent when the one before has been answered; the first ones run cold. */
async function asked(): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), 'servent-bench-files-'));
  for (let n = 0; n < FILES; n++) await writeFile(join(folder, `${WORDS[n % 1000]} file ${n} moon.txt`), `${n}`);
  const servent = await ServentProcess.start(['--share', folder]);
  try {
    await servent.hashed(FILES);
    const asker = await Asker.connect(servent.port);
    try {
      const texts = Array.from({ length: FILES }, (_, n) => `${WORDS[n % 1000]} file ${n}`);
      const cold = await asker.ask(texts.slice(0, COLD_QUERIES));
      const cpuBefore = servent.cpuSeconds;
      const warm = await asker.ask(texts);
      const cpuUs = ((servent.cpuSeconds - cpuBefore) / texts.length) * 1e6;
      return { files: FILES, cold, warm, cpuUsPerQuery: Math.round(cpuUs) };
    } finally {
      asker.close();
    }
  } finally {
    await servent.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A servent of its own for each set-up. */
async function measured(setUp: SetUp, paces: number[], meshPaces: number[]): Promise<Record<string, unknown>> {
  const servent = await ServentProcess.start(['--max-ultrapeers', '64', '--max-leaves', '300']);
  const peers = new Peers(setUp.deflate);
  try {
    const rssKiBIdle = servent.rssKiB;
    await peers.connect(servent.port, setUp.ultrapeers, 'ultrapeer');
    await peers.connect(servent.port, setUp.leaves, 'leaf');
    await peers.step(500, 1, 1, DRAIN_MS); // warms both sides up
    const steps = await climb(servent, peers, paces, 1);
    const mesh = await climb(servent, peers, meshPaces, setUp.ultrapeers);
    const clean = steps.filter(step => step.lost === 0);
    return {
      ...setUp,
      fanOut: setUp.ultrapeers + setUp.leaves - 1,
      bestOutPerSecond: Math.max(0, ...clean.map(step => step.outPerSecond)),
      p99MsAt1000Qps: steps.find(step => Math.round(step.qps / 100) === 10)?.p99Ms ?? null,
      duplicates: peers.duplicates,
      rssKiBIdle,
      rssKiBAfter: servent.rssKiB,
      steps,
      mesh,
    };
  } finally {
    peers.close();
    await servent.stop();
  }
}

type MeasuredStep = Step & { cpuSecondsPer100k: number; loopDelayP99Ms: number };

/** One step after the other until one loses copies. */
async function climb(servent: ServentProcess, peers: Peers, paces: number[], senders: number): Promise<MeasuredStep[]> {
  const steps: MeasuredStep[] = [];
  for (const qps of paces) {
    await servent.loopDelayP99Ms();
    const cpuBefore = servent.cpuSeconds;
    const step = await peers.step(qps, STEP_SECONDS, senders, DRAIN_MS);
    const cpuSecondsPer100k = ((servent.cpuSeconds - cpuBefore) / (step.sent + step.out)) * 100_000;
    const loopDelayP99Ms = await servent.loopDelayP99Ms();
    steps.push({ ...step, cpuSecondsPer100k: Number(cpuSecondsPer100k.toFixed(3)), loopDelayP99Ms });
    if (step.lost > 0) break;
  }
  return steps;
}
