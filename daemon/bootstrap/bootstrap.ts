// Finds first addresses as BootstrapPlan says: reads hosts files, asks caches, takes in what they answer; tells GWebCaches of us.
import { setTimeout as delay } from 'node:timers/promises';
import {
  BootstrapPlan,
  type BootstrapReport,
  type BootstrapTiming,
  LAB_TIMING,
  PUBLIC_TIMING,
} from '../../protocol/bootstrap/bootstrap-plan.ts';
import {
  CacheBook,
  type CachePolicy,
  LAB_CACHES,
  POLITE_UDP,
  POLITE_WEB,
} from '../../protocol/bootstrap/cache-book.ts';
import { type HostCache, isKnownLeaf } from '../../protocol/overlay/neighbours/host-cache.ts';
import type { Clock, Random } from '../../protocol/ports.ts';
import { type Endpoint, isIpv6 } from '../../protocol/wire/endpoint.ts';
import type { Profile } from '../../settings/settings.ts';
import type { Log } from '../log.ts';
import type { Table } from '../store/table.ts';
import { CacheStore, type StoredCache } from './cache-store.ts';
import { askGwebCache, GwebCacheError, type GwebCacheErrorCode } from './gwebcache-client.ts';
import { readHostsFile } from './hosts-file.ts';
import type { CachesToAsk } from './known-caches.ts';
import { type HostCachePong, UdpHostCaches, type UdpPings } from './udp-host-caches.ts';

const VENDOR = 'SRVT';
const VERSION = '0.1';
const NETWORK = 'gnutella';

interface Pace extends BootstrapTiming {
  /** Between two looks at what is to be done. */
  readonly lookMs: number;
  readonly webAnswerMs: number;
  /** We tell of ourselves after so long, and so often. */
  readonly publishAfterMs: number;
  readonly publishMs: number;
  readonly web: CachePolicy;
  readonly udp: CachePolicy;
}

const HOUR_MS = 3_600_000;
const PUBLIC_PACE: Pace = {
  ...PUBLIC_TIMING,
  lookMs: 1000,
  webAnswerMs: 15_000,
  publishAfterMs: HOUR_MS,
  publishMs: HOUR_MS,
  web: POLITE_WEB,
  udp: POLITE_UDP,
};
/** A cache of ours lists a host for 20 minutes. */
const LAB_PACE: Pace = {
  ...LAB_TIMING,
  lookMs: 200,
  webAnswerMs: 5_000,
  publishAfterMs: 0,
  publishMs: 5 * 60_000,
  web: LAB_CACHES,
  udp: LAB_CACHES,
};
/** Servents do not run where only administrators may listen. */
const HEARSAY_PORT_MIN = 1024;

export interface BootstrapOptions {
  profile: Profile;
  caches: CachesToAsk;
  hostsFiles: readonly string[];
  hosts: HostCache;
  table: Table<StoredCache>;
  /** Null: there is no UDP. */
  pings: UdpPings | null;
  clock: Clock;
  random: Random;
  log: Log;
  /** Why an address must not be asked, or null. */
  forbids: (endpoint: Endpoint) => string | null;
  isOwn: (endpoint: Endpoint) => boolean;
  /** Ultrapeers connected and wanted. */
  links: () => { connected: number; wanted: number };
  /** Ourselves when we are an ultrapeer that others can reach; else null. */
  publish: () => Endpoint | null;
}

export class Bootstrap {
  readonly #options: BootstrapOptions;
  readonly #pace: Pace;
  readonly #lab: boolean;
  readonly #web: CacheBook;
  readonly #udpBook: CacheBook;
  readonly #plan: BootstrapPlan;
  readonly #udp: UdpHostCaches | null;
  readonly #store: CacheStore;
  readonly #abort = new AbortController();
  readonly #startedAt: number;
  /** Requests to GWebCaches under way: one that asks, and one that tells of us. */
  readonly #requests = new Set<Promise<void>>();
  /** By URL; as many as there are own caches, or one entry in public. */
  readonly #publishedAt = new Map<string, number>();
  #state: BootstrapReport['state'] | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(options: BootstrapOptions) {
    const { profile, caches, clock, random, pings, forbids, log } = options;
    const { own, wellKnown } = caches;
    this.#options = options;
    this.#lab = profile !== 'public';
    this.#pace = this.#lab ? LAB_PACE : PUBLIC_PACE;
    this.#startedAt = clock.wallTime();
    this.#web = new CacheBook({ own: own.web, wellKnown: wellKnown.web }, this.#pace.web, random);
    this.#udpBook = new CacheBook({ own: own.udp, wellKnown: wellKnown.udp }, this.#pace.udp, random);
    // Without UDP none is asked, and what is known of them is kept for later.
    const udp = pings === null ? new CacheBook({ own: [], wellKnown: [] }, this.#pace.udp, random) : this.#udpBook;
    this.#plan = new BootstrapPlan({ udp, web: this.#web }, this.#pace, random, this.#startedAt);
    this.#udp =
      pings === null
        ? null
        : new UdpHostCaches({
            ...{ pings, clock, forbids },
            asksNames: profile !== 'local',
            answerMs: this.#pace.answerMs.udp,
            onPong: (address, pong) => this.#onPong(address, pong),
            onFailed: (address, why) => this.#onUdpFailed(address, why),
          });
    this.#store = new CacheStore(options.table, { web: this.#web, udp: this.#udpBook }, log);
  }

  /** Every cache known, with when it was asked and answered. */
  get caches(): StoredCache[] {
    return this.#store.records();
  }

  /** What is being tried, and what is next. */
  get report(): BootstrapReport {
    return this.#plan.report();
  }

  /** Reads hosts files and what earlier runs knew of caches; then looks after it by itself. */
  async start(): Promise<void> {
    await this.#store.start();
    for (const path of this.#options.hostsFiles) await this.#readHosts(path);
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#udp?.stop();
    await this.#running;
    await Promise.all(this.#requests);
    await this.#store.save();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      this.#look();
      await this.#store.save();
      await delay(this.#pace.lookMs, undefined, { signal, ref: false }).catch(error => {
        if (!signal.aborted) throw error;
      });
    }
  }

  #look(): void {
    const { clock, links, hosts, isOwn } = this.#options;
    const now = clock.wallTime();
    const { connected, wanted } = links();
    const command = this.#plan.step({
      now,
      wanted,
      links: connected,
      dialable: () => hosts.next(now, host => isOwn(host) || isKnownLeaf(host)) !== null,
      tried: () => hosts.triedSince(this.#plan.hopeAt),
    });
    if (command.kind === 'ask') {
      if (command.cache === 'udp') void this.#udp?.ask(command.address);
      else this.#request(command.address, true);
    }
    this.#tell();
    const told = this.#requests.size === 0 ? this.#publishDue(now) : null;
    if (told === null) return;
    this.#web.asked(told, now);
    this.#request(told, false);
  }

  /** A search that has come to nothing for now is told once, when it begins to wait. */
  #tell(): void {
    const { state, round, caches } = this.#plan.report();
    if (state === this.#state) return;
    this.#state = state;
    const { udp, web } = caches;
    if (state === 'waiting' && round > 0) {
      const asked = udp.asked + web.asked;
      this.#options.log.info(
        { round, asked, answered: udp.answered + web.answered },
        'no neighbour yet; caches are asked again',
      );
    }
  }

  /** The GWebCache to be told of us now, or null. In a lab each of them, in public one at a time. */
  #publishDue(now: number): string | null {
    const { publishAfterMs, publishMs } = this.#pace;
    if (this.#web.size === 0 || now - this.#startedAt < publishAfterMs || this.#options.publish() === null) return null;
    const fresh = (key: string) => now - (this.#publishedAt.get(key) ?? 0) < publishMs;
    if (!this.#lab) return fresh(ANY) ? null : this.#web.next(now);
    return this.#options.caches.own.web.find(url => !fresh(url) && this.#web.due(url, now)) ?? null;
  }

  #request(url: string, get: boolean): void {
    if (this.#abort.signal.aborted) return;
    const request = this.#askWeb(url, get).finally(() => this.#requests.delete(request));
    this.#requests.add(request);
  }

  async #askWeb(url: string, get: boolean): Promise<void> {
    const { clock, log, forbids, publish } = this.#options;
    const book = this.#web;
    const now = clock.wallTime();
    const update = now - this.#startedAt < this.#pace.publishAfterMs ? null : publish();
    try {
      const request = {
        vendor: VENDOR,
        version: VERSION,
        network: NETWORK,
        get,
        ping: true,
        update,
        url: book.good(url),
      };
      const options = { forbids, asksNames: this.#options.profile !== 'local', answerMs: this.#pace.webAnswerMs };
      const answer = await askGwebCache(url, request, options, this.#abort.signal);
      if (update !== null) this.#publishedAt.set(this.#lab ? url : ANY, now);
      for (const other of answer.urls) if (mayBeAsked(other)) book.heard(other);
      log.info({ cache: url, hosts: answer.hosts.length, told: update !== null }, 'a GWebCache answered');
      if (answer.warning !== null) log.debug({ cache: url, warning: answer.warning.slice(0, 100) }, 'it warns');
      this.#plan.answered('web', url, clock.wallTime(), this.#take(answer.hosts, true));
    } catch (error) {
      if (!(error instanceof GwebCacheError)) throw error;
      if (this.#abort.signal.aborted) return;
      this.#plan.failed('web', url, !UNREACHED.includes(error.code));
      log.info({ cache: url, code: error.code, why: error.message }, 'a GWebCache was of no use');
    }
  }

  #onPong(cache: string, { hosts, hostCaches }: HostCachePong): void {
    for (const other of hostCaches) this.#udpBook.heard(other);
    this.#options.log.info({ cache, hosts: hosts.length }, 'a UDP host cache answered');
    this.#plan.answered('udp', cache, this.#options.clock.wallTime(), this.#take(hosts, null));
  }

  #onUdpFailed(cache: string, why: string): void {
    this.#plan.failed('udp', cache, false);
    this.#options.log.info({ cache, why }, 'a UDP host cache could not be asked');
  }

  /** How many of them may be dialled. */
  #take(endpoints: readonly Endpoint[], ultrapeer: true | null): number {
    const { hosts, clock, isOwn } = this.#options;
    const now = clock.wallTime();
    let taken = 0;
    for (const endpoint of endpoints) {
      if (isOwn(endpoint) || (!this.#lab && endpoint.port < HEARSAY_PORT_MIN)) continue;
      if (hosts.add({ endpoint, source: 'cache', ultrapeer, dailyUptimeSeconds: null }, now)) taken++;
    }
    return taken;
  }

  async #readHosts(path: string): Promise<void> {
    const { hosts, clock, log } = this.#options;
    try {
      const { hosts: found, udpHostCaches, unreadable } = await readHostsFile(path);
      const now = clock.wallTime();
      for (const endpoint of found)
        hosts.add({ endpoint, source: 'stored', ultrapeer: null, dailyUptimeSeconds: null }, now);
      for (const cache of udpHostCaches) this.#udpBook.heard(cache);
      log.info({ path, hosts: found.length, unreadable }, 'a hosts file was read');
    } catch (err) {
      log.warn({ err, path }, 'a hosts file could not be read; going on without it');
    }
  }
}

const ANY = 'any';
/** Ends of a request that did not come as far as the cache. */
const UNREACHED: readonly GwebCacheErrorCode[] = ['CACHE_FORBIDDEN', 'CACHE_UNREACHABLE'];

/** A cache that a stranger named: by name only, so that nobody sends us to an address inside. */
function mayBeAsked(url: string): boolean {
  const { hostname } = new URL(url);
  return !isIpv6(hostname) && !/^[\d.]+$/.test(hostname) && hostname.includes('.');
}
