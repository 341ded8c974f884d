// Limits the connections of one port. At the limit it closes the oldest connection without a valid key.
import type { Socket } from 'node:net';

export class Connections {
  readonly #max: number;
  /** By both ends, as a socket and the TLS over it say the same; in the order in which they came. */
  readonly #strangers = new Map<string, Socket>();
  readonly #known = new Map<string, Socket>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#strangers.size + this.#known.size;
  }

  /** A connection came in. Cuts one when there are too many: this one, if callers with keys have all the others. */
  add(socket: Socket): void {
    const ends = endsOf(socket);
    this.#strangers.set(ends, socket);
    socket.once('close', () => {
      // By now another connection may have the same ends.
      for (const held of [this.#strangers, this.#known]) if (held.get(ends) === socket) held.delete(ends);
    });
    if (this.size <= this.#max) return;
    const oldest = this.#strangers.entries().next().value;
    if (oldest === undefined) return;
    this.#strangers.delete(oldest[0]);
    oldest[1].destroy();
  }

  /** Who called on it has a key: it stays. */
  know(socket: Socket): void {
    const ends = endsOf(socket);
    const stranger = this.#strangers.get(ends);
    if (stranger === undefined) return;
    this.#strangers.delete(ends);
    this.#known.set(ends, stranger);
  }
}

const endsOf = ({ localAddress, localPort, remoteAddress, remotePort }: Socket): string =>
  `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
