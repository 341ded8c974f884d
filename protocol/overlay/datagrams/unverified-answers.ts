// Limits answers to addresses that are unverified and may be forged: their rate, and their length against the request's.

import type { RateLimit } from '../../rate-limit.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import type { DatagramEnd } from './datagram-end.ts';

/** Longest answer: this, or ANSWER_FACTOR times the request if more. */
const ANSWER_BYTES = 508;
const ANSWER_FACTOR = 3;

export function answerBytesMax(requestBytes: number): number {
  return Math.max(ANSWER_BYTES, ANSWER_FACTOR * requestBytes);
}

export class UnverifiedAnswers {
  readonly #rate: RateLimit;
  readonly #send: (bytes: Buffer, to: Endpoint, now: number) => void;
  #due = 0;

  /** `rate`: of all of them together. */
  constructor(rate: RateLimit, send: (bytes: Buffer, to: Endpoint, now: number) => void) {
    this.#rate = rate;
    this.#send = send;
  }

  answer(bytes: Buffer, to: Endpoint, requestBytes: number, now: number): DatagramEnd {
    if (bytes.length > answerBytesMax(requestBytes)) return 'answer_too_long';
    const due = this.#rate.admit(this.#due, now);
    if (due < 0) return 'answer_rate';
    this.#due = due;
    this.#send(bytes, to, now);
    return 'taken';
  }
}
