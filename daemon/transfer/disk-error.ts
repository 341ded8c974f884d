// Turns errors of the disk into DiskError, whose message says what to do.
import { CodedError } from '../../protocol/errors.ts';
import { StoreError } from '../store/store-error.ts';

/** `DISK_CHANGED`: something else wrote to a part file, shortened or replaced it. */
export type DiskErrorCode = 'DISK_FULL' | 'DISK_FORBIDDEN' | 'DISK_FAILED' | 'DISK_CHANGED';

export class DiskError extends CodedError<DiskErrorCode> {}

/** Wraps an error of the file system, or of the store on the same disk, in `folder`. */
export function diskError(cause: unknown, folder: string): DiskError {
  if (cause instanceof DiskError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const options = { cause };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'STORE_FULL':
      return new DiskError('DISK_FULL', `no space left for ${folder}: free some, and it goes on by itself`, options);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'EEXIST':
      return new DiskError('DISK_FORBIDDEN', `cannot write to ${folder} (${code}): make it a writable folder`, options);
    default:
      return new DiskError(
        'DISK_FAILED',
        `writing to ${folder} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
        options,
      );
  }
}

/** Whether an error comes from the disk or the store, not from a bug. */
export function isTroubleOutside(cause: unknown): boolean {
  return cause instanceof DiskError || cause instanceof StoreError || (cause instanceof Error && 'syscall' in cause);
}
