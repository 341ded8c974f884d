// The send queue of a link: priorities, byte limits, drop policy. Frames may be shared between links and must not change once
// queued; take() joins them.

/** Drop order: lowest first. Replies outrank requests, as they have used more of the network. */
export const Priority = { Ping: 0, Query: 1, Pong: 2, Hit: 3, Push: 4, Control: 5 } as const;
export type Priority = (typeof Priority)[keyof typeof Priority];

const PRIORITIES = 6;

export interface SendLimits {
  /** From here on pings, queries and pongs are shed, oldest first. */
  readonly highBytes: number;
  /** Down here the queue no longer counts as congested. */
  readonly lowBytes: number;
  /** From here on hits, then pushes are shed, oldest first. */
  readonly fullBytes: number;
  /** Control frames alone exceed this: close the link. */
  readonly hardBytes: number;
}

/** gtk-gnutella's node_sendqueue_size, and its marks at a quarter and a half of it. */
export const SEND_LIMITS: SendLimits = { highBytes: 49_152, lowBytes: 24_576, fullBytes: 98_304, hardBytes: 196_608 };

/** Frames of one priority in order of arrival. The queue's byte bound keeps it under 8,192 slots. */
class FrameRing {
  #slots: (Buffer | null)[] = new Array<Buffer | null>(8).fill(null);
  #mask = 7; // the length is a power of two
  #head = 0;
  length = 0;

  push(frame: Buffer): void {
    if (this.length > this.#mask) this.#grow();
    this.#slots[(this.#head + this.length++) & this.#mask] = frame;
  }

  peek(): Buffer | null {
    return this.#slots[this.#head] ?? null;
  }

  shift(): Buffer | null {
    const frame = this.#slots[this.#head] ?? null;
    if (frame === null) return null;
    this.#slots[this.#head] = null; // or the slot would pin the frame
    this.#head = (this.#head + 1) & this.#mask;
    this.length--;
    return frame;
  }

  #grow(): void {
    const slots = new Array<Buffer | null>(2 * this.#slots.length).fill(null);
    for (let i = 0; i < this.length; i++) slots[i] = this.#slots[(this.#head + i) & this.#mask] ?? null;
    this.#slots = slots;
    this.#mask = slots.length - 1;
    this.#head = 0;
  }
}

/** Scratch of take(): frames of one write, emptied before take() returns. Never shortened, or V8 would make its store anew each time. */
const batch: (Buffer | null)[] = [];

export class SendQueue {
  readonly #wire: { wake(urgent: boolean): void };
  readonly #limits: SendLimits;
  /** Made when first needed, let go by rest(): most leaves are idle most of the time. */
  #rings: (FrameRing | null)[] | null = null;
  #awake = false;
  #pressed = false;
  /** Bytes waiting: never over hardBytes plus one frame. */
  bytes = 0;
  /** Frames waiting. */
  size = 0;
  framesSent = 0;
  bytesSent = 0;
  /** From shedding until the queue is down to its low mark. */
  congested = false;
  /** Control frames alone passed the hard bound: close the link. */
  overflowed = false;
  droppedTotal = 0;
  #dropped: number[] | null = null;

  constructor(wire: { wake(urgent: boolean): void }, limits: SendLimits = SEND_LIMITS) {
    this.#wire = wire;
    this.#limits = limits;
  }

  /** Frames shed, by Priority. */
  dropped(priority: Priority): number {
    return this.#dropped?.[priority] ?? 0;
  }

  /** Queues a frame, which must not change; over the limits frames of low priority are dropped. */
  enqueue(frame: Buffer, priority: Priority): void {
    if (this.overflowed) return;
    this.#rings ??= new Array<FrameRing | null>(PRIORITIES).fill(null);
    let ring = this.#rings[priority] ?? null;
    if (ring === null) this.#rings[priority] = ring = new FrameRing();
    ring.push(frame);
    this.size++;
    this.bytes += frame.length;
    if (!this.#awake) {
      this.#awake = true;
      this.#wire.wake(false);
    }
    if (this.bytes >= this.#limits.highBytes) this.#relieve();
  }

  /** Whole frames of `lowest` priority and above, highest first, joined, up to `bytesMax` (more if the first alone is longer). */
  take(bytesMax: number, lowest: Priority = Priority.Ping): Buffer | null {
    const rings = this.#rings;
    if (rings === null) return null;
    let bytes = 0;
    let frames = 0;
    collect: for (let priority = PRIORITIES - 1; priority >= lowest; priority--) {
      const ring = rings[priority] ?? null;
      if (ring === null) continue;
      for (let frame = ring.peek(); frame !== null; frame = ring.peek()) {
        if (bytes > 0 && bytes + frame.length > bytesMax) break collect;
        ring.shift();
        bytes += frame.length;
        batch[frames++] = frame;
      }
    }
    this.size -= frames;
    this.bytes -= bytes;
    this.framesSent += frames;
    this.bytesSent += bytes;
    this.#pressed = false;
    if (this.bytes <= this.#limits.lowBytes) this.congested = false;
    if (this.size === 0) this.#awake = false;
    return join(frames, bytes);
  }

  /** Gives memory back while nothing waits. */
  rest(): void {
    if (this.size === 0) this.#rings = null;
  }

  /** Forgets what waits, uncounted. */
  clear(): void {
    this.#rings = null;
    this.#awake = false;
    this.size = 0;
    this.bytes = 0;
    this.congested = false;
    this.overflowed = false; // there is room for a Bye again
  }

  /** Over the high mark: give the wire a chance first, then shed. */
  #relieve(): void {
    if (!this.#pressed) {
      this.#pressed = true; // once until the wire takes again: a stuck socket is not asked for each frame
      this.#wire.wake(true);
    }
    const { highBytes, fullBytes, hardBytes } = this.#limits;
    if (this.bytes < highBytes) return;
    this.congested = true;
    this.#shed(Priority.Ping, highBytes);
    this.#shed(Priority.Query, highBytes);
    this.#shed(Priority.Pong, highBytes);
    this.#shed(Priority.Hit, fullBytes);
    this.#shed(Priority.Push, fullBytes);
    if (this.bytes >= hardBytes) this.overflowed = true;
  }

  /** Oldest first: an old query's hits would come too late anyway. */
  #shed(priority: Priority, targetBytes: number): void {
    const ring = this.#rings?.[priority] ?? null;
    if (ring === null) return;
    while (this.bytes >= targetBytes) {
      const frame = ring.shift();
      if (frame === null) return;
      this.size--;
      this.bytes -= frame.length;
      this.droppedTotal++;
      this.#dropped ??= new Array<number>(PRIORITIES).fill(0);
      this.#dropped[priority] = (this.#dropped[priority] ?? 0) + 1;
    }
  }
}

function join(frames: number, bytes: number): Buffer | null {
  // Where there are more, every byte is written: `bytes` is the sum of the lengths.
  const joined = frames < 2 ? (batch[0] ?? null) : Buffer.allocUnsafe(bytes);
  for (let i = 0, at = 0; i < frames; i++) {
    const frame = batch[i] ?? null;
    batch[i] = null; // or the slot would pin the frame
    if (frame === null || frame === joined) continue;
    joined?.set(frame, at);
    at += frame.length;
  }
  return joined;
}
