// Splits a byte stream into descriptors by the payload length in their headers. Keeps the unfinished one between chunks.
import { HEADER_BYTES } from '../constants.ts';

export const ReadResult = { TooLong: -1, Wait: 0, Frame: 1 } as const;
export type ReadResult = (typeof ReadResult)[keyof typeof ReadResult];

const NOTHING: Buffer = Buffer.alloc(0);

/** A view of one descriptor, valid until the next push(). The reader reuses the object. */
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
  /** Lets go of the chunk. */
  release(): void {
    this.bytes = NOTHING;
    this.start = 0;
    this.end = 0;
  }
}

/** Chunks of one frame held before they are joined: HELD_MIN, or one for each HELD_CHUNK_BYTES received when that is more. */
const HELD_MIN = 64;
const HELD_CHUNK_BYTES = 16;

export class FrameReader {
  readonly #payloadBytesMax: number;
  #bytes = NOTHING;
  #at = 0;
  #held: Buffer[] = []; // chunks of one unfinished frame
  #heldBytes = 0;
  #needBytes = HEADER_BYTES;
  #heldMax = HELD_MIN;
  /** Number of joins: at most two a frame, and one more for each HELD_MIN tiny chunks. */
  joins = 0;

  constructor(payloadBytesMax: number) {
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** Number of chunks held. */
  get held(): number {
    return this.#held.length;
  }

  /** Call next() until it stops returning Frame before pushing again. */
  push(chunk: Buffer): void {
    if (this.#heldBytes === 0 && chunk.length >= this.#needBytes) {
      // the usual case: whole frames, nothing before them
      this.#bytes = chunk;
      this.#at = 0;
      return;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#needBytes) {
      if (this.#held.length >= this.#heldMax) this.#joinHeld();
      return;
    }
    this.#heldMax = HELD_MIN;
    this.#bytes = Buffer.concat(this.#held, this.#heldBytes);
    this.joins++;
    this.#at = 0;
    this.#held = [];
    this.#heldBytes = 0;
  }

  /**
   * Joins the held chunks, because a Buffer object takes about 100 bytes and a peer may send single bytes. All joins of a frame
   * together copy at most about 17 times its bytes.
   */
  #joinHeld(): void {
    this.#held = [Buffer.concat(this.#held, this.#heldBytes)];
    this.#heldMax = Math.max(HELD_MIN, Math.floor(this.#heldBytes / HELD_CHUNK_BYTES));
    this.joins++;
  }

  /** Fills `frame` and returns Frame; Wait when bytes are missing; TooLong, before buffering, when the payload exceeds the limit. */
  next(frame: Frame): ReadResult {
    const have = this.#bytes.length - this.#at;
    if (have === 0) {
      // without this return the joins become quadratic; releasing the chunk saves memory on idle links
      this.#bytes = NOTHING;
      this.#at = 0;
      return ReadResult.Wait;
    }
    this.#needBytes = HEADER_BYTES;
    if (have >= HEADER_BYTES) {
      const payloadBytes = this.#bytes.readUInt32LE(this.#at + 19);
      if (payloadBytes > this.#payloadBytesMax) return ReadResult.TooLong;
      this.#needBytes += payloadBytes;
    }
    if (have < this.#needBytes) {
      this.#held.push(this.#bytes.subarray(this.#at));
      this.#heldBytes = have;
      this.#at = this.#bytes.length;
      return ReadResult.Wait;
    }
    frame.bytes = this.#bytes;
    frame.start = this.#at;
    frame.end = this.#at += this.#needBytes;
    this.#needBytes = HEADER_BYTES;
    return ReadResult.Frame;
  }
}
