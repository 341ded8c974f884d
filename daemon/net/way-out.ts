// Says how connections leave this machine: from which address, through which proxy, whether they may at all, and which are open.
import type { Socket } from 'node:net';
import type { SocksWay } from './socks-way.ts';

export class WayOut {
  /** Source address of our connections; null: the system chooses. */
  localAddress: string | null = null;
  /** Source address of questions for names; null: the system asks. */
  asksFrom: string | null = null;
  /** Why nothing may leave, in words; null: it may. */
  closed: string | null = null;
  /** Why nothing may ever leave, whatever is opened; null: nothing stands against it. */
  outside: string | null = null;
  /** All connections of ours go through it; null: there is none. */
  readonly proxy: SocksWay | null;
  /** Bounded by the limits of the listener and the dialer. */
  readonly #sockets = new Set<Socket>();

  constructor(proxy: SocksWay | null = null) {
    this.proxy = proxy;
  }

  get sockets(): number {
    return this.#sockets.size;
  }

  /** Keeps a socket until it closes, so that all can be ended. */
  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** Nothing leaves any more. Ends all connections at once, without a goodbye. */
  close(why: string): void {
    this.closed = why;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  open(localAddress: string | null): void {
    this.closed = this.outside;
    this.localAddress = localAddress;
  }
}
