// Reads and writes backup archives: gzipped JSON, one object a line, with a header line first and an end line last.
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { z } from 'zod';

/** Increased when older servents could not read the archive. */
export const ARCHIVE_FORMAT = 1;
/** Bytes of a part file in one line, before base64. */
export const PIECE_BYTES = 256 * 1024;
const LINE_CHARACTERS_MAX = 16 * 1024 * 1024;
const OWNER_ONLY = 0o600;

const header = z.object({
  kind: z.literal('servent-backup'),
  format: z.int(),
  version: z.string().describe('version of the servent that wrote it'),
  at: z.iso.datetime(),
  dataDir: z.string().describe('data folder that the paths in the archive refer to'),
  parts: z.boolean(),
});

const line = z.discriminatedUnion('kind', [
  header,
  z.object({ kind: z.literal('file'), name: z.enum(['servent.yaml', 'api-token']), text: z.string() }),
  z.object({ kind: z.literal('record'), table: z.string(), key: z.string(), value: z.unknown() }),
  z.object({
    kind: z.literal('part'),
    name: z.string().regex(/^[\w-]{1,64}\.part$/),
    at: z.int().min(0),
    bytes: z.base64(),
  }),
  z.object({ kind: z.literal('end'), lines: z.int() }),
]);

export type ArchiveHeader = z.infer<typeof header>;
export type ArchiveLine = z.infer<typeof line>;

/** The archive is foreign, incomplete, damaged, or of a newer servent; the message says which. */
class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

/** Writes the whole archive under a temporary name, then renames it. Adds the end line. Readable by its owner only. */
export async function writeArchive(file: string, lines: AsyncIterable<ArchiveLine>): Promise<void> {
  const unfinished = `${file}.partial`;
  try {
    await pipeline(
      Readable.from(texts(lines)),
      createGzip(),
      createWriteStream(unfinished, { mode: OWNER_ONLY, flush: true }),
    );
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

async function* texts(lines: AsyncIterable<ArchiveLine>): AsyncGenerator<string> {
  let count = 0;
  for await (const one of lines) {
    count++;
    yield `${JSON.stringify(one)}\n`;
  }
  yield `${JSON.stringify({ kind: 'end', lines: count } satisfies ArchiveLine)}\n`;
}

/** Yields the header, then all lines. Throws ArchiveError, also when the end line is missing, or the system's error. */
export async function* readArchive(file: string): AsyncGenerator<Exclude<ArchiveLine, { kind: 'end' }>> {
  let count = 0;
  for await (const text of linesOf(file)) {
    const read = parsed(file, text, count + 1);
    if (count === 0) checkHeader(file, read);
    else if (read.kind === 'servent-backup') throw new ArchiveError(`${file}: a second header in line ${count + 1}`);
    if (read.kind === 'end') {
      if (read.lines !== count) throw new ArchiveError(`${file}: has ${count} lines, but ${read.lines} were written`);
      return;
    }
    count++;
    yield read;
  }
  throw new ArchiveError(`${file} is cut short: take another copy`);
}

function checkHeader(file: string, read: ArchiveLine): void {
  if (read.kind !== 'servent-backup') throw new ArchiveError(`${file} is not a backup of a servent`);
  if (read.format > ARCHIVE_FORMAT)
    throw new ArchiveError(
      `${file} was written by servent ${read.version} (format ${read.format}, this one knows ${ARCHIVE_FORMAT}): update first`,
    );
}

function parsed(file: string, text: string, number: number): ArchiveLine {
  try {
    return line.parse(JSON.parse(text));
  } catch (cause) {
    const what = number === 1 ? 'is not a backup of a servent' : `is damaged in line ${number}`;
    throw new ArchiveError(`${file} ${what}`, { cause });
  }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const gunzip = createGunzip();
  const source = createReadStream(file);
  source.on('error', error => gunzip.destroy(error));
  source.pipe(gunzip).setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of gunzip as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LINE_CHARACTERS_MAX) throw new ArchiveError(`${file}: a line is too long`);
      yield* lines;
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') throw new ArchiveError(`${file} is cut short: take another copy`, { cause });
    if (code?.startsWith('Z_') === true)
      throw new ArchiveError(`${file} is not a backup of a servent, or is damaged`, { cause });
    throw cause;
  } finally {
    source.destroy();
  }
}
