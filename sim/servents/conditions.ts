// What the paths between hosts are like: latency, rate, loss, and which hosts cannot reach each other at all.
import { pairLatencyMs } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';

export interface ConditionOptions {
  /** Milliseconds of one way between the hosts with these numbers. */
  readonly latencyMs?: (from: number, to: number) => number;
  /** Share of datagrams that are lost. */
  readonly datagramLoss?: number;
  /** Bytes a second of one connection. */
  readonly bytesPerSecond?: number;
}

export const INTERNET: ConditionOptions = { latencyMs: pairLatencyMs };

export class Conditions {
  readonly latencyMs: (from: number, to: number) => number;
  readonly bytesPerSecond: number;
  datagramLoss: number;
  readonly #random: SeededRandom;
  #sideOf: ((host: number) => number) | null = null;

  constructor(options: ConditionOptions, random: SeededRandom) {
    this.latencyMs = options.latencyMs ?? (() => 10);
    this.bytesPerSecond = options.bytesPerSecond ?? Number.POSITIVE_INFINITY;
    this.datagramLoss = options.datagramLoss ?? 0;
    this.#random = random;
  }

  /** From now on bytes pass only between hosts of one side; connections across stand still. */
  partition(sideOf: (host: number) => number): void {
    this.#sideOf = sideOf;
  }

  heal(): void {
    this.#sideOf = null;
  }

  get parted(): boolean {
    return this.#sideOf !== null;
  }

  reaches(from: number, to: number): boolean {
    const sideOf = this.#sideOf;
    return sideOf === null || sideOf(from) === sideOf(to);
  }

  /** Whether a datagram gets through; draws when some are lost. */
  carries(from: number, to: number): boolean {
    return this.reaches(from, to) && !(this.datagramLoss > 0 && this.#random.chance(this.datagramLoss));
  }
}
