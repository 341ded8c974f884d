// Counts queries by TTL and hops, between two readings.

/** TTL or hops from this on share a counter. */
const STEPS = 64;

export class QueryCounts {
  readonly #counts = new Uint32Array(STEPS * STEPS);
  #any = false;

  /** Hot. */
  add(ttl: number, hops: number): void {
    const slot = Math.min(ttl, STEPS - 1) * STEPS + Math.min(hops, STEPS - 1);
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
    this.#any = true;
  }

  /** What was counted since the last call. */
  take(): { ttl: number; hops: number; counted: number }[] {
    if (!this.#any) return [];
    this.#any = false;
    const rows: { ttl: number; hops: number; counted: number }[] = [];
    for (const [slot, counted] of this.#counts.entries())
      if (counted > 0) rows.push({ ttl: Math.floor(slot / STEPS), hops: slot % STEPS, counted });
    this.#counts.fill(0);
    return rows;
  }
}
