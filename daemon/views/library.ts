// API views of shared folders and files.
import type { FileView, FolderView, HashingView } from '../../api/control.ts';
import type { PlayFacts } from '../../protocol/wire/lime-xml.ts';
import { mediaTypeOf } from '../../protocol/wire/media-type.ts';
import { formatBitprint, formatSha1Urn } from '../../protocol/wire/urn.ts';
import type { CatalogEntry } from '../library/catalog.ts';
import type { Library } from '../library/library.ts';
import type { FolderStatus } from '../library/shared-folder.ts';

export function folderView(folder: FolderStatus): FolderView {
  const { id, path, state, files, bytes, error, leftOut, scannedAt, exclude, force, label } = folder;
  return {
    id,
    path,
    state,
    files,
    bytes,
    error,
    leftOut: [...leftOut],
    scannedAt: scannedAt === null ? null : new Date(scannedAt).toISOString(),
    exclude: [...exclude],
    force,
    label,
  };
}

export function fileState(isShared: boolean, isFailed: boolean): FileView['state'] {
  if (isShared) return 'shared';
  return isFailed ? 'failed' : 'hashing';
}

export function fileView(entry: CatalogEntry, { seconds, kbps }: PlayFacts): FileView {
  const { file } = entry;
  return {
    id: String(entry.index),
    name: entry.name,
    path: entry.path,
    folder: entry.folder.id,
    size: entry.size,
    modifiedAt: new Date(entry.mtimeMs).toISOString(),
    state: fileState(file !== null, entry.failed),
    urn: file === null ? null : formatSha1Urn(file.sha1),
    bitprint: file === null || file.tigerRoot === null ? null : formatBitprint(file.sha1, file.tigerRoot),
    seenFolder: entry.folder.seenFolder(entry.path),
    type: mediaTypeOf(entry.name),
    length: seconds,
    bitrate: kbps,
    hits: entry.hits,
    uploads: entry.uploads,
  };
}

export function hashingView({
  hashing,
  isScanning,
  isCancelled,
}: Pick<Library, 'hashing' | 'isScanning' | 'isCancelled'>): HashingView {
  const { pending, done, bytesLeft, rate, current } = hashing;
  const busy = pending > 0 ? 'hashing' : isScanning ? 'scanning' : 'idle';
  return {
    state: isCancelled ? 'cancelled' : busy,
    files: pending,
    hashed: done,
    bytes: bytesLeft,
    rate,
    eta: pending > 0 && rate > 0 ? bytesLeft / rate : null,
    current,
  };
}
