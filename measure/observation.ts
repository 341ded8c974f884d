// Packs what the overlay tells into bytes, for the thread that writes the recording; and reads them there.

/** What a packed observation is. */
export const Kind = { Query: 1, Hit: 2, Pong: 3, Row: 4 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

const HEADER_BYTES = 1 + 4 + 8 + 8 + 4 + 4;
/** Fewer bytes are copied sooner one by one than by a call. */
const COPIED_BY_CALL = 128;

export interface Observation {
  readonly kind: number;
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Number of the connection; 0: none. */
  readonly link: number;
  /** Of a query the files of this servent that matched; of a row the index of its table. */
  readonly extra: number;
  /** bytes[start, end) is a descriptor, or the JSON of a row. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Collects observations in one buffer of a fixed size. */
export class ObservationBuffer {
  readonly #bytesMax: number;
  #buffer: Buffer;
  #view: DataView;
  #at = 0;
  #count = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#buffer = Buffer.allocUnsafeSlow(bytesMax);
    this.#view = viewOf(this.#buffer);
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
    let to = from + HEADER_BYTES;
    if (to + bytes > this.#bytesMax) return false;
    const view = this.#view;
    view.setUint8(from, kind);
    view.setUint32(from + 1, bytes, true);
    view.setFloat64(from + 5, seq, true);
    view.setFloat64(from + 13, at, true);
    view.setUint32(from + 21, link, true);
    view.setUint32(from + 25, extra, true);
    const buffer = this.#buffer;
    if (bytes >= COPIED_BY_CALL) source.copy(buffer, to, start, end);
    else for (let i = start; i < end; i++) buffer[to++] = source[i] ?? 0;
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
    else {
      this.#buffer = Buffer.allocUnsafeSlow(this.#bytesMax);
      this.#view = viewOf(this.#buffer);
    }
    this.#at = 0;
    this.#count = 0;
    return { bytes, count };
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length);

/** Hands over the observations in bytes that ObservationBuffer.take() gave, each valid during its call only. */
export function eachObservation(bytes: Buffer, take: (observation: Observation) => void): void {
  const view = viewOf(bytes);
  const one = { kind: 0, seq: 0, at: 0, link: 0, extra: 0, bytes, start: 0, end: 0 };
  while (one.end + HEADER_BYTES <= bytes.length) {
    const at = one.end;
    one.kind = view.getUint8(at);
    one.seq = view.getFloat64(at + 5, true);
    one.at = view.getFloat64(at + 13, true);
    one.link = view.getUint32(at + 21, true);
    one.extra = view.getUint32(at + 25, true);
    one.start = at + HEADER_BYTES;
    one.end = one.start + view.getUint32(at + 1, true);
    take(one);
  }
}
