// A network of ultrapeers and leaves in memory, the same graph flat for comparison, and what a search costs in it.
import { createHash } from 'node:crypto';
import { Type } from '../../protocol/constants.ts';
import type { OverlayLimits } from '../../protocol/overlay/limits.ts';
import { LOCAL_DYNAMIC_QUERY } from '../../protocol/overlay/queries/dynamic-query.ts';
import type { SearchSpec } from '../../protocol/overlay/queries/question.ts';
import { VirtualNetwork, type VirtualServent } from './virtual-network.ts';

export interface TwoTierShape {
  readonly ultrapeers: number;
  readonly leaves: number;
  /** Links of an ultrapeer to others, about. */
  readonly degree: number;
  readonly ultrapeersPerLeaf: number;
}

export interface TwoTierSpec extends TwoTierShape {
  readonly seed?: number;
  /** Everybody relays and floods over the same links, as Gnutella 0.4 did. */
  readonly flat?: boolean;
  readonly limits?: Partial<OverlayLimits>;
  /** Names that the servent shares; the first ones are ultrapeers. */
  readonly shares: (index: number) => readonly string[];
}

export interface TwoTier {
  readonly network: VirtualNetwork;
  readonly ultrapeers: readonly VirtualServent[];
  readonly leaves: readonly VirtualServent[];
}

/** SHA-1 of what has this name, everywhere the same. */
export function contentOf(name: string): Buffer {
  return createHash('sha1').update(name).digest();
}

/** All links up, all tables exchanged. */
export function twoTier(spec: TwoTierSpec): TwoTier {
  const flat = spec.flat ?? false;
  const network = new VirtualNetwork(spec.seed ?? 1);
  const limits: Partial<OverlayLimits> = {
    flooding: flat,
    dynamicQuery: LOCAL_DYNAMIC_QUERY,
    tableUpdateMs: 1_000,
    unionUpdateMs: 1_000,
    ...spec.limits,
  };
  const servents = Array.from({ length: spec.ultrapeers + spec.leaves }, (_, i) => {
    const role = i < spec.ultrapeers || flat ? 'ultrapeer' : 'leaf';
    const servent = network.add(`${i}`, { role, limits });
    for (const name of spec.shares(i)) servent.library.add(name, contentOf(name));
    return servent;
  });
  for (const [a, b] of graphOf(spec, network.random)) {
    const [one, other] = [servents[a], servents[b]];
    if (one !== undefined && other !== undefined) network.connect(one, other);
  }
  network.pass(10_000);
  return { network, ultrapeers: servents.slice(0, spec.ultrapeers), leaves: servents.slice(spec.ultrapeers) };
}

/** Who dials whom, by index: a ring of ultrapeers with chords, then each leaf and its ultrapeers. The first are the ultrapeers. */
export function graphOf(spec: TwoTierShape, random: { below(bound: number): number }): [number, number][] {
  const { ultrapeers, leaves, degree } = spec;
  const linked = new Set<string>();
  const links: [number, number][] = [];
  const link = (a: number, b: number): boolean => {
    const key = `${Math.min(a, b)}-${Math.max(a, b)}`;
    if (a === b || linked.has(key)) return false;
    linked.add(key);
    links.push([a, b]);
    return true;
  };
  for (let i = 0; i < ultrapeers; i++) link(i, (i + 1) % ultrapeers);
  let missing = Math.min((ultrapeers * degree) / 2, (ultrapeers * (ultrapeers - 1)) / 2) - links.length;
  while (missing > 0) if (link(random.below(ultrapeers), random.below(ultrapeers))) missing--;
  const wanted = Math.min(spec.ultrapeersPerLeaf, ultrapeers);
  for (let leaf = ultrapeers; leaf < ultrapeers + leaves; leaf++) {
    for (let n = 0; n < wanted; ) if (link(leaf, random.below(ultrapeers))) n++;
  }
  return links;
}

export interface SearchCost {
  /** Query descriptors that went over any link. */
  readonly queries: number;
  /** Query hit descriptors, over every link of their way. */
  readonly hits: number;
  /** Servents that the searcher heard of. */
  readonly found: number;
  readonly records: number;
}

/** Runs one search until nothing moves any more, and counts. */
export function searchCost(network: VirtualNetwork, searcher: VirtualServent, spec: SearchSpec): SearchCost {
  const carried: NonNullable<VirtualNetwork['carried']> = [];
  network.carried = carried;
  searcher.hits.length = 0;
  const search = searcher.search(spec);
  network.pass(30_000, 50);
  searcher.overlay.cancelSearch(search);
  network.settle();
  network.carried = null;
  const ofSearch = carried.filter(({ frame }) => frame.guid.equals(search.guid));
  return {
    queries: ofSearch.filter(({ frame }) => frame.type === Type.Query).length,
    hits: ofSearch.filter(({ frame }) => frame.type === Type.QueryHit).length,
    found: new Set(searcher.hits.map(({ hit }) => hit.serventGuid.toString('hex'))).size,
    records: search.hits,
  };
}
