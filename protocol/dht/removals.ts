// Removes our values from the nodes that keep them: some at a time and at a pace, since a library that is withdrawn leaves tens of thousands,
// more than requests can be on their way. What is left out expires where it is.
import { RateLimit } from '../rate-limit.ts';
import type { ReasonCounts } from '../reason-counts.ts';
import type { RemovalEnd } from './dht-counters.ts';
import type { DhtValue } from './dht-value.ts';
import type { Requests } from './requests.ts';
import { ValueDelivery } from './value-delivery.ts';

/** Removals that wait: of 3,276 values at twenty nodes each, four fifths of what may be published. */
export const REMOVALS_MAX = 65_536;
const AT_ONCE = 64;
/** In the mean 25 a second, some 3 kB/s. */
const INTERVAL_MS = 40;

/** A node that keeps a value, and the token with which it took it. */
type Keeper = Pick<ValueDelivery, 'target' | 'token'>;

interface Withdrawn {
  readonly nothing: DhtValue;
  readonly keepers: Keeper[];
}

export class Removals {
  readonly #requests: Requests;
  readonly #ends: ReasonCounts<RemovalEnd>;
  readonly #pace = new RateLimit(INTERVAL_MS, AT_ONCE);
  #due = 0;
  /** By the name of the publication, first come first. */
  readonly #waiting = new Map<string, Withdrawn>();
  #size = 0;
  /** Those that were not answered and are tried again. */
  readonly #later = new Map<ValueDelivery, string>();
  /** On their way. Null: the value is published again meanwhile. */
  readonly #running = new Map<ValueDelivery, string | null>();
  /** When tick() has something to do; no later than that. */
  nextAt = Number.POSITIVE_INFINITY;

  constructor(requests: Requests, ends: ReasonCounts<RemovalEnd>) {
    this.#requests = requests;
    this.#ends = ends;
  }

  get waiting(): number {
    return this.#size + this.#later.size;
  }

  /** `keepers`: the nearest first, which lookups ask first. */
  add(name: string, value: DhtValue, keepers: readonly Keeper[], now: number): void {
    const room = Math.max(0, REMOVALS_MAX - this.waiting);
    const taken = keepers.slice(0, room).map(({ target, token }) => ({ target, token }));
    this.#ends.count('left_out', keepers.length - taken.length);
    if (taken.length === 0) return;
    const withdrawn = this.#waiting.get(name);
    if (withdrawn === undefined)
      this.#waiting.set(name, { nothing: { ...value, data: Buffer.alloc(0) }, keepers: taken });
    else withdrawn.keepers.push(...taken);
    this.#size += taken.length;
    this.#wake(now);
  }

  /** The value is published again. */
  cancel(name: string): void {
    this.#size -= this.#waiting.get(name)?.keepers.length ?? 0;
    this.#waiting.delete(name);
    for (const [delivery, of] of this.#later) if (of === name) this.#later.delete(delivery);
    for (const [delivery, of] of this.#running) {
      if (of !== name) continue;
      this.#running.set(delivery, null);
      delivery.stop();
    }
  }

  tick(now: number): void {
    if (now < this.nextAt) return;
    this.nextAt = Number.POSITIVE_INFINITY;
    for (const [delivery, name] of this.#later) {
      if (delivery.dueAt > now) this.#wake(delivery.dueAt);
      else if (this.#admits(now)) {
        this.#later.delete(delivery);
        this.#start(delivery, name, now);
      }
    }
    for (const [name, { nothing, keepers }] of this.#waiting) {
      while (keepers.length > 0 && this.#admits(now)) {
        const { target, token } = keepers.shift() as Keeper;
        this.#size--;
        const onEnd = (done: ValueDelivery, at: number): void => this.#onEnd(done, at);
        this.#start(new ValueDelivery(target, token, nothing, this.#requests, onEnd), name, now);
      }
      if (keepers.length > 0) return;
      this.#waiting.delete(name);
    }
  }

  /** False: wait; for an answer, or for the pace. */
  #admits(now: number): boolean {
    if (this.#running.size >= AT_ONCE) return false;
    const due = this.#pace.admit(this.#due, now);
    if (due < 0) {
      this.#wake(this.#pace.admitsAt(this.#due));
      return false;
    }
    this.#due = due;
    return true;
  }

  #start(delivery: ValueDelivery, name: string, now: number): void {
    this.#running.set(delivery, name);
    delivery.start(now);
  }

  #onEnd(delivery: ValueDelivery, now: number): void {
    const name = this.#running.get(delivery) ?? null;
    this.#running.delete(delivery);
    if (name !== null && delivery.dueAt !== Number.POSITIVE_INFINITY) this.#later.set(delivery, name);
    else if (name !== null) this.#ends.count(delivery.isStored ? 'removed' : 'silent');
    if (this.waiting > 0) this.#wake(now);
  }

  #wake(at: number): void {
    this.nextAt = Math.min(this.nextAt, at);
  }
}
