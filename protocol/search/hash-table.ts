// Maps SHA-1 to file index by open addressing in one typed array, without a key object for each file.

const FREE = 0;
const REMOVED = -1;

export class HashTable {
  readonly #sha1Of: (index: number) => Buffer | undefined;
  /** Index + 1, FREE, or REMOVED (probing continues past it). */
  #slots = new Int32Array(256);
  #used = 0; // REMOVED ones included
  #count = 0;

  /** `sha1Of` must return the hash of every index in the table. Indices are below 2^31 - 1. */
  constructor(sha1Of: (index: number) => Buffer | undefined) {
    this.#sha1Of = sha1Of;
  }

  add(index: number, sha1: Buffer): void {
    // keeps a third of the slots free, to bound probing
    if (3 * (this.#used + 1) > 2 * this.#slots.length) this.#rebuild();
    const mask = this.#slots.length - 1;
    let at = sha1.readUInt32LE(0) & mask;
    while ((this.#slots[at] ?? 0) > FREE) at = (at + 1) & mask;
    if (this.#slots[at] === FREE) this.#used++;
    this.#slots[at] = index + 1;
    this.#count++;
  }

  delete(index: number, sha1: Buffer): void {
    const mask = this.#slots.length - 1;
    for (let at = sha1.readUInt32LE(0) & mask; this.#slots[at] !== FREE; at = (at + 1) & mask) {
      if (this.#slots[at] !== index + 1) continue;
      this.#slots[at] = REMOVED;
      this.#count--;
      return;
    }
  }

  /** One file of that content, or -1; the same one until the table changes. */
  find(sha1: Buffer): number {
    const mask = this.#slots.length - 1;
    for (let at = sha1.readUInt32LE(0) & mask; ; at = (at + 1) & mask) {
      const slot = this.#slots[at] ?? FREE;
      if (slot === FREE) return -1;
      if (slot !== REMOVED && this.#sha1Of(slot - 1)?.equals(sha1) === true) return slot - 1;
    }
  }

  #rebuild(): void {
    const before = this.#slots;
    this.#slots = new Int32Array(3 * this.#count > before.length ? 2 * before.length : before.length);
    this.#used = 0;
    this.#count = 0;
    for (const slot of before) {
      const sha1 = slot > FREE ? this.#sha1Of(slot - 1) : undefined;
      if (sha1 !== undefined) this.add(slot - 1, sha1);
    }
  }
}
