// Manages the links: admits peers, dials hosts, replaces poor links, and ends links after a change of role.
import { admit, staysOfCrossed, type Verdict } from '../../handshake/admission.ts';
import type { Capabilities, Role } from '../../handshake/capabilities.ts';
import type { CrawlAnswer, HandshakeRefused } from '../../handshake/handshake.ts';
import { LazySet } from '../../lazy-set.ts';
import type { NetworkRules } from '../../network-rules.ts';
import type { Random, WallClock } from '../../ports.ts';
import type { ServentSettings } from '../../servent-settings.ts';
import { TimedKeys } from '../../timed-keys.ts';
import { ByeCode } from '../../wire/bye.ts';
import { distinct, type Endpoint, endpointOrNull, formatEndpoint } from '../../wire/endpoint.ts';
import type { Link } from '../links/link.ts';
import type { Overlay } from '../overlay.ts';
import type { ReachPolicy } from '../reach/reach-policy.ts';
import type { DialResult } from './dial-result.ts';
import type { FreeSlots } from './free-slots.ts';
import type { HostCache, HostFailure } from './host-cache.ts';
import type { HostSightings } from './host-sightings.ts';
import type { KeptNeighbours } from './kept-neighbours.ts';
import type { OwnRole } from './own-role.ts';
import { type LinkDrop, type LinkFacts, Topology, ultrapeerSlots, ultrapeersSought } from './topology.ts';

const ROUND_MS = 1000;
/** A leaf looks for an ultrapeer with more free slots in one of so many rounds. */
const ROUNDS_PER_LOOK = 8;
/** Times that an ultrapeer is asked for its slots before what it said is forgotten. */
const ASKS_PER_LIFE = 4;
const TRY_HOSTS_SENT = 10;
const CRAWLED_MAX = 100;
/** Between two answers to crawlers of one address (gtk-gnutella), and how many of them are remembered. */
const CRAWL_MS = 300_000;
const CRAWLERS_MAX = 1024;
/** Latest dials whose refusals are counted for refusedShare(). */
const OUTCOMES_MAX = 8;

export interface NeighboursParts {
  readonly overlay: Overlay;
  readonly kept: KeptNeighbours;
  readonly hosts: HostCache;
  readonly sightings: HostSightings;
  readonly slots: FreeSlots;
  readonly reach: ReachPolicy;
  readonly role: OwnRole;
  readonly rules: NetworkRules;
  readonly settings: ServentSettings;
  readonly clock: WallClock;
  readonly random: Random;
  readonly serventGuid: Buffer;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Dial and shake hands; the outcome comes back through dialled(). */
  readonly dial: (endpoint: Endpoint) => void;
  /** A link is given up. */
  readonly onLeaving: (link: Link, drop: LinkDrop) => void;
}

export class Neighbours {
  readonly #parts: NeighboursParts;
  readonly #topology: Topology;
  readonly #crawlers: TimedKeys;
  /** Dials from the host cache, by "host:port"; at most rules.topology.dialsMax. */
  readonly #seeking = new LazySet<string>();
  /** Whether each of the latest dials that were answered was refused for lack of a slot; at most OUTCOMES_MAX. */
  #outcomes: { at: number; full: boolean }[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Earliest time of the next round. */
  #roundAt: number;
  /** The next round has something to do then, if nothing comes in before. */
  #roundDue = 0;
  #closing = false;

  constructor(parts: NeighboursParts, now: number) {
    this.#parts = parts;
    this.#topology = new Topology(parts.rules.topology, now);
    this.#crawlers = new TimedKeys(CRAWL_MS, CRAWLERS_MAX, now);
    this.#roundAt = now;
    parts.hosts.setRole(parts.role.role, parts.clock.wallTime());
  }

  /** Ultrapeers that we look for in our role. */
  get sought(): number {
    const { rules, role, settings } = this.#parts;
    return ultrapeersSought(rules.topology, role.role, settings.seek, settings.maxUltrapeers);
  }

  /** Of the latest dials that were answered: refused for lack of a slot, 0 to 1. */
  refusedShare(now: number): number {
    const since = now - this.#parts.rules.topology.windowMs;
    const fresh = this.#outcomes.filter(({ at }) => at >= since);
    return fresh.length === 0 ? 0 : fresh.filter(({ full }) => full).length / fresh.length;
  }

  /** `begunAt`: when the handshake began. A link that came up since with the same servent may give way to this one. */
  admit(peer: Capabilities, remote: Endpoint, direction: 'in' | 'out', begunAt: number): Verdict {
    const { overlay, serventGuid, startedAt, settings, rules, role } = this.#parts;
    const { maxLeaves, maxPerAddress } = settings;
    const { guid } = peer;
    const all = [...overlay.links.values()];
    const crossed = all.find(
      link =>
        isServent(link, guid) &&
        link.endpoint.host === remote.host && // a GUID can be forged: it must not end the link of another address
        link.direction !== direction &&
        link.openedAt >= begunAt,
    );
    const stays = crossed !== undefined && guid !== null && staysOfCrossed(direction, serventGuid, guid);
    const links = stays ? all.filter(link => link !== crossed) : all; // onLinked() ends the crossed link
    const leaves = links.filter(link => link.role === 'leaf').length;
    const ultrapeers = links.length - leaves;
    const sameAddress = links.filter(link => link.endpoint.host === remote.host).length;
    return admit(peer, {
      direction,
      role: role.role,
      leaves: { used: leaves, max: maxLeaves },
      ultrapeers: { used: ultrapeers, max: this.#ultrapeerSlots() },
      // Where an incoming peer says that it listens is no proof: it could lock others out by claiming their address.
      // It counts at its own address, against a link that we dialled there: that one is known to listen.
      addressConnected: links.some(link =>
        direction === 'out'
          ? isAt(link, remote)
          : sameEndpoint(link.endpoint, remote) || claimsToBe(link, peer, remote),
      ),
      guidConnected: guid !== null && (guid.equals(serventGuid) || links.some(link => isServent(link, guid))),
      hostile: false, // closed before the handshake
      hammering: maxPerAddress > 0 && sameAddress >= maxPerAddress,
      closing: this.#closing,
      acceptLegacy: rules.legacy,
      demandDynamicQuerying: rules.strict,
      mayBecomeLeaf: role.mayBecomeLeaf,
      liveSince: startedAt,
      guid: serventGuid,
      wantsLeaves: rules.wantsLeaves && role.active && ultrapeers + 1 >= rules.topology.leafUltrapeers,
    });
  }

  #ultrapeerSlots(): number {
    const { rules, role, settings, kept } = this.#parts;
    const { maxUltrapeers } = settings;
    return Math.max(
      ultrapeerSlots(rules.topology, role.role, maxUltrapeers),
      Math.min(kept.addresses.length, maxUltrapeers),
    );
  }

  /** Ultrapeers for those whom we refuse, accept or leave: the neighbours first, those with room before all. */
  tryUltrapeers(now: number): Endpoint[] {
    const { overlay, hosts, slots } = this.#parts;
    const near = [...overlay.links.values()].filter(link => link.role === 'ultrapeer');
    const all = distinct([...listensOf(near), ...hosts.fresh(TRY_HOSTS_SENT, true)]);
    const room = (endpoint: Endpoint) => ((slots.of(endpoint, now) ?? 0) > 0 ? 0 : 1);
    return all.sort((a, b) => room(a) - room(b)).slice(0, TRY_HOSTS_SENT);
  }

  /** Null for one that came lately. */
  crawl(remote: Endpoint, now: number): CrawlAnswer | null {
    const { overlay, rules } = this.#parts;
    if (rules.strict && this.#crawlers.has(remote.host, now)) return null;
    this.#crawlers.add(remote.host, now);
    const links = [...overlay.links.values()];
    const listening = (leaf: boolean) =>
      distinct(listensOf(links.filter(link => (link.role === 'leaf') === leaf))).slice(0, CRAWLED_MAX);
    return { peers: listening(false), leaves: listening(true) };
  }

  onLinked(link: Link, now: number): void {
    const { role, sightings, overlay } = this.#parts;
    for (const twin of [...overlay.links.values()]) {
      if (twin === link || !isServent(twin, link.capabilities.guid)) continue;
      overlay.bye(twin, ByeCode.AlreadyConnected, 'Already connected');
    }
    sightings.addTried(link.capabilities.tryUltrapeers, true, now);
    if (link.ourRole === 'leaf' && role.role === 'ultrapeer') role.yield(now);
  }

  onUnlinked(link: Link, now: number): void {
    const { hosts, slots, clock, kept } = this.#parts;
    kept.onUnlinked(link, now);
    const { listen, ended } = link;
    if (listen === null || listen.host !== link.endpoint.host) return; // it may be an address of any host
    const wallTime = clock.wallTime();
    if (ended?.code === ByeCode.ModeChange) {
      const ultrapeer = link.role === 'leaf';
      hosts.add({ endpoint: listen, source: 'peer', ultrapeer, dailyUptimeSeconds: null }, wallTime);
    } else if (ended?.code === ByeCode.Shutdown) hosts.failed(listen, wallTime, 'silent');
    slots.forget(listen);
  }

  /** Ends the links on which we have another role, and names other ultrapeers to each. New ones are sought at the next tick. */
  onRole(role: Role, now: number): void {
    const { overlay, hosts, clock } = this.#parts;
    hosts.setRole(role, clock.wallTime());
    const text = role === 'leaf' ? 'Becoming a leaf node' : 'Becoming an ultra node';
    this.#outcomes = [];
    for (const link of [...overlay.links.values()]) {
      if (link.ourRole !== role) overlay.bye(link, ByeCode.ModeChange, text, this.#alternativesFor(link, now));
    }
    this.#roundAt = now;
    this.#roundDue = now;
  }

  #alternativesFor(link: Link, now: number): Endpoint[] {
    return this.tryUltrapeers(now).filter(endpoint => !isAt(link, endpoint));
  }

  /** Stops admitting and dialling. */
  close(): void {
    this.#closing = true;
  }

  /** Dials and ends links as planned. Returns the time of the next call; after any other call it is due within ROUND_MS. */
  tick(now: number): number {
    if (this.#closing) return Number.POSITIVE_INFINITY;
    if (now >= this.#roundAt) {
      this.#roundAt = now + ROUND_MS;
      this.#roundDue = this.#round(now);
    }
    return Math.max(this.#roundAt, this.#roundDue);
  }

  #round(now: number): number {
    const { overlay, role, settings, clock, hosts } = this.#parts;
    const { seek, maxUltrapeers, maxLeaves } = settings;
    const keptAt = this.#parts.kept.round(now);
    const links = [...overlay.links.values()];
    const plan = this.#topology.plan(
      {
        role: role.role,
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
    if (plan.drop !== null && leaving !== undefined) this.#leave(leaving, plan.drop, now);
    for (let i = 0; i < plan.dial; i++) if (!this.#seek(now)) break;
    return Math.min(keptAt, plan.nextAt, this.#askForSlots(now));
  }

  /** Most free slots elsewhere; looked up in random rounds, because else all leaves of a full ultrapeer would move to the same one at once. */
  #roomElsewhere(links: readonly Link[], now: number): number {
    const { slots, random } = this.#parts;
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
      pinned: this.#parts.kept.has(link),
      leafSlotsFree: listen === null ? null : this.#parts.slots.of(listen, now),
    };
  }

  #leave(link: Link, drop: LinkDrop, now: number): void {
    const { overlay, hosts, clock, onLeaving } = this.#parts;
    onLeaving(link, drop);
    hosts.failed(link.listen ?? link.endpoint, clock.wallTime(), 'full'); // so that it is not dialled again at once
    overlay.bye(link, drop.code, drop.text, this.#alternativesFor(link, now));
  }

  /** A leaf asks its ultrapeers for their free slots, again and again: when next. Ultrapeers learn them from each other's pongs. */
  #askForSlots(now: number): number {
    const { overlay, role, slots } = this.#parts;
    if (role.role !== 'leaf') return Number.POSITIVE_INFINITY;
    const periodMs = slots.lifeMs / ASKS_PER_LIFE;
    if (now >= this.#askedAt + periodMs) {
      this.#askedAt = now;
      for (const link of overlay.links.values()) if (link.role === 'ultrapeer') overlay.askForPong(link, now);
    }
    return this.#askedAt + periodMs;
  }

  /** Whether a link leads to this HOST:PORT, whichever side dialled. */
  isConnected(address: string): boolean {
    const endpoint = endpointOrNull(address);
    return endpoint !== null && [...this.#parts.overlay.links.values()].some(link => isAt(link, endpoint));
  }

  /** Ourselves, connected, being dialled, or dialled by the plan for configured ones, which counts how often. */
  #isNear(endpoint: Endpoint, links: readonly Link[]): boolean {
    const { reach, kept } = this.#parts;
    const address = formatEndpoint(endpoint);
    return (
      reach.isOwn(endpoint) ||
      this.#seeking.has(address) ||
      kept.addresses.includes(address) ||
      links.some(link => isAt(link, endpoint))
    );
  }

  /** False when there is nobody to be dialled. */
  #seek(now: number): boolean {
    const { hosts, clock, overlay, role, slots, dial } = this.#parts;
    const links = [...overlay.links.values()];
    const near = (endpoint: Endpoint) => this.#isNear(endpoint, links);
    const unfit = (endpoint: Endpoint) => near(endpoint) || !hosts.mayDial(endpoint, clock.wallTime());
    const roomy = role.role === 'leaf' ? (slots.roomiest(now, unfit)?.endpoint ?? null) : null;
    if (roomy !== null) slots.forget(roomy); // what an ultrapeer says of its room is good for one dial
    const endpoint = roomy ?? hosts.next(clock.wallTime(), near);
    if (endpoint === null) return false;
    this.#seeking.add(formatEndpoint(endpoint));
    dial(endpoint);
    return true;
  }

  /** A dial begins, whether we wanted it or a person. */
  dialling(endpoint: Endpoint): void {
    this.#parts.hosts.tried(endpoint, this.#parts.clock.wallTime());
  }

  /** The dial has ended. `triedAt`: when it began, milliseconds since 1970. */
  dialled(endpoint: Endpoint, attempt: DialResult, triedAt: number, now: number): void {
    const { hosts, clock, slots } = this.#parts;
    this.#seeking.delete(formatEndpoint(endpoint));
    switch (attempt.kind) {
      case 'linked':
        this.#met(endpoint, attempt.link.role === 'ultrapeer', triedAt);
        hosts.succeeded(endpoint, clock.wallTime());
        this.#answered(false, now);
        break;
      case 'refused':
        this.#onRefused(endpoint, attempt.refusal, triedAt, now);
        break;
      case 'failed':
        if (attempt.reason === 'DIAL_ABORTED' || attempt.reason === 'DIAL_BUSY') break;
        hosts.failed(endpoint, clock.wallTime(), 'silent');
        slots.forget(endpoint);
    }
  }

  /** A servent answered at an address that may be new to us, as when a person named it. */
  #met(endpoint: Endpoint, ultrapeer: boolean, triedAt: number): void {
    const { hosts, clock } = this.#parts;
    hosts.add({ endpoint, source: 'peer', ultrapeer, dailyUptimeSeconds: null }, clock.wallTime());
    hosts.tried(endpoint, triedAt);
  }

  #onRefused(endpoint: Endpoint, refusal: HandshakeRefused, triedAt: number, now: number): void {
    const { hosts, slots, clock, role, sightings } = this.#parts;
    const peer = refusal.capabilities?.role ?? 'legacy';
    if (peer !== 'legacy') this.#met(endpoint, peer === 'ultrapeer', triedAt);
    hosts.failed(endpoint, clock.wallTime(), howRefused(refusal));
    sightings.addTried(refusal.tryUltrapeers, true, now);
    sightings.addTried(refusal.tryHosts, false, now);
    if (refusal.by !== 'peer' || refusal.code !== 503 || peer !== 'ultrapeer') return;
    this.#answered(true, now);
    if (role.role === 'leaf') slots.note(endpoint, 0, now);
  }

  #answered(full: boolean, at: number): void {
    this.#outcomes = [...this.#outcomes.slice(1 - OUTCOMES_MAX), { at, full }];
  }
}

/** The peer gave this servent GUID in its handshake. */
function isServent({ capabilities }: Link, guid: Buffer | null): boolean {
  return guid !== null && capabilities.guid?.equals(guid) === true;
}

/** The peer at `remote` says that it listens where we dialled this link. For LimeWire, which sends no GUID. */
function claimsToBe(link: Link, { listen, guid }: Capabilities, remote: Endpoint): boolean {
  if (link.direction === 'in' || listen === null || listen.host !== remote.host) return false;
  const another = guid !== null && link.capabilities.guid !== null; // with two GUIDs isServent() decides
  return !another && sameEndpoint(link.endpoint, listen);
}

function listensOf(links: readonly Link[]): Endpoint[] {
  return links.flatMap(({ listen }) => (listen === null ? [] : [listen]));
}

/** A peer that does not want us is left alone for longer than one that has no room. */
function howRefused({ code, by }: HandshakeRefused): HostFailure {
  if (code === 0) return 'silent';
  return by === 'us' || code === 503 || code < 300 ? 'full' : 'refused';
}

/** Whether dialling the endpoint would reach this very peer. Where it says it listens counts for its own address alone. */
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
