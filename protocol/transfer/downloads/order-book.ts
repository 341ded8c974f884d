// The ranges that sources are asked for now, and who of them owes us which bytes.
import type { ByteRange } from '../range-set.ts';
import type { ChunkMap } from './chunk-map.ts';
import type { Order, SwarmSource } from './swarm-source.ts';

/** What is left of an answer that nobody needs any more, and is read all the same: a new connection costs more. */
const FINISH_BYTES_MAX = 16 << 10;

export class OrderBook implements Iterable<Order> {
  readonly #map: ChunkMap;
  /** Told of assigned bytes that are missing again. */
  readonly #onFreed: (start: number, end: number) => void;
  /** At most one of each source that is asking. */
  readonly #orders = new Set<Order>();

  constructor(map: ChunkMap, onFreed: (start: number, end: number) => void) {
    this.#map = map;
    this.#onFreed = onFreed;
  }

  [Symbol.iterator](): Iterator<Order> {
    return this.#orders.values();
  }

  get size(): number {
    return this.#orders.size;
  }

  /** Without those of silent sources. */
  get active(): number {
    let active = 0;
    for (const { stalled } of this.#orders) if (!stalled) active++;
    return active;
  }

  /** `prey`: the order that has the range until bytes come. Null: the range is missing, and now assigned. */
  open(source: SwarmSource, { start, end }: ByteRange, prey: Order | null, now: number): void {
    if (prey === null) this.#map.assign(start, end, source.number);
    const order: Order = { start, end, asked: end, source, prey, stalled: false, came: 0, lastAt: now };
    source.order = order;
    source.rate.start(now);
    this.#orders.add(order);
  }

  /** The source owes us nothing more. */
  close(source: SwarmSource, now: number): void {
    const { order } = source;
    source.rate.stop(now);
    if (order === null) return;
    source.order = null;
    this.#orders.delete(order);
    this.#release(order, order.start, order.end);
    for (const thief of this.#orders) if (thief.prey === order) thief.prey = null;
  }

  /** Bytes at [start, end) come for the order. True: it has no more to bring, or changed with this. */
  advance(order: Order, start: number, end: number, now: number): boolean {
    const took = order.prey !== null && order.start > order.prey.start && order.end >= order.prey.end;
    if (took) this.#takeOver(order);
    const resumed = order.stalled;
    if (resumed) this.#resume(order);
    order.lastAt = now;
    order.came += end - start;
    // it starts later than it was asked to
    const late = start > order.start && order.start < order.end;
    if (late) this.#release(order, order.start, Math.min(start, order.end));
    order.start = Math.max(order.start, end);
    return took || resumed || late || order.start >= order.end;
  }

  /** The source is silent: its range is for others. The connection stays, as it may go on. */
  stall(order: Order): void {
    order.stalled = true;
    order.prey = null;
    this.#release(order, order.start, order.end);
  }

  /** Sources that still send what others have brought. */
  needless(): SwarmSource[] {
    const needless: SwarmSource[] = [];
    for (const { source, start, end, asked } of this.#orders) {
      if (start >= asked || (asked - start <= FINISH_BYTES_MAX && !this.#map.complete)) continue;
      if (this.#map.gap(start, end, 'missing', 'assigned') === null) needless.push(source);
    }
    return needless;
  }

  /** Whether others are asked for some of these bytes. */
  overlaps(start: number, end: number): boolean {
    for (const order of this.#orders) if (order.start < end && order.end > start) return true;
    return false;
  }

  /** The first bytes of who was asked for the second part of another's range: now it is its own. */
  #takeOver(order: Order): void {
    const { prey, start, end } = order;
    order.prey = null;
    if (prey === null || prey.end <= start) return;
    for (const part of this.#map.release(prey.source.number, start, Math.min(end, prey.end)))
      this.#map.assign(part.start, part.end, order.source.number);
    prey.end = start;
  }

  /** What nobody else was asked for meanwhile is the order's again. */
  #resume(order: Order): void {
    order.stalled = false;
    const free = this.#map.gap(order.start, order.end, 'missing');
    if (free?.start !== order.start) {
      order.end = order.start;
      return;
    }
    this.#map.assign(free.start, free.end, order.source.number);
    order.end = free.end;
  }

  /** Gives back a part of an order. Those who were asked for it too, and brought nothing yet, keep it. */
  #release(order: Order, start: number, end: number): void {
    if (start >= end) return;
    for (const free of this.#map.release(order.source.number, start, end)) {
      for (const thief of this.#orders) {
        if (thief.prey !== order || thief.stalled) continue;
        const wanted = this.#map.gap(Math.max(free.start, thief.start), Math.min(free.end, thief.end), 'missing');
        if (wanted !== null) this.#map.assign(wanted.start, wanted.end, thief.source.number);
      }
      this.#onFreed(free.start, free.end);
    }
  }
}
