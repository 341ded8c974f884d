// What a disk or database that failed tells the caller of the API: a status of its own, and the sentence that says what to do.
import { ApiError, type ApiErrorCode } from '../../api/errors.ts';
import { StoreError, type StoreErrorCode } from '../store/store-error.ts';
import { DiskError, type DiskErrorCode } from '../transfer/disk-error.ts';

const CODES: Record<StoreErrorCode | DiskErrorCode, ApiErrorCode> = {
  STORE_FULL: 'STORAGE_FULL',
  DISK_FULL: 'STORAGE_FULL',
  STORE_UNREADABLE: 'STORAGE_FORBIDDEN',
  DISK_FORBIDDEN: 'STORAGE_FORBIDDEN',
  STORE_CLOSED: 'STOPPING',
  // of the start alone, but for a disk that was taken away and came back
  STORE_LOCKED: 'STORAGE_FAILED',
  STORE_NEWER: 'STORAGE_FAILED',
  STORE_DAMAGED: 'STORAGE_FAILED',
  STORE_FAILED: 'STORAGE_FAILED',
  DISK_FAILED: 'STORAGE_FAILED',
};

/** Of files that are no database, such as the configuration. */
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** Null: no such error. */
export function storageRefusal(error: unknown): ApiError | null {
  if (error instanceof StoreError || error instanceof DiskError)
    return new ApiError(CODES[error.code], error.message, { cause: error });
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (!(error instanceof Error) || !FULL.has(code)) return null;
  return new ApiError('STORAGE_FULL', `no space left for ${path ?? 'what was to be written'}: free some`, {
    cause: error,
  });
}

/** Of messages, which have paths in them. */
const TROUBLES_MAX = 32;
/** A trouble that nobody has met for so long is over; met again it is another. */
const OVER_MS = 60_000;

/** Tells each trouble once, however many calls meet it. */
export class StorageTroubles {
  readonly #now: () => number;
  /** When each was last met. Oldest first, capacity TROUBLES_MAX. */
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
