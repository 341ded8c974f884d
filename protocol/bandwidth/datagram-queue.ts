// Datagrams that wait for bandwidth: bounded, the most useful first, none for long. Pure.
import { Type } from '../constants.ts';
import type { Endpoint } from '../wire/endpoint.ts';

/** More than that is dropped: the least useful first, of these the oldest. */
const QUEUE_BYTES_MAX = 65_536;
/** Older ones are dropped: nobody waits longer for an answer. */
const WAIT_MS_MAX = 3000;
/** Offset of the type in a descriptor. */
const TYPE_AT = 16;

export interface WaitingDatagram {
  readonly bytes: Buffer;
  readonly to: Endpoint;
  readonly at: number;
}

/** From the least useful on: those that answer or carry out something go first. */
const ORDER: readonly number[] = [Type.Ping, Type.Query, Type.Pong, Type.QueryHit, Type.Vendor, Type.Push];

export class DatagramQueue {
  readonly #lists: WaitingDatagram[][] = ORDER.map(() => []);
  readonly #onDropped: () => void;
  bytes = 0;

  constructor(onDropped: () => void) {
    this.#onDropped = onDropped;
  }

  push(datagram: WaitingDatagram): void {
    this.#lists[this.#rankOf(datagram.bytes)]?.push(datagram);
    this.bytes += datagram.bytes.length;
    for (const list of this.#lists) while (this.bytes > QUEUE_BYTES_MAX && list.length > 0) this.#drop(list);
  }

  /** The next one to send; null: none waits. */
  shift(now: number): WaitingDatagram | null {
    for (const list of this.#lists.toReversed()) {
      while (list[0] !== undefined && now - list[0].at > WAIT_MS_MAX) this.#drop(list);
      const next = list.shift();
      if (next === undefined) continue;
      this.bytes -= next.bytes.length;
      return next;
    }
    return null;
  }

  #drop(list: WaitingDatagram[]): void {
    this.bytes -= list.shift()?.bytes.length ?? 0;
    this.#onDropped();
  }

  /** Of unknown descriptors: with the pings. */
  #rankOf(bytes: Buffer): number {
    return Math.max(0, ORDER.indexOf(bytes[TYPE_AT] ?? 0));
  }
}
