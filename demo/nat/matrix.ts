// Each kind of place fetches a file from each other kind: which way it took and how long, as a table.
import type { ReachWay } from '../../protocol/transfer/reaching/reach-way.ts';
import { say, step } from '../stage.ts';
import { NatNetwork } from './nat-network.ts';
import { exchange, type Pair, type PairOutcome, prepare } from './pair.ts';
import { KINDS, type PlaceKind } from './place-kind.ts';
import { printReport, reportOf } from './place-report.ts';

export const MATRIX_KINDS: readonly PlaceKind[] = ['open', 'full-cone', 'port-restricted', 'symmetric', 'tcp-blocked'];

const WAIT_MS = 180_000;

export interface MatrixOptions {
  readonly folder: string;
  readonly kinds: readonly PlaceKind[];
  readonly bytes: number;
  readonly delayMs: number;
}

/** Each kind has two places, so that it can fetch from its own kind too. */
const seekerOf = (kind: PlaceKind) => `${kind}-seeker`;
const sourceOf = (kind: PlaceKind) => `${kind}-source`;

/** All pairs, one after the other; their outcomes. */
export async function runMatrix({ folder, kinds, bytes, delayMs }: MatrixOptions): Promise<PairOutcome[]> {
  const pairs: Pair[] = kinds.flatMap(seeker =>
    kinds.map(source => ({ seeker: seekerOf(seeker), source: sourceOf(source) })),
  );
  for (const pair of pairs) await prepare(folder, pair, bytes);
  const places = Object.fromEntries(
    kinds.flatMap(kind => [
      [seekerOf(kind), kind],
      [sourceOf(kind), kind],
    ]),
  );
  const network = await NatNetwork.start({ folder, places, delayMs });
  try {
    step(`${network.servents.size} servents run`);
    await network.settled();
    step('connected, every file hashed');
    const outcomes: PairOutcome[] = [];
    for (const pair of pairs) {
      const outcome = await exchange(network, folder, pair, WAIT_MS);
      outcomes.push(outcome);
      step(`${pair.seeker.padEnd(23)} from ${pair.source.padEnd(23)} ${outcomeText(outcome)}`);
    }
    for (const kind of kinds) printReport(await reportOf(network, network.laboratory.place(seekerOf(kind))));
    return outcomes;
  } finally {
    await network.stop();
  }
}

const WAYS: Readonly<Record<ReachWay, string>> = {
  direct: 'direct',
  datagram: 'push, asked for by datagram',
  proxy: 'push, by a proxy',
  dht: 'push, by a proxy of the DHT',
  overlay: 'push, along the overlay',
  rudp: 'RUDP',
  relay: 'relay',
};

export function wayText(way: ReachWay | null): string {
  return way === null ? 'no way' : WAYS[way];
}

export function outcomeText({ foundMs, fetchedMs, way, error }: PairOutcome): string {
  if (foundMs === null) return 'not found';
  if (fetchedMs === null) return `failed: ${error}${way === null ? '' : ` (${wayText(way)})`}`;
  return `${wayText(way)}, ${(fetchedMs / 1000).toFixed(1)} s`;
}

/** Rows are who fetches, columns whose file it is; Markdown. */
export function printTable(outcomes: readonly PairOutcome[], kinds: readonly PlaceKind[]): void {
  say(`\n| fetches \\ has the file | ${kinds.join(' | ')} |`);
  say(`| --- |${' --- |'.repeat(kinds.length)}`);
  for (const seeker of kinds) {
    const cells = kinds.map(source => {
      const outcome = outcomes.find(one => one.seeker === seekerOf(seeker) && one.source === sourceOf(source));
      return outcome === undefined ? '' : outcomeText(outcome);
    });
    say(`| ${seeker} | ${cells.join(' | ')} |`);
  }
  say();
  for (const kind of kinds) say(`- ${kind}: ${KINDS[kind].words}`);
}
