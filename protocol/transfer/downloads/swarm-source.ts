// A source of one download: what it is doing for us, and what is known of it.
import { type Endpoint, formatEndpoint } from '../../wire/endpoint.ts';
import type { ParqPlace } from '../queue-status.ts';
import type { ByteRange, RangeSet } from '../range-set.ts';
import type { ReachWay } from '../reaching/reach-way.ts';
import type { Source } from './source.ts';
import { SourceRate } from './source-rate.ts';

/**
 * `idle`: may be connected to. `connecting`, `ready` (connected, and nothing is asked), `asking` and `queued` (in its queue) have a
 * connection. `waiting`: until `until`. `dropped`: for good, unless the user resets the download.
 */
export type SwarmSourceState = 'idle' | 'connecting' | 'ready' | 'asking' | 'queued' | 'waiting' | 'dropped';

/** Our place in its queue, as it told. */
export interface QueuePlace {
  readonly position: number;
  readonly length: number | null;
  /** Seconds. */
  readonly eta: number | null;
  readonly id: string | null;
}

/** The range that a source is asked for. */
export interface Order {
  /** Moves with what arrives. */
  start: number;
  /** Moves towards the start when another source takes over the rest. */
  end: number;
  /** End of the request that was sent. */
  readonly asked: number;
  readonly source: SwarmSource;
  /** Whose range this is, until our bytes come: it keeps it if they never do. */
  prey: Order | null;
  /** Silent for so long that its range was given back. */
  stalled: boolean;
  /** Bytes that came. */
  came: number;
  /** When the last of them came, or when it was asked. */
  lastAt: number;
}

/** How a source is reached when it cannot be dialled. */
export interface ToldReach {
  readonly serventGuid: Buffer | null;
  readonly pushProxies: readonly Endpoint[];
  /** Where it takes streams by UDP; null or absent: not told. */
  readonly rudp?: Endpoint | null;
}

/** gtk-gnutella keeps eight of a servent. */
const TOLD_PROXIES_MAX = 8;

export class SwarmSource {
  readonly source: Source;
  readonly key: string;
  /** Order of arrival; in ChunkMap it stands for the source. */
  readonly number: number;
  /** Named by others only, and has not answered yet. */
  hearsay: boolean;
  state: SwarmSourceState = 'idle';
  /** Where its latest connection came from or went to: one that connects to us may have named any address. Null: none yet. */
  remote: string | null = null;
  /** The way of its latest connection; null: none yet. */
  way: ReachWay | null = null;
  /** What it, or a later hit, told of how it is reached; null: what `source` says. */
  #told: ToldReach | null = null;
  /** While waiting: not before. */
  until = 0;
  order: Order | null = null;
  readonly rate = new SourceRate();
  /** Bytes of it that were of use. */
  bytes = 0;
  /** Bytes of it that we had, or that were wrong. */
  wasted = 0;
  /** Bytes of slices that fitted the hash tree and in which it had a part. */
  verified = 0;
  /** When its last answer was over. */
  answeredAt = 0;
  /** In a row. */
  failures = 0;
  /** Connections that broke during a body, in a row. */
  cuts = 0;
  error: string | null = null;
  /** Ranges of a partial source; null: all of the file, as far as we know. Replaced, never changed. */
  available: RangeSet | null = null;
  /** What others should bring, as this source is under suspicion for it: asked of it only when nobody else is left. */
  barred: RangeSet | null = null;
  /** PARQ, to be repeated with each request. */
  place: ParqPlace | null = null;
  queue: QueuePlace | null = null;
  /** Its queue called us: the connection is there. */
  called = false;
  /** Closes the connection after each answer. */
  closes = false;
  /** Sent wrong bytes: remembered. */
  corrupt = false;

  constructor(number: number, key: string, source: Source, hearsay: boolean) {
    this.number = number;
    this.key = key;
    this.source = source;
    this.hearsay = hearsay;
  }

  /** The source with what has been learnt since of how it is reached. */
  get reachable(): Source {
    if (this.#told === null) return this.source;
    const { serventGuid, pushProxies, rudp = null } = this.#told;
    return {
      ...this.source,
      serventGuid: this.source.serventGuid ?? serventGuid,
      pushProxies,
      rudp: rudp ?? this.source.rudp ?? null,
    };
  }

  /** It told a GUID or push proxies; the latest come first. A servent keeps its GUID. */
  learnReach({ serventGuid, pushProxies, rudp = null }: ToldReach): void {
    const own = this.source.serventGuid;
    if (own !== null && serventGuid !== null && !own.equals(serventGuid)) return;
    const before = this.#told?.pushProxies ?? this.source.pushProxies ?? [];
    const known = new Map([...pushProxies, ...before].map(each => [formatEndpoint(each), each]));
    this.#told = {
      serventGuid: serventGuid ?? this.#told?.serventGuid ?? null,
      pushProxies: [...known.values()].slice(0, TOLD_PROXIES_MAX),
      rudp: rudp ?? this.#told?.rudp ?? null,
    };
  }

  get isConnected(): boolean {
    const { state } = this;
    return state === 'connecting' || state === 'ready' || state === 'asking' || state === 'queued';
  }

  /** Some of [start, end) can be had of it. */
  has(start: number, end: number): boolean {
    return this.available === null || this.available.rangeWithin(start, end) !== null;
  }

  /** What it can be asked for of a file that ends at `end`. */
  offers(end: number): Iterable<ByteRange> {
    return this.available ?? [{ start: 0, end }];
  }

  /** What a second of it is worth: its rate, less what it wastes. */
  worth(now: number): number {
    const all = this.bytes + this.wasted;
    return all === 0 ? 0 : (this.rate.at(now) * this.bytes) / all;
  }
}

/** Which source is connected to first: below 0 for `a`. */
export function compareSources(a: SwarmSource, b: SwarmSource, now: number): number {
  return (
    Number(b.called) - Number(a.called) ||
    a.failures - b.failures ||
    Number(a.hearsay) - Number(b.hearsay) ||
    b.worth(now) - a.worth(now) ||
    a.number - b.number
  );
}
