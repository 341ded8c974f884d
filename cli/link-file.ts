// Files that hold what is to be downloaded: .magnet, .meta4 and .metalink.
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { linkIn } from '../protocol/wire/pasted-link.ts';
import { CommandError } from './failure.ts';

type FileOrder = { magnet: string } | { urn: string; sources: [] } | { metalink: string };

/** What the file says that is named so; null: it is not the name of such a file. */
export async function orderInFile(cwd: string, name: string): Promise<FileOrder | null> {
  const [, extension] = /\.(magnet|meta4|metalink)$/i.exec(name) ?? [];
  if (extension === undefined || linkIn(name) !== null) return null;
  const text = await textOf(resolve(cwd, name), name);
  if (extension.toLowerCase() !== 'magnet') return { metalink: text };
  const link = linkIn(text);
  if (link === null) throw new CommandError(`${name} has no magnet link in it`);
  return link.startsWith('magnet:') ? { magnet: link } : { urn: link, sources: [] };
}

/** Reads no more than a description may have. */
async function textOf(path: string, name: string): Promise<string> {
  const { METALINK_CHARACTERS_MAX } = await import('../protocol/wire/metalink.ts'); // with a parser of XML
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CommandError(`${name} cannot be read: ${cause.code === 'ENOENT' ? 'there is no such file' : cause.code}`);
  });
  try {
    if (!(await file.stat()).isFile()) throw new CommandError(`${name} is not a file`);
    const bytes = Buffer.alloc(METALINK_CHARACTERS_MAX + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > METALINK_CHARACTERS_MAX)
      throw new CommandError(`${name} has more than ${METALINK_CHARACTERS_MAX} bytes`);
    return bytes.toString('utf8', 0, length);
  } finally {
    await file.close();
  }
}
