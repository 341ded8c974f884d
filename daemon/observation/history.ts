// Keeps rates of the recent past: per second for a minute, per 30 s for an hour, per 10 minutes for a day.
import type { z } from 'zod';
import type { history } from '../../api/schemas/monitor.ts';
import type { Overlay } from '../../protocol/overlay/overlay.ts';
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

const RINGS: Readonly<Record<RingName, { stepMs: number; capacity: number }>> = {
  minute: { stepMs: 1_000, capacity: 60 },
  hour: { stepMs: 30_000, capacity: 120 },
  day: { stepMs: 600_000, capacity: 144 },
};

class Ring {
  readonly #stepMs: number;
  readonly #capacity: number;
  /** Oldest first; at most `capacity`. */
  readonly #values: Sample[] = [];
  #open: Sample[] = []; // samples of the present step; at most one a second
  #begunAt: number;
  #until: number;

  constructor({ stepMs, capacity }: { stepMs: number; capacity: number }, at: number) {
    this.#stepMs = stepMs;
    this.#capacity = capacity;
    this.#begunAt = at;
    this.#until = at;
  }

  add(sample: Sample, at: number): void {
    this.#open.push(sample);
    // Half a second of tolerance for early timers.
    if (at - this.#begunAt < this.#stepMs - 500) return;
    this.#values.push(meanOf(this.#open));
    if (this.#values.length > this.#capacity) this.#values.shift();
    this.#open = [];
    this.#begunAt = at;
    this.#until = at;
  }

  view(wallAt: (at: number) => number): HistoryView[RingName] {
    const round = (value: number): number => Math.round(value * 100) / 100;
    const series = Object.fromEntries(SERIES.map(name => [name, this.#values.map(sample => round(sample[name]))]));
    return {
      step: this.#stepMs / 1000,
      until: new Date(wallAt(this.#until)).toISOString(),
      ...(series as Record<Series, number[]>),
    };
  }
}

export class History {
  readonly #rings: Readonly<Record<RingName, Ring>>;
  #before: Reading['totals'];
  #at: number;

  /** Times are monotonic, in milliseconds. */
  constructor(first: Reading, at: number) {
    this.#before = first.totals;
    this.#at = at;
    this.#rings = {
      minute: new Ring(RINGS.minute, at),
      hour: new Ring(RINGS.hour, at),
      day: new Ring(RINGS.day, at),
    };
  }

  /** Call about once a second. */
  add({ totals, now }: Reading, at: number): void {
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
    for (const ring of Object.values(this.#rings)) ring.add(sample, at);
  }

  /** `wallAt` converts a monotonic time to milliseconds since 1970. */
  view(wallAt: (at: number) => number): HistoryView {
    const { minute, hour, day } = this.#rings;
    return { minute: minute.view(wallAt), hour: hour.view(wallAt), day: day.view(wallAt) };
  }
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

function meanOf(samples: readonly Sample[]): Sample {
  const mean = (name: Series): number => samples.reduce((sum, sample) => sum + sample[name], 0) / samples.length;
  return Object.fromEntries(SERIES.map(name => [name, mean(name)])) as Sample;
}
