// Owns the bytes between two chunks; knows the header layout, nothing about payloads or links.
import { HEADER_BYTES } from '../constants.ts';

export const Read = { TooLong: -1, Wait: 0, Frame: 1 } as const;
export type Read = (typeof Read)[keyof typeof Read];

const NOTHING: Buffer = Buffer.alloc(0);

/** One descriptor inside a buffer that it does not own: valid until the next push(). Reused by the reader. */
export class Frame {
  bytes: Buffer = NOTHING;
  /** Offset of the header. */
  start = 0;
  /** Offset after the payload. */
  end = 0;

  get type(): number {
    return this.bytes.readUInt8(this.start + 16);
  }
  get ttl(): number {
    return this.bytes.readUInt8(this.start + 17);
  }
  get hops(): number {
    return this.bytes.readUInt8(this.start + 18);
  }
  get payloadBytes(): number {
    return this.end - this.start - HEADER_BYTES;
  }
  /** A view, not a copy. */
  guid(): Buffer {
    return this.bytes.subarray(this.start, this.start + 16);
  }
  /** A view, not a copy. */
  payload(): Buffer {
    return this.bytes.subarray(this.start + HEADER_BYTES, this.end);
  }
  /** A copy that may outlive the chunk. */
  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(this.start, this.end));
  }
}

/** Chunks of one frame that are kept apart; more, when they are not crumbs. */
const HELD_MIN = 64;
const CRUMB_BYTES = 16;

export class FrameReader {
  readonly #payloadBytesMax: number;
  #bytes = NOTHING;
  #at = 0;
  #held: Buffer[] = []; // chunks of one unfinished frame
  #heldBytes = 0;
  #needBytes = HEADER_BYTES;
  #heldMax = HELD_MIN;
  /** Times that chunks were joined: at most two a frame, and one more for each HELD_MIN crumbs. */
  joins = 0;

  constructor(payloadBytesMax: number) {
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** Chunks kept apart. */
  get held(): number {
    return this.#held.length;
  }

  /** Call next() until it stops returning Frame before pushing again. */
  push(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#needBytes) {
      if (this.#held.length >= this.#heldMax) this.#sweepUp();
      return;
    }
    this.#heldMax = HELD_MIN;
    if (this.#held.length === 1) this.#bytes = chunk;
    else {
      this.#bytes = Buffer.concat(this.#held, this.#heldBytes);
      this.joins++;
    }
    this.#at = 0;
    this.#held = [];
    this.#heldBytes = 0;
  }

  /**
   * A Buffer costs a hundred times a byte: a peer that sends byte by byte would make us keep that. Never more than a chunk for each
   * CRUMB_BYTES, and all joins of a frame together copy no more than some seventeen times its bytes.
   */
  #sweepUp(): void {
    this.#held = [Buffer.concat(this.#held, this.#heldBytes)];
    this.#heldMax = Math.max(HELD_MIN, Math.floor(this.#heldBytes / CRUMB_BYTES));
    this.joins++;
  }

  /** Fills `frame`, or says Wait for more bytes, or TooLong before any of that payload is kept. */
  next(frame: Frame): Read {
    const have = this.#bytes.length - this.#at;
    if (have === 0) {
      // without this line the joins turn quadratic; a test counts them. Letting go of the chunk matters to idle links
      this.#bytes = NOTHING;
      this.#at = 0;
      return Read.Wait;
    }
    this.#needBytes = HEADER_BYTES;
    if (have >= HEADER_BYTES) {
      const payloadBytes = this.#bytes.readUInt32LE(this.#at + 19);
      if (payloadBytes > this.#payloadBytesMax) return Read.TooLong;
      this.#needBytes += payloadBytes;
    }
    if (have < this.#needBytes) {
      this.#held.push(this.#bytes.subarray(this.#at));
      this.#heldBytes = have;
      this.#at = this.#bytes.length;
      return Read.Wait;
    }
    frame.bytes = this.#bytes;
    frame.start = this.#at;
    frame.end = this.#at += this.#needBytes;
    this.#needBytes = HEADER_BYTES;
    return Read.Frame;
  }
}
