// The zones of CAN: boxes that together fill a torus of d dimensions of side 1, made by halving; which ones touch, and which one a point is in.

export class Zones {
  readonly dimensions: number;
  /** Zones that touch each zone. A zone that was merged into its sibling has none. */
  readonly neighbours: number[][] = [[]];
  /** Bounds: d numbers a zone, all multiples of powers of ½. */
  readonly #low: number[];
  readonly #high: number[];
  /** The tree of halvings: the two children of each vertex, or -1 - zone twice for a leaf. */
  readonly #children: [number, number][] = [[-1, -1]];
  readonly #parent: number[] = [-1];
  /** Halvings above each vertex: they go from dimension to dimension. */
  readonly #depth: number[] = [0];
  readonly #split: number[] = [0];
  readonly #vertex: number[] = [0];

  /** One zone of all. */
  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.#low = Array.from({ length: dimensions }, () => 0);
    this.#high = Array.from({ length: dimensions }, () => 1);
  }

  get count(): number {
    return this.neighbours.length;
  }

  volume(zone: number): number {
    return 2 ** -(this.#depth[this.#vertex[zone] ?? 0] ?? 0);
  }

  /** The zone that the point is in. */
  at(point: ArrayLike<number>): number {
    for (let vertex = 0; ; ) {
      const [low, high] = this.#children[vertex] ?? [-1, -1];
      if (low < 0) return -1 - low;
      const dimension = (this.#depth[vertex] ?? 0) % this.dimensions;
      vertex = (point[dimension] ?? 0) < (this.#split[vertex] ?? 0) ? low : high;
    }
  }

  /** Square of the distance from the zone to the point, round the torus. */
  distance(zone: number, point: ArrayLike<number>): number {
    let sum = 0;
    for (let i = 0; i < this.dimensions; i++) {
      const [at, low, high] = [
        point[i] ?? 0,
        this.#low[zone * this.dimensions + i] ?? 0,
        this.#high[zone * this.dimensions + i] ?? 0,
      ];
      if (at >= low && at < high) continue;
      const [below, above] = [Math.abs(low - at), Math.abs(at - high)];
      sum += Math.min(below, 1 - below, above, 1 - above) ** 2;
    }
    return sum;
  }

  /** Whether two zones share a side: they meet in one dimension and overlap in all others. */
  touch(a: number, b: number): boolean {
    let meetings = 0;
    for (let i = 0; i < this.dimensions; i++) {
      const [lowA, highA] = [this.#low[a * this.dimensions + i] ?? 0, this.#high[a * this.dimensions + i] ?? 0];
      const [lowB, highB] = [this.#low[b * this.dimensions + i] ?? 0, this.#high[b * this.dimensions + i] ?? 0];
      if (lowA < highB && lowB < highA) continue;
      if (highA % 1 !== lowB && highB % 1 !== lowA) return false;
      meetings++;
    }
    return meetings === 1;
  }

  /** Halves the zone; the upper half is the new zone that is returned. */
  split(zone: number): number {
    const vertex = this.#vertex[zone] ?? 0;
    const depth = this.#depth[vertex] ?? 0;
    const cut = zone * this.dimensions + (depth % this.dimensions);
    const middle = ((this.#low[cut] ?? 0) + (this.#high[cut] ?? 0)) / 2;
    const added = this.count;
    for (let i = 0; i < this.dimensions; i++) {
      this.#low.push(this.#low[zone * this.dimensions + i] ?? 0);
      this.#high.push(this.#high[zone * this.dimensions + i] ?? 0);
    }
    this.#low[added * this.dimensions + (depth % this.dimensions)] = middle;
    this.#high[cut] = middle;
    const first = this.#children.length;
    this.#children[vertex] = [first, first + 1];
    this.#children.push([-1 - zone, -1 - zone], [-1 - added, -1 - added]);
    this.#parent.push(vertex, vertex);
    this.#depth.push(depth + 1, depth + 1);
    this.#split[vertex] = middle;
    this.#split.push(0, 0);
    this.#vertex[zone] = first;
    this.#vertex.push(first + 1);
    const around = this.neighbours[zone] ?? [];
    this.neighbours.push([]);
    this.#detach(zone);
    for (const other of around)
      for (const half of [zone, added]) if (this.touch(half, other)) this.#attach(half, other);
    this.#attach(zone, added);
    return added;
  }

  /** The other half of what the zone was split from, if it is one zone. */
  sibling(zone: number): number | null {
    const vertex = this.#vertex[zone] ?? 0;
    const [low, high] = this.#children[this.#parent[vertex] ?? -1] ?? [vertex, vertex];
    const [child = 0] = this.#children[low === vertex ? high : low] ?? [];
    return low === high || child >= 0 ? null : -1 - child;
  }

  /** Joins the zone and its sibling again; the one that is kept is returned, the other has no neighbours and holds no point any more. */
  merge(zone: number, sibling: number): number {
    const [kept, gone] = zone < sibling ? [zone, sibling] : [sibling, zone];
    const parent = this.#parent[this.#vertex[zone] ?? 0] ?? 0;
    for (let i = 0; i < this.dimensions; i++) {
      const [a, b] = [kept * this.dimensions + i, gone * this.dimensions + i];
      this.#low[a] = Math.min(this.#low[a] ?? 0, this.#low[b] ?? 0);
      this.#high[a] = Math.max(this.#high[a] ?? 0, this.#high[b] ?? 0);
    }
    this.#children[parent] = [-1 - kept, -1 - kept];
    this.#vertex[kept] = parent;
    const around = new Set([...(this.neighbours[kept] ?? []), ...(this.neighbours[gone] ?? [])]);
    this.#detach(kept);
    this.#detach(gone);
    for (const other of around) if (other !== kept && other !== gone) this.#attach(kept, other);
    return kept;
  }

  #attach(a: number, b: number): void {
    this.neighbours[a]?.push(b);
    this.neighbours[b]?.push(a);
  }

  #detach(zone: number): void {
    for (const other of this.neighbours[zone] ?? []) {
      const list = this.neighbours[other] ?? [];
      list.splice(list.indexOf(zone), 1);
    }
    this.neighbours[zone] = [];
  }
}
