// Notices by the clock that a router tells with each answer that it has lost its tables (RFC 6887 §8.5, RFC 6886 §3.6).

/** Seconds by which clocks may differ, besides a sixteenth of the time between. */
const SLACK_S = 2;

export class RouterEpoch {
  #epoch: number | null = null;
  #at = 0;

  /** True when the router has begun anew since it was heard last. `now`: ms. */
  heard(epoch: number, now: number): boolean {
    const before = this.#epoch;
    const ours = (now - this.#at) / 1000;
    this.#epoch = epoch;
    this.#at = now;
    if (before === null) return false;
    const theirs = epoch - before;
    return theirs < -1 || ours + SLACK_S < theirs - theirs / 16 || theirs + SLACK_S < ours - ours / 16;
  }

  forget(): void {
    this.#epoch = null;
  }
}
