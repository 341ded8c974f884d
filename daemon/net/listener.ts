// Listens on the TCP port, limits connections, recognises each protocol by its first bytes, and passes the socket on.

import { createServer, type Server, type Socket } from 'node:net';
import { CodedError } from '../../protocol/errors.ts';
import { ReasonCounts } from '../../protocol/reason-counts.ts';
import { canonicalHost, type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Log } from '../log.ts';
import { Greeting, greetingOf } from './greeting.ts';
import { isEncrypted } from './tls.ts';
import type { WayOut } from './way-out.ts';

export type ListenErrorCode = 'LISTEN_PORT_IN_USE' | 'LISTEN_FORBIDDEN' | 'LISTEN_NO_SUCH_ADDRESS' | 'LISTEN_FAILED';

export class ListenError extends CodedError<ListenErrorCode> {}

const ACCEPT_REASONS = [
  'accepted',
  'overlay',
  'http',
  'giv',
  'queue',
  'relay',
  'probe',
  /** TLS; the protocol inside is counted as well. */
  'tls',
  /** Refused: the address is blocked or has too many sockets, or the total is reached. */
  'blocked',
  'address_full',
  'sockets_full',
  /** Closed: no recognisable first line in time, or its place was needed. */
  'greeting_timeout',
  'greeting_crowded_out',
  'greeting_too_long',
  'greeting_garbage',
  'greeting_closed',
  'tls_unsupported',
] as const;
export type AcceptReason = (typeof ACCEPT_REASONS)[number];

/** Takes over a flowing socket: attach 'data' before returning. `head` is what has been read already, never empty. */
export type TakeOver = (socket: Socket, head: Buffer, remote: Endpoint) => void;

export interface ListenerRoutes {
  overlay: TakeOver;
  http: TakeOver;
  /** Answers to pushes; closed when absent. */
  giv?: TakeOver;
  /** Callbacks of remote upload queues; closed when absent. */
  queue?: TakeOver;
  /** Those that come to us as a relay; closed when absent. */
  relay?: TakeOver;
}

export interface ListenerLimits {
  /** Time limit from accept to the end of the first line. */
  greetingMs: number;
  /** Most sockets without a first line; above it the oldest is closed. */
  greetingsMax: number;
  /** Most open sockets of one address; 0: no limit. */
  perAddressMax: number;
  /** Most open sockets. */
  socketsMax: number;
}

const LISTENER_LIMITS: ListenerLimits = {
  greetingMs: 10_000,
  greetingsMax: 256,
  perAddressMax: 0,
  socketsMax: 2000,
};

export interface ListenerOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  log: Log;
  limits?: Partial<ListenerLimits>;
  /** Called at each accept; false closes the socket. */
  allow?: (address: string) => boolean;
  /** Accepts TLS on a socket whose first bytes are `head`; absent: TLS is refused. */
  secure?: (socket: Socket, head: Buffer) => Socket;
  /** Keeps the sockets, so that all can be ended at once. */
  way?: WayOut;
  /** Called for each accepted connection: it proves that this servent is reachable. */
  onAccepted?: (address: string) => void;
}

/** A port that is open beside the one in use. */
export interface OpenedPort {
  readonly endpoint: Endpoint;
  /** Takes the place of the one in use, which is closed. */
  use(): void;
  /** Closes it again. */
  drop(): void;
}

export class Listener {
  readonly counts = new ReasonCounts<AcceptReason>(ACCEPT_REASONS);
  readonly #options: ListenerOptions;
  #limits: ListenerLimits;
  readonly #routes: ListenerRoutes;
  #server: Server;
  /** In order of arrival; at most greetingsMax. */
  readonly #greeting = new Set<Greeter>();
  /** Open sockets by address; at most socketsMax entries. */
  readonly #perAddress = new Map<string, number>();
  #sockets = 0;

  constructor(options: ListenerOptions, routes: ListenerRoutes) {
    this.#options = options;
    this.#limits = { ...LISTENER_LIMITS, ...options.limits };
    this.#routes = routes;
    this.#server = this.#serverOf();
  }

  #serverOf(): Server {
    return createServer({ noDelay: true }, socket => this.#onSocket(socket));
  }

  /** Starts listening; resolves with the address and actual port. Rejects with ListenError. */
  async start(): Promise<Endpoint> {
    const opened = await this.open(this.#options);
    opened.use();
    return this.endpoint;
  }

  /** Opens another address beside the present one; `use` closes that. Sockets that are open stay. Rejects with ListenError. */
  async open({ host, port }: Endpoint): Promise<OpenedPort> {
    const server = this.#serverOf();
    await new Promise<void>((listening, failed) => {
      server.once('error', error => failed(listenError(error, { host, port })));
      server.listen({ host, port, backlog: 511 }, listening);
    });
    server.removeAllListeners('error');
    // For example no free descriptor: one connection is lost, the listener goes on.
    server.on('error', error => this.#options.log.warn({ err: error }, 'accepting a connection failed'));
    return {
      endpoint: endpointOf(server),
      use: () => {
        if (this.#server.listening) this.#server.close();
        this.#server = server;
      },
      drop: () => void server.close(),
    };
  }

  /** Apply to new sockets. */
  set limits(limits: Partial<ListenerLimits>) {
    this.#limits = { ...this.#limits, ...limits };
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  get endpoint(): Endpoint {
    return endpointOf(this.#server);
  }

  /** Open incoming sockets, and those without a recognised first line. */
  get load(): { sockets: number; greeting: number } {
    return { sockets: this.#sockets, greeting: this.#greeting.size };
  }

  /** Listens nowhere until open() gives another server; sockets that are open stay. */
  pause(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** Stops accepting and closes sockets not yet passed on; owners close theirs. Idempotent. */
  async stop(): Promise<void> {
    for (const greeter of this.#greeting) greeter.socket.destroy();
    if (!this.#server.listening) return;
    // Does not wait: sockets that were passed on may stay open.
    this.#server.close();
    await new Promise(resolve => setImmediate(resolve));
  }

  #onSocket(socket: Socket): void {
    // Stays attached: errors show as 'close' to later owners and are never unhandled.
    socket.on('error', () => {});
    const address = canonicalHost(socket.remoteAddress ?? '');
    const refusal = this.#refusalOf(address);
    if (address === null || refusal !== null) {
      this.#refuse(socket, refusal ?? 'greeting_closed'); // a socket without an address is closed already
      return;
    }
    this.counts.count('accepted');
    this.#options.way?.add(socket);
    this.#options.onAccepted?.(address);
    this.#sockets++;
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    socket.once('close', () => this.#onGone(address));
    this.#greet(socket, { host: address, port: socket.remotePort ?? 0 });
  }

  #refusalOf(address: string | null): AcceptReason | null {
    if (address === null) return null;
    const { socketsMax, perAddressMax } = this.#limits;
    if (this.#options.allow?.(address) === false) return 'blocked';
    if (this.#sockets >= socketsMax) return 'sockets_full';
    return perAddressMax > 0 && (this.#perAddress.get(address) ?? 0) >= perAddressMax ? 'address_full' : null;
  }

  #refuse(socket: Socket, reason: AcceptReason): void {
    this.counts.count(reason);
    socket.destroy();
  }

  #onGone(address: string): void {
    this.#sockets--;
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }

  #greet(socket: Socket, remote: Endpoint): void {
    if (this.#greeting.size >= this.#limits.greetingsMax) {
      const [oldest] = this.#greeting;
      oldest?.end('greeting_crowded_out');
    }
    const greeter = new Greeter(socket, this.#limits.greetingMs, (greeting, head) => {
      this.#greeting.delete(greeter);
      if (typeof greeting === 'string') this.#refuse(socket, greeting);
      else this.#route(greeting, socket, head, remote);
    });
    this.#greeting.add(greeter);
  }

  #route(greeting: Greeting, socket: Socket, head: Buffer, remote: Endpoint): void {
    const { overlay, http, giv, queue, relay } = this.#routes;
    switch (greeting) {
      case Greeting.Overlay:
        this.#handOver('overlay', overlay, socket, head, remote);
        break;
      case Greeting.Http:
        this.#handOver('http', http, socket, head, remote);
        break;
      case Greeting.Giv:
        this.#handOver('giv', giv, socket, head, remote);
        break;
      case Greeting.Queue:
        this.#handOver('queue', queue, socket, head, remote);
        break;
      case Greeting.Relay:
        this.#handOver('relay', relay, socket, head, remote);
        break;
      case Greeting.Probe:
        this.counts.count('probe');
        socket.destroySoon();
        break;
      case Greeting.Tls:
        this.#onTls(socket, head, remote);
        break;
      case Greeting.TooLong:
        this.#refuse(socket, 'greeting_too_long');
        break;
      default:
        this.#refuse(socket, 'greeting_garbage');
    }
  }

  /** Reads the first line inside TLS. TLS within TLS is refused. */
  #onTls(socket: Socket, head: Buffer, remote: Endpoint): void {
    const { secure } = this.#options;
    if (secure === undefined || isEncrypted(socket)) {
      this.#refuse(socket, 'tls_unsupported');
      return;
    }
    this.counts.count('tls');
    this.#greet(secure(socket, head), remote);
  }

  #handOver(
    reason: AcceptReason,
    takeOver: TakeOver | undefined,
    socket: Socket,
    head: Buffer,
    remote: Endpoint,
  ): void {
    this.counts.count(reason);
    if (takeOver === undefined) socket.destroy();
    else takeOver(socket, head, remote);
  }
}

function endpointOf(server: Server): Endpoint {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener is not listening');
  return { host: address.address, port: address.port };
}

/** Waits for the first line of one socket. Reports exactly once. */
class Greeter {
  readonly socket: Socket;
  readonly #done: (result: Greeting | AcceptReason, head: Buffer) => void;
  readonly #timer: NodeJS.Timeout;
  /** Undecided bytes: less than FIRST_LINE_BYTES_MAX plus one chunk. */
  #head: Buffer = Buffer.alloc(0);
  #over = false;

  constructor(socket: Socket, greetingMs: number, done: (result: Greeting | AcceptReason, head: Buffer) => void) {
    this.socket = socket;
    this.#done = done;
    this.#timer = setTimeout(this.#onTimeout, greetingMs);
    socket.on('data', this.#onData);
    socket.on('close', this.#onClose);
  }

  end(result: Greeting | AcceptReason): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    // The stream stays in flowing mode: the next owner attaches its listener in this turn, so no byte is lost.
    this.socket.removeListener('data', this.#onData);
    this.socket.removeListener('close', this.#onClose);
    this.#done(result, this.#head);
  }

  readonly #onData = (chunk: Buffer): void => {
    // Bounded work even for a peer that sends byte by byte: at most FIRST_LINE_BYTES_MAX joins of at most that many bytes.
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    const greeting = greetingOf(this.#head);
    if (greeting !== Greeting.Unfinished) this.end(greeting);
  };
  readonly #onTimeout = (): void => this.end('greeting_timeout');
  readonly #onClose = (): void => this.end('greeting_closed');
}

function listenError(cause: NodeJS.ErrnoException, where: Endpoint): ListenError {
  const at = formatEndpoint(where);
  const options = { cause };
  switch (cause.code) {
    case 'EADDRINUSE':
      return new ListenError(
        'LISTEN_PORT_IN_USE',
        `${at} is in use by another program: stop that one, or choose another --port (0 takes any free one)`,
        options,
      );
    case 'EACCES':
      return new ListenError('LISTEN_FORBIDDEN', `not allowed to listen on ${at}: choose a --port above 1023`, options);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ListenError(
        'LISTEN_NO_SUCH_ADDRESS',
        `${where.host} is not an address of this machine: choose another --host (0.0.0.0: all addresses)`,
        options,
      );
    default:
      return new ListenError('LISTEN_FAILED', `cannot listen on ${at}: ${cause.message}`, options);
  }
}
