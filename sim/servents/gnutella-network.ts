// A Gnutella network of whole servents: ultrapeers linked at random, leaves below them, files and searches by Zipf's law.

import { LEAF_DEMANDS_DEGREE } from '../../protocol/handshake/admission.ts';
import type { OverlayLimits } from '../../protocol/overlay/limits.ts';
import type { Search } from '../../protocol/overlay/queries/search.ts';
import type { ServentSettings } from '../../protocol/servent-settings.ts';
import { SeededRandom } from '../seeded-random.ts';
import { SharedFiles } from '../workload/shared-files.ts';
import type { ConditionOptions } from './conditions.ts';
import type { VirtualHost } from './virtual-host.ts';
import { VirtualInternet } from './virtual-internet.ts';
import type { SharedContent } from './virtual-library.ts';

export interface GnutellaOptions {
  readonly seed: number;
  readonly servents: number;
  /** Of all servents. */
  readonly ultrapeerShare: number;
  /** Links of a leaf to ultrapeers, and of an ultrapeer to others, on average. */
  readonly leafLinks: number;
  readonly ultrapeerLinks: number;
  readonly conditions?: ConditionOptions;
  readonly limits?: Partial<OverlayLimits>;
  /** Leaves may become ultrapeers by election; absent: they stay leaves. */
  readonly elects?: boolean;
  /** Slots for leaves, as a multiple of those that are taken at first; absent: 2. */
  readonly leafSlots?: number;
  readonly replicasPerPeer?: number;
  /** Further files of each servent, by its number. */
  readonly alsoShares?: (number: number) => readonly string[];
  /** Of a file; null or absent: it is a name only. */
  readonly contentOf?: (file: number) => SharedContent | null;
}

/** Hosts of which a servent knows when it starts. */
const KNOWN_HOSTS = 20;
/** Slots for leaves and for ultrapeers, as a multiple of what the network is built with. */
const SPARE_SLOTS = 2;

/** What a file is called: two words, of which the second is its own. */
export const fileName = (file: number): string => `${textOf(file)}.ogg`;
export const textOf = (file: number): string => `track n${file}x`;

export class GnutellaNetwork {
  readonly internet: VirtualInternet;
  readonly files: SharedFiles;
  readonly ultrapeers: readonly VirtualHost[];
  readonly leaves: readonly VirtualHost[];
  readonly #random: SeededRandom;
  readonly #options: GnutellaOptions;

  constructor(options: GnutellaOptions) {
    const { seed, servents, ultrapeerShare, conditions, replicasPerPeer = 3 } = options;
    this.#options = options;
    this.#random = new SeededRandom(seed);
    this.internet = new VirtualInternet(this.#random.next(), conditions);
    this.files = new SharedFiles({ peers: servents, random: this.#random.fork(), replicasPerPeer });
    const ultrapeers = Math.max(2, Math.round(servents * ultrapeerShare));
    const hosts = Array.from({ length: servents }, (_, number) => this.#add(number, number < ultrapeers));
    this.ultrapeers = hosts.slice(0, ultrapeers);
    this.leaves = hosts.slice(ultrapeers);
    this.#link();
  }

  get hosts(): readonly VirtualHost[] {
    return this.internet.hosts;
  }

  #add(number: number, ultrapeer: boolean): VirtualHost {
    const { limits, elects = false, alsoShares = () => [], contentOf = () => null } = this.#options;
    const files = this.files.of[number] ?? [];
    const host = this.internet.add({
      profile: 'public',
      settings: this.#settings(ultrapeer ? 'ultrapeer' : elects ? 'auto' : 'leaf'),
      shares: [...files.filter(file => contentOf(file) === null).map(fileName), ...alsoShares(number)],
      ...(limits === undefined ? {} : { limits }),
    });
    for (const file of files) {
      const content = contentOf(file);
      if (content !== null) host.library.addContent(fileName(file), content);
    }
    return host;
  }

  #settings(mode: ServentSettings['mode']): Partial<ServentSettings> {
    const { ultrapeerShare, leafLinks, ultrapeerLinks, leafSlots = SPARE_SLOTS } = this.#options;
    const leaves = (leafLinks * (1 - ultrapeerShare)) / ultrapeerShare;
    return {
      mode,
      seek: ultrapeerLinks,
      maxLeaves: Math.ceil(leaves * leafSlots),
      // it is the degree that we say we have, and leaves refuse ultrapeers that say less than 16
      maxUltrapeers: Math.max(LEAF_DEMANDS_DEGREE, Math.ceil(ultrapeerLinks * SPARE_SLOTS)),
    };
  }

  /** Each ultrapeer dials half of its links, the first along a circle, so that the network is one; each leaf all of its. */
  #link(): void {
    const { leafLinks, ultrapeerLinks } = this.#options;
    for (const [i, ultrapeer] of this.ultrapeers.entries()) {
      const next = this.ultrapeers[(i + 1) % this.ultrapeers.length];
      const others = this.#random.sample(this.ultrapeers, Math.round(ultrapeerLinks / 2));
      for (const other of new Set([next, ...others]))
        if (other !== undefined && other !== ultrapeer) ultrapeer.join(other);
    }
    for (const leaf of this.leaves) this.#introduce(leaf, leafLinks);
  }

  #introduce(host: VirtualHost, links: number): void {
    for (const ultrapeer of this.#random.sample(this.ultrapeers, links)) host.join(ultrapeer);
  }

  /** What a host has in its cache when it starts again. */
  remind(host: VirtualHost): void {
    host.knows(...this.#random.sample(this.ultrapeers, KNOWN_HOSTS).filter(other => other !== host));
  }

  /** Whether somebody else who is up has the file. */
  isThere(from: number, file: number): boolean {
    return this.files.holders[file]?.some(holder => holder !== from && this.hosts[holder]?.up === true) === true;
  }

  search(from: number, file: number): Search | null {
    const host = this.hosts[from];
    return host?.up === true ? host.search(textOf(file)) : null;
  }
}
