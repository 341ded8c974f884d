// Packs what the overlay tells into bytes, for the thread that writes the recording; and reads them there.

/** What a packed observation is. */
export const Kind = { Query: 1, Hit: 2, Pong: 3, Row: 4 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

const HEADER_BYTES = 1 + 4 + 8 + 8 + 4 + 4;

export interface Observation {
  readonly kind: number;
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Number of the connection; 0: none. */
  readonly link: number;
  /** Of a query the files of this servent that matched; of a row the index of its table. */
  readonly extra: number;
  /** A descriptor, or the JSON of a row. A view. */
  readonly bytes: Buffer;
}

/** Collects observations in one buffer of a fixed size. */
export class ObservationBuffer {
  readonly #bytesMax: number;
  #buffer: Buffer;
  #at = 0;
  #count = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#buffer = Buffer.allocUnsafeSlow(bytesMax);
  }

  get count(): number {
    return this.#count;
  }

  /** Hot. Appends source[start, end); false when it does not fit: then take() first. */
  add(
    kind: Kind,
    seq: number,
    at: number,
    link: number,
    extra: number,
    source: Buffer,
    start: number,
    end: number,
  ): boolean {
    const from = this.#at;
    const bytes = end - start;
    if (from + HEADER_BYTES + bytes > this.#bytesMax) return false;
    const buffer = this.#buffer;
    buffer[from] = kind;
    buffer.writeUInt32LE(bytes, from + 1);
    buffer.writeDoubleLE(seq, from + 5);
    buffer.writeDoubleLE(at, from + 13);
    buffer.writeUInt32LE(link, from + 21);
    buffer.writeUInt32LE(extra, from + 25);
    source.copy(buffer, from + HEADER_BYTES, start, end);
    this.#at = from + HEADER_BYTES + bytes;
    this.#count++;
    return true;
  }

  /** The bytes so far, which are the caller's; the buffer is empty then. */
  take(): { readonly bytes: Buffer; readonly count: number } {
    const used = this.#buffer.subarray(0, this.#at);
    const count = this.#count;
    // Bytes that wait for a slow disk take the room that they are counted with: less than half a buffer is copied.
    const isCopied = used.length < this.#bytesMax / 2;
    const bytes = isCopied ? Buffer.allocUnsafeSlow(used.length) : used;
    if (isCopied) used.copy(bytes);
    else this.#buffer = Buffer.allocUnsafeSlow(this.#bytesMax);
    this.#at = 0;
    this.#count = 0;
    return { bytes, count };
  }
}

/** The observations in bytes that take() gave. */
export function* observationsIn(bytes: Buffer): Generator<Observation> {
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const start = at + HEADER_BYTES;
    const end = start + bytes.readUInt32LE(at + 1);
    yield {
      kind: bytes.readUInt8(at),
      seq: bytes.readDoubleLE(at + 5),
      at: bytes.readDoubleLE(at + 13),
      link: bytes.readUInt32LE(at + 21),
      extra: bytes.readUInt32LE(at + 25),
      bytes: bytes.subarray(start, end),
    };
    at = end;
  }
}
