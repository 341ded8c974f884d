// Answers pings by UDP, with a rate for each address and kind of request.

import { KeyedRateLimit, type RateLimit } from '../../rate-limit.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { parsePing } from '../../wire/ping.ts';
import type { DatagramEnd } from './datagram-end.ts';
import { type DatagramPings, wishesOf } from './datagram-pings.ts';
import { answerBytesMax, type UnverifiedAnswers } from './unverified-answers.ts';

export interface PingRates {
  /**
   * Pings of one address that are answered, each kind by itself: whether we live, hosts, a GUESS query key. gtk-gnutella
   * asks us for each once a minute, and forgets a GUESS servent that gives it no key.
   */
  readonly pings: RateLimit;
  readonly hostPings: RateLimit;
  readonly keyPings: RateLimit;
}

export class PingAnswers {
  readonly #pings: DatagramPings;
  readonly #answers: UnverifiedAnswers;
  readonly #addressKey: (endpoint: Endpoint) => string;
  readonly #plain: KeyedRateLimit;
  readonly #hosts: KeyedRateLimit;
  readonly #keys: KeyedRateLimit;

  constructor(
    pings: DatagramPings,
    answers: UnverifiedAnswers,
    addressKey: (endpoint: Endpoint) => string,
    rates: PingRates,
    addressesMax: number,
  ) {
    this.#pings = pings;
    this.#answers = answers;
    this.#addressKey = addressKey;
    this.#plain = new KeyedRateLimit(rates.pings, addressesMax);
    this.#hosts = new KeyedRateLimit(rates.hostPings, addressesMax);
    this.#keys = new KeyedRateLimit(rates.keyPings, addressesMax);
  }

  onPing(frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const ping = parsePing(frame.payload());
    const address = this.#addressKey(from);
    const { hosts, key } = wishesOf(ping);
    const granted = {
      hosts: hosts && this.#hosts.admit(address, now),
      key: key && this.#keys.admit(address, now),
    };
    const plain = !hosts && !key && this.#plain.admit(address, now);
    if (!plain && !granted.hosts && !granted.key) return 'answer_rate';
    const requestBytes = frame.bytes.length;
    const pong = this.#pings.answer(frame.guid(), ping, granted, from, answerBytesMax(requestBytes), now);
    return this.#answers.answer(pong, from, requestBytes, now);
  }
}
