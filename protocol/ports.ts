// Interfaces for time and randomness. daemon/system.ts implements them; tests and the simulator have their own.

export interface Clock {
  /** Monotonic milliseconds from an arbitrary start. */
  now(): number;
  /** Milliseconds since 1970, for dates that leave the process. */
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
