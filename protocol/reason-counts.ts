// Counters by reason, for metrics and the API. The set of reasons is fixed.

export class ReasonCounts<Reason extends string> {
  readonly #reasons: readonly Reason[];
  /** Allocated by the first count(). */
  #counts: Map<Reason, number> | null = null;

  constructor(reasons: readonly Reason[]) {
    this.#reasons = reasons;
  }

  count(reason: Reason, times = 1): void {
    if (times === 0) return;
    this.#counts ??= new Map();
    this.#counts.set(reason, this.of(reason) + times);
  }

  of(reason: Reason): number {
    return this.#counts?.get(reason) ?? 0;
  }

  toRecord(): Record<Reason, number> {
    return Object.fromEntries(this.#reasons.map(reason => [reason, this.of(reason)])) as Record<Reason, number>;
  }
}
