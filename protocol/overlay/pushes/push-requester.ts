// Pushes of ours: asks a servent that cannot be connected to, by every way known, to connect to us, and waits for its GIV.
import { CodedError } from '../../errors.ts';
import { LazySet } from '../../lazy-set.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { guidKey } from '../../wire/guid.ts';
import type { Push } from '../../wire/push.ts';
import { KeyedRateLimit, RateLimit } from '../rate-limit.ts';

/** gtk-gnutella sends a servent four pushes in 30 seconds. */
const PER_SERVENT = new RateLimit(7_500, 4);
const SERVENTS_MAX = 2_048;
/** Requests that wait for their GIV. */
const WAITING_MAX = 256;
/** For all ways together: LimeWire gives up after 30 s, gtk-gnutella after 90. */
const GIV_MS = 40_000;
/** Proxies are asked over HTTP when no GIV came so soon (LimeWire). */
const HTTP_AFTER_MS = 5_000;
/** gtk-gnutella sends datagrams to four proxies. */
const PROXIES_MAX = 4;

export type PushErrorCode =
  | 'PUSH_FIREWALLED'
  | 'PUSH_NO_WAY'
  | 'PUSH_TOO_OFTEN'
  | 'PUSH_BUSY'
  | 'PUSH_TIMEOUT'
  | 'PUSH_ABORTED';

export class PushError extends CodedError<PushErrorCode> {}

/** Which servent to ask, as its hit said. */
export interface PushSource {
  readonly serventGuid: Buffer;
  readonly endpoint: Endpoint;
  readonly index: number;
  readonly pushProxies: readonly Endpoint[];
}

/** One request that waits for its GIV. */
export interface PushRequest {
  readonly source: PushSource;
  /** Milliseconds of the clock. */
  readonly endsAt: number;
}

interface Waiting extends PushRequest {
  /** When proxies are asked over HTTP; Infinity once they were. */
  httpAt: number;
}

export interface PushRequesterParts {
  /** By the routes that hits took; on how many links it went out. */
  readonly sendPush: (push: Push, now: number) => number;
  /** By datagram. False when it could not be sent. */
  readonly sendDatagram: (push: Push, to: Endpoint, now: number) => boolean;
  /** Ask a push proxy over HTTP. Its answer does not matter: the GIV does. */
  readonly callProxy: (proxy: Endpoint, serventGuid: Buffer) => void;
  readonly forbids: (endpoint: Endpoint) => string | null;
  /** Where others connect to us. */
  readonly listen: () => Endpoint;
  /** Then nobody can answer a push of ours. */
  readonly firewalled: (now: number) => boolean;
  /** No GIV came in time. */
  readonly onTimeout: (request: PushRequest) => void;
}

export class PushRequester {
  readonly #parts: PushRequesterParts;
  readonly #rates = new KeyedRateLimit(PER_SERVENT, SERVENTS_MAX);
  /** In the order of their asking; at most WAITING_MAX. */
  readonly #waiting = new LazySet<Waiting>();

  constructor(parts: PushRequesterParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Sends the push. Throws PushError when it cannot be sent, or nobody could follow it. */
  request(source: PushSource, now: number): PushRequest {
    if (this.#parts.firewalled(now)) throw new PushError('PUSH_FIREWALLED', 'neither side can connect to the other');
    if (this.#waiting.size >= WAITING_MAX)
      throw new PushError('PUSH_BUSY', `${WAITING_MAX} pushes are waiting already`);
    if (!this.#rates.admit(guidKey(source.serventGuid), now))
      throw new PushError('PUSH_TOO_OFTEN', 'that servent was asked a moment ago');
    const ways = this.#send(source, now);
    if (ways === 0 && this.#proxiesOf(source).length === 0)
      throw new PushError('PUSH_NO_WAY', 'no way to that servent is known any more');
    const request: Waiting = { source, endsAt: now + GIV_MS, httpAt: now + HTTP_AFTER_MS };
    this.#waiting.add(request);
    return request;
  }

  #proxiesOf({ pushProxies }: PushSource): Endpoint[] {
    return pushProxies.filter(proxy => this.#parts.forbids(proxy) === null).slice(0, PROXIES_MAX);
  }

  /** On how many ways it is under way at once. */
  #send(source: PushSource, now: number): number {
    const { sendPush, sendDatagram, listen, forbids } = this.#parts;
    const { serventGuid, index: fileIndex, endpoint } = source;
    const push: Push = { serventGuid, fileIndex, endpoint: listen(), ipv6: null, tls: false, ggep: [] };
    let ways = sendPush(push, now);
    for (const proxy of this.#proxiesOf(source)) if (sendDatagram(push, proxy, now)) ways++;
    // it may let datagrams in; but no way to count on
    if (endpoint.port > 0 && forbids(endpoint) === null) sendDatagram(push, endpoint, now);
    return ways;
  }

  /** A servent connected to us and said GIV: the request that waited longest for it, which is over; null: nobody asked. */
  onGiv(serventGuid: Buffer): PushRequest | null {
    for (const request of this.#waiting) {
      if (!request.source.serventGuid.equals(serventGuid)) continue;
      this.#waiting.delete(request);
      return request;
    }
    return null;
  }

  cancel(request: PushRequest): void {
    this.#waiting.delete(request as Waiting);
  }

  /** Asks proxies over HTTP and gives up what is due; when to be called again. */
  tick(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const request of this.#waiting) {
      if (now >= request.endsAt) {
        this.#waiting.delete(request);
        this.#parts.onTimeout(request);
        continue;
      }
      if (now >= request.httpAt) {
        request.httpAt = Number.POSITIVE_INFINITY;
        const { serventGuid } = request.source;
        for (const proxy of this.#proxiesOf(request.source)) this.#parts.callProxy(proxy, serventGuid);
      }
      next = Math.min(next, request.endsAt, request.httpAt);
    }
    return next;
  }
}
