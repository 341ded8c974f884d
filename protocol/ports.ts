// Interfaces for time and randomness. daemon/system.ts implements them; tests and the simulator have their own.

/** For dates that leave the process. Durations are measured by the `now` that each call carries. */
export interface WallClock {
  /** Milliseconds since 1970. */
  wallTime(): number;
}

export interface Random {
  /** Uniform integer in [0, bound). */
  below(bound: number): number;
  /** Fills the whole target with random bytes. */
  fill(target: Uint8Array): void;
  /** A random 16-byte GUID, marked as in wire/guid.ts. */
  guid(): Buffer;
}
