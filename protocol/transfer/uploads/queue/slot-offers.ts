// Free slots that are kept for the first in the queue: those without a connection are called, and who takes too long lets others pass.
import type { Endpoint } from '../../../wire/endpoint.ts';
import type { QueueEntry } from './queue-entry.ts';

/** Connect to a client and tell it that its turn has come. */
export type CallBack = (to: Endpoint, id: string) => void;

/** Limits of calls, as in gtk-gnutella: of one address, of one entry, of one entry in all, and in a row without a request that follows. */
const ADDRESS_MS = 12_000;
const ENTRY_MS = 600_000;
const CALLS_MAX = 144;
const REFUSALS_MAX = 2;
const LOOK_MS = 1000;
const NOBODY: ReadonlySet<QueueEntry> = new Set();

export class SlotOffers {
  readonly #keptMs: number;
  readonly #callBack: CallBack | null;
  /** Bounded by the slots. */
  #offered: ReadonlySet<QueueEntry> = NOBODY;

  /** `keptMs`: how long a slot is kept. */
  constructor(keptMs: number, callBack: CallBack | null) {
    this.#keptMs = keptMs;
    this.#callBack = callBack;
  }

  /** `firsts`: those who get the free slots now. When to be called again. */
  offer(firsts: readonly QueueEntry[], now: number): number {
    if (firsts.length === 0 && this.#offered.size === 0) return Number.POSITIVE_INFINITY;
    const offered = firsts.length === 0 ? NOBODY : new Set(firsts);
    for (const entry of this.#offered) if (!offered.has(entry)) entry.offeredAt = null;
    for (const entry of offered) {
      entry.offeredAt ??= now;
      if (now - entry.offeredAt >= this.#keptMs) entry.pool.passOver(entry, true);
      else this.#call(entry, now);
    }
    this.#offered = offered;
    return offered.size > 0 ? now + LOOK_MS : Number.POSITIVE_INFINITY;
  }

  /** A call counts as refused until the client asks. */
  #call(entry: QueueEntry, now: number): void {
    const { node, load } = entry;
    if (this.#callBack === null || node === null || entry.connection !== null || entry.level !== 'parq') return;
    if (entry.calls >= CALLS_MAX || entry.callRefusals >= REFUSALS_MAX) return;
    if (now - entry.callAt < ENTRY_MS || now - load.calledAt < ADDRESS_MS) return;
    entry.calls++;
    entry.callRefusals++;
    entry.callAt = now;
    load.calledAt = now;
    entry.retryAt = now;
    this.#callBack(node, entry.id);
  }
}
