// Answers with the bytes of a download, while it runs too: only bytes that are verified, with ranges for players.
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from 'koa';
import { formatContentRange, formatSomeRanges } from '../protocol/transfer/content-range.ts';
import { parseRange, RangeVerdict } from '../protocol/transfer/range.ts';
import type { ByteRange, RangeSet } from '../protocol/transfer/range-set.ts';
import { ApiError } from './errors.ts';
import type { StreamListener } from './event-stream.ts';

/** The bytes of one download, opened for one reader. */
export interface DownloadContent {
  readonly name: string;
  /** Changes with the bytes; null: no hash is known. */
  readonly etag: string | null;
  /** Null: not known yet. */
  readonly size: number | null;
  /** It is fetched now, or will be. */
  readonly growing: boolean;
  /** A copy. */
  readonly available: RangeSet;
  /** Where the available bytes from `offset` on end; `offset` itself when that byte is not available. */
  endFrom(offset: number): number;
  /** Reads bytes that are available. */
  read(start: number, end: number): Promise<Buffer>;
  /** Has the bytes from `offset` on fetched before others, until it is closed. */
  seek(offset: number): void;
  close(): Promise<void>;
}

/** Most readers at a time. */
const READERS_MAX = 32;
const CHUNK_BYTES = 1 << 18;
const POLL_MS = 100;
/** A reader that takes nothing for so long, such as a player that is paused, is cut off. */
const IDLE_MS = 15 * 60_000;
const RANGES_CHARACTERS_MAX = 4096;

/** Types that a browser may show in place: those that run no code. */
const SHOWN = /^(audio|video)\/|^image\/(?!svg)|^text\/plain\b/;
const OTHER = 'application/octet-stream';

/** A stream that ended before its last byte. */
class CutShort extends Error {}

export class ContentReaders {
  readonly #open: (id: string) => Promise<DownloadContent>;
  #readers = 0;

  /** `open` throws NOT_FOUND. */
  constructor(open: (id: string) => Promise<DownloadContent>) {
    this.#open = open;
  }

  /**
   * `waitSeconds`: how long to wait for each byte that is missing. 0: sends what is there of a range, without waiting.
   * Throws NOT_FOUND, RANGE_MISSING, TOO_MANY.
   */
  async answer(ctx: Context, id: string, waitSeconds: number, reader: StreamListener): Promise<void> {
    if (this.#readers >= READERS_MAX)
      throw new ApiError('TOO_MANY', `${READERS_MAX} readers have downloads open already: close one first`);
    this.#readers++;
    let content: DownloadContent | null = null;
    try {
      content = await this.#open(id);
      await answerContent(ctx, content, waitSeconds * 1000, reader);
    } finally {
      this.#readers--;
      await content?.close();
    }
  }
}

async function answerContent(
  ctx: Context,
  content: DownloadContent,
  waitMs: number,
  reader: StreamListener,
): Promise<void> {
  const isThere = () => !ctx.res.closed && reader.mayListen();
  if (ctx.method !== 'HEAD') await until(() => content.size !== null, content, waitMs, isThere);
  const { size } = content;
  if (size === null) throw missing(ctx, content, 'its size is not known yet');
  setHeaders(ctx, content);
  const asked = isCurrent(ctx, content) ? parseRange(ctx.get('Range') || null, size) : null;
  if (asked === RangeVerdict.Unsatisfiable) throw missing(ctx, content, `it has ${size} bytes`);
  const isPart = asked !== null && asked !== RangeVerdict.Malformed;
  if (ctx.method === 'HEAD') {
    ctx.status = 200;
    ctx.length = size;
    return;
  }
  const wanted = isPart ? asked : { start: 0, end: size };
  const hasFirst = () => wanted.start >= wanted.end || content.endFrom(wanted.start) > wanted.start;
  content.seek(wanted.start);
  await until(hasFirst, content, waitMs, isThere);
  if (!hasFirst()) throw missing(ctx, content, `byte ${wanted.start} is not there`);
  const range = waitMs > 0 ? wanted : { ...wanted, end: Math.min(wanted.end, content.endFrom(wanted.start)) };
  if (!isPart && range.end < size) throw missing(ctx, content, 'not all of it is there: ask for a range');

  ctx.status = isPart ? 206 : 200;
  if (isPart) ctx.set('Content-Range', formatContentRange(range, size));
  ctx.length = range.end - range.start;
  ctx.respond = false; // the bytes come over time
  ctx.res.setTimeout(IDLE_MS, () => ctx.res.destroy());
  try {
    await pipeline(Readable.from(bytesOf(content, range, waitMs, isThere), { objectMode: false }), ctx.res);
  } catch (error) {
    const isUsual = error instanceof CutShort || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (!isUsual) ctx.app.emit('error', error, ctx); // the head is sent: the reader only sees the end
  }
}

async function* bytesOf(
  content: DownloadContent,
  { start, end }: ByteRange,
  waitMs: number,
  isThere: () => boolean,
): AsyncGenerator<Buffer> {
  let at = start;
  while (at < end) {
    const offset = at;
    content.seek(offset);
    await until(() => content.endFrom(offset) > offset, content, waitMs, isThere);
    const upTo = Math.min(end, content.endFrom(offset), offset + CHUNK_BYTES);
    if (upTo <= offset || !isThere()) throw new CutShort();
    yield await content.read(offset, upTo);
    at = upTo;
  }
}

/** Waits for a condition, at most `waitMs`, and only while bytes can come and the reader is there. */
async function until(
  holds: () => boolean,
  content: DownloadContent,
  waitMs: number,
  isThere: () => boolean,
): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!holds() && content.growing && isThere() && performance.now() < deadline)
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
}

function setHeaders(ctx: Context, { name, etag, available }: DownloadContent): void {
  ctx.type = extname(name);
  const isShown = SHOWN.test(ctx.response.get('Content-Type'));
  ctx.attachment(name, { type: isShown ? 'inline' : 'attachment' });
  if (!isShown) ctx.set('Content-Type', OTHER);
  ctx.set('Accept-Ranges', 'bytes');
  ctx.set('X-Available-Ranges', formatSomeRanges(available, 0, RANGES_CHARACTERS_MAX).text);
  if (etag !== null) ctx.set('ETag', etag);
}

/** Whether a Range is to be obeyed: `If-Range` names another version when it is not. */
function isCurrent(ctx: Context, { etag }: DownloadContent): boolean {
  const asked = ctx.get('If-Range');
  return asked === '' || asked === etag;
}

/** The refusal that tells what is there. */
function missing(ctx: Context, { size, available, growing }: DownloadContent, why: string): ApiError {
  ctx.set('Content-Range', `bytes */${size ?? '*'}`);
  ctx.set('X-Available-Ranges', formatSomeRanges(available, 0, RANGES_CHARACTERS_MAX).text);
  ctx.remove('Content-Disposition');
  const more = growing ? 'ask again later' : 'the download does not run';
  return new ApiError('RANGE_MISSING', `${why}; X-Available-Ranges says what is there, ${more}`);
}
