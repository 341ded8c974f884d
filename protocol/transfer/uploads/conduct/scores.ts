// Points of addresses that fall with time. Bounded: the address that offended longest ago is forgotten first.
import { POINTS_MAX } from './offence.ts';

const POINTS_PER_MS = 1 / 1000;

interface Score {
  points: number;
  at: number;
}

export class Scores {
  readonly #max: number;
  /** The latest touched last. */
  readonly #scores = new Map<string, Score>();

  constructor(max = 4096) {
    this.#max = max;
  }

  get size(): number {
    return this.#scores.size;
  }

  of(subject: string, now: number): number {
    const score = this.#scores.get(subject);
    if (score === undefined) return 0;
    return Math.max(0, score.points - Math.max(0, now - score.at) * POINTS_PER_MS);
  }

  /** Fewer for negative points. True: the address has reached POINTS_MAX. */
  add(subject: string, points: number, now: number): boolean {
    const sum = Math.max(0, this.of(subject, now) + points);
    this.#scores.delete(subject);
    if (sum === 0) return false;
    if (this.#scores.size >= this.#max) this.#forgetOldest();
    this.#scores.set(subject, { points: sum, at: now });
    return sum >= POINTS_MAX;
  }

  forget(subject: string): void {
    this.#scores.delete(subject);
  }

  #forgetOldest(): void {
    for (const subject of this.#scores.keys()) {
      this.#scores.delete(subject);
      return;
    }
  }
}
