// Finds first addresses: hosts files, then our own hosts, then UDP host caches, then GWebCaches; tells GWebCaches of us.
import { setTimeout as delay } from 'node:timers/promises';
import { type BootstrapTiming, LAB_TIMING, nextStep, PUBLIC_TIMING } from '../../protocol/bootstrap/bootstrap-plan.ts';
import {
  CacheBook,
  type CachePolicy,
  LAB_CACHES,
  POLITE_UDP,
  POLITE_WEB,
} from '../../protocol/bootstrap/cache-book.ts';
import type { HostCache } from '../../protocol/overlay/host-cache.ts';
import type { Clock, Random } from '../../protocol/ports.ts';
import { type Endpoint, isIpv6 } from '../../protocol/wire/endpoint.ts';
import type { Log } from '../log.ts';
import type { Profile } from '../settings.ts';
import type { Table } from '../store/table.ts';
import { CacheStore, type StoredCache } from './cache-store.ts';
import { askGwebCache, GwebCacheError } from './gwebcache-client.ts';
import { readHostsFile } from './hosts-file.ts';
import type { KnownCaches } from './known-caches.ts';
import { UdpHostCaches, type UdpPings } from './udp-host-caches.ts';

const VENDOR = 'SRVT';
const VERSION = '0.1';
const NETWORK = 'gnutella';

interface Pace extends BootstrapTiming {
  readonly roundMs: number;
  readonly udpAnswerMs: number;
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
  roundMs: 1000,
  udpAnswerMs: 20_000,
  webAnswerMs: 15_000,
  publishAfterMs: HOUR_MS,
  publishMs: HOUR_MS,
  web: POLITE_WEB,
  udp: POLITE_UDP,
};
/** A cache of ours lists a host for 20 minutes. */
const LAB_PACE: Pace = {
  ...LAB_TIMING,
  roundMs: 200,
  udpAnswerMs: 2_000,
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
  caches: KnownCaches;
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
  readonly #udp: UdpHostCaches | null;
  readonly #store: CacheStore;
  readonly #abort = new AbortController();
  readonly #startedAt: number;
  /** When there was a link last, or a cache brought hosts. Wall time, like the host cache's. */
  #hopeAt: number;
  #udpAskedAt: number | null = null;
  #asking: Promise<void> | null = null;
  /** By URL; as many as there are own caches, or one entry in public. */
  readonly #publishedAt = new Map<string, number>();
  #running: Promise<void> = Promise.resolve();

  constructor(options: BootstrapOptions) {
    const { profile, caches, clock, random, pings, forbids, log } = options;
    this.#options = options;
    this.#lab = profile !== 'public';
    this.#pace = this.#lab ? LAB_PACE : PUBLIC_PACE;
    this.#startedAt = clock.wallTime();
    this.#hopeAt = this.#startedAt;
    this.#web = new CacheBook(caches.web, this.#pace.web, random);
    this.#udpBook = new CacheBook(caches.udp, this.#pace.udp, random);
    const onHosts = (hosts: readonly Endpoint[]) => this.#onHosts(hosts, null);
    const { udpAnswerMs } = this.#pace;
    this.#udp =
      pings === null
        ? null
        : new UdpHostCaches({
            ...{ pings, clock, log, forbids, onHosts },
            book: this.#udpBook,
            asksNames: profile !== 'local',
            answerMs: udpAnswerMs,
          });
    this.#store = new CacheStore(options.table, { web: this.#web, udp: this.#udpBook }, log);
  }

  /** Every cache known, with when it was asked and answered. */
  get caches(): StoredCache[] {
    return this.#store.records();
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
    await this.#asking;
    await this.#store.save();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      this.#round();
      await this.#store.save();
      await delay(this.#pace.roundMs, undefined, { signal, ref: false }).catch(error => {
        if (!signal.aborted) throw error;
      });
    }
  }

  #round(): void {
    const { clock, links } = this.#options;
    const now = clock.wallTime();
    const { connected, wanted } = links();
    if (connected > 0) this.#hope(now);
    switch (connected >= wanted ? 'wait' : nextStep(this.#facts(connected, wanted, now), this.#pace)) {
      case 'udp':
        if (this.#udp?.ask() === true) this.#udpAskedAt ??= now;
        break;
      case 'web':
        this.#ask(this.#web.next(now), true);
        break;
    }
    this.#ask(this.#publishDue(now), false);
  }

  #facts(links: number, wanted: number, now: number) {
    const { hosts, isOwn } = this.#options;
    return {
      links,
      wanted,
      dialable: hosts.next(now, isOwn) !== null,
      tried: hosts.toRecords().filter(({ triedAt }) => triedAt >= this.#hopeAt).length,
      withoutLinkMs: now - this.#hopeAt,
      sinceUdpMs: this.#udpAskedAt === null ? null : now - this.#udpAskedAt,
      udpCaches: this.#udp?.size ?? 0,
    };
  }

  #hope(now: number): void {
    this.#hopeAt = now;
    this.#udpAskedAt = null;
  }

  /** The GWebCache to be told of us now, or null. In a lab each of them, in public one at a time. */
  #publishDue(now: number): string | null {
    const { publishAfterMs, publishMs } = this.#pace;
    if (this.#web.size === 0 || now - this.#startedAt < publishAfterMs || this.#options.publish() === null) return null;
    const fresh = (key: string) => now - (this.#publishedAt.get(key) ?? 0) < publishMs;
    if (!this.#lab) return fresh(ANY) ? null : this.#web.next(now);
    return this.#options.caches.web.find(url => !fresh(url) && this.#web.due(url, now)) ?? null;
  }

  /** One request at a time; whatever is due goes with it. */
  #ask(url: string | null, get: boolean): void {
    if (url === null || this.#asking !== null || this.#abort.signal.aborted) return;
    this.#asking = this.#askWeb(url, get).finally(() => {
      this.#asking = null;
    });
  }

  async #askWeb(url: string, get: boolean): Promise<void> {
    const { clock, log, forbids, publish } = this.#options;
    const book = this.#web;
    const now = clock.wallTime();
    const update = now - this.#startedAt < this.#pace.publishAfterMs ? null : publish();
    book.asked(url, now);
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
      book.answered(url, clock.wallTime());
      if (update !== null) this.#publishedAt.set(this.#lab ? url : ANY, now);
      for (const other of answer.urls) if (mayBeAsked(other)) book.heard(other);
      log.info({ cache: url, hosts: answer.hosts.length, told: update !== null }, 'a GWebCache answered');
      if (answer.warning !== null) log.debug({ cache: url, warning: answer.warning.slice(0, 100) }, 'it warns');
      this.#onHosts(answer.hosts, true);
    } catch (error) {
      if (!(error instanceof GwebCacheError)) throw error;
      if (this.#abort.signal.aborted) return;
      book.failed(url);
      log.info({ cache: url, code: error.code, why: error.message }, 'a GWebCache was of no use');
    }
  }

  #onHosts(endpoints: readonly Endpoint[], ultrapeer: true | null): void {
    const { hosts, clock, isOwn } = this.#options;
    const now = clock.wallTime();
    let taken = 0;
    for (const endpoint of endpoints) {
      if (isOwn(endpoint) || (!this.#lab && endpoint.port < HEARSAY_PORT_MIN)) continue;
      if (hosts.add({ endpoint, source: 'cache', ultrapeer, dailyUptimeSeconds: null }, now)) taken++;
    }
    if (taken > 0) this.#hope(now);
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

/** A cache that a stranger named: by name only, so that nobody sends us to an address inside. */
function mayBeAsked(url: string): boolean {
  const { hostname } = new URL(url);
  return !isIpv6(hostname) && !/^[\d.]+$/.test(hostname) && hostname.includes('.');
}
