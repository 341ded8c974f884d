// Where a peer learns of others in its swarm: a tracker, several of them, or a distributed table. And the tracker itself.
import type { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { SwarmMessage } from './swarm-message.ts';

export interface PeerDirectory {
  /** Enters the peer, and tells it of others: at some later time, or never when the directory cannot be reached. */
  announce(peer: number, onPeers: (peers: readonly number[]) => void): void;
  /** A message between peers and the directory. */
  receive(to: number, message: SwarmMessage, from: number): void;
}

/** A peer that hears nothing for so long asks the next tracker (BEP 12). */
const ANSWER_MS = 15_000;

export class Trackers implements PeerDirectory {
  readonly #network: Network<SwarmMessage>;
  readonly #trackers: readonly number[];
  readonly #listed: number;
  readonly #random: SeededRandom;
  /** Peers that each tracker knows. */
  readonly #known = new Map<number, Set<number>>();
  /** What is done with the answer that each peer waits for. */
  readonly #waiting = new Map<number, (peers: readonly number[]) => void>();

  /** Node numbers of the trackers, in the order in which they are asked; a list has at most so many peers. */
  constructor(network: Network<SwarmMessage>, trackers: readonly number[], listed: number, random: SeededRandom) {
    this.#network = network;
    this.#trackers = trackers;
    this.#listed = listed;
    this.#random = random;
  }

  announce(peer: number, onPeers: (peers: readonly number[]) => void): void {
    this.#waiting.set(peer, onPeers);
    this.#ask(peer, onPeers, this.#trackers);
  }

  #ask(peer: number, onPeers: (peers: readonly number[]) => void, [tracker, ...others]: readonly number[]): void {
    if (tracker === undefined || this.#waiting.get(peer) !== onPeers) return;
    this.#network.send(peer, tracker, { kind: 'announce' });
    this.#network.after(ANSWER_MS, () => this.#ask(peer, onPeers, others));
  }

  receive(to: number, message: SwarmMessage, from: number): void {
    if (message.kind === 'announce') {
      const known = this.#known.get(to) ?? new Set();
      this.#known.set(to, known);
      const others = [...known].filter(peer => peer !== from);
      known.add(from);
      this.#network.send(to, from, { kind: 'peers', peers: this.#random.sample(others, this.#listed) });
    } else if (message.kind === 'peers') {
      this.#waiting.get(to)?.(message.peers);
      this.#waiting.delete(to);
    }
  }
}
