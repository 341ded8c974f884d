// A live stream from the node 0 to viewers, one chunk a second; and when each chunk came to each viewer.
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';

export type StreamMessage =
  | { readonly kind: 'chunk' | 'have' | 'ask' | 'no'; readonly chunk: number }
  | { readonly kind: 'join' | 'joined' };

export const SOURCE_NODE = 0;
export const CHUNK_MS = 1_000;

export class Stream {
  readonly network: Network<StreamMessage>;
  readonly viewers: number;
  readonly chunks: number;
  /** Chunks that the source has sent. */
  fromSource = 0;
  /** When each chunk came, by viewer and chunk; NaN: never. */
  readonly #came: Float64Array;

  constructor(viewers: number, chunks: number, random: SeededRandom) {
    this.viewers = viewers;
    this.chunks = chunks;
    this.network = new Network({ nodes: viewers + 1, random });
    this.#came = new Float64Array((viewers + 1) * chunks).fill(Number.NaN);
  }

  has(node: number, chunk: number): boolean {
    return !Number.isNaN(this.#came[node * this.chunks + chunk]);
  }

  send(from: number, to: number, chunk: number): void {
    if (from === SOURCE_NODE) this.fromSource++;
    this.network.send(from, to, { kind: 'chunk', chunk });
  }

  /** False: it was there already. */
  take(node: number, chunk: number): boolean {
    if (this.has(node, chunk)) return false;
    this.#came[node * this.chunks + chunk] = this.network.now;
    return true;
  }

  /** Calls `onChunk` whenever the source has a new one, and lets all of them go through. */
  run(onChunk: (chunk: number) => void): void {
    for (let chunk = 0; chunk < this.chunks; chunk++)
      this.network.after(chunk * CHUNK_MS, () => {
        this.take(SOURCE_NODE, chunk);
        onChunk(chunk);
      });
    this.network.run((this.chunks + 60) * CHUNK_MS);
  }

  /** Milliseconds from the source to the viewers that are there, all chunks that came. */
  get delays(): number[] {
    const delays: number[] = [];
    for (let viewer = 1; viewer <= this.viewers; viewer++)
      for (let chunk = 0; chunk < this.chunks; chunk++)
        if (this.network.isUp(viewer) && this.has(viewer, chunk))
          delays.push((this.#came[viewer * this.chunks + chunk] ?? 0) - chunk * CHUNK_MS);
    return delays;
  }

  /** Chunks that did not come, of each viewer that is there. */
  get missed(): number[] {
    const missed: number[] = [];
    for (let viewer = 1; viewer <= this.viewers; viewer++) {
      if (!this.network.isUp(viewer)) continue;
      let count = 0;
      for (let chunk = 0; chunk < this.chunks; chunk++) if (!this.has(viewer, chunk)) count++;
      missed.push(count);
    }
    return missed;
  }
}
