// Opens sockets for incoming pushes and serves HTTP on them; awaits the sockets of pushes that we sent.
import type { Socket } from 'node:net';
import { ProtocolError } from '../../protocol/errors.ts';
import { PushError, type PushRequest, type PushSource } from '../../protocol/overlay/pushes/push-requester.ts';
import { ReasonCounts } from '../../protocol/reason-counts.ts';
import type { Servent } from '../../protocol/servent.ts';
import { encodeGiv, parseGiv } from '../../protocol/transfer/giv.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { DialError, type Dialer } from '../net/dialer.ts';
import { callPushProxy } from './push-proxy-call.ts';

const CONNECT_MS = 10_000;
const HTTP_MS = 10_000;
/** Time limit from the first line of a GIV to the empty line after it. */
const GIV_END_MS = 10_000;
const GIV_BYTES_MAX = 2_048;

export const GIV_OUTCOMES = ['matched', 'unasked', 'malformed', 'slow'] as const;
export type GivOutcome = (typeof GIV_OUTCOMES)[number];

export interface PushConnectionsOptions {
  servent: Pick<Servent, 'identity' | 'endpoint' | 'pushes' | 'requester'>;
  dialer: Pick<Dialer, 'dial'>;
  /** The file server; takes over the socket. */
  serve: (socket: Socket, head: Buffer, pushed: boolean) => void;
  clock: Clock;
  log: Log;
}

interface Waiter {
  resolve(socket: Socket): void;
  reject(error: PushError): void;
}

export class PushConnections {
  readonly givs = new ReasonCounts<GivOutcome>(GIV_OUTCOMES);
  readonly #options: PushConnectionsOptions;
  /** Bounded by the servent's limit of waiting pushes. */
  readonly #waiters = new Map<PushRequest, Waiter>();
  readonly #abort = new AbortController();

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

  /** Sends a push; resolves with a paused socket on which the servent expects requests. Rejects with PushError. */
  async request(source: PushSource, signal?: AbortSignal): Promise<Socket> {
    const { servent, clock } = this.#options;
    const request = servent.requester.request(source, clock.now());
    const aborted = new PushError('PUSH_ABORTED', 'waiting for the servent was cancelled');
    const signals = AbortSignal.any([this.#abort.signal, ...(signal === undefined ? [] : [signal])]);
    const onAbort = () => this.#waiters.get(request)?.reject(aborted);
    try {
      return await new Promise<Socket>((resolve, reject) => {
        this.#waiters.set(request, { resolve, reject });
        signals.addEventListener('abort', onAbort, { once: true });
        if (signals.aborted) onAbort();
      });
    } finally {
      signals.removeEventListener('abort', onAbort);
      this.#waiters.delete(request);
      servent.requester.cancel(request);
    }
  }

  /** Called when no servent connected in time. */
  onTimeout(request: PushRequest): void {
    this.#waiters.get(request)?.reject(new PushError('PUSH_TIMEOUT', 'the servent did not connect'));
  }

  callProxy(proxy: Endpoint, serventGuid: Buffer): void {
    const { servent, dialer, log } = this.#options;
    const { identity, endpoint: node } = servent;
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(HTTP_MS)]);
    const call = { serventGuid, proxy, node, userAgent: identity.userAgent };
    callPushProxy(call, (to, until) => dialer.dial(to, until), signal).catch((err: unknown) =>
      log.error({ err }, 'internal error while calling a push proxy'),
    );
  }

  /** Takes a socket that began with GIV from the listener; `head` holds at least the first line. */
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
      // A servent waits for our request here, so bytes after the empty line are an error.
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
    const waiter = this.#waiterOf(line);
    this.givs.count(waiter === null ? 'malformed' : waiter === undefined ? 'unasked' : 'matched');
    if (waiter == null) socket.destroy();
    else waiter.resolve(socket);
  }

  /** Null: the line is not a GIV. Undefined: no request matches it. */
  #waiterOf(line: string): Waiter | null | undefined {
    try {
      const request = this.#options.servent.requester.onGiv(parseGiv(line).serventGuid);
      return request === null ? undefined : this.#waiters.get(request);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return null;
    }
  }

  /** Rejects waiting requests and cancels dials. Sockets being served belong to the file server. */
  stop(): void {
    this.#abort.abort();
  }
}
