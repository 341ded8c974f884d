// Datagrams that go out one after another to each address: the first at once, the others in gtk-gnutella's pace.
import type { Random } from '../ports.ts';
import { type Endpoint, formatEndpoint } from '../wire/endpoint.ts';

/** Addresses served at a time, and datagrams that wait for one; what is beyond is dropped. */
const ADDRESSES_MAX = 512;
const WAITING_MAX = 32;

export interface DeliveryPace {
  readonly minMs: number;
  readonly maxMs: number;
}

/** gtk-gnutella's pace of out-of-band hits. */
export const DELIVERY_PACE: DeliveryPace = { minMs: 2_500, maxMs: 7_500 };

interface Destination {
  readonly to: Endpoint;
  readonly waiting: Buffer[];
  dueAt: number;
}

export class Deliveries {
  readonly #send: (bytes: Buffer, to: Endpoint) => void;
  readonly #random: Random;
  readonly #pace: DeliveryPace;
  /** At most ADDRESSES_MAX. */
  readonly #destinations = new Map<string, Destination>();
  dropped = 0;

  constructor(send: (bytes: Buffer, to: Endpoint) => void, random: Random, pace: DeliveryPace) {
    this.#send = send;
    this.#random = random;
    this.#pace = pace;
  }

  get size(): number {
    return this.#destinations.size;
  }

  add(to: Endpoint, datagrams: readonly Buffer[], now: number): void {
    const key = formatEndpoint(to);
    let destination = this.#destinations.get(key);
    if (destination === undefined) {
      if (this.#destinations.size >= ADDRESSES_MAX) {
        this.dropped += datagrams.length;
        return;
      }
      destination = { to, waiting: [], dueAt: now };
      this.#destinations.set(key, destination);
    }
    for (const bytes of datagrams) {
      if (destination.waiting.length < WAITING_MAX) destination.waiting.push(bytes);
      else this.dropped++;
    }
    this.tick(now);
  }

  /** Sends what is due; when to be called again, Infinity for not before the next add(). */
  tick(now: number): number {
    const { minMs, maxMs } = this.#pace;
    let next = Number.POSITIVE_INFINITY;
    for (const [key, destination] of this.#destinations) {
      if (destination.dueAt <= now) {
        const bytes = destination.waiting.shift();
        if (bytes === undefined) {
          this.#destinations.delete(key); // kept until now, so that the pace holds from one query to the next
          continue;
        }
        destination.dueAt = now + minMs + this.#random.below(maxMs - minMs + 1);
        this.#send(bytes, destination.to);
      }
      next = Math.min(next, destination.dueAt);
    }
    return next;
  }
}
