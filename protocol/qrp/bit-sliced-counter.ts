// A bit-sliced counter: counts in how many sets each owner is, for 32 owners a cell, with one plane for each bit of the counts.
// Adding a set takes a few operations a cell, however many owners it has.

export class BitSlicedCounter {
  #width = 0;
  /** Owners matched so far by all counts of a query; zero between queries. */
  #matched = new Uint32Array(0);
  /** Bits of the running counts, lowest first. */
  #planes: Uint32Array[] = [];
  #planesUsed = 0;
  #cells = 0;

  /** Makes room for `cells` cells of owners. Call before match() and begin(). */
  widen(cells: number): void {
    if (cells <= this.#width) return;
    const matched = new Uint32Array(cells);
    matched.set(this.#matched);
    this.#width = cells;
    this.#matched = matched;
    this.#planes = [];
  }

  /** Starts a count of sets of `cells` cells; owners in `needed` (at least 1) of them match. */
  begin(cells: number, needed: number): void {
    // counts start at 2^planes - needed, so that reaching `needed` carries out of the highest plane
    const planes = 32 - Math.clz32(needed - 1);
    const first = 2 ** planes - needed;
    this.#cells = cells;
    this.#planesUsed = planes;
    while (this.#planes.length < planes) this.#planes.push(new Uint32Array(this.#width));
    for (let at = 0; at < planes; at++) this.#planes[at]?.fill(((first >>> at) & 1) === 1 ? 0xffffffff : 0, 0, cells);
  }

  addCells(cells: Uint32Array, start: number): void {
    for (let at = 0; at < this.#cells; at++) {
      const bits = cells[start + at] ?? 0;
      if (bits !== 0) this.#add(at, bits);
    }
  }

  addOwner(owner: number): void {
    this.#add(owner >>> 5, 1 << (owner & 31));
  }

  #add(at: number, bits: number): void {
    let carry = bits;
    for (let p = 0; p < this.#planesUsed && carry !== 0; p++) {
      const plane = this.#planes[p] ?? this.#matched;
      const before = plane[at] ?? 0;
      plane[at] = before ^ carry;
      carry &= before;
    }
    if (carry !== 0) this.#matched[at] = (this.#matched[at] ?? 0) | carry;
  }

  /** Marks an owner as matched. */
  match(owner: number): void {
    const at = owner >>> 5;
    this.#matched[at] = (this.#matched[at] ?? 0) | (1 << (owner & 31));
  }

  /** Appends the matched owners that are not marked in `gone`, ascending, and clears the matches. */
  takeMatched(owners: number[], gone: Uint8Array): void {
    const matched = this.#matched;
    for (let at = 0; at < matched.length; at++) {
      let left = matched[at] ?? 0;
      if (left === 0) continue;
      matched[at] = 0;
      for (; left !== 0; left &= left - 1) {
        const owner = (at << 5) + 31 - Math.clz32(left & -left);
        if (gone[owner] !== 1) owners.push(owner);
      }
    }
  }
}
