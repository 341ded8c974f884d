// Tells when a revision number last changed.
export class ChangeTime {
  readonly #now: () => number;
  #revision = -1;
  #at = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds since 1970 of the first call with this revision. */
  of(revision: number): number {
    if (revision !== this.#revision) {
      this.#revision = revision;
      this.#at = this.#now();
    }
    return this.#at;
  }
}
