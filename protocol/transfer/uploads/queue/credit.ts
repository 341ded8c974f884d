// Moves those up in the queue who have given us something, by a bounded time, so that nobody starves.

/** Most time by which a client moves up. One that came earlier by more than this stays ahead of it. */
export const CREDIT_MS_MAX = 600_000;
const BYTES_A_MINUTE = 100_000_000;

/** `gave`: bytes that its address has given us. */
export const creditMs = (gave: number): number =>
  Math.min(CREDIT_MS_MAX, (Math.max(0, gave) / BYTES_A_MINUTE) * 60_000);
