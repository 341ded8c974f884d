// Streams by UDP of a virtual host: has the servent's connections timed and sent, and carries a GIV over those that pushes ask for.
import { ProtocolError } from '../../protocol/errors.ts';
import type { PushRequest } from '../../protocol/overlay/pushes/push-requester.ts';
import type { RudpConnection, RudpEvents } from '../../protocol/rudp/rudp-connection.ts';
import { RudpError } from '../../protocol/rudp/rudp-error.ts';
import type { Servent } from '../../protocol/servent.ts';
import { encodeGiv, parseGiv } from '../../protocol/transfer/giv.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Medium } from './medium.ts';

/** Connections are timed no finer. */
const STEP_MS = 0.5;
/** After everything else of the same moment. */
const RANK = 1;
const GIV_BYTES_MAX = 256;

/** What it needs of the host. */
export interface StreamingHost {
  readonly up: boolean;
  readonly servent: Servent;
  send(bytes: Buffer, to: Endpoint): boolean;
  stirred(): void;
}

export class VirtualStreams {
  readonly #host: StreamingHost;
  readonly #internet: Medium;
  #due = Number.POSITIVE_INFINITY;

  constructor(host: StreamingHost, internet: Medium) {
    this.#host = host;
    this.#internet = internet;
  }

  wake(): void {
    this.#tickAt(this.#now);
  }

  /** The machine is off: nothing is due. */
  stop(): void {
    this.#due = Number.POSITIVE_INFINITY;
  }

  get #now(): number {
    return this.#internet.clock.ms;
  }

  #tickAt(at: number): void {
    if (at >= this.#due || !this.#host.up) return;
    this.#due = at;
    this.#internet.events.add(at, () => at === this.#due && this.#tick(), RANK);
  }

  #tick(): void {
    this.#due = Number.POSITIVE_INFINITY;
    const { up, servent } = this.#host;
    if (!up) return;
    servent.rudp.tick(this.#now);
    servent.rudp.flush(this.#now, (bytes, to) => void this.#host.send(bytes, to));
    this.#tickAt(Math.max(servent.rudp.tick(this.#now), this.#now + STEP_MS));
  }

  /** Opens the stream that a push asked for, and says GIV on it. `onServed`: it is open. */
  serve(to: Endpoint, onServed: () => void): void {
    const { servent } = this.#host;
    let told = false;
    const ended = (how: 'served' | 'no_stream') => {
      if (told) return;
      told = true;
      servent.pushes.ended(to, how, this.#now);
      this.#host.stirred();
    };
    this.#open(to, 'acceptor', () => ended('no_stream'), {
      onConnected: connection => {
        ended('served');
        connection.write(encodeGiv(servent.identity.serventGuid));
        onServed();
      },
    });
  }

  /** Opens the stream that a source was asked for, and waits for its GIV. */
  open(request: PushRequest, to: Endpoint): void {
    const { servent } = this.#host;
    const failed = () => {
      servent.requester.lastFailed(request, 'rudp', this.#now);
      this.#host.stirred();
    };
    let line = '';
    this.#open(to, 'requestor', failed, {
      onReadable: connection => {
        line += connection.read(GIV_BYTES_MAX - line.length, this.#now)?.toString('latin1') ?? '';
        if (!line.endsWith('\n\n') && line.length < GIV_BYTES_MAX) return;
        try {
          servent.requester.onGiv(parseGiv(line).serventGuid, this.#now, 'rudp');
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          failed();
        }
        connection.end(this.#now);
        this.#host.stirred();
      },
    });
  }

  #open(
    to: Endpoint,
    role: 'requestor' | 'acceptor',
    failed: () => void,
    on: { onConnected?: (of: RudpConnection) => void; onReadable?: (of: RudpConnection) => void },
  ): void {
    let connection: RudpConnection | null = null;
    const events: RudpEvents = {
      onConnected: () => connection !== null && on.onConnected?.(connection),
      onReadable: () => {
        if (connection === null) return;
        if (connection.readable > 0) on.onReadable?.(connection);
        if (connection.ended) connection.end(this.#now);
      },
      onWritable: () => undefined,
      onClosed: error => {
        if (error !== null) failed();
      },
    };
    try {
      connection = this.#host.servent.rudp.open(to, role, events, this.#now);
    } catch (error) {
      if (!(error instanceof RudpError)) throw error;
      this.#internet.later(1, failed);
    }
  }
}
