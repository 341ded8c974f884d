// What checkers have found wrong: the first ones as text, all of them counted.
const KEPT_MAX = 50;

export interface Finding {
  readonly rule: string;
  /** Milliseconds of virtual time since the start of the run. */
  readonly atMs: number;
  /** Number of the host that is at fault. */
  readonly host: number;
  readonly text: string;
}

export class Findings {
  readonly first: Finding[] = [];
  readonly counts = new Map<string, number>();
  readonly #now: () => number;
  readonly #startMs: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#startMs = now();
  }

  get total(): number {
    let total = 0;
    for (const count of this.counts.values()) total += count;
    return total;
  }

  add(rule: string, host: number, text: string): void {
    this.counts.set(rule, (this.counts.get(rule) ?? 0) + 1);
    if (this.first.length < KEPT_MAX) this.first.push({ rule, atMs: this.#now() - this.#startMs, host, text });
  }
}
