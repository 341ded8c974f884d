// Opens TCP connections to other servents, within policy, a parallel limit and a time limit.

import { Socket } from 'node:net';
import { CodedError } from '../../protocol/errors.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { WayOut } from './way-out.ts';

export type DialErrorCode = 'DIAL_FORBIDDEN' | 'DIAL_BUSY' | 'DIAL_TIMEOUT' | 'DIAL_ABORTED' | 'DIAL_FAILED';

export class DialError extends CodedError<DialErrorCode> {}

export interface DialerOptions {
  /** Why an endpoint must not be dialled (our own, outside the profile's ranges, blocked), or null. */
  forbids: (endpoint: Endpoint) => string | null;
  /** How connections leave this machine. By default as the system chooses. */
  way?: WayOut;
  /** Most attempts at a time. */
  parallelMax?: number;
  /** Most attempts that wait for a free place. */
  waitingMax?: number;
  /** Time limit of one attempt, from its start, ms. */
  connectMs?: number;
}

export class Dialer {
  readonly #options: DialerOptions;
  readonly #way: WayOut;
  readonly #parallelMax: number;
  readonly #waitingMax: number;
  readonly #connectMs: number;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(options: DialerOptions) {
    this.#options = options;
    this.#way = options.way ?? new WayOut();
    this.#parallelMax = options.parallelMax ?? 16;
    this.#waitingMax = options.waitingMax ?? 256;
    this.#connectMs = options.connectMs ?? 8000;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Resolves with a connected socket, made by `make`: TCP_NODELAY set, an 'error' listener attached. Rejects with DialError. */
  async dial(endpoint: Endpoint, signal?: AbortSignal, make = () => new Socket()): Promise<Socket> {
    const forbidden = this.#way.closed ?? this.#options.forbids(endpoint);
    if (forbidden !== null) throw new DialError('DIAL_FORBIDDEN', `${formatEndpoint(endpoint)}: ${forbidden}`);
    await this.#turn(endpoint, signal);
    try {
      return await this.#connect(endpoint, signal, make);
    } finally {
      this.#underWay--;
      this.#waiting.shift()?.();
    }
  }

  async #turn(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) throw aborted(endpoint);
    if (this.#underWay < this.#parallelMax) {
      this.#underWay++;
      return;
    }
    if (this.#waiting.length >= this.#waitingMax) {
      throw new DialError('DIAL_BUSY', `too many dials: ${this.#waitingMax} are waiting`);
    }
    await new Promise<void>((go, giveUp) => {
      const onTurn = () => {
        signal?.removeEventListener('abort', onAbort);
        this.#underWay++;
        go();
      };
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(onTurn), 1);
        giveUp(aborted(endpoint));
      };
      this.#waiting.push(onTurn);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #connect(endpoint: Endpoint, signal: AbortSignal | undefined, make: () => Socket): Promise<Socket> {
    if (signal?.aborted === true) return Promise.reject(aborted(endpoint));
    const { localAddress, closed, proxy } = this.#way;
    if (closed !== null) return Promise.reject(new DialError('DIAL_FORBIDDEN', closed)); // while it waited
    return new Promise((connected, failed) => {
      // what is spoken with a proxy is read as events
      const socket = (proxy === null ? make() : new Socket()).setNoDelay(true);
      this.#way.add(socket);
      const fail = (error: DialError) => {
        settle();
        socket.destroy();
        failed(error);
      };
      const onTimeout = () => fail(new DialError('DIAL_TIMEOUT', `${formatEndpoint(endpoint)} did not answer`));
      const onAbort = () => fail(aborted(endpoint));
      const timer = setTimeout(onTimeout, proxy?.connectMs ?? this.#connectMs);
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      // The listener stays attached: later errors show as 'close' and are never unhandled.
      socket.on('error', cause => {
        if (proxy !== null) return; // it says itself what happened
        fail(new DialError('DIAL_FAILED', `${formatEndpoint(endpoint)}: ${told(cause)}`, { cause }));
      });
      const done = () => {
        settle();
        connected(socket);
      };
      if (proxy !== null) {
        proxy.connect(endpoint, socket).then(done, (cause: Error) => {
          fail(new DialError('DIAL_FAILED', `${formatEndpoint(endpoint)}: ${cause.message}`, { cause }));
        });
        return;
      }
      socket.once('connect', done);
      const { host, port } = endpoint;
      socket.connect({ host, port, ...(localAddress === null ? {} : { localAddress }) });
    });
  }
}

/** What the system says of a connection that failed: its own message repeats the address. */
const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'no answer',
};

function told({ code = '', message }: NodeJS.ErrnoException): string {
  const failure = FAILURES[code];
  return failure === undefined ? message : `${failure} (${code})`;
}

function aborted(endpoint: Endpoint): DialError {
  return new DialError('DIAL_ABORTED', `the dial of ${formatEndpoint(endpoint)} was cancelled`);
}
