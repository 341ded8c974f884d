// Which size of a file is believed when the user gave none: sources that answered vote, each address once, for the size it told last.
// A size is doubted when the file that came with it is wrong, and when another is told and the bytes come too slowly to find out, unless more and
// more of them fit a hash tree that is certain.

const VOTERS_MAX = 1000;
const DOUBTED_MAX = 1000;
/** How long a size is tried while another is told too; doubled with each doubt. */
const TRIAL_MS = 60_000;
const TRIAL_MS_MAX = 86_400_000;
/** ... and goes on when the rest takes no more than so many times that, at the pace of the trial. */
const REST_FACTOR = 10;
/** The voter of a size that was believed before a restart. */
const BEFORE = '';

export class SizeVotes {
  /** The user gave the size: no other is believed. */
  readonly isGiven: boolean;
  #size: number | null;
  /** By address; at most VOTERS_MAX. */
  readonly #votes = new Map<string, number>();
  /** Votes of each size, the first told first. */
  readonly #counts = new Map<number, number>();
  /** How often a size was doubted; at most DOUBTED_MAX. */
  readonly #doubts = new Map<number, number>();
  #trial: { readonly at: number; readonly doneBytes: number; readonly provenBytes: number } | null = null;
  #trialMs = TRIAL_MS;

  /** `size`: null when nobody told it yet. */
  constructor(size: number | null, isGiven: boolean) {
    this.#size = size;
    this.isGiven = isGiven && size !== null;
    if (size !== null && !this.isGiven) this.vote(BEFORE, size);
  }

  /** The one that is believed now; see `next`. */
  get size(): number | null {
    return this.#size;
  }

  voteOf(voter: string): number | null {
    return this.#votes.get(voter) ?? null;
  }

  /** A source at this address answered with this size. The first to be told is believed. */
  vote(voter: string, size: number): void {
    const before = this.#votes.get(voter);
    if (this.isGiven || before === size || (before === undefined && this.#votes.size >= VOTERS_MAX)) return;
    this.withdraw(voter);
    this.#votes.set(voter, size);
    this.#counts.set(size, (this.#counts.get(size) ?? 0) + 1);
    this.#size ??= size;
  }

  /** It lied. */
  withdraw(voter: string): void {
    const size = this.#votes.get(voter);
    if (size === undefined) return;
    this.#votes.delete(voter);
    const count = (this.#counts.get(size) ?? 1) - 1;
    if (count === 0) this.#counts.delete(size);
    else this.#counts.set(size, count);
  }

  /**
   * The size to be believed from now on; that of before unless another has more votes, less its doubts. `doneBytes`: that came so far; `provenBytes`: of
   * them, those that fit a hash tree that is certain.
   */
  next(doneBytes: number, provenBytes: number, now: number): number | null {
    if (this.#isAlone) {
      this.#trial = null;
      return this.#size;
    }
    this.#trial ??= { at: now, doneBytes, provenBytes };
    const { at, doneBytes: before, provenBytes: provenBefore } = this.#trial;
    if (now >= at + this.#trialMs) {
      const perMs = (doneBytes - before) / (now - at);
      const isSlow = (this.#size ?? 0) - doneBytes > perMs * REST_FACTOR * this.#trialMs;
      if (isSlow && provenBytes <= provenBefore) this.#doubt();
      this.#trial = { at: now, doneBytes, provenBytes };
    }
    return this.#best;
  }

  /** When `next` may change its mind by itself; null: never. */
  nextAt(): number | null {
    return this.#trial === null ? null : this.#trial.at + this.#trialMs;
  }

  /** All bytes came, and are wrong. Gives the size to be believed; null: nobody is left who told one. */
  onWrongFile(): number | null {
    this.withdraw(BEFORE);
    this.#doubt();
    const best = this.#best;
    return best !== null && this.#counts.has(best) ? best : null;
  }

  /** No source is left: the votes for the size count as one at most. Gives whether another is to be believed. */
  onDeadEnd(): boolean {
    if (this.#size === null || this.#isAlone) return false;
    this.#doubt(this.#counts.get(this.#size));
    return this.#best !== this.#size;
  }

  believe(size: number | null): void {
    this.#size = size;
    this.#trial = null;
  }

  get #isAlone(): boolean {
    return this.isGiven || this.#counts.size === 0 || (this.#counts.size === 1 && this.#counts.has(this.#size ?? -1));
  }

  /** Of those with the same worth the present one, then the first told. */
  get #best(): number | null {
    let best = this.#size;
    for (const size of this.#counts.keys()) if (best === null || this.#worth(size) > this.#worth(best)) best = size;
    return best;
  }

  #worth(size: number): number {
    return (this.#counts.get(size) ?? 0) / (1 + this.#doubtsOf(size));
  }

  #doubtsOf(size: number): number {
    return this.#doubts.get(size) ?? 0;
  }

  #doubt(timesMin = 0): void {
    if (this.#size === null || (!this.#doubts.has(this.#size) && this.#doubts.size >= DOUBTED_MAX)) return;
    this.#doubts.set(this.#size, Math.max(timesMin, this.#doubtsOf(this.#size) + 1));
    this.#trialMs = Math.min(2 * this.#trialMs, TRIAL_MS_MAX);
  }
}
