// While nobody told the size of a file: one source is asked for its beginning, and if that takes long, others for the same bytes.
import type { Order, SwarmSource } from './swarm-source.ts';

/** Connections meanwhile: as soon as the size is known they have their work. */
export const UNTOLD_CONNECTIONS = 4;
/** From one source that is asked to the next. */
export const UNTOLD_NEXT_MS = 3_000;
/** Silence after which a source is left, where there is another. */
const SILENCE_MS = 15_000;

export function isSilent({ lastAt }: Order, now: number): boolean {
  return now >= lastAt + SILENCE_MS;
}

/** Whose range the source is asked for too. Null: it has not all of it. */
export function chooseRace(source: SwarmSource, orders: Iterable<Order>): Order | null {
  for (const order of orders) {
    if (order.prey !== null || order.stalled || order.start >= order.end) continue;
    if (source.available?.covers(order.start, order.end) !== false) return order;
  }
  return null;
}
