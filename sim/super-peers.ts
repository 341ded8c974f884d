// Super-peers: a few peers know the files of some hundred descendants each, and search among themselves on their behalf.
import type { Run } from './model.ts';
import { Network } from './network.ts';
import type { SeededRandom } from './seeded-random.ts';
import { completeGraph } from './topology/complete-graph.ts';
import { configurationModel } from './topology/configuration-model.ts';
import type { Graph } from './topology/graph.ts';
import type { SearchOutcome } from './workload/search-costs.ts';
import { SharedFiles } from './workload/shared-files.ts';

type Message =
  | { readonly kind: 'join'; readonly files: readonly number[] }
  | { readonly kind: 'accept' | 'refuse' }
  | { readonly kind: 'query'; readonly search: number; readonly file: number }
  | {
      readonly kind: 'relay';
      readonly search: number;
      readonly file: number;
      readonly ttl: number;
      readonly home: number;
    }
  | { readonly kind: 'hit'; readonly search: number; readonly holders: readonly number[] };

export const DESCENDANTS_MOST = 500;
const NOBODY = 0xffff_ffff;

/** The first peers are the super-peers; each shares files of its own too. */
export class SuperPeers {
  readonly network: Network<Message>;
  readonly files: SharedFiles;
  readonly superPeers: number;
  /** The super-peer of each peer; super-peers are their own. */
  readonly parents: Uint32Array;
  readonly descendants: Uint32Array;
  readonly outcomes: SearchOutcome[] = [];
  /** Of the newest search that found something. */
  sources: readonly number[] = [];
  readonly #links: Graph;
  readonly #indexes: Map<number, number[]>[];
  readonly #ttl: number;
  readonly #random: SeededRandom;
  readonly #searches: { readonly from: number; readonly at: number; readonly seen: Set<number> }[] = [];

  constructor({ servents, random, parameters }: Run) {
    const { descendants = 300, superLinks = 40, ttl = 2 } = parameters;
    // enough for all, so that who is refused finds another
    this.superPeers = Math.max(Math.round(servents / (descendants + 1)), Math.ceil(servents / DESCENDANTS_MOST));
    this.#ttl = ttl;
    this.network = new Network({ nodes: servents, random: random.fork() });
    const degree = Math.min(superLinks, this.superPeers - 1);
    const degrees = new Uint32Array(this.superPeers).fill(degree);
    this.#links = degree === superLinks ? configurationModel(degrees, random.fork()) : completeGraph(this.superPeers);
    this.files = new SharedFiles({ peers: servents, random: random.fork() });
    this.parents = new Uint32Array(servents).fill(NOBODY);
    this.descendants = new Uint32Array(this.superPeers);
    this.#indexes = Array.from({ length: this.superPeers }, () => new Map());
    this.#random = random.fork();
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
    for (let peer = 0; peer < servents; peer++) {
      if (peer < this.superPeers) this.#adopt(peer, peer, this.files.of[peer] ?? []);
      else this.#join(peer);
      if (peer % 1000 === 0) this.network.run();
    }
    this.network.run();
    this.network.resetCounts();
  }

  #join(peer: number): void {
    this.network.send(peer, this.#random.below(this.superPeers), { kind: 'join', files: this.files.of[peer] ?? [] });
  }

  #adopt(superPeer: number, peer: number, files: readonly number[]): void {
    if (peer !== superPeer) this.descendants[superPeer] = (this.descendants[superPeer] ?? 0) + 1;
    this.parents[peer] = superPeer;
    const index = this.#indexes[superPeer];
    for (const file of files) {
      const holders = index?.get(file);
      if (holders === undefined) index?.set(file, [peer]);
      else holders.push(peer);
    }
  }

  #receive(to: number, message: Message, from: number): void {
    switch (message.kind) {
      case 'join': {
        const taken = (this.descendants[to] ?? 0) < DESCENDANTS_MOST;
        if (taken) this.#adopt(to, from, message.files);
        this.network.send(to, from, { kind: taken ? 'accept' : 'refuse' });
        break;
      }
      case 'accept':
        break;
      case 'refuse':
        this.#join(to);
        break;
      case 'query':
        this.#lookUp(to, { ...message, kind: 'relay', ttl: this.#ttl + 1, home: to }, to);
        break;
      case 'relay':
        this.#lookUp(to, message, from);
        break;
      case 'hit':
        this.#onHit(to, message);
    }
  }

  /** Answers by the own index, and sends it on to the other super-peers that it is linked to. */
  #lookUp(superPeer: number, relay: Message & { kind: 'relay' }, from: number): void {
    const { search, file, ttl, home } = relay;
    const seen = this.#searches[search]?.seen;
    if (seen === undefined || seen.has(superPeer)) return;
    seen.add(superPeer);
    const holders = this.#indexes[superPeer]?.get(file);
    if (holders !== undefined) {
      const hit = { kind: 'hit', search, holders } as const;
      if (superPeer === home) this.#onHit(home, hit);
      else this.network.send(superPeer, home, hit);
    }
    if (ttl > 1)
      for (const next of this.#links.neighbours(superPeer))
        if (next !== from) this.network.send(superPeer, next, { ...relay, ttl: ttl - 1 });
  }

  /** A super-peer passes hits on to the descendant that asked. */
  #onHit(peer: number, hit: Message & { kind: 'hit' }): void {
    const { from, at } = this.#searches[hit.search] ?? { from: peer, at: 0 };
    if (peer !== from) this.network.send(peer, from, hit);
    else if (this.outcomes[hit.search]?.found === false) {
      this.outcomes[hit.search] = { found: true, ms: this.network.now - at };
      this.sources = hit.holders;
    }
  }

  search(count: number): void {
    for (const { from, file } of this.files.searches(count)) {
      if (!this.network.isUp(from)) continue;
      const search = this.outcomes.push({ found: false, ms: 0 }) - 1;
      const seen = new Set<number>();
      this.#searches[search] = { from, at: this.network.now, seen };
      const parent = this.parents[from] ?? from;
      if (parent === from) this.#lookUp(from, { kind: 'relay', search, file, ttl: this.#ttl + 1, home: from }, from);
      else this.network.send(from, parent, { kind: 'query', search, file });
      this.network.run();
      seen.clear();
    }
  }

  failSuperPeers(share: number): void {
    const all = Array.from({ length: this.superPeers }, (_, peer) => peer);
    for (const peer of this.#random.sample(all, Math.round(share * all.length))) this.network.fail(peer);
  }

  /** Peers whose super-peer is gone try others until one that is there takes them. */
  rejoin(): void {
    for (let left = 10; left > 0; left--) {
      for (let peer = this.superPeers; peer < this.network.nodes; peer++)
        if (!this.network.isUp(this.parents[peer] ?? 0)) this.#join(peer);
      this.network.run();
    }
  }
}
