// The admin API of a real servent process: answers while queries pass, long lists, event streams, and what those cost the routing.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Called, Calls, Heard, Listens } from './api/caller.ts';
import { ServentProcess } from './process/servent.ts';
import { Peers, type Step } from './routing-tcp/peers.ts';

export const about = 'the admin API: calls while queries pass, lists of 100,000, fifty event streams and their cost';

const NEIGHBOURS = 31;
/** 20,000 descriptors out a second. */
const LOAD_QPS = 667;
const FILES = 100_000;
const FILES_PER_FOLDER = 1_000;
/** Each page so many times. */
const PAGES = 100;
const SUBSCRIBERS = 50;
/** As many as the stream of queries gives a second. */
const EVENTS_QPS = 1_000;
const STEP_SECONDS = 3;
const DRAIN_MS = 500;
/** A step with subscribers and one without, so many times. */
const ROUNDS = 5;
/** 300,000 descriptors out a second. */
const ROUTED_QPS = 10_000;

export async function run(): Promise<Record<string, unknown>> {
  return { status: await measuredStatus(), list: await measuredList(), streams: await measuredStreams() };
}

function caller(): ChildProcess {
  const self = fileURLToPath(import.meta.url);
  return fork(join(dirname(self), 'api', `caller${extname(self)}`), { execArgv: process.execArgv });
}

async function answerOf<T extends object>(child: ChildProcess): Promise<T> {
  const [answer] = (await once(child, 'message')) as [T | { error: string }];
  if ('error' in answer) throw new Error(answer.error);
  return answer;
}

async function called(calls: Omit<Calls, 'kind'>): Promise<Called> {
  const child = caller();
  try {
    const answer = answerOf<Called>(child);
    child.send({ kind: 'calls', ...calls } satisfies Calls);
    return await answer;
  } finally {
    child.kill();
  }
}

async function withNeighbours<T>(use: (servent: ServentProcess, peers: Peers) => Promise<T>): Promise<T> {
  const servent = await ServentProcess.start(['--max-ultrapeers', '64']);
  const peers = new Peers(false);
  try {
    await peers.connect(servent.port, NEIGHBOURS, 'ultrapeer');
    await peers.step(500, 1, 1, DRAIN_MS); // warms both sides up
    return await use(servent, peers);
  } finally {
    peers.close();
    await servent.stop();
  }
}

/** GET /status, sixteen connections, while queries pass and without. */
function measuredStatus(): Promise<Record<string, unknown>> {
  return withNeighbours(async ({ api }, peers) => {
    const calls = { api, path: '/api/v1/status', connections: 16, calls: 20_000 };
    await called({ ...calls, calls: 5_000 }); // warms up
    const idle = await called(calls);
    const [loaded, step] = await Promise.all([called(calls), peers.step(LOAD_QPS, 8, 1, DRAIN_MS)]);
    return { idle, loaded, descriptorsPerSecond: step.outPerSecond, lost: step.lost };
  });
}

/** Pages of a library, filtered, sorted, in the middle. */
async function measuredList(): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), 'servent-bench-files-'));
  try {
    for (let start = 0; start < FILES; start += FILES_PER_FOLDER) {
      const inner = join(folder, String(start));
      await mkdir(inner);
      for (let n = start; n < start + FILES_PER_FOLDER; n++) await writeFile(join(inner, `file ${n} moon.txt`), `${n}`);
    }
    const servent = await ServentProcess.start(['--share', folder]);
    try {
      await servent.hashed(FILES);
      return { files: FILES, ...(await pages(servent)) };
    } finally {
      await servent.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const LISTS = {
  plain: '',
  filtered: 'filter=size%3E%3D5',
  filteredByText: `filter=${encodeURIComponent("name ~ '999' and not name like '*5*'")}`,
  sorted: 'sort=-size,name',
  filteredAndSorted: `filter=${encodeURIComponent("size >= 4 and name ~ 'moon'")}&sort=-name`,
};

/** The second page of a hundred of each, so that there is a cursor. */
async function pages(servent: ServentProcess): Promise<Record<string, Called & { cpuMs: number }>> {
  const { api } = servent;
  const out: Record<string, Called & { cpuMs: number }> = {};
  for (const [name, query] of Object.entries(LISTS)) {
    const path = `/api/v1/library/files?limit=100${query === '' ? '' : `&${query}`}`;
    const first = await fetch(`http://127.0.0.1:${api.port}${path}`, {
      headers: { Authorization: `Bearer ${api.token}` },
    });
    const { next } = (await first.json()) as { next: string };
    const before = servent.cpuSeconds;
    const page = await called({
      api,
      path: `${path}&cursor=${encodeURIComponent(next)}`,
      connections: 1,
      calls: PAGES,
    });
    out[name] = { ...page, cpuMs: Number((((servent.cpuSeconds - before) * 1000) / PAGES).toFixed(1)) };
  }
  return out;
}

/** Events that fifty get, and the processor time of routing with and without them, turn and turn about. */
function measuredStreams(): Promise<Record<string, unknown>> {
  return withNeighbours(async (servent, peers) => {
    const heard = await whileHeard(servent, () => peers.step(EVENTS_QPS, STEP_SECONDS, 1, DRAIN_MS));
    let cost = 0;
    const routed = async (): Promise<Step> => {
      const before = servent.cpuSeconds;
      const step = await peers.step(ROUTED_QPS, STEP_SECONDS, 1, DRAIN_MS);
      cost = (servent.cpuSeconds - before) / step.sent;
      if (step.lost > 0) throw new Error(`lost ${step.lost} of ${step.out}`);
      return step;
    };
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await routed();
      const without = cost;
      await whileHeard(servent, routed);
      ratios.push(Number((without / cost).toFixed(3)));
    }
    ratios.sort((a, b) => a - b);
    return { ...heard, routingWithSubscribers: ratios[ROUNDS >> 1], ratios };
  });
}

async function whileHeard(servent: ServentProcess, work: () => Promise<Step>): Promise<Record<string, unknown>> {
  const child = caller();
  try {
    child.send({ kind: 'listens', api: servent.api, topics: 'queries', subscribers: SUBSCRIBERS } satisfies Listens);
    await wait(500);
    const before = servent.cpuSeconds;
    const { sent, lost } = await work();
    const cpuSeconds = servent.cpuSeconds - before;
    await wait(500);
    const answer = answerOf<Heard>(child);
    child.send('counted');
    return { sent, lost, cpuSeconds: Number(cpuSeconds.toFixed(2)), ...(await answer) };
  } finally {
    child.kill();
  }
}
