// A tree of viewers: each passes every chunk on to its children. One that hears nothing for a while asks the source for a new parent.
// With as many places at the source as there are viewers, it is a server that sends to each.
import type { SeededRandom } from '../seeded-random.ts';
import { CHUNK_MS, SOURCE_NODE, Stream, type StreamMessage } from './stream.ts';

/** A viewer joins again after so long without a chunk. */
export const SILENT_MS = 3 * CHUNK_MS;

export class Tree extends Stream {
  readonly #children: Set<number>[];
  readonly #heardAt: Float64Array;
  readonly #places: (node: number) => number;

  /** Children that the source takes, and each viewer. */
  constructor(viewers: number, chunks: number, places: { source: number; viewer: number }, random: SeededRandom) {
    super(viewers, chunks, random);
    this.#children = Array.from({ length: viewers + 1 }, () => new Set<number>());
    this.#heardAt = new Float64Array(viewers + 1);
    this.#places = node => (node === SOURCE_NODE ? places.source : places.viewer);
    for (let viewer = 1; viewer <= viewers; viewer++) this.#attach(viewer);
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
  }

  /** Below the node nearest to the source that has a place and is there; false: there is none. */
  #attach(viewer: number): boolean {
    for (const children of this.#children) children.delete(viewer);
    const reached = [SOURCE_NODE];
    for (const node of reached) {
      const children = this.#children[node] as Set<number>;
      if (children.size < this.#places(node)) return children.add(viewer) !== undefined;
      for (const child of children) if (this.network.isUp(child)) reached.push(child);
    }
    return false;
  }

  /** Links from the source to each viewer; 0: it has no parent. */
  get depths(): number[] {
    const depths = new Array<number>(this.viewers + 1).fill(0);
    const reached = [SOURCE_NODE];
    for (const node of reached)
      for (const child of this.#children[node] ?? []) {
        depths[child] = (depths[node] ?? 0) + 1;
        reached.push(child);
      }
    return depths.slice(1);
  }

  /** Whether a viewer above it is among them. */
  isBelow(viewer: number, those: (viewer: number) => boolean): boolean {
    const parent = this.#children.findIndex(children => children.has(viewer));
    return parent > SOURCE_NODE && (those(parent) || this.isBelow(parent, those));
  }

  play(): void {
    for (let viewer = 1; viewer <= this.viewers; viewer++)
      this.network.every(viewer, CHUNK_MS / 2, () => this.#watch(viewer));
    this.run(chunk => this.#forward(SOURCE_NODE, chunk));
  }

  #forward(node: number, chunk: number): void {
    for (const child of this.#children[node] ?? []) this.send(node, child, chunk);
  }

  #watch(viewer: number): boolean {
    const { now } = this.network;
    if (now - (this.#heardAt[viewer] ?? 0) > SILENT_MS) {
      this.#heardAt[viewer] = now;
      this.network.send(viewer, SOURCE_NODE, { kind: 'join' });
    }
    return now < this.chunks * CHUNK_MS;
  }

  #receive(to: number, message: StreamMessage, from: number): void {
    // the source drops children that are gone when it looks for a place
    if (message.kind === 'join') {
      for (const [node, children] of this.#children.entries())
        if (this.network.isUp(node))
          for (const child of children) if (!this.network.isUp(child)) children.delete(child);
      if (this.#attach(from)) this.network.send(to, from, { kind: 'joined' });
    } else if (message.kind === 'chunk') {
      this.#heardAt[to] = this.network.now;
      if (this.take(to, message.chunk)) this.#forward(to, message.chunk);
    }
  }
}
