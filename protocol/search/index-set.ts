// Holds a set of file indices, one bit each. Pages without members take no memory.
import { PAGE_BITS, PAGE_ROWS, ROW_MASK } from './column.ts';

interface Page {
  readonly bits: Uint32Array;
  count: number;
}

export class IndexSet {
  readonly #pages: (Page | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(index: number): boolean {
    const word = this.#pages[index >>> PAGE_BITS]?.bits[(index & ROW_MASK) >>> 5] ?? 0;
    return (word & (1 << (index & 31))) !== 0;
  }

  add(index: number): void {
    if (this.has(index)) return;
    const at = index >>> PAGE_BITS;
    while (this.#pages.length <= at) this.#pages.push(undefined);
    const page = this.#pages[at] ?? { bits: new Uint32Array(PAGE_ROWS / 32), count: 0 };
    this.#pages[at] = page;
    const word = (index & ROW_MASK) >>> 5;
    page.bits[word] = (page.bits[word] ?? 0) | (1 << (index & 31));
    page.count++;
    this.#size++;
  }

  delete(index: number): void {
    const at = index >>> PAGE_BITS;
    const page = this.#pages[at];
    if (page === undefined || !this.has(index)) return;
    const word = (index & ROW_MASK) >>> 5;
    page.bits[word] = (page.bits[word] ?? 0) & ~(1 << (index & 31));
    this.#size--;
    if (--page.count === 0) this.#pages[at] = undefined;
  }

  clear(): void {
    this.#pages.length = 0;
    this.#size = 0;
  }

  /** Removes and returns at most `max` indices, the lowest first. */
  take(max: number): number[] {
    const taken: number[] = [];
    for (let at = 0; at < this.#pages.length && taken.length < max; at++) {
      const bits = this.#pages[at]?.bits ?? [];
      for (let word = 0; word < bits.length && taken.length < max; word++) {
        for (let rest = bits[word] ?? 0; rest !== 0 && taken.length < max; rest &= rest - 1) {
          taken.push(at * PAGE_ROWS + 32 * word + 31 - Math.clz32(rest & -rest));
        }
      }
    }
    for (const index of taken) this.delete(index);
    return taken;
  }
}
