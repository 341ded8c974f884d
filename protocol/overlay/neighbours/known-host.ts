// A host of the host cache in memory. Thousands are heard of and never dialled: those share one record of no dials.
import type { Endpoint } from '../../wire/endpoint.ts';

/** How we came to know a host. */
export type HostSource = 'configured' | 'stored' | 'pong' | 'try' | 'hit' | 'cache' | 'peer';

/** One host as stored and shown. Times are milliseconds since 1970, 0 for never. */
export interface HostRecord {
  host: string;
  port: number;
  source: HostSource;
  ultrapeer: boolean | null;
  dailyUptimeSeconds: number | null;
  seenAt: number;
  triedAt: number;
  connectedAt: number;
  /** Not to be dialled before. */
  retryAt: number;
  successes: number;
  /** In a row. */
  failures: number;
}

/** What came of dials to a host: see HostRecord. */
type Dials = Pick<HostRecord, 'triedAt' | 'connectedAt' | 'retryAt' | 'successes' | 'failures'>;

const NO_DIALS: Readonly<Dials> = { triedAt: 0, connectedAt: 0, retryAt: 0, successes: 0, failures: 0 };

export class KnownHost {
  readonly endpoint: Endpoint;
  source: HostSource;
  ultrapeer: boolean | null;
  dailyUptimeSeconds: number | null;
  seenAt: number;
  /** Leaf slots that its pong said are free, -1 when none did, and when that was: see FreeSlots. */
  slotsFree = -1;
  slotsSaidAt = 0;
  /** It refused our last dial for want of slots, of the kind that a servent of our role needs. */
  full = false;
  #dials: Readonly<Dials> = NO_DIALS;

  constructor(
    endpoint: Endpoint,
    source: HostSource,
    ultrapeer: boolean | null,
    dailyUptimeSeconds: number | null,
    seenAt: number,
  ) {
    this.endpoint = endpoint;
    this.source = source;
    this.ultrapeer = ultrapeer;
    this.dailyUptimeSeconds = dailyUptimeSeconds;
    this.seenAt = seenAt;
  }

  static of({ host, port, source, ultrapeer, dailyUptimeSeconds, seenAt, ...dials }: HostRecord): KnownHost {
    const known = new KnownHost({ host, port }, source, ultrapeer, dailyUptimeSeconds, seenAt);
    if (Object.values(dials).some(value => value !== 0)) known.dialled(dials);
    return known;
  }

  get dials(): Readonly<Dials> {
    return this.#dials;
  }

  /** A dial began, or ended. */
  dialled(change: Partial<Dials>): void {
    this.#dials = { ...this.#dials, ...change };
  }

  /** It said at `now` that it has so many leaf slots free. */
  saidSlots(free: number, now: number): void {
    this.slotsFree = free;
    this.slotsSaidAt = now;
  }

  toRecord(): HostRecord {
    const { endpoint, source, ultrapeer, dailyUptimeSeconds, seenAt } = this;
    const { triedAt, connectedAt, retryAt, successes, failures } = this.#dials;
    return {
      host: endpoint.host,
      port: endpoint.port,
      source,
      ultrapeer,
      dailyUptimeSeconds,
      seenAt,
      triedAt,
      connectedAt,
      retryAt,
      successes,
      failures,
    };
  }
}
