// What look-ups cost in an overlay that routes by key, and whether they come right while nodes come and go.
import type { Series } from '../model.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { fitLine, type Line, mean } from '../statistics.ts';
import { churn } from '../workload/churn.ts';
import { costsOf, type SearchCosts } from '../workload/search-costs.ts';
import type { KeyedFiles } from './keyed-files.ts';

export const SEARCHES = 200;
/** A node that has no place by then asks another member for one. */
const JOIN_MS = 10_000;

/** The part of an overlay that is looked at. */
export interface LookedAt {
  readonly network: {
    readonly nodes: number;
    readonly messages: number;
    readonly taken: Uint32Array;
    readonly trace: { readonly hex: string };
    run(until?: number): void;
    after(ms: number, run: () => void): void;
    isUp(node: number): boolean;
    fail(node: number): void;
    revive(node: number): void;
  };
  readonly files: KeyedFiles | null;
  probe(from: number, key: number): { readonly hops: number; readonly ms: number; readonly isRight: boolean };
  ownerOf(key: number): number;
  /** Whether the node is one that the key's files are announced to. */
  hasFilesOf(node: number, key: number): boolean;
  isMember(node: number): boolean;
  join(node: number, known: number): void;
}

/** A node that has a place in the overlay; throws RangeError when none is found. */
export function memberOf(overlay: LookedAt, random: SeededRandom): number {
  for (let tries = 0; tries < 100_000; tries++) {
    const node = random.below(overlay.network.nodes);
    if (overlay.isMember(node)) return node;
  }
  throw new RangeError('no node has a place in the overlay');
}

/** Look-ups of random keys by random members, all at once: their mean messages and time, and the share that ended at the right node. */
export function lookUps(
  overlay: LookedAt,
  count: number,
  random: SeededRandom,
): { hops: number; ms: number; right: number } {
  const probes = Array.from({ length: count }, () => overlay.probe(memberOf(overlay, random), random.next()));
  overlay.network.run();
  return {
    hops: mean(probes.map(({ hops }) => hops)),
    ms: mean(probes.map(({ ms }) => ms)),
    right: mean(probes.map(({ isRight }) => (isRight ? 1 : 0))),
  };
}

/** Mean messages of look-ups in overlays of each size, and the line that they follow over `scale` of the size. */
export function growth(
  name: string,
  sizes: readonly number[],
  scale: (nodes: number) => number,
  build: (nodes: number) => LookedAt,
  random: SeededRandom,
): { line: Line; series: Series; last: number } {
  const y = sizes.map(nodes => lookUps(build(nodes), 400, random).hops);
  const line = fitLine(sizes.map(scale), y);
  return { line, series: { name, axes: ['nodes', 'messages a look-up'], x: sizes, y }, last: y.at(-1) ?? 0 };
}

export interface UnrestOptions {
  readonly random: SeededRandom;
  readonly seconds: number;
  /** Mean time that a node stays; it is away for a quarter of that. */
  readonly meanUpMs: number;
}

/** A look-up each second while nodes fail and come back: the share that ended at the right node. */
export function lookUpsInUnrest(overlay: LookedAt, { random, seconds, meanUpMs }: UnrestOptions): number {
  const { network } = overlay;
  const nodes = Array.from({ length: network.nodes }, (_, node) => node);
  const onReturn = (node: number): void => {
    overlay.join(node, memberOf(overlay, random));
    network.after(JOIN_MS, () => {
      if (network.isUp(node) && !overlay.isMember(node)) onReturn(node);
    });
  };
  churn({ network, random, nodes, meanUpMs, meanDownMs: meanUpMs / 4, onReturn });
  const probes = Array.from({ length: seconds }, (_, second) => {
    network.run(second * 1000);
    return overlay.probe(memberOf(overlay, random), random.next());
  });
  network.run((seconds + 60) * 1000);
  return mean(probes.map(({ isRight }) => (isRight ? 1 : 0)));
}

/** What the shared searches cost, with the announcements in place. */
export function searchesIn(overlay: LookedAt): SearchCosts {
  overlay.files?.place((node, key) => overlay.hasFilesOf(node, key));
  return costsOf(overlay.network, overlay.files?.search(SEARCHES) ?? []);
}

/** Announces all files by messages: the share of them at the node that `ownerOf` says, and of searches that found theirs. */
export function announceAndSearch(overlay: LookedAt): { placed: number; found: number } {
  const { files } = overlay;
  files?.announce();
  const placed = files?.agreement(key => overlay.ownerOf(key)) ?? 0;
  return { placed, found: mean((files?.search(SEARCHES) ?? []).map(({ found }) => (found ? 1 : 0))) };
}
