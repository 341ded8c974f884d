// Sends datagrams with hits: the first of each answer at once, the others at gtk-gnutella's pace.
import { LazyMap } from '../../lazy-map.ts';
import type { Random } from '../../ports.ts';
import { KeyedRateLimit, RateLimit } from '../../rate-limit.ts';
import { type Endpoint, formatEndpoint } from '../../wire/endpoint.ts';

/** Destinations for which something waits, and datagrams that wait for one; what is beyond is dropped. */
const DESTINATIONS_MAX = 512;
const WAITING_MAX = 32;
/** Addresses whose allowance is remembered. */
const ADDRESSES_MAX = 8_192;
/** LimeWire forgets after two minutes what it claimed; a search of ours listens for three, gtk-gnutella's until it is closed. */
const LISTENING_MS = 120_000;

export interface DeliveryPace {
  /** Between two datagrams to one destination that are not the first of their answers. */
  readonly minMs: number;
  readonly maxMs: number;
  /**
   * All datagrams to one address: a query and a claim forged in a victim's name bring it no more than this from us. Not slower than
   * the pace.
   */
  readonly perAddress: RateLimit;
}

/** gtk-gnutella's pace of out-of-band hits; to one address ten at once and one a second, as many as GUESS takes queries of it. */
export const DELIVERY_PACE: DeliveryPace = { minMs: 2_500, maxMs: 7_500, perAddress: new RateLimit(1_000, 10) };

interface Waiting {
  readonly bytes: Buffer;
  /** Its place in its answer; 0 goes as soon as the address may have it. */
  readonly rank: number;
  readonly since: number;
}

interface Destination {
  readonly to: Endpoint;
  readonly address: string;
  /** By rank, then by age: the second datagram of a new answer is worth more than the tenth of an old one. */
  waiting: Waiting[];
  /** When the next one of a rank above 0 may go. */
  paceAt: number;
}

export interface DeliveriesParts {
  readonly send: (bytes: Buffer, to: Endpoint, now: number) => void;
  readonly random: Random;
  readonly pace: DeliveryPace;
  /** What shares an allowance: the host, or host and port where many servents share one. */
  readonly addressKey: (endpoint: Endpoint) => string;
}

export class Deliveries {
  readonly #parts: DeliveriesParts;
  readonly #perAddress: KeyedRateLimit;
  /** At most DESTINATIONS_MAX; a destination is forgotten with its last datagram. */
  readonly #destinations = new LazyMap<string, Destination>();
  /** Datagrams for which there was no room. */
  dropped = 0;
  /** Datagrams dropped after LISTENING_MS. */
  late = 0;

  constructor(parts: DeliveriesParts) {
    this.#parts = parts;
    this.#perAddress = new KeyedRateLimit(parts.pace.perAddress, ADDRESSES_MAX);
  }

  /** Destinations for which something waits. */
  get size(): number {
    return this.#destinations.size;
  }

  /** The datagrams of one answer, best first. What cannot go at once waits, as far as there is room. */
  add(to: Endpoint, datagrams: readonly Buffer[], now: number): void {
    const key = formatEndpoint(to);
    const known = this.#destinations.get(key);
    const destination = known ?? { to, address: this.#parts.addressKey(to), waiting: [], paceAt: this.#paced(now) };
    for (const [rank, bytes] of datagrams.entries()) insert(destination.waiting, { bytes, rank, since: now });
    this.#serve(destination, now);
    const room = known !== undefined || this.#destinations.size < DESTINATIONS_MAX ? WAITING_MAX : 0;
    this.dropped += destination.waiting.splice(room).length;
    if (destination.waiting.length > 0) this.#destinations.set(key, destination);
    else this.#destinations.delete(key);
  }

  /** Sends what is due; when to be called again, Infinity for not before the next add(). */
  tick(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [key, destination] of this.#destinations) {
      const due = this.#serve(destination, now);
      if (destination.waiting.length === 0) this.#destinations.delete(key);
      next = Math.min(next, due);
    }
    return next;
  }

  #paced(now: number): number {
    const { minMs, maxMs } = this.#parts.pace;
    return now + minMs + this.#parts.random.below(maxMs - minMs + 1);
  }

  /** Sends what may go; when the next one may, Infinity when none is left. */
  #serve(destination: Destination, now: number): number {
    const { to, address } = destination;
    const heard = destination.waiting.filter(({ since }) => now - since < LISTENING_MS);
    this.late += destination.waiting.length - heard.length;
    destination.waiting = heard;
    for (let [head] = heard; head !== undefined; [head] = heard) {
      const due = Math.max(head.rank === 0 ? now : destination.paceAt, this.#perAddress.admitsAt(address));
      if (due > now || !this.#perAddress.admit(address, now)) return due;
      heard.shift();
      if (head.rank > 0) destination.paceAt = this.#paced(now);
      this.#parts.send(head.bytes, to, now);
    }
    return Number.POSITIVE_INFINITY;
  }
}

function insert(waiting: Waiting[], one: Waiting): void {
  let at = waiting.length;
  while (at > 0 && (waiting[at - 1]?.rank ?? 0) > one.rank) at--;
  waiting.splice(at, 0, one);
}
