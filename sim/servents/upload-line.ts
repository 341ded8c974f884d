// A connection from a host that downloads to one that shares: requests go to the servent's own answerer, and what it says comes back at
// the rate of the path. Across a partition it stands still; it breaks when the other machine goes down.
import { HeaderReader } from '../../protocol/handshake/header-block.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import type { ExchangeEvent } from '../../protocol/transfer/downloads/source-exchange.ts';
import { HTTP_LIMITS, parseRequestHead } from '../../protocol/transfer/http-head.ts';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';
import type { UploadConnection, UploadVerdict } from '../../protocol/transfer/uploads/upload-connection.ts';
import type { Line } from '../transfer/line.ts';
import type { Host, Medium } from './medium.ts';
import type { Uploads } from './uploads.ts';

/** Bytes that are given to the path at once. */
const PIECE_BYTES = 64 << 10;
/** Bytes across a partition are tried again so often. */
const STALLED_MS = 1_000;

interface Waiter {
  readonly reads: boolean;
  readonly then: (event: ExchangeEvent) => void;
}

export class UploadLine implements Line {
  readonly to: Host;
  readonly remote: string;
  readonly #medium: Medium;
  readonly #from: Host;
  readonly #servent: Host['servent'];
  readonly #uploads: Uploads;
  readonly #upload: UploadConnection;
  readonly #latencyMs: number;
  /** What has come and was not read. */
  readonly #held: Buffer[] = [];
  #waiter: Waiter | null = null;
  /** How it ended at the other end, once that is known here. */
  #over: ExchangeEvent | null = null;
  #isClosed = false;
  #isSending = false;
  #requests = 0;

  constructor(medium: Medium, from: Host, to: Host, uploads: Uploads, upload: UploadConnection) {
    this.#medium = medium;
    this.#from = from;
    this.to = to;
    this.remote = to.endpoint.host;
    this.#servent = to.servent;
    this.#uploads = uploads;
    this.#upload = upload;
    this.#latencyMs = medium.conditions.latencyMs(from.number, to.number);
    this.#awaitRequest();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  // --- the end of the host that downloads

  send(request: Buffer): void {
    if (!this.#reaches) this.#medium.later(STALLED_MS, () => this.send(request));
    else this.#medium.later(this.#latencyMs, () => this.#hear(request));
  }

  read(silenceMs: number, then: (event: ExchangeEvent) => void): void {
    const bytes = this.#held.shift();
    const event: ExchangeEvent | null = bytes === undefined ? this.#over : { kind: 'bytes', bytes };
    if (event !== null) this.#medium.later(0, () => then(event));
    else this.#await({ reads: true, then }, silenceMs, { kind: 'silence' });
  }

  rest(ms: number | null, then: (event: ExchangeEvent) => void): void {
    const over = this.#over;
    if (over !== null) this.#medium.later(0, () => then(over));
    else this.#await({ reads: false, then }, ms, { kind: 'done' });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiter = null;
    this.#medium.later(this.#latencyMs, () => this.#hangUp());
  }

  /** Each second: the other machine may have gone down. */
  look(): void {
    if (!this.#isServing) this.#tell({ kind: 'broken' });
  }

  #await(waiter: Waiter, ms: number | null, event: ExchangeEvent): void {
    this.#waiter = waiter;
    if (ms !== null)
      this.#medium.later(ms, () => {
        if (this.#waiter !== waiter) return;
        this.#waiter = null;
        waiter.then(event);
      });
  }

  #tell(event: ExchangeEvent): void {
    if (this.#over !== null || this.#isClosed) return;
    if (event.kind !== 'bytes') this.#over = event;
    const waiter = this.#waiter;
    if (waiter !== null && (waiter.reads || event.kind !== 'bytes')) {
      this.#waiter = null;
      waiter.then(event);
    } else if (event.kind === 'bytes') this.#held.push(event.bytes);
  }

  // --- the end of the host that shares

  get #reaches(): boolean {
    return this.#medium.conditions.reaches(this.#from.number, this.to.number);
  }

  get #isServing(): boolean {
    return this.to.up && this.to.servent === this.#servent;
  }

  get #isOpen(): boolean {
    return !this.#isClosed && this.#over === null && this.#isServing;
  }

  #hear(bytes: Buffer): void {
    if (!this.#isOpen) return;
    this.#requests++;
    const reader = new HeaderReader(HTTP_LIMITS);
    if (reader.push(bytes) !== 'done') throw new Error('half of a request');
    const { clock } = this.#medium;
    this.#answer(this.#upload.request(parseRequestHead(reader.block), clock.ms, clock.wallTime()));
    this.to.stirred();
  }

  #answer(verdict: UploadVerdict): void {
    switch (verdict.kind) {
      case 'reply':
      case 'queued':
        this.#say(verdict.bytes, verdict.keepAlive);
        break;
      case 'tree': {
        const { bytes, keepAlive } = this.#upload.treeFound(this.#uploads.treeOf(verdict.file));
        this.#say(bytes, keepAlive);
        break;
      }
      case 'file': {
        const { bytes } = this.#upload.opened();
        this.#isSending = true;
        this.#write(bytes, () => this.#sendBody(verdict.file, verdict.range));
        break;
      }
      case 'browse':
        throw new Error('nobody browses here');
    }
  }

  #say(bytes: Buffer, keepAlive: boolean): void {
    this.#write(bytes, () => {
      if (keepAlive) this.#awaitRequest();
      else this.#end();
    });
  }

  #sendBody(file: SharedFile, { start, end }: ByteRange): void {
    if (start < end) {
      const until = Math.min(end, start + PIECE_BYTES);
      const piece = this.#uploads.bytesOf(this.to, file, { start, end: until });
      this.#write(piece, () => this.#sendBody(file, { start: until, end }));
      return;
    }
    this.#isSending = false;
    const goesOn = this.#upload.sent('whole', this.#medium.clock.ms);
    this.to.stirred();
    if (goesOn) this.#awaitRequest();
    else this.#end();
  }

  /** `then`: once the path has taken the bytes. */
  #write(bytes: Buffer, then: () => void): void {
    if (!this.#isOpen) return;
    if (!this.#reaches) {
      this.#medium.later(STALLED_MS, () => this.#write(bytes, then));
      return;
    }
    const ms = (1000 * bytes.length) / this.#medium.conditions.bytesPerSecond;
    this.#medium.later(ms + this.#latencyMs, () => {
      if (this.#isServing) this.#tell({ kind: 'bytes', bytes });
    });
    this.#medium.later(ms, () => {
      if (this.#isOpen) then();
    });
  }

  /** Closes a connection that asks for nothing. */
  #awaitRequest(): void {
    const before = this.#requests;
    this.#medium.later(this.#upload.silenceMaxMs, () => {
      if (this.#requests === before && this.#isOpen) this.#end();
    });
  }

  #end(): void {
    this.#hangUp();
    this.#medium.later(this.#latencyMs, () => this.#tell({ kind: 'ended' }));
  }

  #hangUp(): void {
    if (!this.#isServing) return;
    const { ms } = this.#medium.clock;
    if (this.#isSending) this.#upload.sent('cut', ms);
    this.#isSending = false;
    this.#upload.close(ms);
    this.to.stirred();
  }
}
