// A thread that reads the metadata of one media file at a time. Only media-reader.ts talks to it, and ends it when a file takes too long.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { type IAudioMetadata, parseFromTokenizer } from 'music-metadata';
import { FileTokenizer, type IReadChunkOptions } from 'strtok3';
import { type MediaRecord, mediaRecord } from '../../protocol/search/media-record.ts';

export interface MediaRequest {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

export type MediaReply =
  /** The parser is loaded. */
  | { readonly kind: 'ready' }
  /** `record`: null when the file says nothing. */
  | { readonly kind: 'read'; readonly record: MediaRecord | null }
  /** The file is another one than was asked for, or it is gone. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'failed'; readonly why: string };

/** Bytes read at a time, which are memory outside the heap, and bytes read of one file. */
const BUFFER_BYTES_MAX = 8 << 20;
const READ_BYTES_MAX = 64 << 20;
const WHY_CHARACTERS_MAX = 200;
const NICENESS = 15;

/** Refuses large buffers before they are allocated, and ends after READ_BYTES_MAX. */
class BoundedTokenizer extends FileTokenizer {
  #left = READ_BYTES_MAX;

  constructor(file: FileHandle, path: string, size: number) {
    super(file, { fileInfo: { path, size }, maxBufferSize: BUFFER_BYTES_MAX });
  }

  override async readBuffer(bytes: Uint8Array, options?: IReadChunkOptions): Promise<number> {
    this.#spend(options?.length ?? bytes.length);
    return super.readBuffer(bytes, options);
  }

  override async peekBuffer(bytes: Uint8Array, options?: IReadChunkOptions): Promise<number> {
    this.#spend(options?.length ?? bytes.length);
    return super.peekBuffer(bytes, options);
  }

  #spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new RangeError(`more than ${READ_BYTES_MAX} bytes of it would be read`);
  }
}

/** Opens without following links or blocking: the path may have changed since the scan. */
async function read({ path, size, mtimeMs }: MediaRequest): Promise<MediaReply> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size !== size || stats.mtimeMs !== mtimeMs) return { kind: 'changed' };
    const tokenizer = new BoundedTokenizer(file, path, size);
    const found = await parseFromTokenizer(tokenizer, { skipCovers: true, duration: false });
    return { kind: 'read', record: recordOf(found) };
  } finally {
    await file.close();
  }
}

/** Length and bit rate come first: what does not fit is left out from the end. */
function recordOf({ common, format }: IAudioMetadata): MediaRecord | null {
  const { title, artist, album, year, track } = common;
  const tags = { title, artist, album, genre: common.genre?.[0], year, track: track?.no };
  const kbps = (format.bitrate ?? 0) / 1000;
  if (format.hasVideo === true) {
    const video = format.trackInfo?.find(info => info.video !== undefined)?.video;
    const { pixelWidth: width, pixelHeight: height } = video ?? {};
    return mediaRecord('video', { length: format.duration, bitrate: kbps, width, height, ...tags });
  }
  return mediaRecord('audio', { seconds: format.duration, bitrate: kbps, ...tags });
}

function reply(message: MediaReply): void {
  parentPort?.postMessage(message);
}

setPriority(NICENESS);
parentPort?.on('message', (request: MediaRequest) => {
  read(request).then(reply, (error: Error & { code?: string }) => {
    if (error.code === 'ENOENT' || error.code === 'ELOOP') reply({ kind: 'changed' });
    else reply({ kind: 'failed', why: error.message.slice(0, WHY_CHARACTERS_MAX) });
  });
});
reply({ kind: 'ready' });
