// A distributed tracker (BEP 5): the peers of a file are kept by the eight nodes whose identifiers are nearest to it by XOR, and a peer walks to
// them, each node naming nearer ones. The nodes are servents of other swarms, always up or failed, whose routing tables are full already.
import { hashed } from '../keys/identifiers.ts';
import type { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { PeerDirectory } from './peer-directory.ts';
import type { SwarmMessage } from './swarm-message.ts';

const K = 8;
/** Nodes that are asked at once. */
const ALPHA = 3;
const BITS = 32;
const ANSWER_MS = 2_000;
/** Identifier of the file. */
const FILE = hashed(1, 7);

interface Walk {
  readonly onPeers: (peers: readonly number[]) => void;
  /** Nodes that are known on the way, the nearest first. */
  known: number[];
  readonly asked: Set<number>;
  readonly answered: Set<number>;
  readonly peers: Set<number>;
  isDone: boolean;
}

export class DistributedTracker implements PeerDirectory {
  readonly #network: Network<SwarmMessage>;
  readonly #nodes: readonly number[];
  readonly #random: SeededRandom;
  readonly #contacts = new Map<number, readonly number[]>();
  readonly #kept = new Map<number, Set<number>>();
  readonly #walks = new Map<number, Walk>();

  constructor(network: Network<SwarmMessage>, nodes: readonly number[], random: SeededRandom) {
    this.#network = network;
    this.#nodes = nodes;
    this.#random = random;
    for (const node of nodes) this.#contacts.set(node, this.#tableOf(node));
  }

  /** At most eight nodes of each distance from 2^i to 2^(i+1). */
  #tableOf(node: number): number[] {
    const buckets = Array.from({ length: BITS }, (): number[] => []);
    for (const other of this.#random.shuffle(this.#nodes)) {
      const bucket = buckets[31 - Math.clz32(hashed(node) ^ hashed(other))];
      if (other !== node && bucket !== undefined && bucket.length < K) bucket.push(other);
    }
    return buckets.flat();
  }

  announce(peer: number, onPeers: (peers: readonly number[]) => void): void {
    const known = nearest(this.#random.sample(this.#nodes, ALPHA)); // remembered from an earlier run
    const sets = { asked: new Set<number>(), answered: new Set<number>(), peers: new Set<number>() };
    const walk: Walk = { onPeers, known, ...sets, isDone: false };
    this.#walks.set(peer, walk);
    for (let i = 0; i < ALPHA; i++) this.#ask(peer, walk);
  }

  /** Asks the nearest node that was not asked; ends the walk when the nearest eight have answered or are silent. */
  #ask(peer: number, walk: Walk): void {
    if (walk.isDone || this.#walks.get(peer) !== walk) return;
    const next = walk.known.slice(0, K).find(node => !walk.asked.has(node));
    if (next === undefined) {
      if (walk.known.slice(0, K).every(node => walk.answered.has(node))) this.#finish(peer, walk);
      return;
    }
    walk.asked.add(next);
    this.#network.send(peer, next, { kind: 'find' });
    this.#network.after(ANSWER_MS, () => {
      if (walk.answered.has(next)) return;
      walk.known = walk.known.filter(node => node !== next);
      this.#ask(peer, walk);
    });
  }

  #finish(peer: number, walk: Walk): void {
    walk.isDone = true;
    for (const node of walk.known.slice(0, K)) this.#network.send(peer, node, { kind: 'store' });
    walk.onPeers([...walk.peers]);
  }

  receive(to: number, message: SwarmMessage, from: number): void {
    if (message.kind === 'find') {
      const nodes = nearest(this.#contacts.get(to) ?? []).slice(0, K);
      this.#network.send(to, from, { kind: 'closer', nodes, peers: [...(this.#kept.get(to) ?? [])] });
    } else if (message.kind === 'store') {
      const kept = this.#kept.get(to) ?? new Set();
      this.#kept.set(to, kept.add(from));
    } else if (message.kind === 'closer') this.#onCloser(to, message.nodes, message.peers, from);
  }

  #onCloser(peer: number, nodes: readonly number[], peers: readonly number[], from: number): void {
    const walk = this.#walks.get(peer);
    if (walk === undefined || !walk.asked.has(from)) return;
    walk.answered.add(from);
    for (const other of peers) if (other !== peer) walk.peers.add(other);
    const silent = (node: number): boolean => walk.asked.has(node) && !walk.answered.has(node);
    walk.known = nearest([...new Set([...walk.known, ...nodes.filter(node => !silent(node))])]);
    this.#ask(peer, walk);
  }
}

function nearest(nodes: readonly number[]): number[] {
  const distance = (node: number): number => (hashed(node) ^ FILE) >>> 0;
  return [...nodes].sort((a, b) => distance(a) - distance(b));
}
