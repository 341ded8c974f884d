// Upload admission: slots, a limit for each address, and a queue whose places belong to connections. Pure: time comes in.
import { LazyMap } from '../../lazy-map.ts';

export interface UploadLimits {
  /** Uploads at the same time; 0 is none at all. */
  readonly slots: number;
  /** Of those to one address; 0 is no limit. */
  readonly slotsPerAddress: number;
  /** Connections that may wait with a place; further ones are told to come back. */
  readonly queue: number;
}

export interface UploadTimes {
  /** Shortest time between two polls of a waiting connection. */
  pollMinMs: number;
  /** Time without a poll after which its place is given up. */
  pollMaxMs: number;
  /** Time that a slot is held between two requests of a connection. */
  graceMs: number;
}

/** pollMin and pollMax are LimeWire's, so that its clients poll as they are used to; the grace is its keep-alive time. */
export const UPLOAD_TIMES: UploadTimes = { pollMinMs: 45_000, pollMaxMs: 120_000, graceMs: 15_000 };

export type Admission =
  | { readonly kind: 'granted' }
  | { readonly kind: 'queued'; readonly position: number }
  /** No slot, and no place in the queue (or the asker does not know queues). */
  | { readonly kind: 'busy' };

interface Holder {
  readonly address: string;
  sending: boolean;
  /** Time at which the slot becomes free, unless sending. */
  until: number;
}

interface Waiter {
  readonly address: string;
  /** Time at which the place is given up. */
  until: number;
}

const GRANTED: Admission = { kind: 'granted' };
const BUSY: Admission = { kind: 'busy' };

export class UploadQueue {
  /** Read at each request, as the values may change; a connection that has a slot keeps it. */
  readonly limits: UploadLimits;
  /** Bytes of all bodies so far; the shell that sends them adds to it. */
  bytesSent = 0;
  readonly #times: UploadTimes;
  /** By connection; at most `slots`. */
  readonly #holders = new LazyMap<number, Holder>();
  /** In order of arrival; at most `queue`. */
  readonly #waiters = new LazyMap<number, Waiter>();

  constructor(limits: UploadLimits, times: UploadTimes = UPLOAD_TIMES) {
    this.limits = limits;
    this.#times = times;
  }

  get sending(): number {
    let sending = 0;
    for (const holder of this.#holders.values()) if (holder.sending) sending++;
    return sending;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** All slots are taken: what query hits say. */
  busy(now: number): boolean {
    this.#expire(now);
    return this.#holders.size >= this.limits.slots;
  }

  /** A connection wants to send a file body. `queues`: its client understands places in a queue. */
  ask(connection: number, address: string, queues: boolean, now: number): Admission {
    this.#expire(now);
    const holder = this.#holders.get(connection);
    if (holder !== undefined) {
      holder.sending = true;
      return GRANTED;
    }
    if (this.#fits(address) && this.#ahead(connection) < this.limits.slots - this.#holders.size) {
      this.#waiters.delete(connection);
      this.#holders.set(connection, { address, sending: true, until: 0 });
      return GRANTED;
    }
    const waiter = this.#waiters.get(connection);
    if (waiter !== undefined) waiter.until = now + this.#times.pollMaxMs;
    else if (queues && this.#waiters.size < this.limits.queue) {
      this.#waiters.set(connection, { address, until: now + this.#times.pollMaxMs });
    } else return BUSY;
    return { kind: 'queued', position: this.position(connection) ?? 1 };
  }

  /** The body is sent; the connection may ask for more. */
  finish(connection: number, now: number): void {
    const holder = this.#holders.get(connection);
    if (holder === undefined) return;
    holder.sending = false;
    holder.until = now + this.#times.graceMs;
  }

  /** The connection is gone. */
  leave(connection: number): void {
    this.#holders.delete(connection);
    this.#waiters.delete(connection);
  }

  /** From 1; null for a connection that does not wait. */
  position(connection: number): number | null {
    return this.#waiters.has(connection) ? this.#ahead(connection) + 1 : null;
  }

  #fits(address: string): boolean {
    const { slotsPerAddress } = this.limits;
    if (slotsPerAddress === 0) return true;
    let held = 0;
    for (const holder of this.#holders.values()) if (holder.address === address) held++;
    return held < slotsPerAddress;
  }

  /** Waiters before this connection that could take a slot; those whose address has its share do not block others. */
  #ahead(connection: number): number {
    let ahead = 0;
    for (const [id, waiter] of this.#waiters) {
      if (id === connection) break;
      if (this.#fits(waiter.address)) ahead++;
    }
    return ahead;
  }

  #expire(now: number): void {
    for (const [id, holder] of this.#holders) if (!holder.sending && holder.until <= now) this.#holders.delete(id);
    for (const [id, waiter] of this.#waiters) if (waiter.until <= now) this.#waiters.delete(id);
  }
}
