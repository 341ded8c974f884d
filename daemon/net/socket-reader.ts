// Reads a socket one chunk at a time on request; unread bytes stay in the kernel, so TCP slows the sender.

import { type HeaderBlock, HeaderReader } from '../../protocol/handshake/header-block.ts';
import { HTTP_LIMITS } from '../../protocol/transfer/http-head.ts';
import type { StreamSocket } from './stream-socket.ts';

/** The bytes that a socket receives. */
export interface SocketInput {
  /** The bytes that are there; null: none yet, or none any more. */
  now(): Buffer | null;
  /** Resolves with the next bytes; null at the end or after an error. One caller at a time. */
  next(): Promise<Buffer | null>;
  /** Resolves with the number of bytes that can be taken; 0 at the end or after an error. One caller at a time. */
  ready(): Promise<number>;
  /** The next bytes, at most `most`, after ready(). */
  take(most: number): Buffer | null;
}

export class SocketReader implements SocketInput {
  readonly #socket: StreamSocket;
  #held: Buffer | null;
  #over = false;
  #wake: (() => void) | null = null;

  /** `head` holds bytes already read. */
  constructor(socket: StreamSocket, head: Buffer = Buffer.alloc(0)) {
    this.#socket = socket;
    this.#held = head.length === 0 ? null : head;
    socket.on('readable', this.#onReadable);
    socket.on('end', this.#onOver);
    socket.on('close', this.#onOver);
  }

  now(): Buffer | null {
    const chunk = this.#held ?? (this.#socket.read() as Buffer | null);
    this.#held = null;
    return chunk;
  }

  async next(): Promise<Buffer | null> {
    for (;;) {
      const chunk = this.now();
      if (chunk !== null) return chunk;
      if (this.#over) return null;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  async ready(): Promise<number> {
    for (;;) {
      if (this.#held !== null) return this.#held.length;
      if (this.#socket.readableLength === 0) this.#socket.read(0); // has it look for more, or end
      if (this.#socket.readableLength > 0) return this.#socket.readableLength;
      if (this.#over) return 0;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  take(most: number): Buffer | null {
    const held = this.#held;
    if (held === null) return this.#socket.read(Math.min(most, this.#socket.readableLength)) as Buffer | null;
    this.#held = most < held.length ? held.subarray(most) : null;
    return held.subarray(0, most);
  }

  /** Bytes that came with the last ones are waiting to be read. */
  get holds(): boolean {
    return this.#held !== null;
  }

  /** Returns surplus bytes of the last chunk to the reader. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#held = bytes;
  }

  /** Reads first line and headers; null at the end. `onBytes` is called for each chunk. Throws HTTP_TOO_LONG, HTTP_MALFORMED. */
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

  /** Drops all further input. */
  discard(): void {
    this.#held = null;
    this.#socket.removeListener('readable', this.#onReadable);
    this.#socket.resume();
  }

  readonly #onReadable = (): void => {
    // nobody waits: an end of the stream would not show until somebody reads
    if (this.#wake === null) this.#socket.read(0);
    this.#wake?.();
    this.#wake = null;
  };

  readonly #onOver = (): void => {
    this.#over = true;
    this.#onReadable();
  };
}
