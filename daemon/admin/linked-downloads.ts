// Starts the downloads that a magnet link or a Metalink description names.
import type { StartedDownload } from '../../api/control.ts';
import { invalid } from '../../api/errors.ts';
import { type LinkedFile, unusableLink } from '../../protocol/transfer/downloads/linked-file.ts';
import { type DownloadRequest, placeholderName } from '../transfer/download-request.ts';
import { type AddDownload, startedView, startSeveral } from './several-downloads.ts';

/** Throws ApiError: INVALID when nothing can be fetched by the link. */
export async function startLinked(file: LinkedFile, add: AddDownload): Promise<StartedDownload> {
  const request = requestFor(file);
  if (request === null) throw invalid('magnet', unusableLink(file));
  return startedView(await add(request), file.unused);
}

/** Gives the first that was started, with what became of each. Throws ApiError when none could be. */
export function startDescribed(files: readonly LinkedFile[], add: AddDownload): Promise<StartedDownload> {
  if (files.length === 0) throw invalid('metalink', 'names no file');
  return startSeveral(
    files.map((file, i) => ({
      ...{ name: file.name ?? '', unused: file.unused },
      request: requestFor(file) ?? invalid('metalink', unusableFile(i, file)),
    })),
    add,
  );
}

/** Null: neither a hash nor a source. */
function requestFor({ sha1, tigerRoot: root, size, name, words, sources }: LinkedFile): DownloadRequest | null {
  if (sha1 === null && sources.length === 0) return null;
  return { sha1, root, size, name: name ?? placeholderName(sha1), words, sources };
}

function unusableFile(i: number, { name, unused }: LinkedFile): string {
  return [`file ${i + 1}, ${JSON.stringify(name)}, has neither a SHA-1 nor an http:// source`, ...unused].join('; ');
}
