// A connection over reliable UDP as a stream, which transfers use as they use a TCP socket.
import { Duplex } from 'node:stream';
import type { RudpConnection, RudpEvents } from '../../../protocol/rudp/rudp-connection.ts';
import { RudpError } from '../../../protocol/rudp/rudp-error.ts';
import type { StreamSocket } from '../stream-socket.ts';

/** Of one read; what comes in a turn of the event loop is read together. */
const READ_BYTES = 65_536;

/** What a socket needs of those that send its datagrams. */
export interface RudpTurn {
  now(): number;
  /** Something is to be sent. */
  wake(): void;
  /** Calls read() of the socket at the end of this turn. */
  readLater(socket: RudpSocket): void;
}

export class RudpSocket extends Duplex implements RudpEvents, StreamSocket {
  readonly #turn: RudpTurn;
  readonly #onConnected: (error: RudpError | null) => void;
  #connection: RudpConnection | null = null;
  #wantsBytes = false;
  #unwritten: { bytes: Buffer; readonly done: (error?: Error | null) => void } | null = null;
  #isEnded = false;
  #timeoutMs = 0;
  #activeAt = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `onConnected` is called once: with null, or why there will be no connection. */
  constructor(turn: RudpTurn, onConnected: (error: RudpError | null) => void) {
    super({ allowHalfOpen: false, readableHighWaterMark: READ_BYTES, writableHighWaterMark: READ_BYTES });
    this.#turn = turn;
    this.#onConnected = onConnected;
  }

  /** Its connection, before anything else. */
  carry(connection: RudpConnection): void {
    this.#connection = connection;
  }

  get remoteAddress(): string | undefined {
    return this.#connection?.peer.host;
  }

  get remotePort(): number | undefined {
    return this.#connection?.peer.port;
  }

  /** Both sides know the stream extension. */
  get extended(): boolean {
    return this.#connection?.extended ?? false;
  }

  // --- what the connection tells

  onConnected(): void {
    this.#onConnected(null);
  }

  onReadable(): void {
    this.#turn.readLater(this);
  }

  onWritable(): void {
    this.#write();
  }

  onClosed(error: RudpError | null): void {
    this.#onConnected(error ?? new RudpError('RUDP_CLOSED', 'the connection was closed'));
    if (error !== null) this.destroy(error);
    else this.#turn.readLater(this);
    this.#write();
  }

  /** Takes what has come, if somebody wants it. */
  readNow(): void {
    const connection = this.#connection;
    if (connection === null || !this.#wantsBytes || this.destroyed) return;
    while (this.#wantsBytes) {
      const bytes = connection.read(READ_BYTES, this.#turn.now());
      if (bytes === null) break;
      this.#activeAt = this.#turn.now();
      this.#wantsBytes = this.push(bytes);
    }
    if (this.#wantsBytes && connection.ended && !this.#isEnded) {
      this.#isEnded = true;
      this.push(null);
    }
    this.#turn.wake(); // the peer is told of the room
  }

  // --- what the stream wants

  override _read(): void {
    this.#wantsBytes = true;
    if (this.#connection !== null && (this.#connection.readable > 0 || this.#connection.ended))
      this.#turn.readLater(this);
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#unwritten = { bytes, done };
    this.#write();
  }

  #write(): void {
    const unwritten = this.#unwritten;
    const connection = this.#connection;
    if (unwritten === null || connection === null) return;
    if (connection.state === 'closed') {
      this.#unwritten = null;
      unwritten.done(new RudpError('RUDP_CLOSED', 'the connection is over'));
      return;
    }
    const some = connection.write(unwritten.bytes);
    if (some > 0) {
      this.#activeAt = this.#turn.now();
      this.#turn.wake();
    }
    unwritten.bytes = unwritten.bytes.subarray(some);
    if (unwritten.bytes.length > 0) return;
    this.#unwritten = null;
    unwritten.done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection?.end(this.#turn.now());
    this.#turn.wake();
    done();
  }

  /** What was written before end() still goes out. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const unwritten = this.#unwritten;
    this.#unwritten = null;
    const connection = this.#connection;
    if (connection !== null && connection.state !== 'closed') {
      if (this.writableFinished) connection.leave(this.#turn.now());
      else connection.abort(this.#turn.now());
      this.#turn.wake();
    }
    done(error);
    unwritten?.done(error ?? new RudpError('RUDP_CLOSED', 'the connection was closed'));
  }

  // --- as a socket

  setTimeout(ms: number, onTimeout?: () => void): this {
    this.#timeoutMs = ms;
    this.#activeAt = this.#turn.now();
    if (onTimeout !== undefined) {
      if (ms > 0) this.once('timeout', onTimeout);
      else this.removeListener('timeout', onTimeout);
    }
    this.#setTimer(ms);
    return this;
  }

  #setTimer(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = ms > 0 && !this.destroyed ? setTimeout(this.#onTimer, ms).unref() : null;
  }

  readonly #onTimer = (): void => {
    const left = this.#activeAt + this.#timeoutMs - this.#turn.now();
    this.#setTimer(Math.max(0, left));
    if (left <= 0) this.emit('timeout');
  };

  setNoDelay(): this {
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }
}
