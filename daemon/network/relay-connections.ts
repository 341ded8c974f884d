// Sockets of relays: pairs those that come to us as a relay, comes to one as a servent that has files, and asks one for a source.

import { ProtocolError } from '../../protocol/errors.ts';
import type { PushSource } from '../../protocol/overlay/pushes/push-requester.ts';
import type { RelayTicket } from '../../protocol/relay/relay-desk.ts';
import {
  encodeRelayAsk,
  encodeRelayCall,
  parseRelayLine,
  RELAY_LINE_BYTES_MAX,
  type RelayCall,
} from '../../protocol/relay/relay-line.ts';
import type { Servent } from '../../protocol/servent.ts';
import { encodeGiv } from '../../protocol/transfer/giv.ts';
import { canonicalHost, type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { DialError, type Dialer } from '../net/dialer.ts';
import { RelayPipe } from '../net/relay-pipe.ts';
import type { StreamSocket } from '../net/stream-socket.ts';

const CONNECT_MS = 10_000;
const LINE_MS = 10_000;
/** Interval in which pairs and those that wait are held against their times. */
const SWEEP_MS = 1_000;

export interface RelayConnectionsOptions {
  readonly servent: Pick<Servent, 'identity' | 'relaying'>;
  readonly dialer: Pick<Dialer, 'dial'>;
  /** The file server; takes over the socket, on which only the file of this SHA-1 is served. */
  readonly serve: (socket: StreamSocket, head: Buffer, pushed: boolean, only: Buffer) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export class RelayConnections {
  readonly #options: RelayConnectionsOptions;
  /** Askers that wait for the other side, and what ends each pair. Bounded by the desk. */
  readonly #waiting = new Map<RelayTicket, StreamSocket>();
  readonly #pipes = new Map<RelayTicket, RelayPipe>();
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: RelayConnectionsOptions) {
    this.#options = options;
  }

  // --- as the relay

  /** Takes a socket that began with RELAY from the listener; `head` holds at least the first line. */
  onRelay(socket: StreamSocket, head: Buffer): void {
    let held = head;
    const timer = setTimeout(() => socket.destroy(), LINE_MS);
    const look = () => {
      const end = /^[^\n]*\n\r?\n/.exec(held.toString('latin1'))?.[0].length;
      if (end === undefined && held.length <= RELAY_LINE_BYTES_MAX) return;
      clearTimeout(timer);
      socket.removeListener('data', onData);
      socket.pause();
      if (end === undefined) socket.destroy();
      else this.#take(socket, held.toString('latin1', 0, end), held.subarray(end));
    };
    const onData = (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]); // at most RELAY_LINE_BYTES_MAX and one chunk
      look();
    };
    socket.on('data', onData);
    socket.on('error', () => undefined); // shows as 'close'
    socket.once('close', () => clearTimeout(timer));
    look();
  }

  #take(socket: StreamSocket, text: string, rest: Buffer): void {
    const { servent, clock } = this.#options;
    const now = clock.now();
    try {
      const line = parseRelayLine(text);
      if (line.kind === 'call') {
        this.#pair(socket, servent.relaying.desk.redeem(line.call, now), rest);
        return;
      }
      const host = canonicalHost(socket.remoteAddress ?? '');
      const ticket = host === null ? 'stranger' : servent.relaying.ask(line.ask, host, now);
      // who asks sends nothing more before the other side has come
      if (typeof ticket === 'string' || rest.length > 0) {
        if (typeof ticket !== 'string') servent.relaying.desk.ended(ticket);
        socket.destroy();
        return;
      }
      this.#waiting.set(ticket, socket);
      socket.once('close', () => {
        if (this.#waiting.delete(ticket)) servent.relaying.desk.ended(ticket);
      });
      this.#timer ??= setInterval(this.#sweep, SWEEP_MS).unref();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      socket.destroy();
    }
  }

  #pair(socket: StreamSocket, ticket: RelayTicket | null, rest: Buffer): void {
    const asker = ticket === null ? undefined : this.#waiting.get(ticket);
    if (ticket === null || asker === undefined) {
      if (ticket !== null) this.#options.servent.relaying.desk.ended(ticket);
      socket.destroy();
      return;
    }
    this.#waiting.delete(ticket);
    const { clock, log, servent } = this.#options;
    const { desk } = servent.relaying;
    const pipe = new RelayPipe(asker, socket, {
      onBytes: bytes => desk.passed(ticket, bytes, clock.now()),
      mayPass: () => desk.mayPass(clock.now()),
      onEnd: () => {
        this.#pipes.delete(ticket);
        desk.ended(ticket);
        log.info({ bytes: ticket.bytes }, 'a relayed transfer has ended');
      },
    });
    this.#pipes.set(ticket, pipe);
    log.info({ to: asker.remoteAddress, from: socket.remoteAddress }, 'relaying between two firewalled servents');
    if (rest.length > 0 && desk.passed(ticket, rest.length, clock.now())) asker.write(rest);
  }

  readonly #sweep = (): void => {
    for (const ticket of this.#options.servent.relaying.desk.overdue(this.#options.clock.now())) {
      this.#waiting.get(ticket)?.destroy();
      this.#pipes.get(ticket)?.end();
    }
    if (this.#waiting.size + this.#pipes.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  };

  // --- as the servent that has files

  /** Connects to the relay that told us to, says its call and GIV, and serves the file that it is for. */
  serve(relay: Endpoint, call: RelayCall): void {
    const { servent, serve, log } = this.#options;
    this.#dial(relay).then(
      socket => {
        socket.write(Buffer.concat([encodeRelayCall(call), encodeGiv(servent.identity.serventGuid)]));
        serve(socket, Buffer.alloc(0), true, call.sha1);
      },
      (err: unknown) => {
        if (!(err instanceof DialError)) log.error({ err }, 'internal error while coming to a relay');
        else log.debug({ peer: formatEndpoint(relay), code: err.code }, 'a relay cannot be reached');
      },
    );
  }

  // --- as the one that asks

  /** Resolves with a socket on which the source will say GIV; null: no relay took it. `sha1`: of the file that is wanted. */
  async ask({ relays = [], serventGuid, sha1 = null }: PushSource, signal: AbortSignal): Promise<StreamSocket | null> {
    if (serventGuid === null || sha1 === null) return null;
    for (const relay of relays) {
      try {
        const socket = await this.#dial(relay, signal);
        socket.write(encodeRelayAsk({ asker: this.#options.servent.identity.serventGuid, server: serventGuid, sha1 }));
        return socket;
      } catch (error) {
        if (!(error instanceof DialError)) throw error; // there may be another relay
      }
    }
    return null;
  }

  #dial(relay: Endpoint, signal?: AbortSignal): Promise<StreamSocket> {
    const signals = [this.#abort.signal, AbortSignal.timeout(CONNECT_MS), ...(signal === undefined ? [] : [signal])];
    return this.#options.dialer.dial(relay, AbortSignal.any(signals));
  }

  stop(): void {
    this.#abort.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const socket of this.#waiting.values()) socket.destroy();
    for (const pipe of [...this.#pipes.values()]) pipe.end();
  }
}
