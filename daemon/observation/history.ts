// Keeps rates of the past: per second for a minute, per 30 s for an hour, per 10 minutes for a day, per hour for 30 days, per day
// for a year. Those of a day and more are stored.
import type { z } from 'zod';
import type { history } from '../../api/schemas/monitor.ts';
import type { Overlay } from '../../protocol/overlay/overlay.ts';
import type { Clock } from '../clock.ts';
import { trafficOf } from './traffic.ts';

export type HistoryView = z.infer<typeof history>;
type RingName = keyof HistoryView;

/** Totals since the start, and present values. */
export interface Reading {
  totals: { messagesIn: number; messagesOut: number; bytesIn: number; bytesOut: number; queries: number };
  /** Bytes per second, and neighbours. */
  now: { download: number; upload: number; peers: number };
}

const SERIES = ['messagesIn', 'messagesOut', 'bytesIn', 'bytesOut', 'queries', 'download', 'upload', 'peers'] as const;
type Series = (typeof SERIES)[number];
type Sample = Record<Series, number>;

interface RingShape {
  readonly stepMs: number;
  readonly capacity: number;
  /** Whether it outlives the daemon. */
  readonly stored: boolean;
}

const RINGS: Readonly<Record<RingName, RingShape>> = {
  minute: { stepMs: 1_000, capacity: 60, stored: false },
  hour: { stepMs: 30_000, capacity: 120, stored: false },
  day: { stepMs: 600_000, capacity: 144, stored: true },
  month: { stepMs: 3_600_000, capacity: 720, stored: true },
  year: { stepMs: 86_400_000, capacity: 366, stored: true },
};
const RING_NAMES = Object.keys(RINGS) as RingName[];

/** A ring as it is stored. */
export interface StoredRing {
  /** End of the newest value, milliseconds since 1970. */
  readonly until: number;
  /** Oldest first. */
  readonly values: readonly Sample[];
  /** The sum of the step under way, and how many samples it has. */
  readonly open: { readonly sum: Sample; readonly samples: number };
}

class Ring {
  readonly #shape: RingShape;
  /** Oldest first; at most `capacity`. */
  #values: Sample[] = [];
  #sum: Sample = NOTHING;
  #samples = 0;
  #begunAt: number;
  #until: number;

  constructor(shape: RingShape, at: number) {
    this.#shape = shape;
    this.#begunAt = at;
    this.#until = at;
  }

  /** True when a step is over. */
  add(sample: Sample, at: number): boolean {
    const { stepMs, capacity } = this.#shape;
    this.#sum = sumOf(this.#sum, sample);
    this.#samples++;
    // Half a second of tolerance for early timers.
    if (at - this.#begunAt < stepMs - 500) return false;
    this.#values.push(this.#mean());
    if (this.#values.length > capacity) this.#values.shift();
    this.#sum = NOTHING;
    this.#samples = 0;
    this.#begunAt = at;
    this.#until = at;
    return true;
  }

  #mean(): Sample {
    return scaled(this.#sum, 1 / Math.max(1, this.#samples));
  }

  /** Continues a stored ring: steps in which the daemon did not run are 0. Times are milliseconds since 1970, `at` is monotonic. */
  continue({ until, values, open }: StoredRing, wallTime: number, at: number): void {
    const { stepMs, capacity } = this.#shape;
    const away = Math.max(0, wallTime - until); // a clock that was set back
    const missed = Math.floor(away / stepMs);
    const gap = new Array<Sample>(Math.min(missed, capacity)).fill(NOTHING);
    if (missed > 0 && missed <= capacity && open.samples > 0) gap[0] = scaled(open.sum, 1 / open.samples);
    this.#values = [...values, ...gap].slice(-capacity);
    if (missed === 0) {
      this.#sum = open.sum;
      this.#samples = open.samples;
    }
    this.#begunAt = at - Math.min(stepMs, away - missed * stepMs);
    this.#until = this.#begunAt;
  }

  stored(wallAt: (at: number) => number): StoredRing {
    return {
      until: Math.round(wallAt(this.#until)),
      values: this.#values.map(rounded),
      open: { sum: rounded(this.#sum), samples: this.#samples },
    };
  }

  view(wallAt: (at: number) => number): HistoryView[RingName] {
    const values = this.#values.map(rounded);
    const series = Object.fromEntries(SERIES.map(name => [name, values.map(sample => sample[name])]));
    return {
      step: this.#shape.stepMs / 1000,
      until: new Date(wallAt(this.#until)).toISOString(),
      ...(series as Record<Series, number[]>),
    };
  }
}

/** Where rings are kept over a restart. */
export interface RingStore {
  get(name: string): Promise<StoredRing | undefined>;
  put(name: string, ring: StoredRing): void;
}

export class History {
  readonly #rings: Readonly<Record<RingName, Ring>>;
  readonly #clock: Pick<Clock, 'now' | 'wallTime'>;
  readonly #store: RingStore;
  #before: Reading['totals'];
  #at: number;

  constructor(first: Reading, clock: Pick<Clock, 'now' | 'wallTime'>, store: RingStore) {
    this.#before = first.totals;
    this.#clock = clock;
    this.#store = store;
    this.#at = clock.now();
    this.#rings = forEachRing(name => new Ring(RINGS[name], this.#at));
  }

  /** Continues the stored rings. Rejects with StoreError. */
  async start(): Promise<void> {
    for (const name of RING_NAMES) {
      const stored = RINGS[name].stored ? await this.#store.get(name) : undefined;
      if (stored !== undefined) this.#rings[name].continue(stored, this.#clock.wallTime(), this.#clock.now());
    }
  }

  /** Call about once a second. */
  add({ totals, now }: Reading): void {
    const at = this.#clock.now();
    const seconds = (at - this.#at) / 1000;
    if (seconds <= 0) return;
    const before = this.#before;
    const rate = (name: keyof Reading['totals']): number => Math.max(0, totals[name] - before[name]) / seconds;
    const sample: Sample = {
      messagesIn: rate('messagesIn'),
      messagesOut: rate('messagesOut'),
      bytesIn: rate('bytesIn'),
      bytesOut: rate('bytesOut'),
      queries: rate('queries'),
      ...now,
    };
    this.#before = totals;
    this.#at = at;
    for (const name of RING_NAMES) {
      if (this.#rings[name].add(sample, at) && name === 'day') this.keep();
    }
  }

  /** Stores what outlives the daemon, as at its stop. */
  keep(): void {
    for (const name of RING_NAMES)
      if (RINGS[name].stored)
        this.#store.put(
          name,
          this.#rings[name].stored(at => this.#wallAt(at)),
        );
  }

  view(): HistoryView {
    return forEachRing(name => this.#rings[name].view(at => this.#wallAt(at)));
  }

  #wallAt(at: number): number {
    return this.#clock.wallTime() - (this.#clock.now() - at);
  }
}

function forEachRing<T>(make: (name: RingName) => T): Record<RingName, T> {
  return Object.fromEntries(RING_NAMES.map(name => [name, make(name)])) as Record<RingName, T>;
}

export interface ReadingParts {
  servent: { readonly overlay: Overlay };
  monitor: { readonly total: number };
  downloads: { readonly load: { rate: number } };
  fileServer: { readonly load: { rate: number } };
}

export function readingOf({ servent: { overlay }, monitor, downloads, fileServer }: ReadingParts): Reading {
  const { messagesIn, messagesOut, bytesIn, bytesOut } = trafficOf(overlay);
  const { leaves, ultrapeers } = overlay.counts;
  return {
    totals: { messagesIn, messagesOut, bytesIn, bytesOut, queries: monitor.total },
    now: { download: downloads.load.rate, upload: fileServer.load.rate, peers: leaves + ultrapeers },
  };
}

const sampleOf = (value: (name: Series) => number): Sample =>
  Object.fromEntries(SERIES.map(name => [name, value(name)])) as Sample;
const NOTHING: Sample = sampleOf(() => 0);

const sumOf = (one: Sample, other: Sample): Sample => sampleOf(name => one[name] + other[name]);
const scaled = (sample: Sample, factor: number): Sample => sampleOf(name => sample[name] * factor);
const rounded = (sample: Sample): Sample => sampleOf(name => Math.round(sample[name] * 100) / 100);
