// When a queued client of PARQ may ask again, and until when it has to (gtk-gnutella's times).

const FIRST_MS = 30_000;
const STEP_MS = 15_000;
const LONGEST_MS = 1_200_000;
/** An address that has its share of the slots has to wait for one of its own uploads to end. */
const FROZEN_MS = 300_000;
/** From the time of the next request to the end of the place: 60 s are promised, 40 s are for the way. */
const LATE_MS = 60_000;
const ON_THE_WAY_MS = 40_000;

/** Shortest time to the next request. */
export function retryMsOf(position: number, frozen: boolean): number {
  const waitMs = Math.min(FIRST_MS + STEP_MS * (position - 1), LONGEST_MS);
  return frozen ? Math.max(waitMs, FROZEN_MS) : waitMs;
}

/** The promise to the client. */
export const lifetimeMsOf = (retryMs: number): number => retryMs + LATE_MS;

/** How long the place is really kept. */
export const keepMsOf = (retryMs: number): number => retryMs + LATE_MS + ON_THE_WAY_MS;
