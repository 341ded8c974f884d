// Finds first neighbours: carries out BootstrapPlan, processes the answers of caches, and registers us with GWebCaches.
import { LazyMap } from '../lazy-map.ts';
import { LazySet } from '../lazy-set.ts';
import type { HostCache } from '../overlay/neighbours/host-cache.ts';
import type { HostSightings } from '../overlay/neighbours/host-sightings.ts';
import { VENDOR } from '../overlay/own-identity.ts';
import type { ReachPolicy } from '../overlay/reach/reach-policy.ts';
import type { Random, WallClock } from '../ports.ts';
import { type Endpoint, isIpv6 } from '../wire/endpoint.ts';
import { BootstrapPlan, type BootstrapReport, type CacheKind } from './bootstrap-plan.ts';
import type { BootstrapRules } from './bootstrap-rules.ts';
import { CacheBook, type CacheRecord, type Configured } from './cache-book.ts';
import type { GwebCacheAnswer } from './gwebcache-answer.ts';
import type { GwebCacheRequest } from './gwebcache-request.ts';

const VERSION = '0.1';
const NETWORK = 'gnutella';
/** Steps are this many times rarer with enough neighbours, while we may not register yet, or without caches. */
const IDLE_FACTOR = 5;

export interface KnownCache extends CacheRecord {
  kind: CacheKind;
}

/** HOST:PORT of UDP host caches, URLs of GWebCaches. */
export type CachesToAsk = Readonly<Record<CacheKind, Configured>>;

export const NO_CACHES: CachesToAsk = { udp: { own: [], wellKnown: [] }, web: { own: [], wellKnown: [] } };

export interface BootstrapShell {
  /** Resolve a UDP host cache, HOST:PORT; call udpCacheFound() or udpCacheLost(). */
  lookUpCache(address: string): void;
  /** Send the request to the GWebCache at this URL; call webCacheAnswered() or webCacheFailed() with the same request. */
  askWebCache(url: string, request: GwebCacheRequest): void;
}

/** Receives the outcomes of requests. */
export interface BootstrapSink {
  /** `hosts`: number of addresses in the answer; `registered`: the request registered us. */
  onCacheAnswered(kind: CacheKind, address: string, hosts: number, registered: boolean): void;
  onCacheFailed(kind: CacheKind, address: string, why: string): void;
  /** A round of requests brought no neighbour. */
  onNoNeighbour(report: BootstrapReport): void;
}

/** Data of a UDP host cache's pong. */
export interface UdpCacheAnswer {
  readonly hosts: readonly Endpoint[];
  /** HOST:PORT of other caches. */
  readonly caches: readonly string[];
}

export interface BootstrapParts {
  readonly clock: WallClock;
  readonly random: Random;
  readonly rules: BootstrapRules;
  readonly caches: CachesToAsk;
  readonly hosts: HostCache;
  readonly sightings: HostSightings;
  readonly reach: ReachPolicy;
  readonly shell: BootstrapShell;
  readonly sink: BootstrapSink;
  /** Ultrapeers connected and wanted. */
  readonly links: () => { readonly connected: number; readonly wanted: number };
  /** Datagrams can be sent. */
  readonly udp: () => boolean;
  /** Our endpoint if we are a reachable ultrapeer, else null. */
  readonly registrable: (now: number) => Endpoint | null;
  /** Sends a ping with GGEP SCP. `done` is called with the pong, at most once. */
  readonly ping: (to: Endpoint, done: (answer: UdpCacheAnswer, now: number) => void, now: number) => void;
}

export class Bootstrap {
  readonly #parts: BootstrapParts;
  readonly #books: Readonly<Record<CacheKind, CacheBook>>;
  readonly #plan: BootstrapPlan;
  /** Wall-clock milliseconds, as all times of caches. */
  readonly #startedAt: number;
  /** Running requests to GWebCaches: at most one for hosts and one to register. */
  readonly #requests = new LazySet<GwebCacheRequest>();
  /** When we last registered, by URL; one entry (ANY) where we register with one only. */
  readonly #registeredAt = new LazyMap<string, number>();
  #state: BootstrapReport['state'] | null = null;
  #stepAt: number;
  /** How many ultrapeers were wanted when the last step found that there are enough, and when the next look would be; else null. */
  #rest: { readonly wanted: number; readonly lookAt: number } | null = null;
  #closed = false;

  constructor(parts: BootstrapParts, now: number) {
    const { clock, random, rules, caches } = parts;
    this.#parts = parts;
    this.#startedAt = clock.wallTime();
    this.#stepAt = now;
    this.#books = {
      udp: new CacheBook(caches.udp, rules.udp, random),
      web: new CacheBook(caches.web, rules.web, random),
    };
    this.#plan = new BootstrapPlan(this.#books, rules.timing, random, this.#startedAt);
  }

  get report(): BootstrapReport {
    return this.#plan.report();
  }

  /** Changes with toRecords(). */
  get revision(): string {
    return `${this.#books.web.revision}/${this.#books.udp.revision}`;
  }

  /** All known caches, for storage. */
  toRecords(): KnownCache[] {
    return KINDS.flatMap(kind => this.#books[kind].toRecords().map(record => ({ kind, ...record })));
  }

  /** Restores stored caches; call before the first tick. */
  fromRecords(records: readonly KnownCache[]): void {
    for (const kind of KINDS) {
      const known = records.filter(record => record.kind === kind);
      this.#books[kind].fromRecords(known.map(({ kind: _, ...record }) => record));
    }
  }

  /** Adds the entries of a hosts file. */
  addStored(hosts: readonly Endpoint[], udpHostCaches: readonly string[], now: number): void {
    const stored = { source: 'stored', ultrapeer: null, dailyUptimeSeconds: null } as const;
    this.#parts.sightings.add(
      hosts.map(endpoint => ({ endpoint, ...stored })),
      now,
    );
    for (const address of udpHostCaches) this.#books.udp.learn(address);
  }

  /** Runs what is due; returns when to call again, and after any change of the links. */
  tick(now: number): number {
    if (this.#closed) return Number.POSITIVE_INFINITY;
    this.#wake(now);
    if (now >= this.#stepAt) {
      const wanted = this.#step(now);
      const lookAt = now + this.#idleMs;
      if (wanted !== null) this.#stepAt = Math.max(lookAt, this.#registersAt(now));
      else this.#stepAt = this.#hasCaches ? now + this.#parts.rules.stepMs : lookAt;
      this.#rest = wanted === null ? null : { wanted, lookAt };
    }
    return this.#stepAt;
  }

  get #idleMs(): number {
    return IDLE_FACTOR * this.#parts.rules.stepMs;
  }

  get #hasCaches(): boolean {
    return this.#books.web.size + this.#books.udp.size > 0;
  }

  /** Ends the rest when other neighbours are wanted, or some are missing. Steps keep their times, however many were left out. */
  #wake(now: number): void {
    if (this.#rest === null) return;
    const { wanted, lookAt } = this.#rest;
    const links = this.#parts.links();
    if (links.wanted === wanted && links.connected >= wanted) return;
    this.#stepAt = lookAt + Math.ceil(Math.max(0, now - lookAt) / this.#idleMs) * this.#idleMs;
    this.#rest = null;
  }

  /** Stops requests and ignores answers from now on. */
  close(): void {
    this.#closed = true;
  }

  /** Runs one step of the plan. How many ultrapeers are wanted when there are as many; else null. */
  #step(now: number): number | null {
    const { clock, links, hosts, reach, shell, udp } = this.#parts;
    const wallTime = clock.wallTime();
    const { connected, wanted } = links();
    const command = this.#plan.step({
      now: wallTime,
      wanted,
      links: connected,
      udp: udp(),
      dialable: () => hosts.next(wallTime, host => reach.isOwn(host)) !== null,
      tried: () => hosts.triedSince(this.#plan.progressAt),
    });
    if (command.kind === 'ask') {
      if (command.cache === 'udp') shell.lookUpCache(command.address);
      else this.#request(command.address, true, now);
    }
    this.#reportFailure();
    this.#register(now);
    return command.kind === 'rest' ? wanted : null;
  }

  /** Reports a failed round once, when its pause begins. */
  #reportFailure(): void {
    const report = this.#plan.report();
    if (report.state === this.#state) return;
    this.#state = report.state;
    if (report.state === 'waiting' && report.round > 0) this.#parts.sink.onNoNeighbour(report);
  }

  // --- GWebCaches

  #register(now: number): void {
    const wallTime = this.#parts.clock.wallTime();
    const url =
      this.#requests.size === 0 && this.#registrableNow(now) !== null ? this.#cacheToRegisterWith(wallTime) : null;
    if (url === null) return;
    this.#books.web.asked(url, wallTime);
    this.#request(url, false, now);
  }

  /** Not before this time; Infinity without a GWebCache. */
  #registersAt(now: number): number {
    const { clock, rules } = this.#parts;
    if (this.#books.web.size === 0) return Number.POSITIVE_INFINITY;
    return now + this.#startedAt + rules.registerAfterMs - clock.wallTime();
  }

  /** The endpoint to register now, or null. */
  #registrableNow(now: number): Endpoint | null {
    const { clock, rules, registrable } = this.#parts;
    return clock.wallTime() - this.#startedAt < rules.registerAfterMs ? null : registrable(now);
  }

  #cacheToRegisterWith(wallTime: number): string | null {
    const { rules, caches } = this.#parts;
    const { web } = this.#books;
    const fresh = (key: string) => wallTime - (this.#registeredAt.get(key) ?? 0) < rules.registerEveryMs;
    if (!rules.registerWithAll) return fresh(ANY) ? null : web.next(wallTime);
    return caches.web.own.find(url => !fresh(url) && web.due(url, wallTime)) ?? null;
  }

  /** Sends a request, which registers us too when allowed. */
  #request(url: string, get: boolean, now: number): void {
    const request = {
      ...{ vendor: VENDOR, version: VERSION, network: NETWORK, get, ping: true },
      update: this.#registrableNow(now),
      url: this.#books.web.good(url),
    };
    this.#requests.add(request);
    this.#parts.shell.askWebCache(url, request);
  }

  webCacheAnswered(url: string, request: GwebCacheRequest, answer: GwebCacheAnswer, now: number): void {
    const { clock, rules, sink } = this.#parts;
    if (!this.#requests.delete(request) || this.#closed) return;
    const registered = request.update !== null;
    if (registered) this.#registeredAt.set(rules.registerWithAll ? url : ANY, clock.wallTime());
    for (const other of answer.urls) if (mayBeAsked(other)) this.#books.web.learn(other);
    this.#plan.answered('web', url, clock.wallTime(), this.#take(answer.hosts, true, now));
    sink.onCacheAnswered('web', url, answer.hosts.length, registered);
  }

  /** `reached`: see CacheBook.failed(). */
  webCacheFailed(url: string, request: GwebCacheRequest, why: string, reached: boolean): void {
    if (!this.#requests.delete(request) || this.#closed) return;
    this.#plan.failed('web', url, reached);
    this.#parts.sink.onCacheFailed('web', url, why);
  }

  // --- UDP host caches

  /** A UDP host cache is resolved: pings it, unless its turn is over. The plan times it out. */
  udpCacheFound(address: string, to: Endpoint, now: number): void {
    if (this.#closed || this.#plan.report().asking !== address) return;
    const { reach, udp, ping } = this.#parts;
    const why = udp() ? reach.forbids(to) : 'no UDP';
    if (why !== null) this.udpCacheLost(address, why);
    else ping(to, (answer, at) => this.#onPong(address, answer, at), now);
  }

  /** A UDP host cache cannot be asked. */
  udpCacheLost(address: string, why: string): void {
    if (this.#closed) return;
    this.#plan.failed('udp', address, false);
    this.#parts.sink.onCacheFailed('udp', address, why);
  }

  #onPong(address: string, { hosts, caches }: UdpCacheAnswer, now: number): void {
    if (this.#closed) return;
    for (const other of caches) this.#books.udp.learn(other);
    this.#plan.answered('udp', address, this.#parts.clock.wallTime(), this.#take(hosts, null, now));
    this.#parts.sink.onCacheAnswered('udp', address, hosts.length, false);
  }

  /** Adds hosts of a cache; returns how many may be dialled. */
  #take(endpoints: readonly Endpoint[], ultrapeer: true | null, now: number): number {
    const { rules, sightings } = this.#parts;
    const believed = endpoints.filter(({ port }) => port >= rules.portMin);
    return sightings.add(
      believed.map(endpoint => ({ endpoint, source: 'cache', ultrapeer, dailyUptimeSeconds: null })),
      now,
    );
  }
}

const KINDS: readonly CacheKind[] = ['web', 'udp'];
const ANY = 'any';

/** Whether a learnt GWebCache may be asked: only by DNS name, so that nobody can direct us to an internal address. */
function mayBeAsked(url: string): boolean {
  const { hostname } = new URL(url);
  return !isIpv6(hostname) && !/^[\d.]+$/.test(hostname) && hostname.includes('.');
}
