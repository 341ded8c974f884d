// Fetches the list of all files that another servent shares.
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { unzip } from 'node:zlib';
import { Type } from '../../protocol/constants.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { SourceError } from '../../protocol/transfer/downloads/source-exchange.ts';
import type { Framing } from '../../protocol/transfer/downloads/source-reply.ts';
import { encodeRequestHead, listOf, numberOf, type ResponseHead } from '../../protocol/transfer/http-head.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { Frame, FrameReader, ReadResult } from '../../protocol/wire/frame-reader.ts';
import { parseQueryHit, type QueryHit } from '../../protocol/wire/query-hit.ts';
import { type Sink, SourceConnection } from './source-connection.ts';

export interface BrowseOptions {
  dial: (endpoint: Endpoint, signal: AbortSignal) => Promise<Socket>;
  userAgent: string;
  stallMs?: number;
  /** Most bytes read; the hits until then are used. */
  bytesMax?: number;
  filesMax?: number;
}

const STALL_MS = 30_000;
const BYTES_MAX = 16 << 20;
const FILES_MAX = 50_000;
const PAYLOAD_BYTES_MAX = 65_536;

/**
 * Passes each hit to `onHit`. Resolves with null, or with a sentence when a limit cut the list. Skips malformed descriptors and those
 * that are not hits. Rejects with SourceError, an error of `dial`, or the reason of `signal`.
 */
export async function browseHost(
  { dial, userAgent, stallMs = STALL_MS, bytesMax = BYTES_MAX, filesMax = FILES_MAX }: BrowseOptions,
  endpoint: Endpoint,
  onHit: (hit: QueryHit) => void,
  signal: AbortSignal,
): Promise<string | null> {
  const connection = new SourceConnection(await dial(endpoint, signal), stallMs);
  const onAbort = () => connection.close();
  signal.addEventListener('abort', onAbort, { once: true });
  const hits = new HitReader(onHit, bytesMax, filesMax);
  try {
    const head = await connection.request(
      encodeRequestHead('GET', '/', [
        ['Host', formatEndpoint(endpoint)],
        ['User-Agent', userAgent],
        ['Accept', 'application/x-gnutella-packets'],
        ['Accept-Encoding', 'deflate'],
        ['Connection', 'close'],
      ]),
    );
    const body = bodyOf(head);
    const read = (sink: Sink) => connection.body(body.framing, body.bytes, sink);
    if (body.plain) await read(chunk => hits.take(chunk));
    else hits.take(await inflated(read, bytesMax));
    return null;
  } catch (error) {
    if (error instanceof EnoughError) return `only the first ${hits.files} files: the limit for one servent`;
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    connection.close();
  }
}

/** Throws SourceError for a response that is not a list of hits. */
function bodyOf(head: ResponseHead): { framing: Framing; bytes: number | null; plain: boolean } {
  const { status, reason, headers } = head;
  if (status !== 200) throw new SourceError('SOURCE_MALFORMED', `refused the browse: ${status} ${printable(reason)}`);
  const [type = ''] = (headers.get('Content-Type') ?? '').toLowerCase().split(';');
  if (type.trim() !== 'application/x-gnutella-packets') {
    throw new SourceError('SOURCE_MALFORMED', 'answered the browse without query hits');
  }
  const plain = (headers.get('Content-Encoding') ?? 'identity').toLowerCase() === 'identity';
  if (listOf(headers.get('Transfer-Encoding')).includes('chunked')) return { framing: 'chunked', bytes: null, plain };
  const bytes = numberOf(headers.get('Content-Length'));
  return bytes === null || bytes < 0 ? { framing: 'close', bytes: null, plain } : { framing: 'length', bytes, plain };
}

/** Reads the whole body, then inflates it (gzip or deflate), both up to `bytesMax`. Throws EnoughError, SourceError. */
async function inflated(read: (sink: Sink) => Promise<void>, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  await read(chunk => {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new EnoughError();
    chunks.push(chunk);
    return null;
  });
  try {
    return await promisify(unzip)(Buffer.concat(chunks), { maxOutputLength: bytesMax });
  } catch (cause) {
    throw new SourceError('SOURCE_MALFORMED', 'sent a body that cannot be inflated', { cause });
  }
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
}

/** Thrown to stop reading when a limit is reached. */
class EnoughError extends Error {}

class HitReader {
  readonly #onHit: (hit: QueryHit) => void;
  readonly #reader = new FrameReader(PAYLOAD_BYTES_MAX);
  readonly #frame = new Frame();
  #bytesLeft: number;
  #files = 0;
  readonly #filesMax: number;

  constructor(onHit: (hit: QueryHit) => void, bytesMax: number, filesMax: number) {
    this.#onHit = onHit;
    this.#bytesLeft = bytesMax;
    this.#filesMax = filesMax;
  }

  get files(): number {
    return this.#files;
  }

  /** Throws EnoughError. */
  take(chunk: Buffer): null {
    this.#bytesLeft -= chunk.length;
    if (this.#bytesLeft < 0) throw new EnoughError();
    this.#reader.push(chunk);
    for (;;) {
      const read = this.#reader.next(this.#frame);
      if (read === ReadResult.TooLong) throw new EnoughError();
      if (read === ReadResult.Wait) return null;
      if (this.#frame.type === Type.QueryHit) this.#onFrame();
    }
  }

  #onFrame(): void {
    let hit: QueryHit;
    try {
      // copied: a hit refers to its bytes and may outlive the chunk
      hit = parseQueryHit(Buffer.from(this.#frame.payload()));
    } catch (error) {
      if (error instanceof ProtocolError) return;
      throw error;
    }
    if (this.#files + hit.hits.length > this.#filesMax) throw new EnoughError();
    this.#files += hit.hits.length;
    this.#onHit(hit);
  }
}
