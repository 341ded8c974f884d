// What recording costs: 10,000 queries a second through a servent process with 31 neighbours, with and without it, over TCP.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '../api/client.ts';
import { ServentProcess } from './process/servent.ts';
import { Peers } from './routing-tcp/peers.ts';

export const about = 'recording: its share of the processor at 10,000 queries per second, 31 neighbours, over TCP';

const QPS = 10_000;
const SECONDS = 8;
const ROUNDS = 3;
const DRAIN_MS = 1000;
/** Segments of 2 MiB, so that most rows become Parquet while it is measured. */
const SMALL_SEGMENTS = ['--recording-max-bytes', String(2 ** 26)];

interface Cost {
  /** Microseconds of processor time for a query. */
  readonly overlay: number;
  readonly all: number;
  /** Of that, what the thread of the recording took. */
  readonly recording: number;
  readonly sent: number;
  readonly recorded: number;
  readonly lost: number;
  readonly files: number;
  /** Of segments of queries. */
  readonly bytes: number;
}

export async function run(): Promise<Record<string, unknown>> {
  const costs: Record<'off' | 'files', Cost[]> = { off: [], files: [] };
  for (let round = 0; round < ROUNDS; round++)
    for (const mode of ['off', 'files'] as const) costs[mode].push(await measured(mode));
  const median = (mode: 'off' | 'files', of: 'overlay' | 'all' | 'recording'): number =>
    costs[mode].map(cost => cost[of]).sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
  const ratio = (of: 'overlay' | 'all'): number => Number((median('files', of) / median('off', of) - 1).toFixed(3));
  const sum = (of: 'sent' | 'recorded' | 'lost' | 'files' | 'bytes'): number =>
    costs.files.reduce((total, cost) => total + cost[of], 0);
  return {
    queriesPerSecond: QPS,
    neighbours: 31,
    ratio: ratio('overlay'),
    ratioAllThreads: ratio('all'),
    overlayMicroseconds: { off: median('off', 'overlay'), files: median('files', 'overlay') },
    allMicroseconds: { off: median('off', 'all'), files: median('files', 'all') },
    recordingThreadMicroseconds: median('files', 'recording'),
    bytesPerRow: Number((sum('bytes') / sum('recorded')).toFixed(1)),
    sent: sum('sent'),
    recorded: sum('recorded'),
    lost: sum('lost'),
    segments: sum('files'),
  };
}

async function measured(mode: 'off' | 'files'): Promise<Cost> {
  const servent = await ServentProcess.start(['--max-ultrapeers', '64', '--recording-mode', mode, ...SMALL_SEGMENTS]);
  const peers = new Peers(false);
  try {
    await peers.connect(servent.port, 31, 'ultrapeer');
    const warmUp = await peers.step(QPS, 2, 1, DRAIN_MS);
    const before = {
      overlay: servent.mainThreadSeconds,
      all: servent.cpuSeconds,
      recording: servent.backgroundSeconds,
    };
    const { sent } = await peers.step(QPS, SECONDS, 1, DRAIN_MS);
    if (mode === 'files') await converted(servent);
    const overlay = ((servent.mainThreadSeconds - before.overlay) / sent) * 1e6;
    const all = ((servent.cpuSeconds - before.all) / sent) * 1e6;
    const recording = ((servent.backgroundSeconds - before.recording) / sent) * 1e6;
    const { recorded, lost } = await counts(servent, sent + warmUp.sent);
    const folder = join(servent.dataDir, 'recordings');
    const files = mode === 'off' ? [] : readdirSync(folder);
    const bytes = files
      .filter(file => file.startsWith('queries-'))
      .reduce((total, file) => total + statSync(join(folder, file)).size, 0);
    return {
      ...{ overlay: rounded(overlay), all: rounded(all), recording: rounded(recording) },
      ...{ sent: sent + warmUp.sent, recorded, lost, files: files.length, bytes },
    };
  } finally {
    peers.close();
    await servent.stop();
  }
}

const rounded = (value: number): number => Number(value.toFixed(2));

/** Waits until all closed segments are Parquet files. */
async function converted({ api }: ServentProcess): Promise<void> {
  const client = createClient({ url: `http://127.0.0.1:${api.port}`, token: api.token });
  for (;;) {
    const { items } = await client.recordings({ limit: 1000 });
    if (items.length > 0 && !items.some(({ state }) => state === 'closed')) return;
    await new Promise(resolve => setTimeout(resolve, 250));
  }
}

/** Rows of queries that are on the disk, and rows that were lost, as the metrics say; waits until all are one or the other. */
async function counts({ api }: ServentProcess, wanted: number): Promise<{ recorded: number; lost: number }> {
  await createClient({ url: `http://127.0.0.1:${api.port}`, token: api.token }).recordings({ limit: 1 });
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${api.port}/metrics`, {
      headers: { authorization: `Bearer ${api.token}` },
    });
    const text = await answer.text();
    const recorded = Number(/^gnutella_recording_rows_total\{table="queries"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    const lost = [...text.matchAll(/^gnutella_recording_lost_total\{.*\} (\d+)$/gm)].reduce(
      (sum, [, rows]) => sum + Number(rows),
      0,
    );
    if (recorded === 0 || recorded + lost >= wanted || attempt === 20) return { recorded, lost };
    await new Promise(resolve => setTimeout(resolve, 250));
  }
}
