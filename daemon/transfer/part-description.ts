// The description beside a part file, from which `servent recover` makes a download when the store is lost: its record as JSON.
import { open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { CodedError } from '../../protocol/errors.ts';
import { type DownloadRecord, fromStored, toStored } from '../store/downloads.ts';

const SUFFIX = '.json';
const VERSION = 1;
/** Sources, ranges and tree of a large download take less than 1 MiB. */
const BYTES_MAX = 8 << 20;
const REASONS_MAX = 3;

export class DescriptionError extends CodedError<'DESCRIPTION_MISSING' | 'DESCRIPTION_BAD'> {}

export const descriptionOf = (part: string): string => `${part}${SUFFIX}`;

/** Replaces the description as a whole: a crash leaves the old one or the new one. Rejects with the system's error. */
export async function writeDescription(part: string, record: DownloadRecord): Promise<void> {
  const path = descriptionOf(part);
  const next = `${path}.new`;
  const { id, name } = record;
  const text = JSON.stringify({ unfinished: name, version: VERSION, id, download: toStored(record) }, null, 1);
  const handle = await open(next, 'w');
  try {
    await handle.writeFile(`${text}\n`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(next, path);
}

/** Reads what writeDescription wrote of the download `id`. Rejects with DescriptionError, or the system's error. */
export async function readDescription(part: string, id: string): Promise<DownloadRecord> {
  const path = descriptionOf(part);
  const bad = (what: string, cause?: unknown): DescriptionError =>
    new DescriptionError('DESCRIPTION_BAD', `${path} ${what}`, { cause });
  const { size } = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new DescriptionError('DESCRIPTION_MISSING', `${path}, which would say what it is, is missing`);
  });
  if (size > BYTES_MAX) throw bad(`has ${size} bytes, where a description has ${BYTES_MAX} at most`);
  const { described } = await import('./described-download.ts');
  const read = described.safeParse(jsonOrNull(await readFile(path, 'utf8')));
  if (!read.success) {
    const reasons = read.error.issues
      .slice(0, REASONS_MAX)
      .map(issue => `${issue.path.join('.') || 'all of it'}: ${issue.message}`);
    throw bad(`is no description of a download (${reasons.join('; ')})`);
  }
  if (read.data.version !== VERSION) throw bad(`is of version ${read.data.version}; this servent reads ${VERSION}`);
  if (read.data.id !== id) throw bad(`is that of another download, ${read.data.id.slice(0, 40)}`);
  try {
    return fromStored(id, read.data.download);
  } catch (error) {
    throw bad(`cannot be true: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

/** Deletes a part file and its description, as far as they are there. */
export async function deletePart(part: string): Promise<void> {
  for (const path of [descriptionOf(part), part])
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
