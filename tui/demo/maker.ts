// Generates names, addresses and hashes of the demo network. Deterministic by seed.
import type { ResultView, SourceView } from '../../api/control.ts';
import { mediaTypeOf } from '../../protocol/wire/media-type.ts';
import type { ToldRing } from '../history.ts';
import type { Range } from '../range.ts';
import { ARTISTS, ENDINGS, HOSTILE, THINGS, TITLES, VENDORS } from './names.ts';

/** The generator mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export class Maker {
  readonly random: () => number;
  readonly #now: () => number;
  #nextId = 100;

  constructor(seed: number, now: () => number) {
    this.random = randomFrom(seed);
    this.#now = now;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)] as T;
  }

  id(letter: string): string {
    return `${letter}${this.#nextId++}`;
  }

  address(): string {
    const part = (): number => 1 + Math.floor(this.random() * 253);
    // documentation ranges
    const net = this.pick(['192.0.2', '198.51.100', '203.0.113']);
    return `${net}.${part()}:${this.random() < 0.6 ? 6346 : 1024 + Math.floor(this.random() * 60_000)}`;
  }

  ago(maxSeconds: number): string {
    return new Date(this.#now() - Math.floor(this.random() * maxSeconds * 1000)).toISOString();
  }

  urn(): string {
    let text = '';
    for (let i = 0; i < 32; i++) text += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(Math.floor(this.random() * 32));
    return `urn:sha1:${text}`;
  }

  guid(): string {
    let text = '';
    for (let i = 0; i < 32; i++) text += Math.floor(this.random() * 16).toString(16);
    return text;
  }

  fileName(): string {
    const kind = this.random();
    if (kind < 0.06) return this.pick(HOSTILE);
    if (kind < 0.25) return this.pick(THINGS);
    return `${this.pick(ARTISTS)} - ${this.pick(TITLES)}.${this.pick(ENDINGS)}`;
  }

  source(name: string): SourceView {
    const which = Math.floor(this.random() * VENDORS.length);
    return {
      address: this.address(),
      servent: this.guid(),
      push: this.random() < 0.35,
      busy: this.random() < 0.3,
      index: Math.floor(this.random() * 4000),
      name,
      vendor: VENDORS[which] ?? null,
      speed: this.pick([256, 1000, 4000, 10_000]),
      hops: 1 + Math.floor(this.random() * 4),
    };
  }

  /** Rings of rates before the start, as sine waves. */
  rings(): Record<Range, ToldRing> {
    const ring = (step: number, count: number) => {
      const series = (mean: number, swing: number, phase: number): number[] =>
        Array.from({ length: count }, (_, i) => {
          const t = ((i - count) * step + this.#now() / 1000) / 9 / Math.max(1, step / 2);
          return mean * (1 + swing * Math.sin(t + phase) + 0.4 * swing * Math.sin(3.7 * t));
        });
      return {
        step,
        messagesIn: series(230, 0.5, 0),
        messagesOut: series(360, 0.5, 0.2),
        queries: series(46, 0.5, 0.1),
        download: series(480_000, 0.6, 0.4),
        upload: series(290_000, 0.2, 2),
        peers: series(33, 0.05, 1).map(Math.round),
      };
    };
    return {
      minute: ring(1, 60),
      hour: ring(30, 120),
      day: ring(600, 144),
      month: ring(3600, 720),
      year: ring(86_400, 366),
    };
  }
}

/** What results say of a file by its name. */
export function mediaOf(name: string, size: number): Pick<ResultView, 'type' | 'length' | 'bitrate'> {
  const type = mediaTypeOf(name);
  const bitrate = type === 'audio' ? 192 : type === 'video' ? 1_500 : null;
  return { type, length: bitrate === null ? null : Math.round(size / (125 * bitrate)), bitrate };
}
