// Decides which storage errors of API calls are logged.
import type { ApiError, ApiErrorCode } from '../../api/errors.ts';

const STORAGE: ReadonlySet<ApiErrorCode> = new Set(['STORAGE_FULL', 'STORAGE_FORBIDDEN', 'STORAGE_FAILED', 'STOPPING']);

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

  /** False for errors that are not about storage. */
  isNew({ code, message }: ApiError): boolean {
    if (!STORAGE.has(code)) return false;
    const now = this.#now();
    const metAt = this.#metAt.get(message) ?? Number.NEGATIVE_INFINITY;
    this.#metAt.delete(message);
    this.#metAt.set(message, now);
    const [oldest] = this.#metAt.keys();
    if (this.#metAt.size > TROUBLES_MAX && oldest !== undefined) this.#metAt.delete(oldest);
    return now - metAt >= OVER_MS;
  }
}
