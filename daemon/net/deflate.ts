// Compression of links, a direction each: bounded memory for what goes out, bounded output for what comes in.
//
// zlib's deflate state takes 93 KiB with the smallest of windows, since its hash table never shrinks, and the trip of a
// stream through the thread pool costs more than the work. So nothing of it is kept between two writes: each is deflated
// on its own, synchronously, with the last bytes of the link as dictionary, which its peer's window holds anyway. For
// five queries of 60 bytes that takes 35 us where a stream takes 100, at the same ratio.
import { constants, createInflate, deflateRawSync, type Inflate } from 'node:zlib';

/** `chunkBytes`: inflated at a time. `historyBytes`: kept of what was sent, to be referred to; a power of two. */
const SHAPES = {
  /** Few links, much traffic: towards ultrapeers. */
  wide: { chunkBytes: 16_384, historyBytes: 4096 },
  /** Many links, little traffic: towards leaves. */
  narrow: { chunkBytes: 4096, historyBytes: 2048 },
} as const;
export type DeflateShape = keyof typeof SHAPES;

/** The window that our streams announce. An inflater that goes by it needs 8 KiB. */
const WINDOW_BITS = 13;
/** CMF and FLG of RFC 1950 for that window. */
const ZLIB_HEADER = Buffer.from([((WINDOW_BITS - 8) << 4) | 8, 0x85]);
const OPTIONS = { windowBits: WINDOW_BITS, memLevel: 5, finishFlush: constants.Z_SYNC_FLUSH };
/** More than deflate ever adds to its input, so that all of it fits into one chunk. */
const deflateBytesMax = (bytes: number): number => bytes + (bytes >>> 6) + 64;
const HISTORY_BYTES_MIN = 256;
const STORED_HEADER_BYTES = 5;
const STORED_BYTES_MAX = 65_535;

const NOTHING = Buffer.alloc(0);

interface Flood {
  readonly bytes: Buffer;
  links: number;
  deflated: Buffer | null;
}

/** Floods told apart; they come one after the other. */
const FLOODS_MAX = 4;
/** Links that may deflate the same bytes by themselves, with their better ratio, before the rest shares one result. */
const LINKS_ALONE_MAX = 8;

/** What many links send alike: a flooded query is deflated a few times, not once a link. */
export class Floods {
  readonly #recent: Flood[] = [];
  #oldest = 0;

  /** The bytes as deflate blocks that refer to nothing before them; null as long as few links have sent the same. */
  deflated(bytes: Buffer): Buffer | null {
    for (const flood of this.#recent) {
      if (!flood.bytes.equals(bytes)) continue;
      if (++flood.links <= LINKS_ALONE_MAX) return null;
      flood.deflated ??= smaller(
        deflateRawSync(bytes, { ...OPTIONS, chunkSize: deflateBytesMax(bytes.length) }),
        bytes,
      );
      return flood.deflated;
    }
    this.#recent[this.#oldest] = { bytes, links: 1, deflated: null };
    this.#oldest = (this.#oldest + 1) % FLOODS_MAX;
    return null;
  }
}

/** A stored block, when that is less. A flushed deflate stream ends with a whole byte, so one can follow. */
function smaller(deflated: Buffer, bytes: Buffer): Buffer {
  if (deflated.length <= bytes.length + STORED_HEADER_BYTES || bytes.length > STORED_BYTES_MAX) return deflated;
  const stored = Buffer.allocUnsafeSlow(STORED_HEADER_BYTES + bytes.length); // every byte is written
  stored[0] = 0;
  stored.writeUInt16LE(bytes.length, 1);
  stored.writeUInt16LE(~bytes.length & 0xffff, 3);
  bytes.copy(stored, STORED_HEADER_BYTES);
  return stored;
}

/** One zlib stream without an end. Holds no more than its history. */
export class DeflateWriter {
  readonly #historyBytes: number;
  readonly #floods: Floods;
  /** The last bytes sent, up to `#used`. */
  #history: Buffer = NOTHING;
  #used = 0;
  #begun = false;

  constructor(shape: DeflateShape, floods: Floods) {
    this.#historyBytes = SHAPES[shape].historyBytes;
    this.#floods = floods;
  }

  /** The next bytes of the stream: the peer can read all of `bytes`, which must not change any more, once it has them. */
  write(bytes: Buffer): Buffer {
    const deflated = smaller(this.#floods.deflated(bytes) ?? this.#deflate(bytes), bytes);
    this.#remember(bytes);
    if (this.#begun) return deflated;
    this.#begun = true;
    return Buffer.concat([ZLIB_HEADER, deflated]);
  }

  #deflate(bytes: Buffer): Buffer {
    const options = { ...OPTIONS, chunkSize: deflateBytesMax(bytes.length) };
    if (this.#used === 0) return deflateRawSync(bytes, options);
    return deflateRawSync(bytes, { ...options, dictionary: this.#history.subarray(0, this.#used) });
  }

  #remember(bytes: Buffer): void {
    const added = Math.min(bytes.length, this.#historyBytes);
    const kept = Math.min(this.#used, this.#historyBytes - added);
    if (kept + added > this.#history.length) this.#grow(kept + added);
    this.#history.copyWithin(0, this.#used - kept, this.#used);
    bytes.copy(this.#history, kept, bytes.length - added);
    this.#used = kept + added;
  }

  /** An idle link needs a few bytes, and a pool's slab would be pinned by them. */
  #grow(need: number): void {
    let length = HISTORY_BYTES_MIN;
    while (length < need) length *= 2;
    const grown = Buffer.allocUnsafeSlow(length); // #used says what is written
    this.#history.copy(grown, 0, 0, this.#used);
    this.#history = grown;
  }
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
    // windowBits 0: no larger a window than the peer's header asks for.
    this.#stream = createInflate({ chunkSize: SHAPES[shape].chunkBytes, windowBits: 0 });
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
