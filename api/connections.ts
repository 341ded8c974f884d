// Limits the connections of one port. At the limit it closes the oldest connection without a valid key.
import type { Socket } from 'node:net';

export class Connections {
  readonly #max: number;
  /** Connections without a valid key by both addresses, which a TLS socket shares with its TCP socket; oldest first. */
  readonly #unknown = new Map<string, Socket>();
  readonly #known = new Map<string, Socket>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#unknown.size + this.#known.size;
  }

  /** Adds a connection. Above the limit closes the oldest without a key, or this one if all others have keys. */
  add(socket: Socket): void {
    const ends = endsOf(socket);
    this.#unknown.set(ends, socket);
    socket.once('close', () => {
      // A newer connection may have the same addresses.
      for (const held of [this.#unknown, this.#known]) if (held.get(ends) === socket) held.delete(ends);
    });
    if (this.size <= this.#max) return;
    const oldest = this.#unknown.entries().next().value;
    if (oldest === undefined) return;
    this.#unknown.delete(oldest[0]);
    oldest[1].destroy();
  }

  /** Marks a connection as used with a valid key: it is not closed at the limit. */
  know(socket: Socket): void {
    const ends = endsOf(socket);
    const stranger = this.#unknown.get(ends);
    if (stranger === undefined) return;
    this.#unknown.delete(ends);
    this.#known.set(ends, stranger);
  }
}

const endsOf = ({ localAddress, localPort, remoteAddress, remotePort }: Socket): string =>
  `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
