// Maps errors of the disk and the store to API errors.
import { ApiError, type ApiErrorCode } from '../../api/errors.ts';
import { StoreError, type StoreErrorCode } from '../store/store-error.ts';
import { DiskError, type DiskErrorCode } from '../transfer/disk-error.ts';

const CODES: Record<StoreErrorCode | DiskErrorCode, ApiErrorCode> = {
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
};

/** System error codes for a full disk, of files outside the store such as the configuration. */
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** Null for any other error. */
export function storageRefusal(error: unknown): ApiError | null {
  if (error instanceof StoreError || error instanceof DiskError)
    return new ApiError(CODES[error.code], error.message, { cause: error });
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (!(error instanceof Error) || !FULL.has(code)) return null;
  return new ApiError('STORAGE_FULL', `no space left to write ${path ?? 'a file'}: free disk space`, {
    cause: error,
  });
}

/** Most messages remembered. */
const TROUBLES_MAX = 32;
/** A message not repeated for this long is logged again when it returns. */
const OVER_MS = 60_000;

/** Keeps a repeated storage error from being logged for every call. */
export class StorageTroubles {
  readonly #now: () => number;
  /** Time of the latest occurrence, by message; oldest first, at most TROUBLES_MAX. */
  readonly #metAt = new Map<string, number>();

  /** `now` in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  isNew({ message }: ApiError): boolean {
    const now = this.#now();
    const metAt = this.#metAt.get(message) ?? Number.NEGATIVE_INFINITY;
    this.#metAt.delete(message);
    this.#metAt.set(message, now);
    const [oldest] = this.#metAt.keys();
    if (this.#metAt.size > TROUBLES_MAX && oldest !== undefined) this.#metAt.delete(oldest);
    return now - metAt >= OVER_MS;
  }
}
