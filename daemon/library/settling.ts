// Remembers files that change while they are hashed, and when each is tried again. Pure: it is told the time.

/** Wait after the first failed attempt; it doubles with each further one. */
const FIRST_WAIT_MS = 1_000;
/** Further files are only found by scans. */
const FILES_MAX = 10_000;

interface Unsettled {
  attempts: number;
  /** Infinite while it is tried again. */
  dueAt: number;
}

export class Settling {
  readonly #waitMsMax: number;
  readonly #files = new Map<string, Unsettled>();

  constructor(waitMsMax: number) {
    this.#waitMsMax = waitMsMax;
  }

  /** The file has changed while it was hashed. */
  onChanged(path: string, now: number): void {
    const file = this.#files.get(path) ?? { attempts: 0, dueAt: 0 };
    if (this.#files.size >= FILES_MAX && !this.#files.has(path)) return;
    file.dueAt = now + Math.min(this.#waitMsMax, FIRST_WAIT_MS * 2 ** file.attempts++);
    this.#files.set(path, file);
  }

  /** It has been hashed, or does not exist. */
  forget(path: string): void {
    this.#files.delete(path);
  }

  /** Whether it is to be left alone until take() returns it. */
  isWaiting(path: string): boolean {
    return Number.isFinite(this.#files.get(path)?.dueAt ?? Number.POSITIVE_INFINITY);
  }

  /** Files to try now. */
  take(now: number): string[] {
    const paths: string[] = [];
    for (const [path, file] of this.#files) {
      if (file.dueAt > now) continue;
      file.dueAt = Number.POSITIVE_INFINITY;
      paths.push(path);
    }
    return paths;
  }

  /** When take() will return something; infinite: never. */
  get dueAt(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { dueAt } of this.#files.values()) due = Math.min(due, dueAt);
    return due;
  }
}
