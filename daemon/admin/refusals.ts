// Maps errors of the daemon's parts to API errors.
import { ApiError, type ApiErrorCode, invalid } from '../../api/errors.ts';
import { CodedError } from '../../protocol/errors.ts';
import type { SearchErrorCode } from '../../protocol/overlay/queries/search-sessions.ts';
import type { LibraryErrorCode } from '../library/library-error.ts';
import { SearchInputError } from '../network/search-registry.ts';
import type { StoreErrorCode } from '../store/store-error.ts';
import type { DiskErrorCode } from '../transfer/disk-error.ts';
import type { RenameError } from '../transfer/finished-file.ts';
import type { SavedSearchError } from '../transfer/saved-searches.ts';

type PartErrorCode =
  | SearchErrorCode
  | LibraryErrorCode
  | StoreErrorCode
  | DiskErrorCode
  | 'DOWNLOADS_FULL'
  | RenameError['code']
  | SavedSearchError['code'];

/** The API's code, or the field of the request that is at fault. */
type Told = ApiErrorCode | { readonly field: string };

const PATH: Told = { field: 'path' };

const REFUSALS: Readonly<Record<PartErrorCode, Told>> = {
  SEARCH_IMPOSSIBLE: { field: 'text' },
  SEARCHES_TOO_MANY: 'TOO_MANY',
  DOWNLOADS_FULL: 'TOO_MANY',
  NAME_TAKEN: 'CONFLICT',
  FILE_GONE: 'CONFLICT',
  FILE_IN_USE: 'CONFLICT',
  SAVED_SEARCHES_TOO_MANY: 'TOO_MANY',
  SAVED_SEARCH_RUNS: 'CONFLICT',
  LIBRARY_FOLDER_OVERLAPS: 'CONFLICT',
  LIBRARY_FOLDER_MISSING: PATH,
  LIBRARY_FOLDER_UNREADABLE: PATH,
  LIBRARY_NOT_A_FOLDER: PATH,
  LIBRARY_FOLDER_PRIVATE: PATH,
  LIBRARY_FOLDER_REFUSED: PATH,
  LIBRARY_FOLDER_UNKNOWN: 'NOT_FOUND',
  LIBRARY_BUSY: 'TOO_MANY',
  STORE_FULL: 'STORAGE_FULL',
  DISK_FULL: 'STORAGE_FULL',
  STORE_UNREADABLE: 'STORAGE_FORBIDDEN',
  DISK_FORBIDDEN: 'STORAGE_FORBIDDEN',
  STORE_CLOSED: 'STOPPING',
  // Raised at the start, or when a removed disk comes back.
  STORE_LOCKED: 'STORAGE_FAILED',
  STORE_NEWER: 'STORAGE_FAILED',
  STORE_DAMAGED: 'STORAGE_FAILED',
  STORE_FAILED: 'STORAGE_FAILED',
  DISK_FAILED: 'STORAGE_FAILED',
  DISK_CHANGED: 'STORAGE_FAILED',
};

/** System error codes for a full disk, of files outside the store such as the configuration. */
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** Null for any other error. */
export function refusalOf(error: unknown): ApiError | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof SearchInputError) return invalid(error.field, error.message, error);
  const { code, path } = error as NodeJS.ErrnoException;
  if (error instanceof CodedError && code !== undefined && Object.hasOwn(REFUSALS, code)) {
    const told = REFUSALS[code as PartErrorCode];
    return typeof told === 'string'
      ? new ApiError(told, error.message, { cause: error })
      : invalid(told.field, error.message, error);
  }
  if (!FULL.has(code)) return null;
  return new ApiError('STORAGE_FULL', `no space left to write ${path ?? 'a file'}: free disk space`, {
    cause: error,
  });
}
