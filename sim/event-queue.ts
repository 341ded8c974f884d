// What will happen on a virtual clock, earliest first: a binary heap.

interface Event {
  readonly at: number;
  /** Of those of one moment the lower goes first. */
  readonly rank: number;
  readonly order: number;
  readonly run: () => void;
}

export class EventQueue {
  /** Each is no later than the two at twice its index, plus one and plus two. */
  readonly #heap: Event[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** When the next one happens; Infinity without any. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Those of one moment and rank happen in the order in which they were added. */
  add(at: number, run: () => void, rank = 0): void {
    const heap = this.#heap;
    const event = { at, rank, order: this.#order++, run };
    let index = heap.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, event)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = event;
  }

  /** Takes the next one out; null without any. */
  take(): (() => void) | null {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length > 0) this.#sink(last);
    return first.run;
  }

  /** Puts `event` where the first one was, and moves earlier ones up. */
  #sink(event: Event): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      if (left === undefined) break;
      const takesRight = right !== undefined && isBefore(right, left);
      const child = takesRight ? right : left;
      if (isBefore(event, child)) break;
      heap[index] = child;
      index = 2 * index + (takesRight ? 2 : 1);
    }
    heap[index] = event;
  }
}

function isBefore(a: Event, b: Event): boolean {
  if (a.at !== b.at) return a.at < b.at;
  return a.rank === b.rank ? a.order < b.order : a.rank < b.rank;
}
