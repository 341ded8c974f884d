// The known hosts: which to dial, and when. Pure: the daemon stores the records.
import type { Role } from '../../handshake/capabilities.ts';
import type { Random } from '../../ports.ts';
import { type Endpoint, endpointKey, formatEndpoint, isIpv6, type Reach, reachOf } from '../../wire/endpoint.ts';
import { type HostRecord, type HostSource, KnownHost } from './known-host.ts';

export interface HostSighting {
  readonly endpoint: Endpoint;
  readonly source: HostSource;
  /** Null when unknown. */
  readonly ultrapeer: boolean | null;
  /** Average seconds a day that the host is up; null when unknown. */
  readonly dailyUptimeSeconds: number | null;
  /** As its own pong has it. */
  readonly leafSlotsFree?: number | null;
  /** A node of the DHT that answers requests. */
  readonly dht?: boolean;
}

/** `silent`: nobody spoke Gnutella there; `full`: it had no slot for us; `refused`: it gave another reason. */
export type HostFailure = 'silent' | 'full' | 'refused';

export interface HostPolicy {
  /** The least promising twentieth goes when there are more: for an ultrapeer, which tells others of them, and for a leaf. */
  readonly hostsMax: number;
  readonly leafHostsMax: number;
  /** Addresses that are kept at all. */
  readonly reaches: readonly Reach[];
  /** After a dial, whatever came of it. */
  readonly retryTriedMs: number;
  /** After a failure; doubled with each further one, up to a day. */
  readonly retryFailedMs: number;
  /** After "no slots". */
  readonly retryBusyMs: number;
  /** After a refusal for another reason: it does not want us, or not so often. */
  readonly retryRefusedMs: number;
  /** Between dials to one address, whatever the port. */
  readonly sameAddressMs: number;
}

/** Waits as in gtk-gnutella: 5 min after a try, 15 after a failure, 2 between connects to one address. */
export const PUBLIC_HOSTS: HostPolicy = {
  hostsMax: 10_000,
  // four dials at a time, of some 5 s each, for the 10 minutes that pass at most before caches are asked again
  leafHostsMax: 500,
  reaches: ['public'],
  retryTriedMs: 5 * 60_000,
  retryFailedMs: 15 * 60_000,
  retryBusyMs: 5 * 60_000,
  retryRefusedMs: 30 * 60_000,
  sameAddressMs: 2 * 60_000,
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Older records are not worth a dial; LimeWire's host file goes stale by then too. */
const STALE_MS = 28 * DAY_MS;
/** A host that never worked is forgotten after so many failures. */
const FAILURES_MAX = 4;
/** How long a dial speaks against other hosts of the same /24 (LimeWire connects to one at a time). */
const GROUP_MS = 10 * MINUTE_MS;

/** All times are wall-clock milliseconds: records outlive the process. */
export class HostCache {
  readonly #policy: HostPolicy;
  readonly #random: Random;
  #hostsMax: number;
  /** By "host:port"; at most #hostsMax. */
  readonly #hosts = new Map<string, KnownHost>();
  /** Last dial by address and by /24 or /48; entries older than they matter go when there are #hostsMax of them. */
  readonly #dials = new Map<string, number>();
  /** Grows with every change: store the records when it has moved. */
  revision = 0;

  constructor(random: Random, policy: Partial<HostPolicy> = {}) {
    this.#random = random;
    this.#policy = { ...PUBLIC_HOSTS, ...policy };
    this.#hostsMax = this.#policy.hostsMax;
  }

  /**
   * Keeps as many hosts as this role may use. Those that were full for a servent of the other role may be dialled at once: a leaf that
   * becomes an ultrapeer, since nobody had room for leaves, would otherwise stay alone for minutes.
   */
  setRole(role: Role, now: number): void {
    this.#hostsMax = role === 'leaf' ? this.#policy.leafHostsMax : this.#policy.hostsMax;
    for (const known of this.#hosts.values()) {
      if (!known.full) continue;
      known.full = false;
      known.dialled({ retryAt: 0 });
      this.#dials.delete(known.endpoint.host);
      this.revision++;
    }
    this.#bound(now);
  }

  get size(): number {
    return this.#hosts.size;
  }

  /** Null when it is no address to be dialled. */
  add(sighting: HostSighting, now: number): KnownHost | null {
    const { endpoint } = sighting;
    if (!this.#dialable(endpoint)) return null;
    const known = this.find(endpoint);
    this.revision++;
    if (known !== null) {
      known.seenAt = now;
      known.ultrapeer = sighting.ultrapeer ?? known.ultrapeer;
      known.dailyUptimeSeconds = sighting.dailyUptimeSeconds ?? known.dailyUptimeSeconds;
      if (sighting.source === 'configured') known.source = 'configured';
      return known;
    }
    const { source, ultrapeer, dailyUptimeSeconds } = sighting;
    const host = new KnownHost(endpoint, source, ultrapeer, dailyUptimeSeconds, now);
    this.#hosts.set(endpointKey(endpoint), host);
    this.#bound(now);
    return host;
  }

  /** A dial to it began. */
  tried(endpoint: Endpoint, now: number): void {
    this.#noteDial(endpoint.host, now);
    this.#noteDial(groupOf(endpoint.host), now);
    this.#change(endpoint)?.dialled({ triedAt: now, retryAt: now + this.#policy.retryTriedMs });
  }

  succeeded(endpoint: Endpoint, now: number): void {
    const known = this.#change(endpoint);
    if (known === null) return;
    known.seenAt = now;
    known.full = false;
    known.dialled({ connectedAt: now, successes: known.dials.successes + 1, failures: 0 });
  }

  failed(endpoint: Endpoint, now: number, how: HostFailure): void {
    const known = this.#change(endpoint);
    if (known === null) return;
    known.full = how === 'full';
    const { retryBusyMs, retryRefusedMs, retryFailedMs } = this.#policy;
    if (how !== 'silent') {
      known.dialled({ failures: 0, retryAt: now + (how === 'full' ? retryBusyMs : retryRefusedMs) });
      return;
    }
    const failures = known.dials.failures + 1;
    known.dialled({ failures, retryAt: now + Math.min(retryFailedMs * 2 ** (failures - 1), DAY_MS) });
    const hopeless = known.dials.successes === 0 && failures >= FAILURES_MAX;
    if (hopeless && known.source !== 'configured') this.#hosts.delete(formatEndpoint(endpoint));
  }

  /** Null when it is not known. */
  find(endpoint: Endpoint): KnownHost | null {
    return this.#hosts.get(formatEndpoint(endpoint)) ?? null;
  }

  get(endpoint: Endpoint): Readonly<HostRecord> | null {
    return this.find(endpoint)?.toRecord() ?? null;
  }

  /** In the order in which we heard of them. */
  values(): MapIterator<KnownHost> {
    return this.#hosts.values();
  }

  /** False when it was not there. */
  remove(endpoint: Endpoint): boolean {
    const known = this.#hosts.delete(formatEndpoint(endpoint));
    if (known) this.revision++;
    return known;
  }

  /** No wait after an earlier dial, to it or to its address, is in the way. */
  mayDial(endpoint: Endpoint, now: number): boolean {
    return !this.#mustWait(this.find(endpoint), endpoint, now);
  }

  #mustWait(known: KnownHost | null, { host }: Endpoint, now: number): boolean {
    if (known !== null && waits(known.dials.retryAt, now, DAY_MS)) return true;
    return this.#dialled(host, now, this.#policy.sameAddressMs);
  }

  /** The best host to dial now, or null. `exclude` tells of those connected, being dialled, or ourselves. */
  next(now: number, exclude: (endpoint: Endpoint) => boolean): Endpoint | null {
    const hosts = [...this.#hosts.values()];
    const offset = this.#random.below(Math.max(hosts.length, 1)); // so that servents dial different hosts
    let best: Endpoint | null = null;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < hosts.length; i++) {
      const known = hosts[(offset + i) % hosts.length];
      // leaves refuse links
      if (known === undefined || known.ultrapeer === false || this.#mustWait(known, known.endpoint, now)) continue;
      const { endpoint } = known;
      let score = promise(known, now);
      if (this.#dialled(groupOf(endpoint.host), now, GROUP_MS)) score -= 4;
      if (score <= bestScore || exclude(endpoint)) continue;
      best = endpoint;
      bestScore = score;
    }
    return best;
  }

  /** Hosts dialled at this time or later. */
  triedSince(at: number): number {
    let tried = 0;
    for (const { dials } of this.#hosts.values()) if (dials.triedAt >= at) tried++;
    return tried;
  }

  /** Those seen last, for X-Try and X-Try-Ultrapeers; none whose last dial failed. */
  fresh(count: number, ultrapeersOnly: boolean): Endpoint[] {
    const good = [...this.#hosts.values()].filter(
      ({ dials, ultrapeer }) => dials.failures === 0 && (ultrapeer === true || !ultrapeersOnly),
    );
    good.sort((a, b) => b.seenAt - a.seenAt);
    return good.slice(0, count).map(({ endpoint }) => endpoint);
  }

  toRecords(): HostRecord[] {
    return Array.from(this.#hosts.values(), known => known.toRecord());
  }

  /** Records that are stale or not to be dialled are left out; how many were taken. */
  fromRecords(records: Iterable<HostRecord>, now: number): number {
    const before = this.#hosts.size;
    for (const record of records) {
      if (!this.#dialable(record) || now - record.seenAt > STALE_MS) continue;
      this.#hosts.set(endpointKey(record), KnownHost.of(record));
    }
    this.#bound(now);
    return this.#hosts.size - before;
  }

  #dialable(endpoint: Endpoint): boolean {
    return endpoint.port > 0 && endpoint.port <= 65_535 && this.#policy.reaches.includes(reachOf(endpoint.host));
  }

  #change(endpoint: Endpoint): KnownHost | null {
    const known = this.find(endpoint);
    if (known !== null) this.revision++;
    return known;
  }

  #bound(now: number): void {
    const hostsMax = this.#hostsMax;
    if (this.#hosts.size <= hostsMax) return;
    const ranked = [...this.#hosts].map(([key, known]) => ({ key, score: promise(known, now) }));
    ranked.sort((a, b) => a.score - b.score);
    const surplus = this.#hosts.size - hostsMax + Math.floor(hostsMax / 20);
    for (const { key } of ranked.slice(0, surplus)) this.#hosts.delete(key);
  }

  #noteDial(key: string, now: number): void {
    if (this.#dials.size >= this.#hostsMax) {
      for (const [other, at] of this.#dials) if (now - at > GROUP_MS) this.#dials.delete(other);
      if (this.#dials.size >= this.#hostsMax) this.#dials.clear();
    }
    this.#dials.set(key, now);
  }

  #dialled(key: string, now: number, withinMs: number): boolean {
    const at = this.#dials.get(key);
    return at !== undefined && waits(at + withinMs, now, withinMs);
  }
}

/** Whether `until` lies ahead; not so when it is farther away than it ever was set: then the clock was turned back. */
function waits(until: number, now: number, longestMs: number): boolean {
  return until > now && until - now <= longestMs;
}

/** How much a dial may be expected to bring. Only the order means anything. */
function promise(known: KnownHost, now: number): number {
  let score = 0;
  if (known.source === 'configured') score += 8;
  if (known.ultrapeer === true) score += 3;
  else if (known.ultrapeer === null) score += 1;
  if (known.dials.successes > 0) score += 2;
  if ((known.dailyUptimeSeconds ?? 0) > 8 * 3600) score += 1;
  const age = now - known.seenAt;
  if (age < 10 * MINUTE_MS) score += 4;
  else if (age < HOUR_MS) score += 3;
  else if (age < DAY_MS) score += 2;
  else if (age < 7 * DAY_MS) score += 1;
  return score - 2 * Math.min(known.dials.failures, 5);
}

/** /24 of IPv4, /48 of IPv6: mostly one operator. */
function groupOf(host: string): string {
  if (!isIpv6(host)) return `${host.slice(0, host.lastIndexOf('.'))}.*`;
  return `${host.split(':', 3).join(':')}:*`;
}
