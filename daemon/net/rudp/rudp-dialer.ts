// Opens connections over reliable UDP, and gives those that are open their turns: what came in one turn of the event loop is read,
// answered and sent together.
import type { RudpRole } from '../../../protocol/rudp/packet.ts';
import { RudpError } from '../../../protocol/rudp/rudp-error.ts';
import type { ServentRudp } from '../../../protocol/servent-rudp.ts';
import type { Endpoint } from '../../../protocol/wire/endpoint.ts';
import type { Clock } from '../../clock.ts';
import type { Bandwidth, Usage } from '../bandwidth.ts';
import { RudpSocket, type RudpTurn } from './rudp-socket.ts';

/** While datagrams are limited, so many bytes are asked for at a time. */
const GRANT_BYTES = 16_384;
/** Of a datagram, what counts as sent by UDP: the rest is counted by the transfer. */
export const OVERHEAD_BYTES_MAX = 64;
const WAIT_MS_MAX = 60_000;

export interface RudpDialerOptions {
  readonly rudp: () => Pick<ServentRudp, 'open' | 'tick' | 'flush' | 'close'>;
  /** Sends a datagram at once, whatever the limits. */
  readonly send: (bytes: Buffer, to: Endpoint) => void;
  readonly clock: Pick<Clock, 'now'>;
  readonly bandwidth: Bandwidth;
}

export class RudpDialer implements RudpTurn {
  readonly #options: RudpDialerOptions;
  readonly #usage: Usage;
  readonly #toRead = new Set<RudpSocket>();
  #immediate: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: RudpDialerOptions) {
    this.#options = options;
    this.#usage = options.bandwidth.usage('udp');
  }

  /** Resolves with a connected stream once both sides have opened it. Rejects with RudpError; 20 s without an answer are the limit. */
  dial(endpoint: Endpoint, role: RudpRole, signal?: AbortSignal): Promise<RudpSocket> {
    return new Promise((connected, failed) => {
      if (this.#stopped || signal?.aborted === true)
        throw new RudpError('RUDP_CLOSED', 'the connection by UDP was cancelled');
      const onAbort = () => socket.destroy();
      const socket = new RudpSocket(this, error => {
        signal?.removeEventListener('abort', onAbort);
        if (error === null) connected(socket);
        else failed(error);
      });
      socket.on('error', () => undefined); // shows as 'close', as errors of dialled sockets do
      socket.carry(this.#options.rudp().open(endpoint, role, socket, this.now()));
      this.wake();
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  // --- turns

  now(): number {
    return this.#options.clock.now();
  }

  wake(): void {
    if (this.#immediate === null && !this.#stopped) this.#immediate = setImmediate(this.#turn);
  }

  readLater(socket: RudpSocket): void {
    this.#toRead.add(socket);
    this.wake();
  }

  readonly #turn = (): void => {
    this.#immediate = null;
    const { rudp } = this.#options;
    const sockets = [...this.#toRead];
    this.#toRead.clear();
    for (const socket of sockets) socket.readNow();
    const now = this.now();
    rudp().tick(now);
    if (this.#usage.limited) this.#ask();
    else this.#send(now);
    this.#sleep(rudp().tick(now) - now);
  };

  #sleep(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (ms === Number.POSITIVE_INFINITY || this.#stopped) return;
    // what is limited is sent with the next grant, not sooner
    const waitMs =
      ms <= 0 && this.#usage.onGrant !== null ? WAIT_MS_MAX : Math.min(Math.max(1, Math.ceil(ms)), WAIT_MS_MAX);
    this.#timer = setTimeout(() => this.wake(), waitMs);
  }

  #send(now: number, most?: number): number {
    let overhead = 0;
    const sent = this.#options.rudp().flush(
      now,
      (bytes, to) => {
        overhead += Math.min(bytes.length, OVERHEAD_BYTES_MAX);
        this.#options.send(bytes, to);
      },
      most,
    );
    this.#usage.moved(overhead);
    return sent;
  }

  #ask(): void {
    if (this.#usage.onGrant === null) this.#usage.want(GRANT_BYTES, this.#onGrant);
  }

  readonly #onGrant = (granted: number): void => {
    if (this.#stopped || granted === 0) return;
    const now = this.now();
    const sent = this.#send(now, granted);
    this.#usage.charge(sent - granted);
    this.#sleep(this.#options.rudp().tick(now) - now);
  };

  /** Ends all connections, and tells the peers. */
  stop(): void {
    if (this.#stopped) return;
    const now = this.now();
    this.#options.rudp().close(now);
    this.#send(now);
    this.#stopped = true;
    this.#usage.close();
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
