// Opens TCP connections to other servents, within policy, a parallel limit and a time limit.

import { connect, type Socket } from 'node:net';
import { CodedError } from '../../protocol/errors.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';

export type DialErrorCode = 'DIAL_FORBIDDEN' | 'DIAL_BUSY' | 'DIAL_TIMEOUT' | 'DIAL_ABORTED' | 'DIAL_FAILED';

export class DialError extends CodedError<DialErrorCode> {}

export interface DialerOptions {
  /** Why an endpoint must not be dialled (our own, outside the profile's ranges, blocked), or null. */
  forbids: (endpoint: Endpoint) => string | null;
  /** Source address of our connections; absent: the system chooses. */
  localAddress?: string;
  /** Most attempts at a time. */
  parallelMax?: number;
  /** Most attempts that wait for a free place. */
  waitingMax?: number;
  /** Time limit of one attempt, from its start, ms. */
  connectMs?: number;
}

export class Dialer {
  readonly #options: DialerOptions;
  readonly #parallelMax: number;
  readonly #waitingMax: number;
  readonly #connectMs: number;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(options: DialerOptions) {
    this.#options = options;
    this.#parallelMax = options.parallelMax ?? 16;
    this.#waitingMax = options.waitingMax ?? 256;
    this.#connectMs = options.connectMs ?? 8000;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Resolves with a connected socket: TCP_NODELAY set, an 'error' listener attached. Rejects with DialError. */
  async dial(endpoint: Endpoint, signal?: AbortSignal): Promise<Socket> {
    const forbidden = this.#options.forbids(endpoint);
    if (forbidden !== null) throw new DialError('DIAL_FORBIDDEN', `${formatEndpoint(endpoint)}: ${forbidden}`);
    await this.#turn(endpoint, signal);
    try {
      return await this.#connect(endpoint, signal);
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

  #connect(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<Socket> {
    if (signal?.aborted === true) return Promise.reject(aborted(endpoint));
    const { localAddress } = this.#options;
    return new Promise((connected, failed) => {
      const socket = connect({
        host: endpoint.host,
        port: endpoint.port,
        noDelay: true,
        ...(localAddress === undefined ? {} : { localAddress }),
      });
      const fail = (error: DialError) => {
        settle();
        socket.destroy();
        failed(error);
      };
      const onTimeout = () => fail(new DialError('DIAL_TIMEOUT', `${formatEndpoint(endpoint)} did not answer`));
      const onAbort = () => fail(aborted(endpoint));
      const timer = setTimeout(onTimeout, this.#connectMs);
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      // The listener stays attached: later errors show as 'close' and are never unhandled.
      socket.on('error', cause => {
        fail(new DialError('DIAL_FAILED', `${formatEndpoint(endpoint)}: ${cause.message}`, { cause }));
      });
      socket.once('connect', () => {
        settle();
        connected(socket);
      });
    });
  }
}

function aborted(endpoint: Endpoint): DialError {
  return new DialError('DIAL_ABORTED', `the dial of ${formatEndpoint(endpoint)} was cancelled`);
}
