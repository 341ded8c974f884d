// Serves one upload connection: reads requests, carries out the verdicts of its UploadConnection, sends the bytes.
import type { FileHandle } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createDeflate } from 'node:zlib';
import type { TigerTree } from '../../protocol/digest/tiger-tree.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import { CHUNKS_END, chunk } from '../../protocol/transfer/chunked-body.ts';
import { parseRequestHead, type RequestHead } from '../../protocol/transfer/http-head.ts';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';
import { isPartial, type PartialFile, type PartialFiles } from '../../protocol/transfer/uploads/partial-file.ts';
import type { SendEnd, UploadConnection, UploadVerdict } from '../../protocol/transfer/uploads/upload-connection.ts';
import type { NamedFiles, ServerTimes } from '../../protocol/transfer/uploads/upload-context.ts';
import type { UploadQueue } from '../../protocol/transfer/uploads/upload-queue.ts';
import { canonicalHost, type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Bandwidth, Usage } from '../net/bandwidth.ts';
import { SocketReader } from '../net/socket-reader.ts';
import type { StreamSocket } from '../net/stream-socket.ts';
import type { LanePool } from './lane-pool.ts';
import { sendRange } from './send-range.ts';
import { type Pace, writeAll, writePaced } from './socket-write.ts';
import type { Turns } from './turns.ts';
import { Upload, type UploadResult, type UploadSnapshot } from './upload.ts';

/** The part of the library that sessions use. */
export interface ServableFiles extends NamedFiles {
  /** Opens a file for reading; null when it is not the one that was hashed. */
  open(file: SharedFile): Promise<FileHandle | null>;
  /** Null while it is still to be made. */
  treeOf(file: SharedFile): Promise<TigerTree | null>;
  countUpload?(file: SharedFile): void;
}

/** The part of the downloads that sessions use. */
export interface ServablePartials extends PartialFiles {
  /** Opens the part for reading; null when it is gone. */
  openPartial(file: PartialFile): Promise<FileHandle | null>;
  /** Its hash tree; null: none that is certain. */
  treeOf(file: PartialFile): TigerTree | null;
}

/** Services shared by all sessions. */
export interface SessionContext {
  readonly files: ServableFiles;
  readonly partials: ServablePartials | null;
  readonly queue: UploadQueue;
  readonly times: ServerTimes;
  readonly clock: Clock;
  readonly log: Log;
  readonly lanes: LanePool;
  readonly bandwidth: Bandwidth;
  /** For hash trees: a tree may take 384 KiB and a millisecond, and no slot bounds them. */
  readonly treeTurns: Turns;
  readonly onStarted: (upload: UploadSnapshot) => void;
  readonly onFinished: (upload: UploadSnapshot, bytes: number, result: UploadResult) => void;
}

const LINGER_MS = 1000;

export class UploadSession {
  readonly #context: SessionContext;
  readonly #connection: UploadConnection;
  readonly #socket: StreamSocket;
  readonly #input: SocketReader;
  readonly #remote: Endpoint;
  #usage: Usage;
  #group: string | null = null;
  readonly #pace: Pace;
  #upload: Upload | null = null;

  constructor(context: SessionContext, connection: UploadConnection, socket: StreamSocket, head: Buffer) {
    this.#context = context;
    this.#connection = connection;
    this.#socket = socket;
    this.#remote = { host: canonicalHost(socket.remoteAddress ?? '') ?? '', port: socket.remotePort ?? 0 };
    socket.on('error', error =>
      context.log.debug({ address: formatEndpoint(this.#remote), err: error }, 'an upload connection failed'),
    );
    this.#usage = context.bandwidth.usage('upload');
    this.#pace = paceOf(() => this.#usage, socket, context.times.stallMs);
    socket.once('close', () => this.#usage.close());
    socket.setNoDelay(true);
    socket.on('timeout', () => socket.destroy());
    // A client may half-close after its request and still read the answer.
    socket.allowHalfOpen = true;
    this.#input = new SocketReader(socket, head);
  }

  /** Resolves when the connection has ended and its resources are released. Never rejects. */
  async run(): Promise<void> {
    const { clock, times, log } = this.#context;
    try {
      for (;;) {
        const request = await this.#nextRequest();
        if (request === null) break;
        this.#socket.setTimeout(times.stallMs);
        const more = await this.#execute(this.#connection.request(request, clock.now(), clock.wallTime()));
        this.#socket.setTimeout(0);
        if (!more) break;
        // a peer that sends many requests at once takes turns with the other connections
        if (this.#input.holds) await nextTurn();
      }
    } catch (error) {
      if (error instanceof ProtocolError) {
        await writeAll(this.#socket, this.#connection.malformed(error, clock.now(), clock.wallTime()).bytes);
      } else {
        log.warn({ address: formatEndpoint(this.#remote), err: error }, 'an upload failed');
        this.#socket.destroy();
      }
    }
    this.#connection.close(clock.now());
    this.#endUpload();
    await this.#hangUp();
  }

  close(): void {
    this.#socket.destroy();
  }

  get uploadId(): string | null {
    return this.#upload?.id ?? null;
  }

  get remoteHost(): string {
    return this.#remote.host;
  }

  get bytesPerSecond(): number {
    return this.#upload?.bytesPerSecond ?? 0;
  }

  /** Null while it asks for nothing. */
  snapshot(): UploadSnapshot | null {
    const upload = this.#upload;
    return upload === null || upload.state === 'idle' ? null : this.#snapshotOf(upload);
  }

  #snapshotOf(upload: Upload): UploadSnapshot {
    const { userAgent, queueView, group } = this.#connection;
    return { ...upload.snapshot(this.#remote, userAgent, queueView), group };
  }

  /** Half-closes and discards input for a moment: unread bytes would turn the close into a reset and lose our answer. */
  async #hangUp(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    await new Promise<void>(closed => {
      socket.once('close', closed);
      socket.once('end', () => socket.destroySoon());
      socket.end();
      this.#input.discard();
    });
    clearTimeout(timer);
  }

  /** Reads the next request within time limits. Null: no more requests. Throws HTTP_MALFORMED, HTTP_TOO_LONG. */
  async #nextRequest(): Promise<RequestHead | null> {
    const { times, clock } = this.#context;
    let begun = false;
    let timer = setTimeout(() => this.#socket.destroy(), this.#connection.silenceMaxMs);
    const onBytes = () => {
      if (begun) return;
      begun = true;
      clearTimeout(timer);
      timer = setTimeout(() => {
        void writeAll(this.#socket, this.#connection.tooSlow(clock.now(), clock.wallTime()).bytes);
        this.#socket.destroySoon();
      }, times.headMs);
    };
    try {
      const block = await this.#input.nextHead(onBytes);
      return block === null ? null : parseRequestHead(block);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Carries out a verdict and waits until the reply is sent, so that a peer that does not read makes no progress. True: another
   * request may follow.
   */
  async #execute(verdict: UploadVerdict): Promise<boolean> {
    switch (verdict.kind) {
      case 'reply':
        return (await writeAll(this.#socket, verdict.bytes)) && verdict.keepAlive;
      case 'tree':
        return this.#sendTree(verdict.file);
      case 'queued':
        if (verdict.keepAlive) this.#begin(verdict.file, verdict.range, 'queued');
        return (await writeAll(this.#socket, verdict.bytes)) && verdict.keepAlive;
      case 'browse':
        return this.#sendList(verdict);
      case 'file':
        return this.#serve(verdict.file, verdict.range);
    }
  }

  /** A tree takes no slot, but up to 384 KiB: it goes out under the limits of uploads. */
  async #sendTree(file: SharedFile): Promise<boolean> {
    await this.#context.treeTurns.next();
    const { files, partials } = this.#context;
    const tree = isPartial(file) ? (partials?.treeOf(file) ?? null) : await files.treeOf(file);
    const { bytes, keepAlive } = this.#connection.treeFound(tree);
    return (await writePaced(this.#socket, bytes, this.#pace, sent => this.#usage.moved(sent))) && keepAlive;
  }

  async #serve(file: SharedFile, range: ByteRange): Promise<boolean> {
    const { clock, files, partials } = this.#context;
    const handle = isPartial(file) ? ((await partials?.openPartial(file)) ?? null) : await files.open(file);
    if (handle === null) return this.#execute(this.#connection.missing(clock.now()));
    let end: SendEnd = 'unreadable';
    let more = false;
    try {
      const { bytes, body } = this.#connection.opened();
      if (body) end = await this.#send(bytes, handle, file, range);
      else end = (await writeAll(this.#socket, bytes)) ? 'whole' : 'cut';
    } finally {
      more = this.#connection.sent(end, clock.now());
      if (end !== 'whole') this.#socket.destroy(); // the announced length cannot be sent
      await handle.close();
    }
    return more;
  }

  async #send(head: Buffer, handle: FileHandle, file: SharedFile, range: ByteRange): Promise<SendEnd> {
    const { lanes, files, log, queue } = this.#context;
    this.#useGroup(this.#connection.group);
    const upload = this.#begin(file, range, 'active');
    upload.end = 'unreadable'; // until it is known better
    if (upload.bytes === 0 && !isPartial(file)) files.countUpload?.(file);
    const lane = lanes.take(range.end - range.start);
    try {
      const end = await sendRange(this.#socket, head, handle, range, lane, this.#pace, bytes => {
        queue.bytesSent += bytes;
        this.#usage.moved(bytes);
        upload.onSent(bytes);
      });
      upload.end = end;
      if (end === 'shrunk') log.warn({ file: file.name }, 'a shared file became shorter while it was sent');
      return end;
    } finally {
      upload.state = 'idle';
      lanes.give(lane);
    }
  }

  /** Its bandwidth is that of its group from now on. */
  #useGroup(group: string | null): void {
    if (group === this.#group || this.#socket.destroyed) return;
    this.#group = group;
    this.#usage.close();
    this.#usage = this.#context.bandwidth.usage('upload', group);
  }

  async #sendList({ bytes, list, coding, keepAlive }: Extract<UploadVerdict, { kind: 'browse' }>): Promise<boolean> {
    const isChunked = coding?.chunked === true;
    try {
      if (!(await writeAll(this.#socket, bytes))) return false;
      const onSent = (sent: number): void => this.#usage.moved(sent);
      for await (const piece of coding?.deflated === true ? deflated(list) : list)
        if (!(await writePaced(this.#socket, isChunked ? chunk(piece) : piece, this.#pace, onSent))) return false;
      if (isChunked && !(await writeAll(this.#socket, CHUNKS_END))) return false;
    } finally {
      this.#connection.browsed();
    }
    return keepAlive;
  }

  #begin(file: SharedFile, range: ByteRange, state: 'queued' | 'active'): Upload {
    const { clock, onStarted } = this.#context;
    let upload = this.#upload;
    const fresh = upload?.file !== file;
    if (upload === null || fresh) {
      this.#endUpload();
      upload = new Upload(file, clock);
      this.#upload = upload;
    }
    upload.begin(range, state);
    if (fresh) onStarted(this.#snapshotOf(upload));
    return upload;
  }

  #endUpload(): void {
    const upload = this.#upload;
    this.#upload = null;
    if (upload !== null) this.#context.onFinished(this.#snapshotOf(upload), upload.bytes, upload.result);
  }
}

/** While an upload waits for bandwidth, its silence is not the fault of the peer. */
function paceOf(usage: () => Usage, socket: StreamSocket, stallMs: number): Pace {
  return {
    get limited() {
      return usage().limited;
    },
    async ask(bytes) {
      if (socket.destroyed) return 0;
      socket.setTimeout(0);
      const granted = await usage().ask(bytes);
      socket.setTimeout(stallMs);
      return granted;
    },
  };
}

/** The pieces as one zlib stream, compressed as they are asked for. Rejects with an error of `list`. */
async function* deflated(list: Iterable<Buffer>): AsyncGenerator<Buffer> {
  const stream = createDeflate();
  pipeline(Readable.from(list), stream, () => undefined); // an error shows to the reader of the stream
  yield* stream as AsyncIterable<Buffer>;
}
