// Counts by reason, for metrics and the API: a fixed set of reasons, all there from the start.

export class ReasonCounts<Reason extends string> {
  readonly #counts: Map<Reason, number>;

  constructor(reasons: readonly Reason[]) {
    this.#counts = new Map(reasons.map(reason => [reason, 0]));
  }

  count(reason: Reason): void {
    this.#counts.set(reason, this.of(reason) + 1);
  }

  of(reason: Reason): number {
    return this.#counts.get(reason) ?? 0;
  }

  toRecord(): Record<Reason, number> {
    return Object.fromEntries(this.#counts) as Record<Reason, number>;
  }
}
