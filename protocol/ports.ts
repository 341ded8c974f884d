// The world as protocol/ sees it. daemon/system.ts has the real ones, tests and the simulator their own.

export interface Clock {
  /** Milliseconds on a monotonic scale; only differences mean anything. */
  now(): number;
  /** Milliseconds since 1970, for dates that leave the process. */
  wallTime(): number;
}

export interface Random {
  /** Uniform integer in [0, bound). */
  below(bound: number): number;
  /** Fills the whole target with random bytes. */
  fill(target: Uint8Array): void;
  /** A fresh 16-byte GUID, already marked as wire/guid.ts says. */
  guid(): Buffer;
}
