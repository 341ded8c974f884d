// Sockets of pushes: opens those that we are asked for and serves HTTP on them; reaches sources directly, by push, or as is left.
import { ProtocolError } from '../../protocol/errors.ts';
import {
  PushError,
  type PushRequest,
  type PushSource,
  type ReachRoads,
} from '../../protocol/overlay/pushes/push-requester.ts';
import { ReasonCounts } from '../../protocol/reason-counts.ts';
import { RudpError } from '../../protocol/rudp/rudp-error.ts';
import type { Servent } from '../../protocol/servent.ts';
import { encodeGiv, parseGiv } from '../../protocol/transfer/giv.ts';
import type { PushProxyVerdict } from '../../protocol/transfer/push-proxy.ts';
import type { ReachWay } from '../../protocol/transfer/reaching/reach-way.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { FIREWALL_TO_FIREWALL_INDEX } from '../../protocol/wire/push.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { DialError, type Dialer } from '../net/dialer.ts';
import type { RudpDialer } from '../net/rudp/rudp-dialer.ts';
import type { StreamSocket } from '../net/stream-socket.ts';
import { callPushProxy } from './push-proxy-call.ts';
import type { RelayConnections } from './relay-connections.ts';

const CONNECT_MS = 10_000;
/** The quest gives a proxy up as soon. */
const HTTP_MS = 5_000;
/** Time limit from the first line of a GIV to the empty line after it. */
const GIV_END_MS = 10_000;
const GIV_BYTES_MAX = 2_048;
/** What is due is done then at the latest: the timer of the servent may sleep longer. */
const TICK_MS_MAX = 60_000;

const GIV_OUTCOMES = ['matched', 'unasked', 'malformed', 'slow'] as const;
export type GivOutcome = (typeof GIV_OUTCOMES)[number];

/** A connection to a source, and the way that led to it. */
export interface Reached {
  readonly socket: StreamSocket;
  readonly way: ReachWay;
}

export type Dial = (endpoint: Endpoint, signal: AbortSignal) => Promise<StreamSocket>;

export interface PushConnectionsOptions {
  servent: Pick<Servent, 'identity' | 'endpoint' | 'pushes' | 'requester' | 'rudp'>;
  dialer: Pick<Dialer, 'dial'>;
  /** Opens streams by UDP. */
  streams: Pick<RudpDialer, 'dial'>;
  /** Relays; absent: there are none. */
  relays?: Pick<RelayConnections, 'ask'>;
  /** The file server; takes over the socket. */
  serve: (socket: StreamSocket, head: Buffer, pushed: boolean) => void;
  clock: Clock;
  log: Log;
}

interface Waiter {
  readonly dial: Dial;
  /** Aborted when the source is reached, or not wanted any more. */
  readonly abort: AbortController;
  resolve(reached: Reached): void;
  reject(error: unknown): void;
}

export class PushConnections implements ReachRoads {
  readonly givs = new ReasonCounts<GivOutcome>(GIV_OUTCOMES);
  readonly #options: PushConnectionsOptions;
  /** By the callback of the request: the request itself may have its first orders before it is given back. */
  readonly #waiters = new WeakMap<PushRequest['onFailed'], Waiter>();
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: PushConnectionsOptions) {
    this.#options = options;
  }

  /** Connects, sends GIV and serves; reports the result to the servent. */
  serve(to: Endpoint): void {
    const { servent, dialer, serve, clock, log } = this.#options;
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(CONNECT_MS)]);
    dialer.dial(to, signal).then(
      socket => {
        servent.pushes.ended(to, 'served', clock.now());
        socket.write(encodeGiv(servent.identity.serventGuid));
        serve(socket, Buffer.alloc(0), true);
      },
      (err: unknown) => {
        servent.pushes.ended(to, 'unreachable', clock.now());
        if (!(err instanceof DialError)) log.error({ err }, 'internal error while answering a push');
        else log.debug({ peer: formatEndpoint(to), code: err.code }, 'the address in a push cannot be reached');
      },
    );
  }

  /** Opens a stream by UDP, as the other side does at the same time, sends GIV and serves; reports the result to the servent. */
  serveStream(to: Endpoint): void {
    const { servent, streams, serve, clock, log } = this.#options;
    streams.dial(to, 'acceptor', this.#abort.signal).then(
      socket => {
        servent.pushes.ended(to, 'served', clock.now());
        socket.write(encodeGiv(servent.identity.serventGuid));
        serve(socket, Buffer.alloc(0), true);
      },
      (err: unknown) => {
        servent.pushes.ended(to, 'no_stream', clock.now());
        if (!(err instanceof RudpError)) log.error({ err }, 'internal error while answering a push by UDP');
        else log.debug({ peer: formatEndpoint(to), code: err.code }, 'no stream by UDP with the address in a push');
      },
    );
  }

  /**
   * Reaches a source by one way after another; `dial` makes the direct connection. Resolves with a paused socket, or one just dialled, on
   * which the source expects requests. Rejects with PushError.
   */
  async reach(source: PushSource, dial: Dial, signal?: AbortSignal): Promise<Reached> {
    const { servent, clock } = this.#options;
    const aborted = new PushError('PUSH_ABORTED', 'waiting for the servent was cancelled');
    const signals = AbortSignal.any([this.#abort.signal, ...(signal === undefined ? [] : [signal])]);
    if (signals.aborted) throw aborted;
    const abort = new AbortController();
    let request: PushRequest | null = null;
    let onAbort = () => {};
    try {
      return await new Promise<Reached>((resolve, reject) => {
        const onFailed = (error: PushError) => reject(error);
        onAbort = () => reject(aborted);
        this.#waiters.set(onFailed, { dial, abort, resolve, reject });
        signals.addEventListener('abort', onAbort, { once: true });
        request = servent.requester.request(source, clock.now(), onFailed);
        this.#tickLater();
      });
    } finally {
      signals.removeEventListener('abort', onAbort);
      abort.abort();
      if (request !== null) servent.requester.cancel(request);
    }
  }

  // --- what the requester orders

  dialSource(request: PushRequest): void {
    const { servent, clock, log } = this.#options;
    const waiter = this.#waiterOf(request);
    if (waiter === null) return;
    waiter.dial(request.source.endpoint, waiter.abort.signal).then(
      socket => {
        if (servent.requester.dialled(request, clock.now())) waiter.resolve({ socket, way: 'direct' });
        else socket.destroy();
      },
      (err: unknown) => {
        if (waiter.abort.signal.aborted) return;
        if (!(err instanceof Error)) log.error({ err }, 'internal error while dialling a source');
        this.#tell(() => servent.requester.dialFailed(request, textOf(err), clock.now()));
      },
    );
  }

  callProxy(request: PushRequest, proxy: Endpoint, fileIndex: number): void {
    const { servent, dialer, clock, log } = this.#options;
    const { identity, endpoint, rudp } = servent;
    const streams = fileIndex === FIREWALL_TO_FIREWALL_INDEX;
    const node = streams ? (rudp.endpoint(clock.now()) ?? endpoint) : endpoint;
    const { serventGuid } = request.source;
    const waiter = this.#waiterOf(request);
    if (serventGuid === null || waiter === null) return;
    const signal = AbortSignal.any([this.#abort.signal, waiter.abort.signal, AbortSignal.timeout(HTTP_MS)]);
    const ipv6 = streams ? null : identity.ipv6();
    const call = { serventGuid, proxy, node, ipv6, fileIndex, userAgent: identity.userAgent };
    const answered = (verdict: PushProxyVerdict) => {
      if (waiter.abort.signal.aborted) return;
      this.#tell(() => servent.requester.proxyAnswered(request, proxy, fileIndex, verdict, clock.now()));
    };
    callPushProxy(call, (to, until) => dialer.dial(to, until), signal).then(answered, (err: unknown) => {
      log.error({ err }, 'internal error while calling a push proxy');
      answered('refused');
    });
  }

  openStream(request: PushRequest, to: Endpoint): void {
    const { servent, streams, clock, log } = this.#options;
    const waiter = this.#waiterOf(request);
    if (waiter === null) return;
    const failed = () => this.#tell(() => servent.requester.lastFailed(request, 'rudp', clock.now()));
    streams.dial(to, 'requestor', AbortSignal.any([this.#abort.signal, waiter.abort.signal])).then(
      socket => {
        socket.once('close', failed); // without a GIV; too late it does nothing
        this.onGiv(socket, Buffer.alloc(0), 'rudp');
      },
      (err: unknown) => {
        if (waiter.abort.signal.aborted) return;
        if (!(err instanceof RudpError)) log.error({ err }, 'internal error while opening a stream by UDP');
        failed();
      },
    );
  }

  /** The source comes to the relay too, then sends GIV. */
  meetAtRelay(request: PushRequest, from: readonly Endpoint[]): void {
    const { servent, clock, log, relays } = this.#options;
    const waiter = this.#waiterOf(request);
    const failed = () => this.#tell(() => servent.requester.lastFailed(request, 'relay', clock.now()));
    if (waiter === null || relays === undefined) {
      failed();
      return;
    }
    relays.ask({ ...request.source, relays: from }, waiter.abort.signal).then(
      socket => {
        if (socket === null) {
          failed();
          return;
        }
        socket.once('close', failed); // without effect once the GIV has come
        this.onGiv(socket, Buffer.alloc(0), 'relay');
      },
      (err: unknown) => {
        log.error({ err }, 'internal error while asking a relay');
        failed();
      },
    );
  }

  #waiterOf(request: PushRequest): Waiter | null {
    return this.#waiters.get(request.onFailed) ?? null;
  }

  #tell(how: () => void): void {
    how();
    this.#tickLater();
  }

  /** The servent's own timer may sleep longer than the quests that have just changed. */
  #tickLater(): void {
    const { servent, clock } = this.#options;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const ms = servent.requester.nextAt - clock.now();
    if (ms === Number.POSITIVE_INFINITY || this.#abort.signal.aborted) return;
    const tick = () => this.#tell(() => void servent.requester.tick(clock.now()));
    this.#timer = setTimeout(tick, Math.min(Math.max(1, Math.ceil(ms)), TICK_MS_MAX)).unref();
  }

  /** Takes a socket that began with GIV from the listener, or a stream by UDP on which it is to come; `head`: what has come. */
  onGiv(socket: StreamSocket, head: Buffer, by: 'push' | 'rudp' | 'relay' = 'push'): void {
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
      // A servent waits for our request here, so bytes after the empty line are an error.
      if (whole[0].length < text.length) return end('malformed');
      release();
      socket.pause();
      this.#deliver(socket, text, by);
    };
    const onData = (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]); // at most GIV_BYTES_MAX and one chunk
      look();
    };
    socket.on('data', onData);
    socket.on('close', onClose);
    look();
  }

  #deliver(socket: StreamSocket, line: string, by: 'push' | 'rudp' | 'relay'): void {
    const { servent, clock } = this.#options;
    let guid: Buffer;
    try {
      guid = parseGiv(line).serventGuid;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.givs.count('malformed');
      socket.destroy();
      return;
    }
    const arrived = servent.requester.onGiv(guid, clock.now(), by);
    const waiter = arrived === null ? null : this.#waiterOf(arrived.request);
    this.givs.count(waiter === null ? 'unasked' : 'matched');
    if (arrived === null || waiter === null) socket.destroy();
    else waiter.resolve({ socket, way: arrived.way });
  }

  /** Rejects waiting requests and cancels dials. Sockets being served belong to the file server. */
  stop(): void {
    this.#abort.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}

function textOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err);
}
