// The time of a simulation: it passes when it is told to.
import type { WallClock } from '../protocol/ports.ts';

export class VirtualClock implements WallClock {
  /** Milliseconds; not from 0, so that a time that was forgotten shows. */
  ms = 1_000_000;

  now(): number {
    return this.ms;
  }

  wallTime(): number {
    return 1_700_000_000_000 + this.ms;
  }
}
