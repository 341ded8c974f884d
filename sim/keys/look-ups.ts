// What look-ups cost in an overlay that routes by key, and whether they come right while nodes come and go.
import type { Parameter, Run, Series } from '../model.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { fitLine, type Line, mean } from '../statistics.ts';
import type { TraceHash } from '../trace-hash.ts';
import { churn } from '../workload/churn.ts';
import { costsOf, type SearchCosts } from '../workload/search-costs.ts';
import { SharedFiles } from '../workload/shared-files.ts';
import type { KeyedFiles } from './keyed-files.ts';

export const SEARCHES = 200;
/** How long an acknowledgement of a hop is waited for where nodes fail. */
export const ACK_MS = 500;
/** A node that has no place by then asks another member for one. */
const JOIN_MS = 10_000;
const ANNOUNCING_NODES = 200;

/** The parameter `sessionMinutes` of models whose nodes come and go. */
export const SESSION_MINUTES: Parameter = {
  value: 60,
  range: [1, 100_000],
  unit: 'min',
  meaning: 'mean time that a node stays; it is away for a quarter of that',
};

/** The part of an overlay that is looked at. */
export interface LookedAt {
  readonly network: {
    readonly nodes: number;
    readonly now: number;
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
  /** From now on members look after their tables. */
  keepUp(): void;
}

/** Makes an overlay of a model's own kind. */
export type Build = (run: Run, nodes: number, options?: { readonly files?: SharedFiles }) => LookedAt;

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

/** All nodes without a place join through some member, one each `everyMs`, in random order. */
export function joinAll(overlay: LookedAt, random: SeededRandom, everyMs: number): void {
  const { network } = overlay;
  const outside = numbers(network.nodes).filter(node => !overlay.isMember(node));
  for (const node of random.shuffle(outside)) {
    overlay.join(node, memberOf(overlay, random));
    network.run(network.now + everyMs);
  }
}

/** So many random nodes fail, one each `everyMs`; 0: at once. */
export function failSome(
  { network }: Pick<LookedAt, 'network'>,
  count: number,
  random: SeededRandom,
  everyMs = 0,
): void {
  for (const node of random.sample(numbers(network.nodes), count)) {
    network.fail(node);
    if (everyMs > 0) network.run(network.now + everyMs);
  }
}

/** A look-up each second while nodes fail and come back by `sessionMinutes`: the share that ended at the right node. */
export function lookUpsInUnrest(
  overlay: LookedAt,
  { random, seconds, parameters }: Pick<Run, 'random' | 'seconds' | 'parameters'>,
  trace: TraceHash,
): number {
  overlay.keepUp();
  const meanUpMs = 60_000 * (parameters['sessionMinutes'] ?? SESSION_MINUTES.value);
  const { network } = overlay;
  const nodes = numbers(network.nodes);
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
  trace.addText(network.trace.hex);
  return mean(probes.map(({ isRight }) => (isRight ? 1 : 0)));
}

/** What the shared searches cost, with the announcements in place. */
export function searchesIn(overlay: LookedAt): SearchCosts {
  overlay.files?.place((node, key) => overlay.hasFilesOf(node, key));
  return costsOf(overlay.network, overlay.files?.search(SEARCHES) ?? []);
}

/** The same in an overlay that is made for them. */
export const searchesOf =
  (build: Build) =>
  (run: Run): SearchCosts =>
    searchesIn(build(run, run.servents, { files: filesOf(run.servents, run) }));

/** Announces all files by messages: the share of them at the node that `ownerOf` says, and of searches that found theirs. */
export function announceAndSearch(overlay: LookedAt): { placed: number; found: number } {
  const { files } = overlay;
  files?.announce();
  const placed = files?.agreement(key => overlay.ownerOf(key)) ?? 0;
  return { placed, found: mean((files?.search(SEARCHES) ?? []).map(({ found }) => (found ? 1 : 0))) };
}

/** The same in an overlay of 200 nodes that is made for it. */
export function announcedIn(build: Build, run: Run, trace: TraceHash): { placed: number; found: number } {
  const overlay = build(run, ANNOUNCING_NODES, { files: filesOf(ANNOUNCING_NODES, run) });
  const shares = announceAndSearch(overlay);
  trace.addText(overlay.network.trace.hex);
  return shares;
}

const filesOf = (peers: number, { random }: Run): SharedFiles => new SharedFiles({ peers, random: random.fork() });
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
