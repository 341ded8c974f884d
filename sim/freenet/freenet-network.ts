// The network of Freenet: requests that are routed by key with hops to live, inserts, and data on its way back.
import { power } from '../exact-math.ts';
import type { Run } from '../model.ts';
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { FreenetNode, keyOf } from './freenet-node.ts';

interface Message {
  readonly kind: 'request' | 'failed' | 'data';
  readonly search: number;
  /** Hops to live that are left. A node that a request comes back to from a dead end goes on with what it had itself. */
  readonly htl: number;
  /** Of `failed`: no hops are left, so that no further node is tried. */
  readonly spent: boolean;
  /** Of data: the node that nodes on the way back will ask for keys near this one. */
  readonly source: number;
}

/** Of a search to a node: where from, with how many hops left, and which nodes it was sent on to. */
interface Visit {
  readonly from: number;
  readonly htl: number;
  readonly tried: Set<number>;
}

interface Search {
  readonly file: number;
  readonly htl: number;
  readonly inserts: boolean;
  /** Nodes on the way back keep a copy and learn; off for probes. */
  readonly leavesCopies: boolean;
  readonly at: number;
  readonly visits: Map<number, Visit>;
}

/** `hops`: length of the path to it; all that were given where nothing was found. */
export interface Found {
  readonly found: boolean;
  readonly ms: number;
  readonly hops: number;
}

export class FreenetNetwork {
  readonly network: Network<Message>;
  readonly nodes: FreenetNode[];
  readonly outcomes: Found[] = [];
  readonly #searches: Search[] = [];
  readonly #files: number;
  readonly #references: number;

  constructor({ servents, random, parameters }: Pick<Run, 'servents' | 'random' | 'parameters'>) {
    this.#files = parameters['files'] ?? 50;
    this.#references = parameters['references'] ?? 250;
    this.network = new Network({ nodes: servents, random: random.fork() });
    this.nodes = Array.from({ length: servents }, () => new FreenetNode());
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
  }

  /** As the paper starts: each node knows two others on either side of a ring; keys are hashes, so that the ring says nothing of them. */
  startAsRing(): void {
    for (const [i, node] of this.nodes.entries())
      for (const step of [-2, -1, 1, 2]) {
        const other = (i + step + this.nodes.length) % this.nodes.length;
        node.learn(keyOf(other), other, this.#references);
      }
  }

  /** As a network that has learned: node i has key i / n, knows its neighbours, and others the rarer the further (Kleinberg 2000). */
  startAsSmallWorld(links: number, random: SeededRandom): void {
    const count = this.nodes.length;
    for (const [i, node] of this.nodes.entries()) {
      const steps = [1, -1];
      for (let link = 0; link < links; link++)
        steps.push(Math.floor(power(count / 2, random.float())) * (random.chance(0.5) ? 1 : -1));
      for (const step of steps) {
        const other = (i + step + count) % count;
        node.learn(other / count, other, this.#references);
      }
    }
  }

  #receive(node: number, message: Message, from: number): void {
    const search = this.#searches[message.search];
    if (search === undefined) return;
    const visit = search.visits.get(node);
    if (message.kind === 'data') this.#onData(node, message, search);
    else if (message.kind === 'failed') this.#tryNext(node, message, search, message.spent);
    else if (visit !== undefined) this.network.send(node, from, { ...message, kind: 'failed' });
    else {
      search.visits.set(node, { from, htl: message.htl, tried: new Set() });
      const has = this.nodes[node]?.has(search.file) === true;
      if (has) this.#onData(node, { ...message, kind: 'data', source: node }, search);
      else this.#tryNext(node, message, search, message.htl === 0);
    }
  }

  /** Sends it to the next best node that is known and not tried; a node that is gone refuses, and is passed over. */
  #tryNext(node: number, message: Message, search: Search, spent: boolean): void {
    const { from, htl, tried } = search.visits.get(node) ?? { from: node, htl: 0, tried: new Set<number>() };
    const mayAsk = (other: number): boolean => other !== from && !tried.has(other) && this.network.isUp(other);
    const next = spent ? null : this.nodes[node]?.nearest(keyOf(search.file), mayAsk);
    if (next !== null && next !== undefined) {
      tried.add(next);
      this.network.send(node, next, { ...message, kind: 'request', htl: htl - 1, spent: false });
    } else if (search.inserts && (spent || from === node))
      this.#onData(node, { ...message, kind: 'data', htl }, search);
    else if (from !== node) this.network.send(node, from, { ...message, kind: 'failed', spent });
  }

  #onData(node: number, data: Message, search: Search): void {
    if (search.leavesCopies) {
      this.nodes[node]?.keep(search.file, this.#files);
      if (data.source !== node) this.nodes[node]?.learn(keyOf(search.file), data.source, this.#references);
    }
    const from = search.visits.get(node)?.from ?? node;
    if (from !== node) this.network.send(node, from, data);
    else this.outcomes[data.search] = { found: true, ms: this.network.now - search.at, hops: search.htl - data.htl };
  }

  /** An insert is a request that leaves the file where it ends. */
  request(from: number, file: number, htl: number, { inserts = false, leavesCopies = true } = {}): Found {
    const search = this.outcomes.push({ found: false, ms: 0, hops: htl }) - 1;
    const visits: Search['visits'] = new Map();
    this.#searches[search] = { file, htl, inserts, leavesCopies, at: this.network.now, visits };
    this.#receive(from, { kind: 'request', search, htl, spent: false, source: from }, from);
    this.network.run();
    delete this.#searches[search];
    return this.outcomes[search] ?? { found: false, ms: 0, hops: htl };
  }

  copies(file: number): number {
    return this.nodes.filter(node => node.has(file)).length;
  }
}
