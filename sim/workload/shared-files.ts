// The workload that all searching systems share: files with replicas on peers, and searches for them, both by Zipf's law.
import type { SeededRandom } from '../seeded-random.ts';
import { Zipf } from './zipf.ts';

export interface SharedFilesOptions {
  /** Nodes numbered 0 to peers - 1 share files. */
  readonly peers: number;
  readonly random: SeededRandom;
  /** Different files; absent: as many as peers. */
  readonly files?: number;
  /** Of all files together, a peer. */
  readonly replicasPerPeer?: number;
  readonly exponent?: number;
}

export interface Wanted {
  readonly from: number;
  readonly file: number;
}

/** File number 0 is the most popular one. */
export class SharedFiles {
  /** Peers that have the file, for each file. */
  readonly holders: readonly number[][];
  /** Files of each peer. */
  readonly of: readonly number[][];
  readonly #random: SeededRandom;
  readonly #popularity: Zipf;

  constructor({ peers, random, files = peers, replicasPerPeer = 5, exponent = 0.8 }: SharedFilesOptions) {
    const popularity = new Zipf(files, exponent);
    const replicas = peers * replicasPerPeer;
    const of: number[][] = Array.from({ length: peers }, () => []);
    this.holders = Array.from({ length: files }, (_, file) => {
      const copies = Math.max(1, Math.min(Math.round(peers / 10), Math.round(replicas * popularity.share(file))));
      const holders = new Set<number>();
      while (holders.size < copies) holders.add(random.below(peers));
      for (const peer of holders) of[peer]?.push(file);
      return [...holders];
    });
    this.of = of;
    this.#random = random;
    this.#popularity = popularity;
  }

  has(peer: number, file: number): boolean {
    return this.of[peer]?.includes(file) === true;
  }

  /** Searches by random peers for files that they do not have, each of which somebody has. */
  searches(count: number): Wanted[] {
    const wanted: Wanted[] = [];
    while (wanted.length < count) {
      const from = this.#random.below(this.of.length);
      const file = this.#popularity.draw(this.#random);
      if (!this.has(from, file)) wanted.push({ from, file });
    }
    return wanted;
  }
}
