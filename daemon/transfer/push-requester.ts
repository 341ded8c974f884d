// Fetching from those who cannot be connected to: asks them to connect to us, by every way known, and waits for GIV.
import type { Socket } from 'node:net';
import { ProtocolError } from '../../protocol/errors.ts';
import { KeyedRateLimit, RateLimit } from '../../protocol/overlay/rate-limit.ts';
import type { Clock } from '../../protocol/ports.ts';
import { parseGiv } from '../../protocol/transfer/giv.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { guidKey } from '../../protocol/wire/guid.ts';
import type { Push } from '../../protocol/wire/push.ts';
import type { Log } from '../log.ts';
import { Tally } from '../net/tally.ts';
import { callPushProxy } from './push-proxy-call.ts';

/** gtk-gnutella sends a servent four pushes in 30 seconds. */
const PER_SERVENT = new RateLimit(7_500, 4);
const SERVENTS_MAX = 2_048;
/** Requests that wait for their GIV. */
const WAITING_MAX = 256;
/** For all ways together: LimeWire gives up after 30 s, gtk-gnutella after 90. */
const GIV_MS = 40_000;
/** Proxies are asked over HTTP when no GIV came so soon (LimeWire). */
const HTTP_AFTER_MS = 5_000;
const HTTP_MS = 10_000;
/** gtk-gnutella sends datagrams to four proxies. */
const PROXIES_MAX = 4;
/** From the first line of a GIV to the empty one after it. */
const GIV_END_MS = 10_000;
const GIV_BYTES_MAX = 2_048;

export type PushErrorCode =
  | 'PUSH_FIREWALLED'
  | 'PUSH_NO_WAY'
  | 'PUSH_TOO_OFTEN'
  | 'PUSH_BUSY'
  | 'PUSH_TIMEOUT'
  | 'PUSH_ABORTED';

export class PushError extends Error {
  readonly code: PushErrorCode;

  constructor(code: PushErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PushError';
    this.code = code;
  }
}

export const GIV_OUTCOMES = ['matched', 'unasked', 'malformed', 'slow'] as const;
export type GivOutcome = (typeof GIV_OUTCOMES)[number];

/** Whom to ask, as its hit said. */
export interface PushSource {
  readonly serventGuid: Buffer;
  readonly endpoint: Endpoint;
  readonly index: number;
  readonly pushProxies: readonly Endpoint[];
}

export interface PushRequesterOptions {
  /** By the routes that hits took; on how many links it went out. */
  sendPush: (push: Push) => number;
  /** By datagram. False when it could not be sent. */
  sendDatagram: (push: Push, to: Endpoint) => boolean;
  dial: (endpoint: Endpoint, signal: AbortSignal) => Promise<Socket>;
  forbids: (endpoint: Endpoint) => string | null;
  /** Where others connect to us. */
  listen: () => Endpoint;
  /** Then nobody can answer a push of ours. */
  firewalled: () => boolean;
  userAgent: () => string;
  clock: Clock;
  log: Log;
  givMs?: number;
  httpAfterMs?: number;
}

type Waiter = (socket: Socket) => void;

export class PushRequester {
  readonly givs = new Tally<GivOutcome>(GIV_OUTCOMES);
  readonly #options: PushRequesterOptions;
  readonly #rates = new KeyedRateLimit(PER_SERVENT, SERVENTS_MAX);
  /** By servent GUID, those who asked first at the front; at most WAITING_MAX in all. */
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #abort = new AbortController();
  #waiters = 0;

  constructor(options: PushRequesterOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiters;
  }

  /** A paused socket on which the servent waits for requests. Rejects with PushError. */
  async request(source: PushSource, signal?: AbortSignal): Promise<Socket> {
    const { firewalled, clock, givMs } = this.#options;
    if (firewalled()) throw new PushError('PUSH_FIREWALLED', 'neither side can connect to the other');
    if (this.#waiters >= WAITING_MAX) throw new PushError('PUSH_BUSY', `${WAITING_MAX} pushes are waiting already`);
    if (!this.#rates.admit(guidKey(source.serventGuid), clock.now())) {
      throw new PushError('PUSH_TOO_OFTEN', 'that servent was asked a moment ago');
    }
    const timeout = AbortSignal.timeout(givMs ?? GIV_MS);
    const all = AbortSignal.any([this.#abort.signal, timeout, ...(signal === undefined ? [] : [signal])]);
    const arrived = this.#arrival(source, all, timeout);
    const ways = this.#send(source);
    if (ways === 0 && this.#proxiesOf(source).length === 0) {
      arrived.cancel(new PushError('PUSH_NO_WAY', 'no way to that servent is known any more'));
    }
    return arrived.socket;
  }

  #proxiesOf({ pushProxies }: PushSource): Endpoint[] {
    return pushProxies.filter(proxy => this.#options.forbids(proxy) === null).slice(0, PROXIES_MAX);
  }

  /** On how many ways it is under way at once. */
  #send(source: PushSource): number {
    const { sendPush, sendDatagram, listen, forbids } = this.#options;
    const { serventGuid, index: fileIndex, endpoint } = source;
    const push: Push = { serventGuid, fileIndex, endpoint: listen(), ipv6: null, tls: false, ggep: [] };
    let ways = sendPush(push);
    for (const proxy of this.#proxiesOf(source)) if (sendDatagram(push, proxy)) ways++;
    // it may let datagrams in; but no way to count on
    if (endpoint.port > 0 && forbids(endpoint) === null) sendDatagram(push, endpoint);
    return ways;
  }

  /** Settles once: with the socket of a GIV, or when the signal says so. */
  #arrival(source: PushSource, signal: AbortSignal, timeout: AbortSignal) {
    const key = guidKey(source.serventGuid);
    let settle = (): void => {};
    let fail = (_error: PushError): void => {};
    const socket = new Promise<Socket>((resolve, reject) => {
      const waiter: Waiter = answered => {
        settle();
        resolve(answered);
      };
      const onAbort = () => fail(abortError(timeout));
      const timer = setTimeout(() => this.#callProxies(source, signal), this.#options.httpAfterMs ?? HTTP_AFTER_MS);
      settle = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#forget(key, waiter);
      };
      fail = error => {
        settle();
        reject(error);
      };
      this.#waiters++;
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), waiter]);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
    return { socket, cancel: (error: PushError) => fail(error) };
  }

  #forget(key: string, waiter: Waiter): void {
    const waiters = this.#waiting.get(key) ?? [];
    const at = waiters.indexOf(waiter);
    if (at < 0) return;
    waiters.splice(at, 1);
    this.#waiters--;
    if (waiters.length === 0) this.#waiting.delete(key);
  }

  #callProxies(source: PushSource, signal: AbortSignal): void {
    const { dial, listen, userAgent, log } = this.#options;
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(HTTP_MS)]);
    for (const proxy of this.#proxiesOf(source)) {
      callPushProxy(
        { serventGuid: source.serventGuid, proxy, node: listen(), userAgent: userAgent() },
        dial,
        bounded,
      ).catch((err: unknown) => log.error({ err }, 'calling a push proxy failed unexpectedly'));
    }
  }

  /** A socket from the listener that began with GIV; `head` holds its first line at least. */
  onGiv(socket: Socket, head: Buffer): void {
    let held = head;
    const timer = setTimeout(() => end('slow'), GIV_END_MS);
    const onClose = () => end('malformed');
    const end = (outcome: GivOutcome) => {
      release();
      this.givs.count(outcome);
      socket.destroy();
    };
    const release = () => {
      clearTimeout(timer);
      socket.removeListener('data', onData);
      socket.removeListener('close', onClose);
    };
    const look = () => {
      const text = held.toString('latin1');
      const whole = /^[^\n]*\n\r?\n/.exec(text);
      if (whole === null) {
        if (text.length > GIV_BYTES_MAX || /^[^\n]*\n(?!\r?$)/.test(text)) end('malformed');
        return;
      }
      // it has to wait for our request: bytes after the empty line are no servent's
      if (whole[0].length < text.length) return end('malformed');
      release();
      socket.pause();
      this.#deliver(socket, text);
    };
    const onData = (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]); // at most GIV_BYTES_MAX and one chunk
      look();
    };
    socket.on('data', onData);
    socket.on('close', onClose);
    look();
  }

  #deliver(socket: Socket, line: string): void {
    let key: string;
    try {
      key = guidKey(parseGiv(line).serventGuid);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.givs.count('malformed');
      socket.destroy();
      return;
    }
    const [waiter] = this.#waiting.get(key) ?? [];
    this.givs.count(waiter === undefined ? 'unasked' : 'matched');
    if (waiter === undefined) socket.destroy();
    else waiter(socket);
  }

  /** Whoever waits is told so. */
  stop(): void {
    this.#abort.abort();
  }
}

function abortError(timeout: AbortSignal): PushError {
  return timeout.aborted
    ? new PushError('PUSH_TIMEOUT', 'the servent did not connect')
    : new PushError('PUSH_ABORTED', 'waiting for the servent was given up');
}
