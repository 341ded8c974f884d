// A network of numbered nodes for models: messages arrive after the link's latency, or are lost; what each node sent and took is counted.
// A node is a number, and its state is the model's own, so that a million fit.
import { EventQueue } from './event-queue.ts';
import type { SeededRandom } from './seeded-random.ts';
import { TraceHash } from './trace-hash.ts';

export interface NetworkOptions {
  readonly nodes: number;
  readonly random: SeededRandom;
  /** Milliseconds of one way between two nodes; absent: 20 to 180, always the same for a pair. */
  readonly latencyMs?: (from: number, to: number) => number;
  /** Share of messages that are lost. */
  readonly loss?: number;
}

export type Deliver<Message> = (to: number, message: Message, from: number) => void;

export class Network<Message> {
  /** Messages that each node sent, and that each took. */
  readonly sent: Uint32Array;
  readonly taken: Uint32Array;
  readonly trace = new TraceHash();
  /** Called for each message that arrives. */
  onMessage: Deliver<Message> = () => undefined;
  now = 0;
  messages = 0;
  bytes = 0;
  lost = 0;
  readonly #events = new EventQueue();
  readonly #down: Uint8Array;
  readonly #side: Uint8Array;
  readonly #random: SeededRandom;
  readonly #latencyMs: (from: number, to: number) => number;
  readonly #loss: number;

  constructor({ nodes, random, latencyMs = pairLatencyMs, loss = 0 }: NetworkOptions) {
    this.sent = new Uint32Array(nodes);
    this.taken = new Uint32Array(nodes);
    this.#down = new Uint8Array(nodes);
    this.#side = new Uint8Array(nodes);
    this.#random = random;
    this.#latencyMs = latencyMs;
    this.#loss = loss;
  }

  get nodes(): number {
    return this.#down.length;
  }

  isUp(node: number): boolean {
    return this.#down[node] === 0;
  }

  /** The node falls silent: it sends and takes nothing, and its timers do not run. */
  fail(node: number): void {
    this.#down[node] = 1;
  }

  revive(node: number): void {
    this.#down[node] = 0;
  }

  /** Messages pass only between nodes of one side. Number of each node's side; `heal` puts all on one. */
  partition(sideOf: (node: number) => number): void {
    for (let node = 0; node < this.nodes; node++) this.#side[node] = sideOf(node);
  }

  heal(): void {
    this.#side.fill(0);
  }

  /** One message of so many bytes. */
  send(from: number, to: number, message: Message, bytes = 1): void {
    if (!this.isUp(from)) return;
    this.messages++;
    this.bytes += bytes;
    this.sent[from] = (this.sent[from] ?? 0) + 1;
    if (this.#loss > 0 && this.#random.chance(this.#loss)) {
      this.lost++;
      return;
    }
    this.#events.add(this.now + this.#latencyMs(from, to), () => this.#arrive(from, to, message));
  }

  #arrive(from: number, to: number, message: Message): void {
    if (!this.isUp(to) || this.#side[from] !== this.#side[to]) {
      this.lost++;
      return;
    }
    this.taken[to] = (this.taken[to] ?? 0) + 1;
    this.trace.addFloat(this.now);
    this.trace.add(from);
    this.trace.add(to);
    this.onMessage(to, message, from);
  }

  /** Counts from zero again, for instance once the network is built. */
  resetCounts(): void {
    this.messages = 0;
    this.bytes = 0;
    this.lost = 0;
    this.sent.fill(0);
    this.taken.fill(0);
  }

  /** Runs it so many milliseconds later, whatever becomes of nodes. */
  after(ms: number, run: () => void): void {
    this.#events.add(this.now + ms, run);
  }

  /** Runs it every so many milliseconds while the node is up and until it returns false; the first time after a random part of these. */
  every(node: number, ms: number, run: () => unknown): void {
    const again = (): void => {
      if (this.isUp(node) && run() !== false) this.after(ms, again);
    };
    this.after(this.#random.float() * ms, again);
  }

  /** Lets time pass until then, or until nothing is left to happen. */
  run(until = Number.POSITIVE_INFINITY): void {
    const events = this.#events;
    while (events.size > 0 && events.nextAt <= until) {
      this.now = Math.max(this.now, events.nextAt);
      events.take()?.();
    }
    if (Number.isFinite(until)) this.now = Math.max(this.now, until);
    this.trace.addFloat(this.now);
  }
}

/** 20 to 180 ms, the same both ways. */
export function pairLatencyMs(from: number, to: number): number {
  let mixed = Math.imul(Math.min(from, to) + 1, 0x9e3779b1) ^ Math.imul(Math.max(from, to) + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return 20 + (((mixed ^ (mixed >>> 13)) >>> 0) % 161);
}
