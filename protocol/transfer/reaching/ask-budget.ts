// Bounds what one address gets from us because sources name it as theirs or as that of a push proxy: it may be a victim's.
import { KeyedRateLimit, RateLimit } from '../../rate-limit.ts';
import { TimedKeys } from '../../timed-keys.ts';
import { type Endpoint, formatEndpoint, reachOf } from '../../wire/endpoint.ts';
import { subjectOf } from '../uploads/conduct/subject.ts';

/** Datagrams to one address, however many servents name it: 20 at once, then 20 an hour. */
const DATAGRAMS = new RateLimit(180_000, 20);
/** Connections: 10 at once, then 20 an hour. */
const CONNECTIONS = new RateLimit(180_000, 10);
/** To an address that has passed a push on within the hour: no victim of others. */
const PROVEN = new RateLimit(6_000, 20);
const PROVEN_MS = 3_600_000;
/** To all addresses together. */
const ALL_DATAGRAMS = new RateLimit(50, 200);
const ALL_CONNECTIONS = new RateLimit(250, 64);
const ADDRESSES_MAX = 8_192;

export class AskBudget {
  readonly #datagrams = new KeyedRateLimit(DATAGRAMS, ADDRESSES_MAX);
  readonly #connections = new KeyedRateLimit(CONNECTIONS, ADDRESSES_MAX);
  readonly #ofProven = new KeyedRateLimit(PROVEN, ADDRESSES_MAX);
  readonly #proven: TimedKeys;
  #datagramsDue = 0;
  #connectionsDue = 0;

  constructor(now: number) {
    this.#proven = new TimedKeys(PROVEN_MS, ADDRESSES_MAX, now);
  }

  datagram(to: Endpoint, now: number): boolean {
    const due = ALL_DATAGRAMS.admit(this.#datagramsDue, now);
    if (due < 0 || !this.#admit(this.#datagrams, to, now)) return false;
    this.#datagramsDue = due;
    return true;
  }

  connection(to: Endpoint, now: number): boolean {
    const due = ALL_CONNECTIONS.admit(this.#connectionsDue, now);
    if (due < 0 || !this.#admit(this.#connections, to, now)) return false;
    this.#connectionsDue = due;
    return true;
  }

  /** It passed a push on: it is a push proxy. */
  proved(proxy: Endpoint, now: number): void {
    this.#proven.add(ownerKey(proxy), now);
  }

  #admit(unproven: KeyedRateLimit, to: Endpoint, now: number): boolean {
    const key = ownerKey(to);
    return (this.#proven.has(key, now) ? this.#ofProven : unproven).admit(key, now);
  }
}

/** Ports and, in IPv6, the last 64 bits are for the owner of an address to choose; behind a private address may be several. */
export function ownerKey(endpoint: Endpoint): string {
  return reachOf(endpoint.host) === 'public' ? (subjectOf(endpoint.host) ?? endpoint.host) : formatEndpoint(endpoint);
}
