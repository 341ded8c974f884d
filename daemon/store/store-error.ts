// Turns errors of the database into StoreError, whose message says what to do.
import { CodedError } from '../../protocol/errors.ts';

export type StoreErrorCode =
  | 'STORE_LOCKED'
  | 'STORE_DAMAGED'
  | 'STORE_FULL'
  | 'STORE_UNREADABLE'
  | 'STORE_NEWER'
  | 'STORE_CLOSED'
  | 'STORE_FAILED';

export class StoreError extends CodedError<StoreErrorCode> {}

/** The damage that an error indicates; null for other errors (locked, full, forbidden). */
export function damagedBy(error: unknown): string | null {
  if (error instanceof StoreError) return error.code === 'STORE_DAMAGED' ? error.message : null;
  const { code, text } = rootOf(error);
  if (code === 'LEVEL_CORRUPTION') return text;
  // A table or manifest named by CURRENT is missing, or a table is too short for its footer.
  if (code === 'LEVEL_IO_ERROR' && /No such file or directory|Invalid argument/.test(text)) return text;
  return null;
}

const CLOSED: ReadonlySet<string> = new Set(['LEVEL_DATABASE_NOT_OPEN', 'LEVEL_ITERATOR_NOT_OPEN']);

/** Wraps an error of `level` or the file system. */
export function storeError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const { code, text } = rootOf(error);
  const options = { cause: error };
  if (code === 'LEVEL_LOCKED') {
    return new StoreError(
      'STORE_LOCKED',
      `another servent is using ${path}: stop it, or give this one its own --data-dir`,
      options,
    );
  }
  if (CLOSED.has(code))
    return new StoreError('STORE_CLOSED', 'the servent is stopping: try again when it runs', options);
  if (damagedBy(error) !== null) {
    return new StoreError(
      'STORE_DAMAGED',
      `${path} is damaged (${text}): restart the servent, which renames the damaged database and creates a new one`,
      options,
    );
  }
  if (code === 'ENOSPC' || code === 'EDQUOT' || /No space left on device|Disk quota exceeded/.test(text)) {
    return new StoreError(
      'STORE_FULL',
      `no space left for ${path}: free some, or move the data with --data-dir`,
      options,
    );
  }
  if (
    ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG'].includes(code) ||
    /Permission denied|Read-only file system|Not a directory/.test(text)
  ) {
    return new StoreError(
      'STORE_UNREADABLE',
      `cannot use ${path} as data folder (${text}): make it a writable folder, or choose another --data-dir`,
      options,
    );
  }
  return new StoreError('STORE_FAILED', `the database in ${path} failed: ${text}`, options);
}

/** Finds the innermost error: `level` wraps that of LevelDB. */
function rootOf(error: unknown): { code: string; text: string } {
  let at = error;
  for (let depth = 0; depth < 4 && at instanceof Error && at.cause instanceof Error; depth++) at = at.cause;
  const code = at instanceof Error && 'code' in at && typeof at.code === 'string' ? at.code : '';
  return { code, text: at instanceof Error ? at.message : String(at) };
}
