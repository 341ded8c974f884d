// Calls clients that wait in our upload queue without a connection: connects, says QUEUE, and serves HTTP there.
import type { Socket } from 'node:net';
import { ReasonCounts } from '../../protocol/reason-counts.ts';
import type { Servent } from '../../protocol/servent.ts';
import { encodeQueueCall } from '../../protocol/transfer/queue-call.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Log } from '../log.ts';
import { DialError, type Dialer } from '../net/dialer.ts';

const CONNECT_MS = 10_000;

const QUEUE_CALL_OUTCOMES = ['reached', 'unreachable'] as const;
export type QueueCallOutcome = (typeof QUEUE_CALL_OUTCOMES)[number];

export interface QueueCallsOptions {
  servent: Pick<Servent, 'endpoint'>;
  dialer: Pick<Dialer, 'dial'>;
  /** The file server; takes over the socket. */
  serve: (socket: Socket, head: Buffer, pushed: boolean) => void;
  log: Log;
}

export class QueueCalls {
  readonly outcomes = new ReasonCounts<QueueCallOutcome>(QUEUE_CALL_OUTCOMES);
  readonly #options: QueueCallsOptions;
  readonly #abort = new AbortController();

  constructor(options: QueueCallsOptions) {
    this.#options = options;
  }

  /** The queue sees by the request that follows, or does not, how it went. */
  call(to: Endpoint, id: string): void {
    const { servent, dialer, serve, log } = this.#options;
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(CONNECT_MS)]);
    dialer.dial(to, signal).then(
      socket => {
        this.outcomes.count('reached');
        socket.write(encodeQueueCall(id, servent.endpoint));
        serve(socket, Buffer.alloc(0), true);
      },
      (err: unknown) => {
        this.outcomes.count('unreachable');
        if (!(err instanceof DialError))
          log.error({ err }, 'internal error while calling a client of the upload queue');
        else log.debug({ peer: formatEndpoint(to), code: err.code }, 'a client of the upload queue cannot be reached');
      },
    );
  }

  /** Cancels dials. Sockets being served belong to the file server. */
  stop(): void {
    this.#abort.abort();
  }
}
