// A mesh of viewers (Zhang et al., "CoolStreaming/DONet", 2005): each tells its neighbours which chunks it has, and they ask one of them.
import type { SeededRandom } from '../seeded-random.ts';
import type { Graph } from '../topology/graph.ts';
import { CHUNK_MS, SOURCE_NODE, Stream, type StreamMessage } from './stream.ts';

const SILENT_MS = 2 * CHUNK_MS;
/** A node refuses when what it has to send takes longer. */
const QUEUE_MS = CHUNK_MS / 2;
/** A chunk that is older is not asked for any more: its time to be played is over. */
export const DEADLINE_MS = 20 * CHUNK_MS;

interface MeshOptions {
  /** The source is its node 0. */
  readonly graph: Graph;
  readonly chunks: number;
  /** Chunks a second that a node sends. */
  readonly uplink: number;
  readonly random: SeededRandom;
}

export class Mesh extends Stream {
  readonly #graph: Graph;
  readonly #uplink: number;
  readonly #random: SeededRandom;
  /** When the uplink of each node is free again. */
  readonly #freeAt: Float64Array;
  /** By viewer and chunk: neighbours that have it and were not asked, and when one was asked. */
  readonly #offers = new Map<number, number[]>();
  readonly #askedAt = new Map<number, number>();

  constructor({ graph, chunks, uplink, random }: MeshOptions) {
    super(graph.nodes - 1, chunks, random);
    this.#graph = graph;
    this.#uplink = uplink;
    this.#random = random.fork();
    this.#freeAt = new Float64Array(graph.nodes);
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
  }

  play(): void {
    this.run(chunk => this.#tell(SOURCE_NODE, chunk));
  }

  #tell(node: number, chunk: number): void {
    for (const neighbour of this.#random.shuffle([...this.#graph.neighbours(node)]))
      if (neighbour !== SOURCE_NODE) this.network.send(node, neighbour, { kind: 'have', chunk });
  }

  #receive(to: number, message: StreamMessage, from: number): void {
    if (!('chunk' in message)) return;
    const { chunk } = message;
    const key = to * this.chunks + chunk;
    if (message.kind === 'have') {
      if (this.has(to, chunk)) return;
      this.#offers.set(key, [...(this.#offers.get(key) ?? []), from]);
      if (!this.#askedAt.has(key)) this.#ask(to, chunk);
    } else if (message.kind === 'ask') this.#serve(to, from, chunk);
    else if (message.kind === 'no') {
      this.#offers.set(key, [...(this.#offers.get(key) ?? []), from]);
      this.network.after(CHUNK_MS / 2, () => this.#ask(to, chunk));
    } else if (this.take(to, chunk)) {
      this.#offers.delete(key);
      this.#tell(to, chunk);
    }
  }

  /** Asks the next of those that have it, and another one when it is silent. */
  #ask(viewer: number, chunk: number): void {
    const key = viewer * this.chunks + chunk;
    const { now } = this.network;
    if (this.has(viewer, chunk) || now - chunk * CHUNK_MS > DEADLINE_MS) return;
    const offers = this.#offers.get(key) ?? [];
    if (offers.length === 0) {
      this.#askedAt.delete(key);
      return;
    }
    const next = this.#random.pick(offers);
    this.#offers.set(
      key,
      offers.filter(node => node !== next),
    );
    this.#askedAt.set(key, now);
    this.network.send(viewer, next, { kind: 'ask', chunk });
    this.network.after(SILENT_MS + QUEUE_MS, () => {
      if (this.#askedAt.get(key) === now) this.#ask(viewer, chunk);
    });
  }

  #serve(node: number, to: number, chunk: number): void {
    const { now } = this.network;
    const begins = Math.max(now, this.#freeAt[node] ?? 0);
    if (begins - now > QUEUE_MS) {
      this.network.send(node, to, { kind: 'no', chunk });
      return;
    }
    const ends = begins + CHUNK_MS / this.#uplink;
    this.#freeAt[node] = ends;
    this.network.after(ends - now, () => {
      if (this.network.isUp(node)) this.send(node, to, chunk);
    });
  }
}
