// Which links we keep: the configured ones for ever, and as many ultrapeers as we want, dialled from the host cache.
import { lookup } from 'node:dns/promises';
import { admit, type Verdict } from '../protocol/handshake/admission.ts';
import type { Capabilities, Role } from '../protocol/handshake/capabilities.ts';
import type { Neighbours as CrawlAnswer } from '../protocol/handshake/handshake.ts';
import type { HostCache } from '../protocol/overlay/host-cache.ts';
import type { Link } from '../protocol/overlay/link.ts';
import type { Overlay } from '../protocol/overlay/overlay.ts';
import type { Clock } from '../protocol/ports.ts';
import { canonicalHost, type Endpoint, formatEndpoint } from '../protocol/wire/endpoint.ts';
import type { Log } from './log.ts';
import type { Attempt, Handshaker } from './net/handshaker.ts';
import type { ReachPolicy } from './net/reach.ts';

const ROUND_MS = 1000;
/** Dials from the host cache under way at a time. */
const SEEKING_MAX = 4;
const RETRY_MS = 1000;
const RETRY_MAX_MS = 60_000;
const TRY_HOSTS_SENT = 10;
const CRAWLED_MAX = 100;

export interface NeighboursOptions {
  overlay: Overlay;
  handshaker: Handshaker;
  hosts: HostCache;
  reach: ReachPolicy;
  clock: Clock;
  log: Log;
  role: () => Role;
  serventGuid: Buffer;
  startedAt: Date;
  maxLeaves: number;
  maxUltrapeers: number;
  /** Links to ultrapeers that we look for by ourselves. */
  seek: number;
  /** 0: no limit. */
  maxPerAddress: number;
  /** HOST:PORT to stay connected to. */
  configured: readonly string[];
  /** Neighbours without roles and of protocol 0.4 are welcome. */
  acceptLegacy: boolean;
}

/** A configured neighbour and when to dial it next. */
interface Kept {
  readonly address: string;
  retryAt: number;
  failures: number;
  dialling: boolean;
  link: Link | null;
}

export class Neighbours {
  readonly #options: NeighboursOptions;
  readonly #kept: Kept[];
  readonly #abort = new AbortController();
  /** Dials from the host cache, by "host:port". */
  readonly #seeking = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: NeighboursOptions) {
    this.#options = options;
    this.#kept = options.configured.map(address => ({
      address,
      retryAt: 0,
      failures: 0,
      dialling: false,
      link: null,
    }));
  }

  get counts(): { leaves: number; ultrapeers: number } {
    let leaves = 0;
    for (const link of this.#options.overlay.links.values()) if (link.role === 'leaf') leaves++;
    return { leaves, ultrapeers: this.#options.overlay.links.size - leaves };
  }

  start(): void {
    this.#timer = setInterval(() => this.#round(), ROUND_MS).unref();
    this.#round();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#abort.abort();
  }

  /** Other servents to stay connected to; links to those who are none any more stay as any others. */
  set configured(addresses: readonly string[]) {
    const gone = this.#kept.filter(({ address }) => !addresses.includes(address));
    for (const kept of gone) this.#kept.splice(this.#kept.indexOf(kept), 1);
    const known = new Set(this.#kept.map(({ address }) => address));
    for (const address of addresses) {
      if (!known.has(address)) this.#kept.push({ address, retryAt: 0, failures: 0, dialling: false, link: null });
    }
  }

  /** An admin's wish. Resolves when the handshake has ended. */
  async connect(address: string): Promise<Attempt> {
    const endpoint = await resolve(address);
    return typeof endpoint === 'string'
      ? { kind: 'failed', reason: 'DIAL_FAILED', text: endpoint }
      : this.#dial(endpoint);
  }

  admit(peer: Capabilities, remote: Endpoint, direction: 'in' | 'out'): Verdict {
    const { overlay, role, serventGuid, startedAt, maxLeaves, maxUltrapeers, maxPerAddress } = this.#options;
    const { leaves, ultrapeers } = this.counts;
    const links = [...overlay.links.values()];
    const sameAddress = links.filter(link => link.endpoint.host === remote.host).length;
    return admit(peer, {
      direction,
      role: role(),
      leaves: { used: leaves, max: maxLeaves },
      ultrapeers: { used: ultrapeers, max: maxUltrapeers },
      // Where an incoming peer says that it listens is no proof: it could lock others out by claiming their address.
      addressConnected: links.some(link =>
        direction === 'out' ? isAt(link, remote) : sameEndpoint(link.endpoint, remote),
      ),
      guidConnected:
        peer.guid !== null &&
        (peer.guid.equals(serventGuid) || links.some(link => link.capabilities.guid?.equals(peer.guid ?? serventGuid))),
      hostile: false,
      hammering: maxPerAddress > 0 && sameAddress >= maxPerAddress,
      closing: this.#abort.signal.aborted,
      acceptLegacy: this.#options.acceptLegacy,
      demandDynamicQuerying: false,
      mayBecomeLeaf: false,
      liveSince: startedAt.getTime(),
      guid: serventGuid,
      wantsLeaves: false,
    });
  }

  /** Fresh ultrapeers for those whom we refuse or accept. */
  tryUltrapeers(): Endpoint[] {
    const near = [...this.#options.overlay.links.values()].filter(link => link.role === 'ultrapeer');
    const known = near.flatMap(link => (link.listen === null ? [] : [link.listen]));
    const fresh = this.#options.hosts.fresh(TRY_HOSTS_SENT, true);
    const all = new Map([...known, ...fresh].map(endpoint => [formatEndpoint(endpoint), endpoint]));
    return [...all.values()].slice(0, TRY_HOSTS_SENT);
  }

  crawl(): CrawlAnswer {
    const listening = (leaf: boolean) =>
      [...this.#options.overlay.links.values()]
        .filter(link => (link.role === 'leaf') === leaf)
        .flatMap(link => (link.listen === null ? [] : [link.listen]))
        .slice(0, CRAWLED_MAX);
    return { peers: listening(false), leaves: listening(true) };
  }

  onUnlinked(link: Link): void {
    for (const kept of this.#kept) {
      if (kept.link !== link) continue;
      kept.link = null;
      kept.retryAt = this.#options.clock.now() + RETRY_MS;
    }
  }

  #round(): void {
    if (this.#abort.signal.aborted) return;
    const now = this.#options.clock.now();
    for (const kept of this.#kept) {
      if (kept.link === null && !kept.dialling && now >= kept.retryAt) void this.#keep(kept);
    }
    this.#seek();
  }

  async #keep(kept: Kept): Promise<void> {
    const { clock, log } = this.#options;
    kept.dialling = true;
    const attempt = await this.connect(kept.address);
    kept.dialling = false;
    if (attempt.kind === 'linked') {
      kept.link = attempt.link;
      kept.failures = 0;
      return;
    }
    const why = attempt.kind === 'refused' ? `${attempt.refusal.code} ${attempt.refusal.text}` : attempt.text;
    if (this.#isConnected(kept.address))
      kept.failures = 0; // it connected to us in the meantime
    else if (kept.failures++ === 0)
      log.warn({ address: kept.address, why }, 'a configured neighbour is not there; trying again');
    kept.retryAt = clock.now() + Math.min(RETRY_MS * 2 ** kept.failures, RETRY_MAX_MS);
  }

  #isConnected(address: string): boolean {
    return [...this.#options.overlay.links.values()].some(
      ({ endpoint, listen }) =>
        formatEndpoint(endpoint) === address || (listen !== null && formatEndpoint(listen) === address),
    );
  }

  #seek(): void {
    const { hosts, clock, seek, maxUltrapeers, overlay, reach } = this.#options;
    const wanted = Math.min(seek, maxUltrapeers);
    for (let missing = wanted - this.counts.ultrapeers - this.#seeking.size; missing > 0; missing--) {
      if (this.#seeking.size >= SEEKING_MAX) return;
      const links = [...overlay.links.values()];
      const endpoint = hosts.next(
        clock.wallTime(),
        candidate =>
          reach.isOwn(candidate) ||
          this.#seeking.has(formatEndpoint(candidate)) ||
          links.some(link => isAt(link, candidate)),
      );
      if (endpoint === null) return;
      const key = formatEndpoint(endpoint);
      this.#seeking.add(key);
      void this.#dial(endpoint).finally(() => this.#seeking.delete(key));
    }
  }

  async #dial(endpoint: Endpoint): Promise<Attempt> {
    const { handshaker, hosts, clock } = this.#options;
    hosts.tried(endpoint, clock.wallTime());
    const attempt = await handshaker.connect(endpoint, { signal: this.#abort.signal });
    const now = clock.wallTime();
    switch (attempt.kind) {
      case 'linked':
        hosts.add(
          { endpoint, source: 'peer', ultrapeer: attempt.link.role === 'ultrapeer', dailyUptimeSeconds: null },
          now,
        );
        hosts.succeeded(endpoint, now);
        break;
      case 'refused':
        hosts.failed(endpoint, now, attempt.refusal.code !== 0);
        this.heard(attempt.refusal.tryUltrapeers, true);
        this.heard(attempt.refusal.tryHosts, false);
        break;
      case 'failed':
        if (attempt.reason !== 'DIAL_ABORTED' && attempt.reason !== 'DIAL_BUSY') hosts.failed(endpoint, now, false);
    }
    return attempt;
  }

  /** Addresses out of somebody's headers. */
  heard(endpoints: readonly Endpoint[], ultrapeer: boolean): void {
    const { hosts, clock, reach } = this.#options;
    for (const endpoint of endpoints) {
      if (reach.isOwn(endpoint)) continue;
      const sighting = {
        endpoint,
        source: 'try',
        ultrapeer: ultrapeer ? true : null,
        dailyUptimeSeconds: null,
      } as const;
      hosts.add(sighting, clock.wallTime());
    }
  }
}

/** What is dialled there is this very peer. Its word for where it listens counts for its own address alone. */
function isAt(link: Link, endpoint: Endpoint): boolean {
  const { listen } = link;
  return (
    sameEndpoint(link.endpoint, endpoint) ||
    (listen !== null && listen.host === link.endpoint.host && sameEndpoint(listen, endpoint))
  );
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.host === b.host;
}

/** Endpoint of HOST:PORT, names looked up; a sentence when that fails. */
async function resolve(address: string): Promise<Endpoint | string> {
  const colon = address.lastIndexOf(':');
  const name = address.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(colon + 1));
  const host = canonicalHost(name);
  if (host !== null) return { host, port };
  try {
    const { address: found } = await lookup(name);
    return { host: canonicalHost(found) ?? found, port };
  } catch (error) {
    return `${name} cannot be looked up: ${error instanceof Error ? error.message : String(error)}`;
  }
}
