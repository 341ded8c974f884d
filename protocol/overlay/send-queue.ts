// What waits to be written on one link: priorities, byte bounds, drop policy. Frames are shared between links and
// never changed once queued; they are joined only when the wire takes them.

/** Drop order: lowest first. Replies outrank requests, since whole paths have paid for them. */
export const Priority = { Ping: 0, Query: 1, Pong: 2, Hit: 3, Push: 4, Control: 5 } as const;
export type Priority = (typeof Priority)[keyof typeof Priority];

export interface SendLimits {
  /** From here on pings, queries and pongs are shed, oldest first. */
  readonly highBytes: number;
  /** Below this the queue no longer counts as congested. */
  readonly lowBytes: number;
  /** From here on hits, then pushes are shed, oldest first. */
  readonly fullBytes: number;
  /** Control frames alone passed this: the link is beyond help. */
  readonly hardBytes: number;
}

/** gtk-gnutella's node_sendqueue_size, and its marks at a quarter and a half of it. */
export const SEND_LIMITS: SendLimits = { highBytes: 49_152, lowBytes: 24_576, fullBytes: 98_304, hardBytes: 196_608 };

export declare class SendQueue {
  constructor(wire: { wake(urgent: boolean): void }, limits?: SendLimits);
  readonly bytes: number;
  /** Frames waiting. */
  readonly size: number;
  readonly framesSent: number;
  readonly bytesSent: number;
  /** Frames shed, by Priority. */
  dropped(priority: Priority): number;
  readonly droppedTotal: number;
  /** True from shedding until it is down to the low mark. */
  readonly congested: boolean;
  /** The caller gives the frame away. */
  enqueue(frame: Buffer, priority: Priority): void;
  /** Whole frames, highest priority first, joined, up to `bytesMax` (more if the first alone is longer). */
  take(bytesMax: number): Buffer | null;
  clear(): void;
}
