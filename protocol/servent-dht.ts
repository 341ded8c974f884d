// The servent's node of the DHT: when it is on, where it hears of other nodes, and what it tells of itself.
import { AlocSearch } from './dht/aloc-search.ts';
import { Dht, type DhtMode } from './dht/dht.ts';
import { dhtContactsIn, dhtModeIn } from './dht/dht-items.ts';
import { type DhtModeCause, type DhtModeFacts, dhtMode } from './dht/dht-mode.ts';
import { FilePublications, type OwnLocation } from './dht/file-publications.ts';
import type { OnLookupEnd } from './dht/lookups.ts';
import { ProxyPublications } from './dht/proxy-publications.ts';
import { type OnProxies, ProxySearch } from './dht/proxy-search.ts';
import { ValueSearches } from './dht/value-searches.ts';
import type { PingAnswer, PingQuestion } from './overlay/datagrams/datagram-pings.ts';
import type { DatagramDht } from './overlay/datagrams/datagrams.ts';
import type { HostSighting } from './overlay/neighbours/host-cache.ts';
import { VENDOR } from './overlay/own-identity.ts';
import type { DhtStanding, DhtState, ServentDhtParts } from './servent-dht-parts.ts';
import { TimedKeys } from './timed-keys.ts';
import { type Endpoint, endpointKey, reachOf } from './wire/endpoint.ts';

/** Time between two looks at whether the mode should be another. */
const MODE_MS = 10_000;
/** Servents are asked for nodes while fewer are good. */
const NODES_WANTED = 10;
const ASK_MS = 5_000;
const ASKED_AT_ONCE = 3;
/** For so long a servent is not asked again; gtk-gnutella answers one ping a minute. */
const ASK_AGAIN_MS = 60_000;
const ASKED_MAX = 512;
const NODES_WISH: PingQuestion = { hosts: null, address: false, nodes: true };

export class ServentDht implements DatagramDht, DhtStanding {
  readonly node: Dht;
  readonly searches: ValueSearches;
  readonly proxies: ProxySearch;
  readonly alocs: AlocSearch;
  readonly files: FilePublications;
  readonly #proxyPublications: ProxyPublications;
  readonly #parts: ServentDhtParts;
  readonly #startedAt: number;
  readonly #asked: TimedKeys;
  /** Of the call that is carried out. */
  #now: number;
  #askAt = 0;
  #cause: DhtModeCause | null = 'address';
  /** What was told last. */
  #told = 'off off';

  constructor(parts: ServentDhtParts, now: number) {
    const { memory, rules, random, endpoint } = parts;
    this.#parts = parts;
    this.#startedAt = now;
    this.#now = now;
    this.#asked = new TimedKeys(ASK_AGAIN_MS, ASKED_MAX, now);
    this.node = new Dht({
      kuid: memory.kuid,
      vendor: VENDOR,
      instance: 1 + random.below(255),
      rules: rules.dht,
      random,
      endpoint,
      send: (bytes, to) => this.#send(bytes, to),
      refuses: to => parts.reach.forbids(to) !== null,
      tokenSecrets: memory.tokens == null ? null : { ...memory.tokens, since: now + memory.tokens.since },
      onLookup: result => parts.sink.onDhtLookup(result),
    });
    const values = memory.values ?? [];
    this.node.remember(values.map(value => ({ ...value, expiresAt: now + value.expiresAt, since: now + value.since })));
    this.searches = new ValueSearches(this.node);
    this.proxies = new ProxySearch({ searches: this.searches, mayReach: endpoint => this.#mayReach(endpoint) });
    this.alocs = new AlocSearch({
      searches: this.searches,
      serventGuid: parts.identity.serventGuid,
      mayReach: endpoint => this.#mayReach(endpoint),
    });
    const own = (at: number): OwnLocation => this.#own(at);
    const { library, partials, mesh, identity, clients } = parts;
    this.files = new FilePublications(
      {
        library: {
          shared: () => (library.bySha1 === undefined ? [] : library.shared()),
          bySha1: sha1 => library.bySha1?.(sha1) ?? null,
        },
        partials,
        alternates: (sha1, at) => mesh.ranked(sha1, at).length,
        own,
      },
      now,
    );
    const proxies = (): readonly Endpoint[] => identity.pushProxies();
    this.#proxyPublications = new ProxyPublications({ own, proxies, clients });
  }

  #own(now: number): OwnLocation {
    const { identity, endpoint } = this.#parts;
    const { serventGuid, tls } = identity;
    return {
      serventGuid,
      firewalled: identity.firewalled(now),
      endpoint: endpoint(),
      tls,
      stream: identity.streamEndpoint(now),
    };
  }

  /** Whether an address that others name is of the network, not our own, and not blocked. */
  #mayReach(endpoint: Endpoint): boolean {
    const { rules, reach } = this.#parts;
    return rules.dht.reaches.includes(reachOf(endpoint.host)) && reach.forbids(endpoint) === null;
  }

  get mode(): DhtMode {
    return this.node.mode;
  }

  get cause(): DhtModeCause | null {
    return this.#cause;
  }

  activeInMs(now: number): number {
    return Math.max(0, this.#startedAt + this.#parts.rules.dhtActiveAfterMs - now);
  }

  get state(): DhtState {
    if (this.node.mode === 'off') return 'off';
    return this.node.joined ? 'ready' : 'seeking';
  }

  #send(bytes: Buffer, to: Endpoint): void {
    const { udp, reach, datagrams } = this.#parts;
    if (udp() && reach.forbids(to) === null) datagrams().sendDht(bytes, to, this.#now);
  }

  receive(bytes: Buffer, from: Endpoint, now: number): void {
    this.#now = now;
    this.node.receive(bytes, from, now);
    this.#tell();
  }

  /** Good nodes near us, for others that ask. */
  contacts(max: number): Endpoint[] {
    return this.node.contacts(max);
  }

  /** Nodes among hosts that we have heard of. */
  onHosts(hosts: readonly HostSighting[], now: number): void {
    for (const { endpoint, dht } of hosts) if (dht === true) this.onNodes([endpoint], now);
  }

  /** Addresses at which there may be nodes; those that are known already are left out. */
  onNodes(endpoints: readonly Endpoint[], now: number): void {
    const { parts } = this.node;
    if (parts === null) return;
    const { reach } = this.#parts;
    const fresh = endpoints.filter(endpoint => parts.table.at(endpoint) === null && reach.forbids(endpoint) === null);
    this.node.seed(fresh, now);
  }

  /** Does what is due; when to be called again, unless something comes in before. */
  tick(now: number): number {
    this.#now = now;
    this.#setMode(now);
    if (this.node.mode === 'off') {
      this.#tell();
      return now + MODE_MS;
    }
    this.#askForNodes(now);
    const nextAt = this.node.tick(now);
    this.#tell();
    const publishAt = this.#publish(now);
    const askAt = this.#wantsNodes ? this.#askAt : Number.POSITIVE_INFINITY;
    return Math.min(nextAt, now + MODE_MS, askAt, publishAt);
  }

  /** Once the nodes around us are known: values would be stored in wrong places before. */
  #publish(now: number): number {
    const { node } = this;
    if (!node.joined) return Number.POSITIVE_INFINITY;
    const publisher = node.parts?.publisher ?? null;
    const isProxy = node.mode === 'active' && this.#parts.identity.ultrapeer;
    return Math.min(this.files.tick(publisher, now), this.#proxyPublications.tick(publisher, isProxy, now));
  }

  #setMode(now: number): void {
    const { memory, settings, udp, endpoint, rules, firewall } = this.#parts;
    const before = this.node.mode;
    const facts: DhtModeFacts = {
      setting: settings.dht,
      udp: udp(),
      endpoint: endpoint(),
      reaches: rules.dht.reaches,
      reachability: firewall.status(now).udp,
      upMs: now - this.#startedAt,
      activeAfterMs: rules.dhtActiveAfterMs,
    };
    const { mode, cause } = dhtMode(facts, before);
    this.#cause = cause;
    this.node.setMode(mode, now);
    this.searches.settle(now);
    if (this.node.mode === 'off') {
      this.files.tick(null, now);
      this.#proxyPublications.tick(null, false, now);
    }
    if (before === 'off' && this.node.mode !== 'off') this.onNodes(memory.contacts, now);
  }

  #tell(): void {
    const told = `${this.mode} ${this.state}`;
    if (told === this.#told) return;
    this.#told = told;
    this.#parts.sink.onDhtChanged(this);
  }

  get #wantsNodes(): boolean {
    return !this.node.joined || (this.node.parts?.table.goodNodes ?? 0) < NODES_WANTED;
  }

  #askForNodes(now: number): void {
    if (now < this.#askAt || !this.#wantsNodes) return;
    this.#askAt = now + ASK_MS;
    let asked = 0;
    const { hosts, reach, datagrams } = this.#parts;
    for (const host of hosts()) {
      if (asked === ASKED_AT_ONCE) return;
      const key = endpointKey(host);
      if (this.#asked.has(key, now) || reach.forbids(host) !== null) continue;
      this.#asked.add(key, now);
      datagrams().ask(host, NODES_WISH, (answer, at) => this.#onAnswer(answer, at), now);
      asked++;
    }
  }

  /** gtk-gnutella names nodes in DHTIPP, newer ones in IPP. */
  #onAnswer(answer: PingAnswer | null, now: number): void {
    if (answer === null) return;
    const { pong, from } = answer;
    const itself = dhtModeIn(pong.ggep) === 'active' ? [from] : [];
    this.onNodes([...itself, ...dhtContactsIn(pong.ggep), ...pong.hosts], now);
  }

  /** The nodes nearest to the KUID of a node, that one among them if it is there. Without effect while the DHT is off. */
  findNode(kuid: Buffer, now: number, onEnd: OnLookupEnd): void {
    this.#now = now;
    this.node.findNode(kuid, now, onEnd, true);
  }

  /** Values of a type under a key. Without effect while the DHT is off. */
  findValue(key: Buffer, type: string, now: number, onEnd: OnLookupEnd): void {
    this.#now = now;
    this.node.findValue(key, type, now, onEnd);
  }

  /**
   * The push proxies of the servent with this GUID. `onEnd` is called once: without any at once when the DHT is not ready, else within 3
   * minutes, mostly within some seconds.
   */
  findProxies(guid: Buffer, now: number, onEnd: OnProxies): void {
    this.#now = now;
    this.proxies.find(guid, now, onEnd);
  }

  /** Tells the nodes around us that we leave; the node stays off until the next tick. */
  leave(): void {
    this.node.leave(this.#now);
    this.searches.settle(this.#now);
  }
}
