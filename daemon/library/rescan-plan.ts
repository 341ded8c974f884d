// Decides when folders in which something has changed are looked at again. Pure: it is told the time.

/** A folder is looked at when nothing in it has changed for this long. */
export const QUIET_MS = 300;
/** A folder in which changes go on is looked at this long after the first of them. */
export const WAIT_MS_MAX = 2_000;
/** A look at a folder that took longer than this is not repeated at once. */
const SLOW_MS = 100;
/** Rest after a slow look, in multiples of what it took: at most a fifth of the time goes into one folder. */
const REST_SHARE = 4;
/** Folders that wait or rest. With more than that, everything is scanned instead. */
const FOLDERS_MAX = 20_000;

interface Waiting {
  readonly first: number;
  last: number;
}

export interface Due {
  /** Folders to look at alone. */
  readonly folders: string[];
  /** Changes have been lost: everything must be scanned. */
  readonly all: boolean;
}

export class RescanPlan {
  readonly #quietMs: number;
  readonly #foldersMax: number;
  readonly #waiting = new Map<string, Waiting>();
  /** When a slow folder may be looked at again. */
  readonly #resting = new Map<string, number>();
  #lost: Waiting | null = null;

  constructor(quietMs = QUIET_MS, foldersMax = FOLDERS_MAX) {
    this.#quietMs = quietMs;
    this.#foldersMax = foldersMax;
  }

  /** Something in the folder has changed. */
  hint(folder: string, now: number): void {
    const waiting = this.#waiting.get(folder);
    if (waiting !== undefined) waiting.last = now;
    else if (this.#lost !== null || this.#waiting.size >= this.#foldersMax) this.lose(now);
    else this.#waiting.set(folder, { first: now, last: now });
  }

  /** Changes were not reported, anywhere. */
  lose(now: number): void {
    this.#waiting.clear();
    if (this.#lost === null) this.#lost = { first: now, last: now };
    else this.#lost.last = now;
  }

  /** What is to be looked at now; it no longer waits. */
  take(now: number): Due {
    for (const [folder, until] of this.#resting) if (until <= now) this.#resting.delete(folder);
    const folders: string[] = [];
    for (const [folder, waiting] of this.#waiting) {
      if (this.#dueAt(folder, waiting) > now) continue;
      folders.push(folder);
      this.#waiting.delete(folder);
    }
    const all = this.#lost !== null && this.#readyAt(this.#lost) <= now;
    if (all) this.#lost = null;
    return { folders, all };
  }

  /** A look at the folder has ended after `tookMs`. */
  onLooked(folder: string, tookMs: number, now: number): void {
    if (tookMs > SLOW_MS && this.#resting.size < this.#foldersMax) this.#resting.set(folder, now + REST_SHARE * tookMs);
  }

  /** When take() will have something; infinite if nothing waits. Looks at everything that waits. */
  get dueAt(): number {
    let due = this.#lost === null ? Number.POSITIVE_INFINITY : this.#readyAt(this.#lost);
    for (const [folder, waiting] of this.#waiting) due = Math.min(due, this.#dueAt(folder, waiting));
    return due;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#lost === null;
  }

  clear(): void {
    this.#waiting.clear();
    this.#resting.clear();
    this.#lost = null;
  }

  #dueAt(folder: string, waiting: Waiting): number {
    return Math.max(this.#readyAt(waiting), this.#resting.get(folder) ?? 0);
  }

  #readyAt({ first, last }: Waiting): number {
    return Math.min(last + this.#quietMs, first + Math.max(WAIT_MS_MAX, this.#quietMs));
  }
}
