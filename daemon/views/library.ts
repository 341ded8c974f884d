// API views of shared folders.
import type { FolderView } from '../../api/control.ts';
import type { FolderStatus } from '../library/shared-folder.ts';

export function folderView({ id, path, state, files, bytes, error, leftOut, scannedAt }: FolderStatus): FolderView {
  return {
    id,
    path,
    state,
    files,
    bytes,
    error,
    leftOut: [...leftOut],
    scannedAt: scannedAt === null ? null : new Date(scannedAt).toISOString(),
  };
}
