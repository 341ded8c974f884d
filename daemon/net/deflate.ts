// The zlib streams of one compressed link, a direction each: what is offered bounds memory, what is inflated is bounded too.
//
// Both use the thread pool through the public stream. Measured for a turn of ten 80-byte frames: 25 µs of zlib, and
// 6 to 15 µs for the trip when Z_SYNC_FLUSH is the stream's own flush mode (a flush() of its own doubles the trip).
// Node's synchronous path would save the trip but needs a private handle and would stop all other links meanwhile.
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';

/** Memory against ratio. Queries shrink to 0.76 and 0.84 when five leave together; resident after a few: 65 and 31 KiB a link. */
const SHAPES = {
  /** Few links, much traffic: towards ultrapeers. */
  wide: { level: 6, windowBits: 15, memLevel: 8, chunkSize: 16_384 },
  /** Many links, little traffic: towards leaves. */
  narrow: { level: 6, windowBits: 12, memLevel: 4, chunkSize: 4096 },
} as const;
export type DeflateShape = keyof typeof SHAPES;

export class DeflateWriter {
  readonly #stream: Deflate;
  readonly #onIdle: () => void;
  /** Bytes handed to write() are not all out yet. */
  busy = false;

  constructor(shape: DeflateShape, onBytes: (deflated: Buffer) => void, onIdle: () => void) {
    this.#onIdle = onIdle;
    this.#stream = createDeflate({ ...SHAPES[shape], flush: constants.Z_SYNC_FLUSH });
    this.#stream.on('data', onBytes);
    // Only what we are wrong about can fail here; the owner destroys the stream with its socket.
    this.#stream.on('error', () => {});
  }

  /** Deflates and flushes; onIdle follows when all of it has been given to onBytes. Not while busy. */
  write(bytes: Buffer): void {
    this.busy = true;
    this.#stream.write(bytes, this.#onWritten);
  }

  /** Frees zlib's memory. */
  destroy(): void {
    this.#stream.destroy();
  }

  readonly #onWritten = (error?: Error | null): void => {
    this.busy = false;
    if (error === undefined || error === null) this.#onIdle();
  };
}

/** Output that costs nothing: a whole QRP table of zeros, a burst of look-alike hits. */
const INFLATE_BURST_BYTES = 1 << 20;
/** Output that each input byte earns. Real traffic stays below 10; zlib itself reaches 1032. */
const INFLATE_RATIO = 20;

export interface InflateEvents {
  onBytes(inflated: Buffer): void;
  /** Too many bytes wait, or few enough again: pause and resume the socket. */
  onPressure(high: boolean): void;
  /** The stream is of no more use. */
  onFault(fault: 'bad_deflate' | 'inflate_bomb'): void;
}

export class InflateReader {
  readonly #stream: Inflate;
  readonly #events: InflateEvents;
  #credit = INFLATE_BURST_BYTES;
  #pressed = false;
  /** Chunks that zlib has not done with. */
  #pending = 0;
  #onSettled: (() => void) | null = null;

  constructor(shape: DeflateShape, events: InflateEvents) {
    this.#events = events;
    this.#stream = createInflate({ chunkSize: SHAPES[shape].chunkSize });
    this.#stream.on('data', this.#onInflated);
    this.#stream.on('drain', () => {
      this.#pressed = false;
      events.onPressure(false);
    });
    this.#stream.on('error', () => this.#fail('bad_deflate'));
    // zlib's own end marker while the link is alive: what follows would be lost.
    this.#stream.on('end', () => this.#fail('bad_deflate'));
  }

  write(chunk: Buffer): void {
    this.#credit = Math.min(INFLATE_BURST_BYTES, this.#credit + INFLATE_RATIO * chunk.length);
    this.#pending++;
    if (!this.#stream.write(chunk, this.#onWritten) && !this.#pressed) {
      this.#pressed = true;
      this.#events.onPressure(true);
    }
  }

  /** Calls back once all that was written has been inflated or has failed: at once if that is so already. */
  whenSettled(onSettled: () => void): void {
    if (this.#pending === 0) onSettled();
    else this.#onSettled = onSettled;
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #fail(fault: 'bad_deflate' | 'inflate_bomb'): void {
    this.#events.onFault(fault);
    this.#pending = 0;
    this.#settle();
  }

  #settle(): void {
    const onSettled = this.#onSettled;
    this.#onSettled = null;
    onSettled?.();
  }

  readonly #onWritten = (): void => {
    if (this.#pending > 0 && --this.#pending === 0) this.#settle();
  };

  readonly #onInflated = (inflated: Buffer): void => {
    this.#credit -= inflated.length;
    if (this.#credit >= 0) this.#events.onBytes(inflated);
    else {
      this.#stream.destroy(); // the rest of the chunk is not even inflated
      this.#fail('inflate_bomb');
    }
  };
}
