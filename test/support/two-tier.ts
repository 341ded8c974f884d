// A network of ultrapeers and leaves in memory, the same graph flat for comparison, and what a search costs in it.
import { createHash } from 'node:crypto';
import { Type } from '../../protocol/constants.ts';
import { LOCAL_DYNAMIC_QUERY } from '../../protocol/overlay/dynamic-query.ts';
import type { OverlayLimits } from '../../protocol/overlay/limits.ts';
import type { SearchSpec } from '../../protocol/overlay/search.ts';
import { VirtualNetwork, type VirtualServent } from './virtual-network.ts';

export interface TwoTierSpec {
  readonly ultrapeers: number;
  readonly leaves: number;
  /** Links of an ultrapeer to others, about. */
  readonly degree: number;
  readonly ultrapeersPerLeaf: number;
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
  const ultrapeers = servents.slice(0, spec.ultrapeers);
  const leaves = servents.slice(spec.ultrapeers);
  const linked = new Set<string>();
  const link = (a: VirtualServent | undefined, b: VirtualServent | undefined): boolean => {
    if (a === undefined || b === undefined || a === b) return false;
    const key = [a.name, b.name].sort().join('-');
    if (linked.has(key)) return false;
    linked.add(key);
    network.connect(a, b);
    return true;
  };
  ultrapeers.forEach((servent, i) => {
    link(servent, ultrapeers[(i + 1) % ultrapeers.length]);
  });
  let missing =
    Math.min((spec.ultrapeers * spec.degree) / 2, (spec.ultrapeers * (spec.ultrapeers - 1)) / 2) - linked.size;
  while (missing > 0) if (link(pick(network, ultrapeers), pick(network, ultrapeers))) missing--;
  for (const leaf of leaves) {
    const wanted = Math.min(spec.ultrapeersPerLeaf, ultrapeers.length);
    for (let n = 0; n < wanted; ) if (link(leaf, pick(network, ultrapeers))) n++;
  }
  network.pass(10_000);
  return { network, ultrapeers, leaves };
}

function pick<T>(network: VirtualNetwork, list: readonly T[]): T | undefined {
  return list[network.random.below(list.length)];
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
  const search = searcher.overlay.search(spec);
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
