// Which links we have: who is let in, whom we dial, whom we leave for a better one, and what a change of role costs.
import { admit, staysOfCrossed, type Verdict } from '../../protocol/handshake/admission.ts';
import type { Capabilities, Role } from '../../protocol/handshake/capabilities.ts';
import type { Neighbours as CrawlAnswer, Refused } from '../../protocol/handshake/handshake.ts';
import type { FreeSlots } from '../../protocol/overlay/free-slots.ts';
import { type DialFailure, type HostCache, isKnownLeaf } from '../../protocol/overlay/host-cache.ts';
import type { KeptReport } from '../../protocol/overlay/kept-plan.ts';
import type { Link } from '../../protocol/overlay/link.ts';
import type { Overlay } from '../../protocol/overlay/overlay.ts';
import { TimedKeys } from '../../protocol/overlay/timed-keys.ts';
import {
  type LinkFacts,
  Topology,
  type TopologyRules,
  ultrapeerSlots,
  ultrapeersSought,
} from '../../protocol/overlay/topology.ts';
import type { Clock } from '../../protocol/ports.ts';
import { ByeCode } from '../../protocol/wire/bye.ts';
import {
  canonicalHost,
  distinct,
  type Endpoint,
  endpointOrNull,
  formatEndpoint,
} from '../../protocol/wire/endpoint.ts';
import type { Log } from '../log.ts';
import type { Attempt, Handshaker } from '../net/handshaker.ts';
import { addressesOf } from '../net/lookup.ts';
import type { ReachPolicy } from '../net/reach.ts';
import { KeptNeighbours } from './kept-neighbours.ts';

const ROUND_MS = 1000;
/** A leaf looks for a roomier ultrapeer in one round of so many. */
const ROUNDS_PER_LOOK = 8;
/** Times that an ultrapeer is asked for its slots before what it said is forgotten. */
const ASKS_PER_LIFE = 4;
const TRY_HOSTS_SENT = 10;
const CRAWLED_MAX = 100;
/** Between two answers to crawlers of one address (gtk-gnutella), and how many of them are remembered. */
const CRAWL_MS = 300_000;
const CRAWLERS_MAX = 1024;
/** The latest dials tell whether the network is full. */
const OUTCOMES_MAX = 8;

/** Read when needed: they follow the settings. */
export interface LinkBounds {
  readonly maxLeaves: number;
  readonly maxUltrapeers: number;
  /** Links to ultrapeers that we look for by ourselves. */
  readonly seek: number;
  /** 0: no limit. */
  readonly maxPerAddress: number;
}

export interface NeighboursOptions {
  overlay: Overlay;
  handshaker: Handshaker;
  hosts: HostCache;
  slots: FreeSlots;
  reach: ReachPolicy;
  clock: Clock;
  random: { below(bound: number): number };
  log: Log;
  role: () => Role;
  /** We may follow a neighbour that wants us as its leaf. */
  mayBecomeLeaf: () => boolean;
  /** A link is up on which we are a leaf, though we are none yet. */
  onGuided: () => void;
  topology: TopologyRules;
  serventGuid: Buffer;
  startedAt: Date;
  bounds: LinkBounds;
  /** HOST:PORT to stay connected to. */
  configured: readonly string[];
  /** Neighbours without roles and of protocol 0.4 are welcome. */
  acceptLegacy: boolean;
  /** The world's manners: ultrapeers that flood are refused by leaves, crawlers that come too often by all. */
  strict: boolean;
  /** Once there are ultrapeers enough for a leaf, ask further ones to be leaves. */
  guides: boolean;
}

export class Neighbours {
  readonly #options: NeighboursOptions;
  readonly #kept: KeptNeighbours;
  readonly #topology: Topology;
  readonly #crawlers: TimedKeys;
  readonly #abort = new AbortController();
  /** Dials from the host cache, by "host:port". */
  readonly #seeking = new Set<string>();
  /** Whether each of the latest dials that were answered was refused for lack of a slot; at most OUTCOMES_MAX. */
  #outcomes: { at: number; full: boolean }[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: NeighboursOptions) {
    const { clock, log, topology } = options;
    this.#options = options;
    this.#topology = new Topology(topology, clock.now());
    this.#crawlers = new TimedKeys(CRAWL_MS, CRAWLERS_MAX, clock.now());
    this.#kept = new KeptNeighbours({
      addresses: options.configured,
      clock,
      random: options.random,
      log,
      connect: address => this.connect(address),
      isConnected: address => this.#isConnected(address),
    });
  }

  get counts(): { leaves: number; ultrapeers: number } {
    return countsOf([...this.#options.overlay.links.values()]);
  }

  /** Ultrapeers that we look for in our role. */
  get sought(): number {
    const { topology, role, bounds } = this.#options;
    const { seek, maxUltrapeers } = bounds;
    return ultrapeersSought(topology, role(), seek, maxUltrapeers);
  }

  /** Of the latest dials that were answered: refused for lack of a slot, 0 to 1. */
  get refusedShare(): number {
    const since = this.#options.clock.now() - this.#options.topology.windowMs;
    const fresh = this.#outcomes.filter(({ at }) => at >= since);
    return fresh.length === 0 ? 0 : fresh.filter(({ full }) => full).length / fresh.length;
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
    this.#kept.addresses = addresses;
  }

  /** Those of the setting: connected, or when they are dialled next and why they are not. */
  get kept(): KeptReport[] {
    return this.#kept.report();
  }

  /** An admin's wish. Resolves when the handshake has ended. */
  async connect(address: string): Promise<Attempt> {
    const endpoint = await resolve(address, this.#options.reach.asksNames);
    return typeof endpoint === 'string'
      ? { kind: 'failed', reason: 'DIAL_FAILED', text: endpoint }
      : this.#dial(endpoint);
  }

  /** `begunAt`: when the handshake began. A link that came up since with the same servent may give way to this one. */
  admit(peer: Capabilities, remote: Endpoint, direction: 'in' | 'out', begunAt: number): Verdict {
    const { overlay, serventGuid, startedAt, bounds, topology } = this.#options;
    const { maxLeaves, maxUltrapeers, maxPerAddress } = bounds;
    const role = this.#options.role();
    const { guid } = peer;
    const all = [...overlay.links.values()];
    const crossed = all.find(
      link =>
        isServent(link, guid) &&
        link.endpoint.host === remote.host && // a GUID alone is nobody's proof to unseat another with
        link.direction !== direction &&
        link.openedAt >= begunAt,
    );
    const stays = crossed !== undefined && guid !== null && staysOfCrossed(direction, serventGuid, guid);
    const links = stays ? all.filter(link => link !== crossed) : all; // onLinked() ends that one
    const { leaves, ultrapeers } = countsOf(links);
    const sameAddress = links.filter(link => link.endpoint.host === remote.host).length;
    const slots = Math.max(
      ultrapeerSlots(topology, role, maxUltrapeers),
      Math.min(this.#kept.addresses.length, maxUltrapeers),
    );
    return admit(peer, {
      direction,
      role,
      leaves: { used: leaves, max: maxLeaves },
      ultrapeers: { used: ultrapeers, max: slots },
      // Where an incoming peer says that it listens is no proof: it could lock others out by claiming their address.
      // It counts at its own address, against who was dialled there: that one is known to listen.
      addressConnected: links.some(link =>
        direction === 'out'
          ? isAt(link, remote)
          : sameEndpoint(link.endpoint, remote) || claimsToBe(link, peer, remote),
      ),
      guidConnected: guid !== null && (guid.equals(serventGuid) || links.some(link => isServent(link, guid))),
      hostile: false, // those are closed before they say a word
      hammering: maxPerAddress > 0 && sameAddress >= maxPerAddress,
      closing: this.#abort.signal.aborted,
      acceptLegacy: this.#options.acceptLegacy,
      demandDynamicQuerying: this.#options.strict,
      mayBecomeLeaf: this.#options.mayBecomeLeaf(),
      liveSince: startedAt.getTime(),
      guid: serventGuid,
      wantsLeaves: this.#options.guides && ultrapeers + 1 >= topology.leafUltrapeers,
    });
  }

  /** Ultrapeers for those whom we refuse, accept or leave: the neighbours first, those with room before all. */
  tryUltrapeers(): Endpoint[] {
    const { overlay, hosts, slots, clock } = this.#options;
    const now = clock.now();
    const near = [...overlay.links.values()].filter(link => link.role === 'ultrapeer');
    const all = distinct([...listensOf(near), ...hosts.fresh(TRY_HOSTS_SENT, true)]);
    const room = (endpoint: Endpoint) => ((slots.of(endpoint, now) ?? 0) > 0 ? 0 : 1);
    return all.sort((a, b) => room(a) - room(b)).slice(0, TRY_HOSTS_SENT);
  }

  /** Null for one that came lately. */
  crawl(remote: Endpoint): CrawlAnswer | null {
    const { overlay, clock, strict } = this.#options;
    const now = clock.now();
    if (strict && this.#crawlers.has(remote.host, now)) return null;
    this.#crawlers.add(remote.host, now);
    const links = [...overlay.links.values()];
    const listening = (leaf: boolean) =>
      distinct(listensOf(links.filter(link => (link.role === 'leaf') === leaf))).slice(0, CRAWLED_MAX);
    return { peers: listening(false), leaves: listening(true) };
  }

  onLinked(link: Link): void {
    const { role, onGuided, overlay } = this.#options;
    for (const twin of [...overlay.links.values()]) {
      if (twin === link || !isServent(twin, link.capabilities.guid)) continue;
      overlay.bye(twin, ByeCode.AlreadyConnected, 'Already connected');
    }
    this.heard(link.capabilities.tryUltrapeers, true);
    if (link.ourRole === 'leaf' && role() === 'ultrapeer') onGuided();
  }

  onUnlinked(link: Link): void {
    const { hosts, slots, clock } = this.#options;
    this.#kept.onUnlinked(link);
    const { listen, ended } = link;
    if (listen === null || listen.host !== link.endpoint.host) return; // anybody's address
    const now = clock.wallTime();
    if (ended?.code === ByeCode.ModeChange) {
      hosts.add({ endpoint: listen, source: 'peer', ultrapeer: link.role === 'leaf', dailyUptimeSeconds: null }, now);
    } else if (ended?.code === ByeCode.Shutdown) hosts.failed(listen, now, 'silent');
    slots.forget(listen);
  }

  /** Our role has changed: whoever knows us in the old one is told, and where to go instead. */
  onRole(role: Role): void {
    const { overlay } = this.#options;
    const text = role === 'leaf' ? 'Becoming a leaf node' : 'Becoming an ultra node';
    this.#outcomes = [];
    for (const link of [...overlay.links.values()]) {
      if (link.ourRole !== role) overlay.bye(link, ByeCode.ModeChange, text, this.#alternativesFor(link));
    }
    setImmediate(() => this.#round()); // not from within the handshake that brought it about
  }

  #alternativesFor(link: Link): Endpoint[] {
    return this.tryUltrapeers().filter(endpoint => !isAt(link, endpoint));
  }

  #round(): void {
    if (this.#abort.signal.aborted) return;
    const { overlay, role, bounds, clock, hosts } = this.#options;
    const { seek, maxUltrapeers, maxLeaves } = bounds;
    const now = clock.now();
    this.#kept.round(now);
    const links = [...overlay.links.values()];
    const plan = this.#topology.plan(
      {
        role: role(),
        links: links.map(link => this.#factsOf(link, now)),
        seek,
        ultrapeersMax: maxUltrapeers,
        leavesMax: maxLeaves,
        dialling: this.#seeking.size,
        roomElsewhere: this.#roomElsewhere(links, now),
        spare: () => hosts.next(clock.wallTime(), host => this.#isNear(host, links)) !== null,
      },
      now,
    );
    const leaving = plan.drop === null ? undefined : overlay.links.get(plan.drop.id);
    if (plan.drop !== null && leaving !== undefined) this.#leave(leaving, plan.drop);
    for (let i = 0; i < plan.dial; i++) if (!this.#seek()) break;
    this.#askForSlots(now);
  }

  /** Looked for at random: or all leaves of a full ultrapeer would see the same place, and move there at once. */
  #roomElsewhere(links: readonly Link[], now: number): number {
    const { slots, random } = this.#options;
    if (random.below(ROUNDS_PER_LOOK) > 0) return 0;
    return slots.roomiest(now, endpoint => this.#isNear(endpoint, links))?.free ?? 0;
  }

  #factsOf(link: Link, now: number): LinkFacts {
    const { queue, drops, listen } = link;
    return {
      id: link.id,
      role: link.role,
      framesIn: link.framesIn,
      framesOut: queue.framesSent,
      dropped: queue.droppedTotal + (drops?.lost ?? 0),
      queryHopsMax: link.queryHopsMax,
      pinned: this.#kept.has(link),
      leafSlotsFree: listen === null ? null : this.#options.slots.of(listen, now),
    };
  }

  #leave(link: Link, { cause, code, text }: { cause: string; code: number; text: string }): void {
    const { overlay, hosts, clock, log } = this.#options;
    log.info({ link: link.id, peer: formatEndpoint(link.endpoint), cause }, 'leaving a neighbour');
    hosts.failed(link.listen ?? link.endpoint, clock.wallTime(), 'full'); // or it would be dialled again at once
    overlay.bye(link, code, text, this.#alternativesFor(link));
  }

  /** A leaf wants to know where there is room; ultrapeers hear it from one another. */
  #askForSlots(now: number): void {
    const { overlay, role, slots } = this.#options;
    if (role() !== 'leaf' || now - this.#askedAt < slots.lifeMs / ASKS_PER_LIFE) return;
    this.#askedAt = now;
    for (const link of overlay.links.values()) if (link.role === 'ultrapeer') overlay.askForPong(link);
  }

  #isConnected(address: string): boolean {
    const endpoint = endpointOrNull(address);
    return endpoint !== null && [...this.#options.overlay.links.values()].some(link => isAt(link, endpoint));
  }

  /** Ourselves, connected, being dialled, or dialled by the plan for configured ones, which counts how often. */
  #isNear(endpoint: Endpoint, links: readonly Link[]): boolean {
    const { reach } = this.#options;
    return (
      reach.isOwn(endpoint) ||
      this.#seeking.has(formatEndpoint(endpoint)) ||
      this.#kept.addresses.includes(formatEndpoint(endpoint)) ||
      links.some(link => isAt(link, endpoint))
    );
  }

  /** False when there is nobody to be dialled. */
  #seek(): boolean {
    const { hosts, clock, overlay, role, slots } = this.#options;
    const links = [...overlay.links.values()];
    const near = (endpoint: Endpoint) => this.#isNear(endpoint, links);
    const unfit = (endpoint: Endpoint) => near(endpoint) || !hosts.mayDial(endpoint, clock.wallTime());
    const roomy = role() === 'leaf' ? (slots.roomiest(clock.now(), unfit)?.endpoint ?? null) : null;
    if (roomy !== null) slots.forget(roomy); // one dial is what its word is good for
    const endpoint = roomy ?? hosts.next(clock.wallTime(), host => isKnownLeaf(host) || near(host));
    if (endpoint === null) return false;
    const key = formatEndpoint(endpoint);
    this.#seeking.add(key);
    void this.#dial(endpoint).finally(() => this.#seeking.delete(key));
    return true;
  }

  async #dial(endpoint: Endpoint): Promise<Attempt> {
    const { handshaker, hosts, clock } = this.#options;
    const triedAt = clock.wallTime();
    hosts.tried(endpoint, triedAt);
    const attempt = await handshaker.connect(endpoint, { signal: this.#abort.signal });
    const now = clock.wallTime();
    switch (attempt.kind) {
      case 'linked':
        this.#met(endpoint, attempt.link.role === 'ultrapeer', triedAt);
        hosts.succeeded(endpoint, now);
        this.#answered(false);
        break;
      case 'refused':
        this.#onRefused(endpoint, attempt.refusal, triedAt);
        break;
      case 'failed':
        if (attempt.reason === 'DIAL_ABORTED' || attempt.reason === 'DIAL_BUSY') break;
        hosts.failed(endpoint, now, 'silent');
        this.#options.slots.forget(endpoint);
    }
    return attempt;
  }

  /** Somebody spoke at an address that may be new to us, as when a person named it. */
  #met(endpoint: Endpoint, ultrapeer: boolean, triedAt: number): void {
    const { hosts, clock } = this.#options;
    hosts.add({ endpoint, source: 'peer', ultrapeer, dailyUptimeSeconds: null }, clock.wallTime());
    hosts.tried(endpoint, triedAt);
  }

  #onRefused(endpoint: Endpoint, refusal: Refused, triedAt: number): void {
    const { hosts, slots, clock, role } = this.#options;
    const peer = refusal.capabilities?.role ?? 'legacy';
    if (peer !== 'legacy') this.#met(endpoint, peer === 'ultrapeer', triedAt);
    hosts.failed(endpoint, clock.wallTime(), howRefused(refusal));
    this.heard(refusal.tryUltrapeers, true);
    this.heard(refusal.tryHosts, false);
    if (refusal.by !== 'peer' || refusal.code !== 503 || peer !== 'ultrapeer') return;
    this.#answered(true);
    if (role() === 'leaf') slots.note(endpoint, 0, clock.now());
  }

  #answered(full: boolean): void {
    this.#outcomes = [...this.#outcomes.slice(1 - OUTCOMES_MAX), { at: this.#options.clock.now(), full }];
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

function countsOf(links: readonly Link[]): { leaves: number; ultrapeers: number } {
  const leaves = links.filter(link => link.role === 'leaf').length;
  return { leaves, ultrapeers: links.length - leaves };
}

/** It said so in its handshake. */
function isServent({ capabilities }: Link, guid: Buffer | null): boolean {
  return guid !== null && capabilities.guid?.equals(guid) === true;
}

/** Who comes from `remote` says that it listens where we dialled this link; LimeWire, which sends no GUID. */
function claimsToBe(link: Link, { listen, guid }: Capabilities, remote: Endpoint): boolean {
  if (link.direction === 'in' || listen === null || listen.host !== remote.host) return false;
  const another = guid !== null && link.capabilities.guid !== null; // isServent() decides between these
  return !another && sameEndpoint(link.endpoint, listen);
}

function listensOf(links: readonly Link[]): Endpoint[] {
  return links.flatMap(({ listen }) => (listen === null ? [] : [listen]));
}

/** A peer that does not want us is left alone for longer than one that has no room. */
function howRefused({ code, by }: Refused): DialFailure {
  if (code === 0) return 'silent';
  return by === 'us' || code === 503 || code < 300 ? 'full' : 'refused';
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
async function resolve(address: string, asksNames: boolean): Promise<Endpoint | string> {
  const colon = address.lastIndexOf(':');
  const name = address.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(colon + 1));
  const host = canonicalHost(name);
  if (host !== null) return { host, port };
  try {
    const [first] = await addressesOf(name, { asksNames, forbids: () => null }); // the dialer asks whether it may
    const found = first?.address ?? name;
    return { host: canonicalHost(found) ?? found, port };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
