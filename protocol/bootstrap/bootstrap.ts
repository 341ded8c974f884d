// Finds first neighbours: does what BootstrapPlan says, takes in what caches answer, and tells GWebCaches of us.
import { type HostCache, isKnownLeaf } from '../overlay/neighbours/host-cache.ts';
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
/** With neighbours enough, or without caches, a look is taken once in so many. */
const LOOKS_AT_REST = 5;

export interface KnownCache extends CacheRecord {
  kind: CacheKind;
}

/** HOST:PORT of UDP host caches, URLs of GWebCaches. */
export type CachesToAsk = Readonly<Record<CacheKind, Configured>>;

export const NO_CACHES: CachesToAsk = { udp: { own: [], wellKnown: [] }, web: { own: [], wellKnown: [] } };

export interface BootstrapShell {
  /** Look up where this UDP host cache is, HOST:PORT; udpCacheFound() or udpCacheLost() is called. */
  lookUpCache(address: string): void;
  /** Send the request to the GWebCache at this URL; webCacheAnswered() or webCacheFailed() is called, with the same request. */
  askWebCache(url: string, request: GwebCacheRequest): void;
}

/** What becomes of questions. */
export interface BootstrapSink {
  /** `hosts`: so many addresses came with it; `told`: the cache knows of us now. */
  onCacheAnswered(kind: CacheKind, address: string, hosts: number, told: boolean): void;
  onCacheFailed(kind: CacheKind, address: string, why: string): void;
  /** A round of questions has come to nothing. */
  onNoNeighbour(report: BootstrapReport): void;
}

/** What a pong of a UDP host cache says. */
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
  /** Ourselves, when we are an ultrapeer that others can reach; else null. */
  readonly toTell: (now: number) => Endpoint | null;
  /** Sends a ping with GGEP SCP. `done` is called with the pong, at most once. */
  readonly ping: (to: Endpoint, done: (answer: UdpCacheAnswer, now: number) => void, now: number) => void;
}

export class Bootstrap {
  readonly #parts: BootstrapParts;
  readonly #books: Readonly<Record<CacheKind, CacheBook>>;
  readonly #plan: BootstrapPlan;
  /** Wall-clock milliseconds, as all times of caches: they are remembered across restarts. */
  readonly #startedAt: number;
  /** To GWebCaches, under way: one that asks, and one that tells of us. */
  readonly #requests = new Set<GwebCacheRequest>();
  /** When each was told of us, by URL; one entry for all where only one is told. */
  readonly #toldAt = new Map<string, number>();
  #state: BootstrapReport['state'] | null = null;
  #lookAt: number;
  #closed = false;

  constructor(parts: BootstrapParts, now: number) {
    const { clock, random, rules, caches } = parts;
    this.#parts = parts;
    this.#startedAt = clock.wallTime();
    this.#lookAt = now;
    this.#books = {
      udp: new CacheBook(caches.udp, rules.udp, random),
      web: new CacheBook(caches.web, rules.web, random),
    };
    this.#plan = new BootstrapPlan(this.#books, rules.timing, random, this.#startedAt);
  }

  /** What is being tried, and what is next. */
  get report(): BootstrapReport {
    return this.#plan.report();
  }

  /** Changes whenever something of toRecords() does. */
  get revision(): string {
    return `${this.#books.web.revision}/${this.#books.udp.revision}`;
  }

  /** Every cache known, with when it was asked and answered. */
  toRecords(): KnownCache[] {
    return KINDS.flatMap(kind => this.#books[kind].toRecords().map(record => ({ kind, ...record })));
  }

  /** Before the first tick: what earlier runs knew. */
  fromRecords(records: readonly KnownCache[]): void {
    for (const kind of KINDS) {
      const known = records.filter(record => record.kind === kind);
      this.#books[kind].fromRecords(known.map(({ kind: _, ...record }) => record));
    }
  }

  /** Out of a hosts file. */
  addStored(hosts: readonly Endpoint[], udpHostCaches: readonly string[], now: number): void {
    const stored = { source: 'stored', ultrapeer: null, dailyUptimeSeconds: null } as const;
    this.#parts.sightings.add(
      hosts.map(endpoint => ({ endpoint, ...stored })),
      now,
    );
    for (const address of udpHostCaches) this.#books.udp.heard(address);
  }

  /** Does what is due; when to be called again. */
  tick(now: number): number {
    if (this.#closed) return Number.POSITIVE_INFINITY;
    if (now >= this.#lookAt) {
      const rests = this.#look(now);
      this.#lookAt = now + this.#parts.rules.lookMs * (rests ? LOOKS_AT_REST : 1);
    }
    return this.#lookAt;
  }

  /** Nothing is asked from now on, and answers change nothing. */
  close(): void {
    this.#closed = true;
  }

  /** Whether there is nothing to be done for now. */
  #look(now: number): boolean {
    const { clock, links, hosts, reach, shell, udp } = this.#parts;
    const wallTime = clock.wallTime();
    const { connected, wanted } = links();
    const command = this.#plan.step({
      now: wallTime,
      wanted,
      links: connected,
      udp: udp(),
      dialable: () => hosts.next(wallTime, host => reach.isOwn(host) || isKnownLeaf(host)) !== null,
      tried: () => hosts.triedSince(this.#plan.hopeAt),
    });
    if (command.kind === 'ask') {
      if (command.cache === 'udp') shell.lookUpCache(command.address);
      else this.#request(command.address, true, now);
    }
    this.#say();
    this.#tell(now);
    return command.kind === 'rest' || this.#books.web.size + this.#books.udp.size === 0;
  }

  /** Says once that a search has come to nothing: when it begins to wait. */
  #say(): void {
    const report = this.#plan.report();
    if (report.state === this.#state) return;
    this.#state = report.state;
    if (report.state === 'waiting' && report.round > 0) this.#parts.sink.onNoNeighbour(report);
  }

  // --- GWebCaches

  #tell(now: number): void {
    const wallTime = this.#parts.clock.wallTime();
    const url = this.#requests.size === 0 && this.#mayTell(now) !== null ? this.#toBeTold(wallTime) : null;
    if (url === null) return;
    this.#books.web.asked(url, wallTime);
    this.#request(url, false, now);
  }

  /** What caches may be told of now, or null. */
  #mayTell(now: number): Endpoint | null {
    const { clock, rules, toTell } = this.#parts;
    return clock.wallTime() - this.#startedAt < rules.tellAfterMs ? null : toTell(now);
  }

  #toBeTold(wallTime: number): string | null {
    const { rules, caches } = this.#parts;
    const { web } = this.#books;
    const fresh = (key: string) => wallTime - (this.#toldAt.get(key) ?? 0) < rules.tellEveryMs;
    if (!rules.tellsEach) return fresh(ANY) ? null : web.next(wallTime);
    return caches.web.own.find(url => !fresh(url) && web.due(url, wallTime)) ?? null;
  }

  /** Where we can be told of, each request does so. */
  #request(url: string, get: boolean, now: number): void {
    const request = {
      ...{ vendor: VENDOR, version: VERSION, network: NETWORK, get, ping: true },
      update: this.#mayTell(now),
      url: this.#books.web.good(url),
    };
    this.#requests.add(request);
    this.#parts.shell.askWebCache(url, request);
  }

  webCacheAnswered(url: string, request: GwebCacheRequest, answer: GwebCacheAnswer, now: number): void {
    const { clock, rules, sink } = this.#parts;
    if (!this.#requests.delete(request) || this.#closed) return;
    const told = request.update !== null;
    if (told) this.#toldAt.set(rules.tellsEach ? url : ANY, clock.wallTime());
    for (const other of answer.urls) if (mayBeAsked(other)) this.#books.web.heard(other);
    this.#plan.answered('web', url, clock.wallTime(), this.#take(answer.hosts, true, now));
    sink.onCacheAnswered('web', url, answer.hosts.length, told);
  }

  /** `reached`: see CacheBook.failed(). */
  webCacheFailed(url: string, request: GwebCacheRequest, why: string, reached: boolean): void {
    if (!this.#requests.delete(request) || this.#closed) return;
    this.#plan.failed('web', url, reached);
    this.#parts.sink.onCacheFailed('web', url, why);
  }

  // --- UDP host caches

  /** Where a UDP host cache is: it is pinged, unless its turn is over. Its silence is a matter of time. */
  udpCacheFound(address: string, to: Endpoint, now: number): void {
    if (this.#closed || this.#plan.report().asking !== address) return;
    const { reach, udp, ping } = this.#parts;
    const why = udp() ? reach.forbids(to) : 'no UDP';
    if (why !== null) this.udpCacheLost(address, why);
    else ping(to, (answer, at) => this.#onPong(address, answer, at), now);
  }

  /** It cannot be asked. */
  udpCacheLost(address: string, why: string): void {
    if (this.#closed) return;
    this.#plan.failed('udp', address, false);
    this.#parts.sink.onCacheFailed('udp', address, why);
  }

  #onPong(address: string, { hosts, caches }: UdpCacheAnswer, now: number): void {
    if (this.#closed) return;
    for (const other of caches) this.#books.udp.heard(other);
    this.#plan.answered('udp', address, this.#parts.clock.wallTime(), this.#take(hosts, null, now));
    this.#parts.sink.onCacheAnswered('udp', address, hosts.length, false);
  }

  /** How many of them may be dialled. */
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

/** A cache that a stranger named: by name only, so that nobody sends us to an address inside. */
function mayBeAsked(url: string): boolean {
  const { hostname } = new URL(url);
  return !isIpv6(hostname) && !/^[\d.]+$/.test(hostname) && hostname.includes('.');
}
