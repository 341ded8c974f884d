// When nothing is missing any more, but slow sources still owe us bytes: who may take over from whom, and how much.
import type { ByteRange } from '../range-set.ts';
import type { ChunkMap } from './chunk-map.ts';
import type { Order, SwarmSource } from './swarm-source.ts';

export interface Theft {
  readonly prey: Order;
  readonly range: ByteRange;
}

const SHARE_BYTES_MIN = 64 << 10;
const ALIGN_BYTES = 16 << 10;
/** May be fetched twice. */
const RACE_BYTES_MAX = 256 << 10;
/** A range that will be there sooner is left alone. */
const PREY_SECONDS_MIN = 1;
/** Of a whole range: who takes it must need less than this part of the time that it would take otherwise. */
const RACE_GAIN = 0.6;
/** Of a source that was never measured, when nobody was. */
const RATE_GUESS = 64 << 10;

/**
 * The thief takes the second part of the range that would be there last, so that both are done at the same time. A short range it is
 * asked for as a whole: the first to bring it wins. The range stays the victim's until bytes of the thief come.
 */
export function chooseTheft(thief: SwarmSource, orders: readonly Order[], map: ChunkMap, now: number): Theft | null {
  const known = orders.map(({ source }) => source.rate.at(now)).filter(rate => rate > 0);
  const typical = known.length === 0 ? RATE_GUESS : known.reduce((sum, rate) => sum + rate, 0) / known.length;
  const rate = thief.rate.at(now) || typical;
  let latest: Theft | null = null;
  let most = PREY_SECONDS_MIN;
  for (const prey of orders) {
    const seconds = secondsLeft(prey, orders, now);
    if (seconds <= most) continue;
    // others may have brought its start already
    const left = map.gap(prey.start, endOf(prey, orders), 'assigned');
    const range = left === null ? null : partOf(left, prey.source.rate.at(now), thief, rate);
    if (range === null || (thief.barred?.rangeWithin(range.start, range.end) ?? null) !== null) continue;
    most = seconds;
    latest = { prey, range };
  }
  return latest;
}

/** Ranges worth to be taken over by a source that is not connected yet. */
export function preyCount(orders: readonly Order[], secondsMin: number, now: number): number {
  return orders.filter(order => secondsLeft(order, orders, now) > secondsMin).length;
}

/** Until the range is there; 0 for one that is not to be taken: it is not begun, or raced for. */
function secondsLeft(order: Order, orders: readonly Order[], now: number): number {
  if (order.prey !== null || order.stalled) return 0;
  return Math.max(0, endOf(order, orders) - order.start) / Math.max(1, order.source.rate.at(now));
}

/** Where those begin who were asked to take over from it. */
function endOf(order: Order, orders: readonly Order[]): number {
  return orders.reduce((end, thief) => (thief.prey === order ? Math.min(end, thief.start) : end), order.end);
}

function partOf({ start, end }: ByteRange, slow: number, thief: SwarmSource, rate: number): ByteRange | null {
  const bytes = end - start;
  const fair = Math.floor((end - (bytes * rate) / (rate + slow)) / ALIGN_BYTES) * ALIGN_BYTES;
  const from = Math.max(fair, start + SHARE_BYTES_MIN, thief.available?.at(end - 1)?.start ?? 0);
  if (end - from >= SHARE_BYTES_MIN && thief.available?.covers(from, end) !== false) return { start: from, end };
  const whole = thief.available === null ? { start, end } : thief.available.rangeWithin(start, end);
  if (whole === null || whole.end - whole.start > RACE_BYTES_MAX) return null;
  return (whole.end - start) / rate < (RACE_GAIN * bytes) / Math.max(1, slow) ? whole : null;
}
