// What a node of Freenet knows: which nodes had which keys, and copies of files; of both the ones used last, up to a bound.

/** In [0, 1), spread evenly: keys are hashes. */
export function keyOf(number: number): number {
  let mixed = Math.imul(number + 1, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
}

/** On the circle of keys: 0.5 at most. */
export function keyDistance(a: number, b: number): number {
  const apart = Math.abs(a - b);
  return Math.min(apart, 1 - apart);
}

export class FreenetNode {
  /** Used longest ago first; the key and the node that is asked for keys near it. */
  readonly #keys: number[] = [];
  readonly #nodes: number[] = [];
  readonly #files: number[] = [];

  /** The node of the nearest key that may be asked; null: there is none. */
  nearest(key: number, mayAsk: (node: number) => boolean): number | null {
    let best: number | null = null;
    let bestDistance = 1;
    for (const [i, known] of this.#keys.entries()) {
      const distance = keyDistance(known, key);
      const node = this.#nodes[i] ?? 0;
      if (distance < bestDistance && mayAsk(node)) [best, bestDistance] = [node, distance];
    }
    return best;
  }

  learn(key: number, node: number, most: number): void {
    const at = this.#keys.findIndex((known, i) => known === key && this.#nodes[i] === node);
    const over = at >= 0 ? at : this.#keys.length >= most ? 0 : -1;
    if (over >= 0) {
      this.#keys.splice(over, 1);
      this.#nodes.splice(over, 1);
    }
    this.#keys.push(key);
    this.#nodes.push(node);
  }

  /** Also says that it was used now. */
  keep(file: number, most: number): void {
    const at = this.#files.indexOf(file);
    if (at >= 0) this.#files.splice(at, 1);
    else if (this.#files.length >= most) this.#files.shift();
    this.#files.push(file);
  }

  has(file: number): boolean {
    return this.#files.includes(file);
  }

  get references(): number {
    return this.#keys.length;
  }

  get files(): number {
    return this.#files.length;
  }
}
