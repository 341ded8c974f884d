// Connects one socket to one link of the core: input, batched output, backpressure in both directions, orderly close.
import type { Socket } from 'node:net';
import type { Link, Wire } from '../../protocol/overlay/links/link.ts';
import { Priority } from '../../protocol/overlay/links/send-queue.ts';
import type { ReasonCounts } from '../../protocol/reason-counts.ts';
import type { Clock } from '../clock.ts';
import type { Bandwidth, Usage } from './bandwidth.ts';
import { type DeflateShape, DeflateWriter, type Floods, InflateReader } from './deflate.ts';
import type { Flushable, FlushPacer } from './flush-pacer.ts';

/** What a link's socket needs of the overlay. */
export interface LinkCore {
  receive(link: Link, chunk: Buffer, now: number): void;
  removeLink(link: Link, reason: string, now: number): void;
}

export const LINK_END_REASONS = [
  /** We closed it: Bye, shutdown, disconnect. */
  'closed_by_us',
  'closed_by_peer',
  'reset',
  'timed_out',
  'socket_failed',
  'bad_deflate',
  'inflate_bomb',
  /** An internal error on its input. */
  'internal',
] as const;
export type LinkEndReason = (typeof LINK_END_REASONS)[number];

/** Bytes taken from the queue at a time. With the 16 KiB in Node's socket buffer, at most 80 KiB a link escape the drop policy. */
const WRITE_BYTES = 65_536;
/** The same for compressed links: deflating it blocks for 0.5 ms. */
const DEFLATED_WRITE_BYTES = 16_384;
/** Control frames go out under any limit; other frames wait for them at most so long. */
const CONTROL_DEBT_MS = 1000;
/** Time from close() to the destruction of the socket, for the Bye to arrive. */
const CLOSE_GRACE_MS = 2000;

export interface TcpLinkOptions {
  core: LinkCore;
  clock: Clock;
  pacer: FlushPacer;
  bandwidth: Bandwidth;
  ends: ReasonCounts<LinkEndReason>;
  deflateIn: boolean;
  deflateOut: boolean;
  shape: DeflateShape;
  /** Shared by all compressed links. */
  floods: Floods;
  closeGraceMs?: number;
  /** Internal error on input; the link is closing. */
  onFault: (error: unknown, link: Link) => void;
  /** Called when the socket is closed and the core has been told. */
  onGone?: (link: Link) => void;
}

export class TcpLink implements Wire, Flushable {
  readonly socket: Socket;
  readonly #core: LinkCore;
  readonly #clock: Clock;
  readonly #pacer: FlushPacer;
  readonly #received: Bandwidth['received'];
  readonly #usage: Usage;
  readonly #ends: ReasonCounts<LinkEndReason>;
  readonly #closeGraceMs: number;
  readonly #onFault: (error: unknown, link: Link) => void;
  readonly #onGone: ((link: Link) => void) | null;
  readonly #deflate: DeflateWriter | null;
  readonly #inflate: InflateReader | null;
  #link: Link | null = null;
  #scheduled = false;
  /** The socket's buffer is full. The overlay closes a link that stays blocked. */
  #blocked = false;
  #closing = false;
  #gone = false;
  #endReason: LinkEndReason | null = null;
  #graceTimer: NodeJS.Timeout | null = null;

  constructor(socket: Socket, options: TcpLinkOptions) {
    this.socket = socket;
    this.#core = options.core;
    this.#clock = options.clock;
    this.#pacer = options.pacer;
    this.#received = options.bandwidth.received;
    this.#usage = options.bandwidth.usage('overlay');
    this.#ends = options.ends;
    this.#closeGraceMs = options.closeGraceMs ?? CLOSE_GRACE_MS;
    this.#onFault = options.onFault;
    this.#onGone = options.onGone ?? null;
    this.#deflate = options.deflateOut ? new DeflateWriter(options.shape, options.floods) : null;
    this.#inflate = options.deflateIn
      ? new InflateReader(options.shape, {
          onBytes: bytes => this.#receive(bytes),
          onPressure: high => (high ? socket.pause() : socket.resume()),
          onFault: fault => this.#destroy(fault),
        })
      : null;
  }

  /** Starts the traffic of `link`. `rest`: bytes received after the handshake. */
  start(link: Link, rest: Buffer): void {
    this.#link = link;
    const { socket } = this;
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    if (socket.destroyed) {
      setImmediate(this.#onClose); // its 'close' may have passed already
      return;
    }
    socket.on('data', this.#onData);
    if (rest.length > 0) this.#onData(rest);
  }

  wake(urgent: boolean): void {
    if (urgent) this.#write();
    else if (!this.#scheduled && !this.#blocked) {
      this.#scheduled = true;
      this.#pacer.schedule(this);
    }
  }

  flush(): number {
    this.#scheduled = false;
    const queue = this.#link?.queue;
    const before = queue?.framesSent ?? 0;
    this.#write();
    return (queue?.framesSent ?? 0) - before;
  }

  close(): void {
    if (this.#closing || this.#gone) return;
    this.#closing = true;
    this.#endReason ??= 'closed_by_us';
    // Reads and drops further input: unread bytes at close() would turn our FIN into a reset and lose the Bye.
    this.socket.resume();
    this.#graceTimer = setTimeout(() => this.socket.destroy(), this.#closeGraceMs);
    this.#write();
  }

  #write(): void {
    const link = this.#link;
    const deflate = this.#deflate;
    if (link === null || !this.socket.writable) return;
    const limited = this.#usage.limited;
    while (!this.#blocked) {
      // of a link that closes only the Bye is worth sending
      const lowest = limited ? Priority.Control : Priority.Ping;
      const bytes = link.queue.take(deflate === null ? WRITE_BYTES : DEFLATED_WRITE_BYTES, lowest);
      if (bytes === null) break;
      const sent = this.#send(bytes);
      if (limited) this.#usage.charge(sent, CONTROL_DEBT_MS);
    }
    if (this.#closing) {
      if (!this.#blocked) this.socket.end();
    } else if (limited && !this.#blocked && link.queue.size > 0 && this.#usage.onGrant === null)
      this.#usage.want(link.queue.bytes, this.#onGrant);
  }

  /** Writes frames; returns their bytes on the wire. */
  #send(frames: Buffer): number {
    const bytes = this.#deflate === null ? frames : this.#deflate.write(frames);
    // Node.js returns false from 16 KiB on, even when the kernel has taken everything.
    const taken = this.socket.write(bytes);
    this.#blocked = !taken && this.socket.writableLength > 0;
    this.#usage.moved(bytes.length);
    return bytes.length;
  }

  /** Writes what the limits allow: whole frames, the last of which may go beyond it and is paid for before the next. */
  readonly #onGrant = (granted: number): void => {
    if (granted === 0 || this.#gone) return;
    let sent = 0;
    while (sent < granted && !this.#blocked && this.socket.writable) {
      const frames = this.#link?.queue.take(Math.min(granted - sent, DEFLATED_WRITE_BYTES)) ?? null;
      if (frames === null) break;
      sent += this.#send(frames);
    }
    this.#usage.charge(sent - granted);
    this.#write();
  };

  #receive(bytes: Buffer): void {
    if (this.#link === null || this.#closing || this.#gone) return;
    try {
      this.#core.receive(this.#link, bytes, this.#clock.now());
    } catch (error) {
      this.#onFault(error, this.#link);
      this.#destroy('internal');
    }
  }

  #destroy(reason: LinkEndReason): void {
    this.#endReason ??= reason;
    this.socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received.overlay += chunk.length;
    if (this.#closing) return;
    if (this.#inflate !== null) this.#inflate.write(chunk);
    else this.#receive(chunk);
  };

  readonly #onDrain = (): void => {
    this.#blocked = false;
    this.#write();
  };

  readonly #onEnd = (): void => {
    this.#endReason ??= 'closed_by_peer';
    // Node.js ends our side after the buffered bytes; the timer covers a peer that does not read them.
    this.#graceTimer ??= setTimeout(() => this.socket.destroy(), this.#closeGraceMs);
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') this.#endReason ??= 'reset';
    else if (error.code === 'ETIMEDOUT') this.#endReason ??= 'timed_out';
    else this.#endReason ??= 'socket_failed';
  };

  readonly #onClose = (): void => {
    if (this.#graceTimer !== null) clearTimeout(this.#graceTimer);
    // zlib may still hold a Bye that arrived just before the close.
    if (this.#inflate === null || this.#closing) this.#finish();
    else this.#inflate.whenSettled(() => this.#finish());
  };

  #finish(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#usage.close();
    this.#inflate?.destroy();
    const reason = this.#endReason ?? 'closed_by_peer';
    this.#ends.count(reason);
    if (this.#link === null) return; // never started
    this.#core.removeLink(this.#link, reason, this.#clock.now());
    this.#onGone?.(this.#link);
  }
}
