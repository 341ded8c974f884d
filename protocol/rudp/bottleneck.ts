// Estimates the rate and the delay of a path by what arrives, as BBR does, and says how much may be on the way and how fast
// it is sent. A lost segment says little: a path by radio loses some at any rate.

/** A start doubles the rate with each round. */
const START_GAIN = 2.77;
const WINDOW_GAIN = 2;
const GAINS = { start: START_GAIN, drain: 1 / START_GAIN, delay: 1 } as const;
/** Phases of one round each: more than the path carries, less, then what it carries. */
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
/** Rates are forgotten after so many rounds. */
const RATE_ROUNDS = 10;
/** A start ends when the rate has not grown by a quarter for so many rounds. */
const FULL_ROUNDS = 3;
const FULL_GROWTH = 1.25;
/** The least delay is measured anew when it is so old, with little on the way. */
const DELAY_MS_MAX = 10_000;
const DELAY_PROBE_MS = 200;
const SEGMENTS_MIN = 4;
const FIRST_SEGMENTS = 10;
const FIRST_ROUND_TRIP_MS = 100;
/** A round that loses so much, and so many segments, has met a queue that is full. */
const LOSS_MAX = 0.05;
const LOST_SEGMENTS_MIN = 8;
const LOSS_BACKOFF = 0.85;
const LOSS_RECOVERY = 1.1;
/** Timers are no finer than this: what is due within it goes out together. */
const BURST_MS = 2;
const BURST_BYTES_MAX = 65_536;
const WINDOW_BYTES_MAX = 8 << 20;

export interface Arrival {
  readonly now: number;
  /** Bytes that this report is the first to tell of. */
  readonly bytes: number;
  /** Null: no new measurement. */
  readonly roundTripMs: number | null;
  /** Bytes a millisecond at which the newest segment's bytes arrived; null: unknown. */
  readonly rate: number | null;
  /** The sender had nothing more to send then: the path may carry more. */
  readonly idle: boolean;
  /** A segment arrived that was sent after the last round began. */
  readonly roundBegins: boolean;
  /** Bytes that are on the way after it. */
  readonly onTheWay: number;
}

export class Bottleneck {
  readonly #segmentBytes: number;
  #state: 'start' | 'drain' | 'steady' | 'delay' = 'start';
  #round = 0;
  /** The greatest rate of each of the last rounds. */
  readonly #rates = new Float64Array(RATE_ROUNDS);
  #rate = 0;
  #minDelayMs = Number.POSITIVE_INFINITY;
  #minDelayAt = 0;
  #fullRate = 0;
  #fullRounds = 0;
  #phase = 2;
  #phaseAt = 0;
  #delayEndsAt = Number.POSITIVE_INFINITY;
  /** No more than this is on the way after losses. */
  #ceiling = Number.POSITIVE_INFINITY;
  #lostBytes = 0;
  #lostSegments = 0;
  #arrivedBytes = 0;
  #stalled = false;

  constructor(segmentBytes: number) {
    this.#segmentBytes = segmentBytes;
  }

  get #product(): number {
    return this.#rate * this.#minDelayMs;
  }

  /** Bytes that may be on the way. */
  get window(): number {
    const least = SEGMENTS_MIN * this.#segmentBytes;
    if (this.#stalled || this.#state === 'delay') return least;
    if (this.#rate === 0) return FIRST_SEGMENTS * this.#segmentBytes;
    const gain = this.#state === 'start' ? START_GAIN : WINDOW_GAIN;
    // besides the product of rate and delay: what is sent together, and what arrives while a report is made
    const wanted = gain * this.#product + 3 * this.burst;
    return Math.max(least, Math.min(wanted, this.#ceiling, WINDOW_BYTES_MAX));
  }

  /** Bytes a millisecond to send. */
  get pace(): number {
    if (this.#rate === 0) {
      const delay = Number.isFinite(this.#minDelayMs) ? Math.max(this.#minDelayMs, 1) : FIRST_ROUND_TRIP_MS;
      return (START_GAIN * FIRST_SEGMENTS * this.#segmentBytes) / delay;
    }
    return Math.max(this.#gain * this.#rate, this.#segmentBytes / 1_000);
  }

  get #gain(): number {
    return this.#state === 'steady' ? (CYCLE[this.#phase] ?? 1) : GAINS[this.#state];
  }

  /** Bytes that may go out at once when they are due. */
  get burst(): number {
    return Math.min(Math.max(this.#rate * BURST_MS, 2 * this.#segmentBytes), BURST_BYTES_MAX);
  }

  /** Bytes a millisecond that the path carries, as far as is known. */
  get rate(): number {
    return this.#rate;
  }

  get minDelayMs(): number {
    return this.#minDelayMs;
  }

  onLost(bytes: number): void {
    this.#lostBytes += bytes;
    this.#lostSegments++;
  }

  /** Nothing was heard for long: begin with little. */
  onStall(): void {
    this.#stalled = true;
  }

  onArrival(arrival: Arrival): void {
    const { now, bytes, roundTripMs, rate, idle, roundBegins } = arrival;
    this.#stalled = false;
    this.#arrivedBytes += bytes;
    if (roundTripMs !== null && roundTripMs <= this.#minDelayMs) {
      this.#minDelayMs = roundTripMs;
      this.#minDelayAt = now;
    }
    if (roundBegins) this.#beginRound(arrival);
    if (rate !== null && (!idle || rate > this.#rate)) this.#note(rate);
    this.#step(arrival);
  }

  #note(rate: number): void {
    const at = this.#round % RATE_ROUNDS;
    this.#rates[at] = Math.max(this.#rates[at] ?? 0, rate);
    this.#rate = Math.max(...this.#rates);
  }

  #beginRound({ idle, onTheWay }: Arrival): void {
    this.#round++;
    const isFull = this.#weighLoss(onTheWay);
    if (this.#state === 'start' && !idle) {
      if (this.#rate >= this.#fullRate * FULL_GROWTH) {
        this.#fullRate = this.#rate;
        this.#fullRounds = 0;
      } else this.#fullRounds++;
      if (isFull || this.#fullRounds >= FULL_ROUNDS) this.#state = 'drain';
    }
    const at = this.#round % RATE_ROUNDS;
    // a path on which nothing was sent in this time is not slow for that
    const oldest = this.#rates[at] ?? 0;
    this.#rates[at] = 0;
    const others = Math.max(...this.#rates);
    if (others === 0) this.#rates[at] = oldest;
    this.#rate = Math.max(others, this.#rates[at] ?? 0);
  }

  /** Whether the round that ends met a full queue. */
  #weighLoss(onTheWay: number): boolean {
    const share = this.#lostBytes / Math.max(1, this.#lostBytes + this.#arrivedBytes);
    const isFull = share > LOSS_MAX && this.#lostSegments >= LOST_SEGMENTS_MIN;
    if (isFull) this.#ceiling = Math.max(this.#product, LOSS_BACKOFF * (onTheWay + this.#lostBytes));
    else if (this.#ceiling < WINDOW_BYTES_MAX) this.#ceiling *= LOSS_RECOVERY;
    this.#lostBytes = 0;
    this.#lostSegments = 0;
    this.#arrivedBytes = 0;
    return isFull;
  }

  #step({ now, onTheWay }: Arrival): void {
    switch (this.#state) {
      case 'start':
        break;
      case 'drain':
        if (onTheWay <= this.#product + this.burst) this.#steady(now);
        break;
      case 'steady':
        this.#stepCycle(now, onTheWay);
        break;
      case 'delay':
        if (now >= this.#delayEndsAt) this.#steady(now);
        return;
    }
    if (now - this.#minDelayAt > DELAY_MS_MAX && this.#state === 'steady') {
      this.#state = 'delay';
      this.#delayEndsAt = now + Math.max(DELAY_PROBE_MS, this.#minDelayMs);
      this.#minDelayMs = Number.POSITIVE_INFINITY;
      this.#minDelayAt = now;
    }
  }

  #steady(now: number): void {
    this.#state = 'steady';
    this.#phase = 2;
    this.#phaseAt = now;
  }

  #stepCycle(now: number, onTheWay: number): void {
    const isOver = now - this.#phaseAt > this.#minDelayMs;
    const isDrained = this.#phase === 1 && onTheWay <= this.#product;
    if (!isOver && !isDrained) return;
    this.#phase = (this.#phase + 1) % CYCLE.length;
    this.#phaseAt = now;
  }
}
