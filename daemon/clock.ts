// Interface of the daemon's clock. system.ts implements it; tests have their own.
import type { WallClock } from '../protocol/ports.ts';

export interface Clock extends WallClock {
  /** Monotonic milliseconds from an arbitrary start. */
  now(): number;
}
