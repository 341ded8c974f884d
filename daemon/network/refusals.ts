// Keeps the latest failed handshakes with their reasons.
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { HandshakeEnd } from '../net/handshaker.ts';

const KEPT_MAX = 200;

export interface Refusal {
  /** Wall clock, milliseconds. */
  at: number;
  remote: Endpoint;
  direction: 'in' | 'out';
  end: HandshakeEnd;
  detail: string;
}

export class Refusals {
  /** Oldest first; at most KEPT_MAX. */
  readonly #latest: Refusal[] = [];

  add(refusal: Refusal): void {
    this.#latest.push(refusal);
    if (this.#latest.length > KEPT_MAX) this.#latest.shift();
  }

  newestFirst(): Refusal[] {
    return this.#latest.toReversed();
  }
}
