// An undirected graph of numbered nodes in two flat arrays, so that a million nodes fit. No link is to oneself or there twice.
export class Graph {
  readonly nodes: number;
  /** Neighbours of a node stand in `#ends` from its start to the start of the next one. */
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;

  /** Both ends of each link, one after the other; links to oneself and repeated ones are left out. */
  constructor(nodes: number, links: ArrayLike<number>) {
    this.nodes = nodes;
    const starts = new Uint32Array(nodes + 1);
    for (let i = 0; i < links.length; i++) starts[(links[i] ?? 0) + 1] = (starts[(links[i] ?? 0) + 1] ?? 0) + 1;
    for (let node = 0; node < nodes; node++) starts[node + 1] = (starts[node + 1] ?? 0) + (starts[node] ?? 0);
    const ends = new Uint32Array(links.length);
    const next = starts.slice();
    const put = (from: number, to: number): void => {
      const at = next[from] ?? 0;
      ends[at] = to;
      next[from] = at + 1;
    };
    for (let i = 0; i + 1 < links.length; i += 2) {
      put(links[i] ?? 0, links[i + 1] ?? 0);
      put(links[i + 1] ?? 0, links[i] ?? 0);
    }
    this.#starts = starts;
    this.#ends = ends.subarray(0, simplify(starts, ends));
  }

  degree(node: number): number {
    return (this.#starts[node + 1] ?? 0) - (this.#starts[node] ?? 0);
  }

  /** Lowest number first; a view, not to be written to. */
  neighbours(node: number): Uint32Array {
    return this.#ends.subarray(this.#starts[node], this.#starts[node + 1]);
  }

  get degrees(): Uint32Array {
    return Uint32Array.from({ length: this.nodes }, (_, node) => this.degree(node));
  }

  get links(): number {
    return this.#ends.length / 2;
  }
}

/** Sorts the neighbours of each node, leaves out itself and repeated ones, and moves the rest together; how many are left. */
function simplify(starts: Uint32Array, ends: Uint32Array): number {
  let kept = 0;
  for (let node = 0; node + 1 < starts.length; node++) {
    const own = ends.subarray(starts[node], starts[node + 1]).sort();
    starts[node] = kept;
    let last = node; // its own number counts as there
    for (const end of own) {
      if (end === last || end === node) continue;
      ends[kept++] = last = end;
    }
  }
  starts[starts.length - 1] = kept;
  return kept;
}
