// Pulls bytes from a socket, one chunk at a time: what nobody asks for stays in the kernel, and so the other side waits.
import type { Socket } from 'node:net';
import { type HeaderBlock, HeaderReader } from '../../protocol/handshake/header-block.ts';
import { HTTP_LIMITS } from '../../protocol/transfer/http-head.ts';

export class SocketReader {
  readonly #socket: Socket;
  #held: Buffer | null;
  #over = false;
  #wake: (() => void) | null = null;

  /** `head`: bytes that were read already. Attaches at once, so that none is lost. */
  constructor(socket: Socket, head: Buffer = Buffer.alloc(0)) {
    this.#socket = socket;
    this.#held = head.length === 0 ? null : head;
    socket.on('readable', this.#onReadable);
    socket.on('end', this.#onOver);
    socket.on('close', this.#onOver);
  }

  /** The next bytes; null at the end, however it came. One caller at a time. */
  async next(): Promise<Buffer | null> {
    for (;;) {
      const chunk = this.#held ?? (this.#socket.read() as Buffer | null);
      this.#held = null;
      if (chunk !== null) return chunk;
      if (this.#over) return null;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  /** Gives back what was too much of the last chunk. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#held = bytes;
  }

  /** First line and headers; null when the end came first. `onBytes` hears when some have come. Throws HTTP_TOO_LONG, HTTP_MALFORMED. */
  async nextHead(onBytes?: () => void): Promise<HeaderBlock | null> {
    const reader = new HeaderReader(HTTP_LIMITS);
    for (;;) {
      const chunk = await this.next();
      if (chunk === null) return null;
      onBytes?.();
      if (reader.push(chunk) === 'more') continue;
      this.unread(reader.rest);
      return reader.block;
    }
  }

  /** Nobody is interested in what still comes. */
  discard(): void {
    this.#held = null;
    this.#socket.removeListener('readable', this.#onReadable);
    this.#socket.resume();
  }

  readonly #onReadable = (): void => {
    this.#wake?.();
    this.#wake = null;
  };

  readonly #onOver = (): void => {
    this.#over = true;
    this.#onReadable();
  };
}
