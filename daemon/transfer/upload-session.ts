// One connection that asks us for files: its requests are read and answered in order, until either side has enough.
import type { FileHandle } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { UploadView } from '../../api/control.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import { namesFile } from '../../protocol/transfer/asked-name.ts';
import { keepsAlive, listOf, numberOf, parseRequestHead, type RequestHead } from '../../protocol/transfer/http-head.ts';
import { isPushProxyTarget } from '../../protocol/transfer/push-proxy.ts';
import { parseRange, RangeVerdict } from '../../protocol/transfer/range.ts';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';
import { parseTarget } from '../../protocol/transfer/request-target.ts';
import type { Admission } from '../../protocol/transfer/upload-queue.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { urnOrNull } from '../../protocol/wire/urn.ts';
import { answerBrowse } from './browse-answer.ts';
import { sendRange } from './send-range.ts';
import { SocketReader } from './socket-reader.ts';
import { writeAll } from './socket-write.ts';
import { Upload } from './upload.ts';
import type { UploadContext, UploadOutcome } from './upload-context.ts';
import {
  busyHeaders,
  EMPTY,
  encodeReply,
  fileHeaders,
  queuedHeaders,
  type ReplyFrame,
  unsatisfiableHeaders,
} from './upload-reply.ts';

/** Refusals on one connection; then it is closed (gtk-gnutella MAX_ERRORS). */
const ERRORS_MAX = 10;
/** That much of a file goes out without a slot, once a connection: tiny files and first looks (gtk-gnutella's quick slot). */
const QUICK_BYTES = 8192;
const RETRY_SECONDS = 60;
const LINGER_MS = 1000;

export class UploadSession {
  readonly #context: UploadContext;
  readonly #number: number;
  readonly #socket: Socket;
  readonly #input: SocketReader;
  readonly #address: string;
  readonly #remote: string;
  #userAgent: string | null = null;
  #upload: Upload | null = null;
  #introduced = false;
  #named: SharedFile | null = null;
  #errors = 0;
  #quickBytes = QUICK_BYTES;
  #queued = false;

  /** `number` is the connection's for the queue. Takes the socket over at once. */
  constructor(context: UploadContext, number: number, socket: Socket, head: Buffer) {
    this.#context = context;
    this.#number = number;
    this.#socket = socket;
    this.#address = socket.remoteAddress ?? '';
    this.#remote = formatEndpoint({ host: this.#address, port: socket.remotePort ?? 0 });
    socket.on('error', error =>
      context.log.debug({ address: this.#remote, err: error }, 'an upload connection failed'),
    );
    socket.setNoDelay(true);
    socket.on('timeout', () => socket.destroy());
    // A client that sends its request and shuts its side wants the answer still.
    socket.allowHalfOpen = true;
    this.#input = new SocketReader(socket, head);
  }

  /** Resolves when the connection is over and everything it held is given back. Never rejects. */
  async run(): Promise<void> {
    try {
      for (;;) {
        const request = await this.#nextRequest();
        if (request === null) break;
        this.#socket.setTimeout(this.#context.times.stallMs);
        const more = await this.#answer(request);
        this.#socket.setTimeout(0);
        if (!more) break;
      }
    } catch (error) {
      if (error instanceof ProtocolError) {
        const tooLong = error.code === 'HTTP_TOO_LONG';
        await this.#refuse(tooLong ? 431 : 400, tooLong ? 'too_long' : 'malformed');
      } else {
        this.#context.log.warn({ address: this.#remote, err: error }, 'an upload failed');
        this.#socket.destroy();
      }
    }
    this.#context.queue.leave(this.#number);
    this.#endUpload();
    await this.#hangUp();
  }

  close(): void {
    this.#socket.destroy();
  }

  get uploadId(): string | null {
    return this.#upload?.id ?? null;
  }

  get bytesPerSecond(): number {
    return this.#upload?.bytesPerSecond ?? 0;
  }

  /** Null while it asks for nothing. */
  view(): UploadView | null {
    const upload = this.#upload;
    return upload === null || upload.state === 'idle' ? null : this.#viewOf(upload);
  }

  #viewOf(upload: Upload): UploadView {
    return upload.view(this.#remote, this.#userAgent, this.#context.queue.position(this.#number) ?? 1);
  }

  /** Closing with bytes unread would reset the connection and take our last answer along: reads on for a moment. */
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

  /** Cuts who is slow with a head or silent between two. Null: no more requests. Throws HTTP_MALFORMED, HTTP_TOO_LONG. */
  async #nextRequest(): Promise<RequestHead | null> {
    const { times } = this.#context;
    let begun = false;
    let timer = setTimeout(() => this.#socket.destroy(), this.#queued ? times.pollMaxMs : times.idleMs);
    const onBytes = () => {
      if (begun) return;
      begun = true;
      clearTimeout(timer);
      timer = setTimeout(() => {
        void this.#refuse(408, 'slow_head');
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

  /** True when another request may follow. */
  async #answer(request: RequestHead): Promise<boolean> {
    const { headers } = request;
    this.#userAgent ??= printable(headers.get('User-Agent'));
    if (request.major !== 1) return this.#refuse(505, 'unsupported');
    if (request.method !== 'GET' && request.method !== 'HEAD') return this.#refuse(501, 'unsupported');
    if (request.minor >= 1 && !headers.has('Host')) return this.#refuse(400, 'malformed');
    // a body that we would take for the next request
    if ((numberOf(headers.get('Content-Length')) ?? 0) !== 0 || headers.has('Transfer-Encoding')) {
      return this.#refuse(403, 'forbidden');
    }
    if (isPushProxyTarget(request.target)) return this.#passPush(request);
    const target = parseTarget(request.target);
    if (target.kind === 'root') return this.#browse(request);
    const wanted = urnOrNull(headers.get('X-Gnutella-Content-URN')?.split(',')[0]?.trim() ?? '')?.sha1 ?? null;
    const file = this.#find(target, wanted);
    if (file === null) return this.#refuseFile(request, 404, 'not_found', EMPTY);

    const range = parseRange(headers.get('Range'), file.size);
    if (range === RangeVerdict.Malformed) return this.#refuse(400, 'malformed');
    if (range === RangeVerdict.Unsatisfiable) {
      return this.#refuseFile(request, 416, 'unsatisfiable', unsatisfiableHeaders(file));
    }
    return this.#serve(request, file, range);
  }

  /** By hash where one is named; else what has the index must have the name too: it may have gone to another file since the hit. */
  #find(target: ReturnType<typeof parseTarget>, wanted: Buffer | null): SharedFile | null {
    const { files } = this.#context;
    if (target.kind === 'urn') {
      return wanted !== null && !wanted.equals(target.sha1) ? null : files.bySha1(target.sha1);
    }
    if (target.kind !== 'index') return null;
    if (wanted !== null) return files.bySha1(wanted);
    const file = files.byIndex(target.index);
    return file !== null && namesFile(target.asked, file.name) ? file : null;
  }

  async #serve(request: RequestHead, file: SharedFile, range: ByteRange | null): Promise<boolean> {
    const { queue, clock, outcomes, files } = this.#context;
    const body = range ?? { start: 0, end: file.size };
    const sends = request.method === 'GET' && body.end > body.start;
    if (queue.limits.slots === 0) return this.#refuse(403, 'forbidden');
    if (sends && !this.#isQuick(body)) {
      const admission = queue.ask(this.#number, this.#address, knowsQueues(request), clock.now());
      if (admission.kind !== 'granted') return this.#turnAway(request, file, body, admission);
    }
    const keepAlive = keepsAlive(request);
    const handle = await files.open(file);
    if (handle === null) {
      queue.finish(this.#number, clock.now());
      return this.#refuseFile(request, 404, 'not_found', EMPTY);
    }
    try {
      const frame = this.#frame(keepAlive, request);
      const head = encodeReply(range === null ? 200 : 206, frame, fileHeaders(file, range, this.#named !== file));
      this.#named = file;
      if (request.method === 'HEAD') {
        outcomes.count('head');
        return (await this.#reply(head)) && keepAlive;
      }
      return (await this.#send(head, handle, file, body)) && keepAlive;
    } finally {
      await handle.close();
      queue.finish(this.#number, clock.now());
    }
  }

  async #send(head: Buffer, handle: FileHandle, file: SharedFile, range: ByteRange): Promise<boolean> {
    const { lanes, outcomes, files, log, queue } = this.#context;
    const upload = this.#begin(file, range, 'active');
    if (upload.bytes === 0) files.countUpload?.(file);
    const lane = lanes.take(range.end - range.start);
    try {
      const sent = await sendRange(this.#socket, head, handle, range, lane, bytes => {
        queue.bytesSent += bytes;
        upload.onSent(bytes);
      });
      outcomes.count(
        sent === 'cut' ? 'cut' : sent === 'shrunk' ? 'unreadable' : this.#isWhole(file, range) ? 'whole' : 'partial',
      );
      if (sent === 'shrunk') log.warn({ file: file.name }, 'a shared file became shorter while it was sent');
      if (sent !== 'whole') this.#socket.destroy(); // what was promised cannot be kept
      return sent === 'whole';
    } catch (error) {
      outcomes.count('unreadable');
      this.#socket.destroy();
      throw error;
    } finally {
      upload.state = 'idle';
      lanes.give(lane);
    }
  }

  #isWhole(file: SharedFile, { start, end }: ByteRange): boolean {
    return start === 0 && end === file.size;
  }

  #isQuick({ start, end }: ByteRange): boolean {
    if (end - start > this.#quickBytes) return false;
    this.#quickBytes -= end - start;
    return true;
  }

  /** No slot: a place in the queue, kept as long as the connection, or the advice to come back. */
  async #turnAway(
    request: RequestHead,
    file: SharedFile,
    range: ByteRange,
    admission: Exclude<Admission, { kind: 'granted' }>,
  ): Promise<boolean> {
    const { outcomes, times } = this.#context;
    if (admission.kind === 'busy') {
      outcomes.count('busy');
      await this.#reply(encodeReply(503, this.#frame(false, request), busyHeaders(file, RETRY_SECONDS)));
      return false;
    }
    outcomes.count('queued');
    this.#begin(file, range, 'queued');
    const frame = { ...this.#frame(true, request), sayKeepAlive: true };
    return this.#reply(encodeReply(503, frame, queuedHeaders(file, admission.position, times)));
  }

  async #browse(request: RequestHead): Promise<boolean> {
    const { browse, outcomes, identity } = this.#context;
    if (browse === null) return this.#refuse(403, 'forbidden');
    const accepted = listOf(request.headers.get('Accept')).map(item => item.split(';')[0]?.trim());
    if (!accepted.includes('application/x-gnutella-packets'))
      return this.#refuseFile(request, 406, 'unsupported', EMPTY);
    const release = browse.enter();
    if (release === null) {
      outcomes.count('busy');
      await this.#reply(encodeReply(503, this.#frame(false, request), busyHeaders(null, RETRY_SECONDS)));
      return false;
    }
    try {
      outcomes.count('browse');
      // its length is not known: the end of the connection ends it
      const type = [['Content-Type', 'application/x-gnutella-packets']] as const;
      await this.#reply(encodeReply(200, this.#frame(false, request), type));
      if (request.method === 'GET') await answerBrowse(this.#socket, browse.files(), identity);
    } finally {
      release();
    }
    return false;
  }

  async #passPush({ target, headers }: RequestHead): Promise<boolean> {
    const status = this.#context.pushProxy?.(target, headers.get('X-Node'), this.#address) ?? 410;
    return this.#refuse(status, status === 202 ? 'push_passed' : 'push_refused');
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
    this.#queued = state === 'queued';
    upload.begin(range, state);
    if (fresh) onStarted(this.#viewOf(upload));
    return upload;
  }

  #endUpload(): void {
    const upload = this.#upload;
    this.#upload = null;
    if (upload !== null) this.#context.onFinished(this.#viewOf(upload), upload.bytes);
  }

  /** An answer after which the connection is of no use. */
  async #refuse(status: number, outcome: UploadOutcome): Promise<boolean> {
    this.#context.outcomes.count(outcome);
    await this.#reply(encodeReply(status, this.#frame(false), EMPTY));
    return false;
  }

  /** An answer about one file: the next may be another. */
  async #refuseFile(
    request: RequestHead,
    status: number,
    outcome: UploadOutcome,
    headers: Parameters<typeof encodeReply>[2],
  ): Promise<boolean> {
    const keepAlive = keepsAlive(request) && ++this.#errors < ERRORS_MAX;
    this.#context.outcomes.count(outcome);
    return (await this.#reply(encodeReply(status, this.#frame(keepAlive, request), headers))) && keepAlive;
  }

  /** Waits until it is out: who asks and asks without reading gets no further. */
  #reply(bytes: Buffer): Promise<boolean> {
    return writeAll(this.#socket, bytes);
  }

  #frame(keepAlive: boolean, request: RequestHead | null = null): ReplyFrame {
    const { identity, clock, browse } = this.#context;
    const introduce = this.#introduced
      ? null
      : { node: identity.firewalled ? null : identity.listen(), browsable: browse !== null };
    this.#introduced = true;
    return {
      userAgent: identity.userAgent,
      date: new Date(clock.wallTime()),
      keepAlive,
      sayKeepAlive: request?.minor === 0,
      introduce,
    };
  }
}

function knowsQueues({ headers }: RequestHead): boolean {
  return headers.has('X-Queue') || listOf(headers.get('X-Features')).some(feature => feature.startsWith('queue/'));
}

/** Remote text for logs and views. */
function printable(text: string | null): string | null {
  return text === null ? null : text.replace(/[^\x20-\x7e]/g, '?').slice(0, 255);
}
