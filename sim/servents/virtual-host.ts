// A machine on the virtual internet with a servent: the shell that the daemon is otherwise, without a socket.

import { NO_CACHES } from '../../protocol/bootstrap/bootstrap.ts';
import type { GwebCacheRequest } from '../../protocol/bootstrap/gwebcache-request.ts';
import type { HandshakeAccepted, HandshakeRefused } from '../../protocol/handshake/handshake.ts';
import { NETWORK_RULES, type Profile } from '../../protocol/network-rules.ts';
import type { OverlayLimits } from '../../protocol/overlay/limits.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import type { DialResult } from '../../protocol/overlay/neighbours/dial-result.ts';
import type { PushRequest } from '../../protocol/overlay/pushes/push-requester.ts';
import type { Search } from '../../protocol/overlay/queries/search.ts';
import { ROUND_MS, Servent } from '../../protocol/servent.ts';
import type { DhtMemory } from '../../protocol/servent-dht-parts.ts';
import type { ServentSettings } from '../../protocol/servent-settings.ts';
import type { Shell } from '../../protocol/servent-shell.ts';
import type { ServentSink } from '../../protocol/servent-sink.ts';
import type { SourceOffer } from '../../protocol/transfer/downloads/hit-sources.ts';
import { pushProxyVerdict } from '../../protocol/transfer/push-proxy.ts';
import { BlockList } from '../../protocol/wire/block-list.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import { shakeHands } from './hand-shake.ts';
import { MACHINE } from './machine.ts';
import type { Host, HostWire, Medium, Tamper } from './medium.ts';
import { type UsualSettings, usualSettings } from './usual-settings.ts';
import { VirtualLibrary } from './virtual-library.ts';
import { VirtualStreams } from './virtual-streams.ts';
import { VirtualWire } from './virtual-wire.ts';

/** Milliseconds of a dial that nobody answers. */
const DIAL_MS = 3_000;
/** Servents tick after everything else of the same moment. */
const TICKS_RANK = 1;
/** Of each list of what happened here. */
const NOTES_MAX = 1_000;
/** What all hosts share: nobody is blocked. */
const NOBODY = new BlockList();

export interface HostOptions {
  readonly settings?: Partial<ServentSettings>;
  readonly limits?: Partial<OverlayLimits>;
  readonly profile?: Profile;
  /** HOST:PORT to stay connected to. */
  readonly connect?: readonly string[];
  readonly shares?: readonly string[];
  /** HOST:PORT of UDP host caches to ask. */
  readonly caches?: readonly string[];
  /** Absent: it is no node of the DHT. */
  readonly dht?: DhtMemory;
  /** Nobody can connect to it, and it gets datagrams only from where it has sent some. */
  readonly firewalled?: boolean;
}

export interface Found {
  readonly search: Search;
  readonly hit: QueryHit;
  readonly hops: number | null;
}

export class VirtualHost implements Host, Shell, ServentSink {
  readonly number: number;
  readonly endpoint: Endpoint;
  readonly library = new VirtualLibrary();
  readonly settings: UsualSettings;
  readonly firewalled: boolean;
  /** The first ones of each: what came for its searches, and what it did. */
  readonly hits: Found[] = [];
  readonly roles: string[] = [];
  /** Addresses at which it said GIV and would serve. */
  readonly served: string[] = [];
  /** Calls of remote upload queues: who called, and the queue id. */
  readonly calledBy: { readonly server: string; readonly id: string }[] = [];
  /** What the DHT said of contents that were asked for. */
  readonly offers: SourceOffer[] = [];
  readonly dials: string[] = [];
  /** Null: it writes what its servent says. */
  tamper: Tamper | null = null;
  up = true;
  /** Calls of tick() so far. */
  ticks = 0;
  servent: Servent;
  readonly #options: HostOptions;
  readonly #internet: Medium;
  readonly #serventGuid: Buffer;
  readonly #wires = new Map<number, HostWire>();
  readonly #sentTo: Set<string> | null;
  #due = Number.POSITIVE_INFINITY;
  readonly #streams: VirtualStreams;

  constructor(internet: Medium, number: number, endpoint: Endpoint, options: HostOptions) {
    this.#internet = internet;
    this.#options = options;
    this.number = number;
    this.endpoint = endpoint;
    this.firewalled = options.firewalled ?? false;
    this.#sentTo = this.firewalled ? new Set() : null;
    this.settings = usualSettings(options.settings);
    this.library.share(...(options.shares ?? []));
    this.#serventGuid = internet.random.guid();
    this.#streams = new VirtualStreams(this, internet);
    this.servent = this.#start();
  }

  /** A servent with an empty memory. */
  #start(): Servent {
    const { clock, random } = this.#internet;
    const { profile = 'local', connect = [], caches, limits, dht } = this.#options;
    const startedAt = clock.wallTime();
    const servent = new Servent(
      {
        clock,
        random,
        library: this.library,
        machine: MACHINE,
        settings: this.settings,
        startedAt,
        rules: NETWORK_RULES[profile],
        shell: this,
        sink: this,
        blocked: NOBODY,
        serventGuid: this.#serventGuid,
        liveSince: new Date(startedAt).toUTCString(),
        configured: connect,
        caches: caches === undefined ? NO_CACHES : { ...NO_CACHES, udp: { own: caches, wellKnown: [] } },
        // the checkers follow hits over links
        limits: { proxyOutOfBand: false, ...limits },
        ...(dht === undefined ? {} : { dht }),
      },
      clock.ms,
    );
    servent.port.listening(this.endpoint, [this.endpoint.host]);
    servent.port.udp = true;
    this.#due = Number.POSITIVE_INFINITY;
    this.servent = servent;
    this.#tickAt(clock.ms);
    return servent;
  }

  get links(): Link[] {
    return [...this.servent.overlay.links.values()];
  }

  /** Of its open connections, by the id of its end. */
  get wires(): ReadonlyMap<number, HostWire> {
    return this.#wires;
  }

  get serventGuid(): Buffer {
    return this.#serventGuid;
  }

  knows(...others: readonly VirtualHost[]): void {
    const sightings = others.map(({ endpoint }) => ({
      endpoint,
      source: 'stored' as const,
      ultrapeer: null,
      dailyUptimeSeconds: null,
    }));
    this.servent.sightings.add(sightings, this.#internet.clock.ms);
    this.stirred();
  }

  receive(link: Link, chunk: Buffer): void {
    this.servent.receive(link, chunk, this.#internet.clock.ms);
    this.stirred();
  }

  unlinked(wire: HostWire, link: Link, reason: string, now: number): void {
    if (this.#wires.get(link.id) !== wire) return; // of a servent that was here before
    this.#wires.delete(link.id);
    if (!this.up) return;
    this.servent.removeLink(link, reason, now);
    this.stirred();
  }

  /** Something was called on its servent. */
  stirred(): void {
    this.#tickAt(this.#internet.clock.ms + ROUND_MS);
  }

  search(text: string): Search {
    const search = this.servent.search({ text }, this.#internet.clock.ms);
    this.stirred();
    return search;
  }

  /** A tick is due then, unless one is due earlier. */
  #tickAt(at: number): void {
    if (at >= this.#due || !this.up) return;
    this.#due = at;
    this.#internet.events.add(at, () => at === this.#due && this.#tick(), TICKS_RANK);
  }

  #tick(): void {
    this.#due = Number.POSITIVE_INFINITY;
    if (!this.up) return;
    const now = this.#internet.clock.ms;
    this.ticks++;
    // a deadline that has passed is kept a millisecond later, as the daemon's ticker does
    this.#tickAt(Math.max(this.servent.tick(now), now + 1));
  }

  /** The machine is switched off: no Bye, and connections break. */
  kill(): void {
    const wires = [...this.#wires.values()];
    this.up = false;
    this.#wires.clear();
    for (const wire of wires) wire.cut();
    this.#due = Number.POSITIVE_INFINITY;
    this.#streams.stop();
  }

  /** It says Bye to all, and is down once that has arrived. */
  leave(): void {
    this.servent.close();
    this.#internet.later(DIAL_MS, () => this.kill());
  }

  /** Up again after kill(), with a servent that remembers nothing. */
  revive(): void {
    if (this.up) return;
    this.up = true;
    this.#sentTo?.clear();
    this.#start();
  }

  // --- Shell

  dial(to: Endpoint): void {
    this.connect(to, () => undefined);
  }

  dialKept(address: string): void {
    this.connect(parseEndpoint(address), attempt => this.servent.kept.ended(address, attempt, this.#internet.clock.ms));
  }

  connect(to: Endpoint, done: (attempt: DialResult) => void): void {
    const internet = this.#internet;
    const { servent } = this;
    const triedAt = internet.clock.wallTime();
    note(this.dials, formatEndpoint(to));
    servent.dialling(to);
    const end = (attempt: DialResult) => {
      if (!this.up || this.servent !== servent) return;
      servent.dialled(to, attempt, triedAt, internet.clock.ms);
      done(attempt);
      this.#tickAt(internet.clock.ms);
    };
    const target = this.#reachable(to);
    if (target === null)
      internet.later(DIAL_MS, () => end({ kind: 'failed', reason: 'DIAL_TIMEOUT', text: 'nobody is there' }));
    else
      internet.later(2 * internet.conditions.latencyMs(this.number, target.number), () => {
        if (this.up && this.servent === servent) end(this.#shakeHands(target));
      });
  }

  /** The host there, when a connection to it can be made. */
  #reachable(to: Endpoint): Host | null {
    const target = this.#internet.at(to);
    if (target === null || target === this || target.firewalled) return null;
    return this.#internet.conditions.reaches(this.number, target.number) ? target : null;
  }

  /** Connects without a dial's delay: for networks that are built by hand. */
  join(target: Host): DialResult {
    const { clock } = this.#internet;
    this.servent.dialling(target.endpoint);
    const attempt = this.#shakeHands(target);
    this.servent.dialled(target.endpoint, attempt, clock.wallTime(), clock.ms);
    return attempt;
  }

  #shakeHands(target: Host): DialResult {
    if (!target.up || !this.up) return { kind: 'failed', reason: 'HANDSHAKE_CLOSED', text: 'closed' };
    const now = this.#internet.clock.ms;
    const from = { host: this.endpoint.host, port: 20_000 + this.#internet.random.below(40_000) };
    target.servent.accepted(from.host, now);
    const ends = { dialler: this.servent, from, listener: target.servent, at: target.endpoint };
    const { ours, theirs } = shakeHands(ends, now);
    if (ours?.kind === 'accepted' && theirs?.kind === 'accepted') return this.#link(target, from, ours, theirs);
    if (ours?.kind === 'refused') return { kind: 'refused', refusal: ours };
    return theirs?.kind === 'refused'
      ? { kind: 'refused', refusal: { ...theirs, by: 'peer' } satisfies HandshakeRefused }
      : { kind: 'failed', reason: 'HANDSHAKE_CLOSED', text: 'closed during the handshake' };
  }

  #link(target: Host, from: Endpoint, ours: HandshakeAccepted, theirs: HandshakeAccepted): DialResult {
    const there = new VirtualWire(this.#internet, this, target);
    const back = new VirtualWire(this.#internet, target, this);
    there.back = back;
    back.back = there;
    const link = this.addLink(target.endpoint, 'out', ours, there);
    target.addLink(from, 'in', theirs, back);
    there.wake(false);
    back.wake(false);
    return { kind: 'linked', link };
  }

  addLink(endpoint: Endpoint, direction: 'in' | 'out', accepted: HandshakeAccepted, wire: HostWire): Link {
    const { peerRole: role, ourRole, capabilities } = accepted;
    const link = this.servent.addLink(
      { endpoint, direction, role, ourRole, capabilities, wire },
      this.#internet.clock.ms,
    );
    wire.link = link;
    this.#wires.set(link.id, wire);
    this.#tickAt(this.#internet.clock.ms);
    return link;
  }

  send(bytes: Buffer, to: Endpoint): boolean {
    this.#sentTo?.add(formatEndpoint(to));
    this.#internet.deliver(bytes, this, to);
    return true;
  }

  wakeRudp(): void {
    this.#streams.wake();
  }

  takesDatagramsOf(from: Endpoint): boolean {
    return this.up && (this.#sentTo === null || this.#sentTo.has(formatEndpoint(from)));
  }

  receiveDatagram(bytes: Buffer, from: Endpoint): void {
    this.servent.receiveDatagram(bytes, from, this.#internet.clock.ms);
    this.stirred();
  }

  /** What a connection to `to` does there, once it is made; with null where none can be made. */
  #call(to: Endpoint, then: (target: Host | null) => void): void {
    const target = this.#reachable(to);
    const { conditions } = this.#internet;
    const ms = target === null ? DIAL_MS : 2 * conditions.latencyMs(this.number, target.number);
    this.#internet.later(ms, () => then(target?.up === true ? target : null));
  }

  probe(to: Endpoint): void {
    const { host } = this.endpoint;
    this.#call(to, target => target?.servent.accepted(host, this.#internet.clock.ms));
  }

  serve(to: Endpoint): void {
    this.#call(to, target => {
      this.servent.pushes.ended(to, target === null ? 'unreachable' : 'served', this.#internet.clock.ms);
      const follows =
        target?.servent.requester.onGiv(this.servent.identity.serventGuid, this.#internet.clock.ms) != null;
      if (follows) note(this.served, formatEndpoint(to));
    });
  }

  serveStream(to: Endpoint): void {
    this.#streams.serve(to, () => note(this.served, formatEndpoint(to)));
  }

  callBack(to: Endpoint, id: string): void {
    const server = formatEndpoint(this.endpoint);
    this.#call(to, target => {
      if (target !== null) note(target.calledBy, { server, id });
    });
  }

  dialSource(request: PushRequest): void {
    const { requester } = this.servent;
    this.#call(request.source.endpoint, target => {
      if (target === null) requester.dialFailed(request, 'nobody is there', this.#internet.clock.ms);
      else requester.dialled(request, this.#internet.clock.ms);
    });
  }

  /** As over HTTP, which there is none of here. */
  callProxy(request: PushRequest, proxy: Endpoint, fileIndex: number): void {
    const { clock } = this.#internet;
    const { serventGuid } = request.source;
    const { servent } = this;
    this.#call(proxy, target => {
      const path = `/gnutella/push-proxy?guid=${serventGuid?.toString('hex') ?? ''}&file=${fileIndex}`;
      const nodes = [formatEndpoint(servent.identity.streamEndpoint(clock.ms) ?? this.endpoint)];
      const status = target?.servent.relay.answer(path, nodes, this.endpoint.host, clock.ms) ?? null;
      target?.stirred();
      const verdict = status === null ? 'silent' : pushProxyVerdict(status);
      servent.requester.proxyAnswered(request, proxy, fileIndex, verdict, clock.ms);
      this.stirred();
    });
  }

  openStream(request: PushRequest, to: Endpoint): void {
    this.#streams.open(request, to);
  }

  serveAtRelay(): void {}

  meetAtRelay(request: PushRequest): void {
    const { clock } = this.#internet;
    this.#internet.later(1, () => this.servent.requester.lastFailed(request, 'relay', clock.ms));
  }

  lookUpCache(address: string): void {
    const { clock } = this.#internet;
    this.#internet.later(1, () => this.servent.bootstrap.udpCacheFound(address, parseEndpoint(address), clock.ms));
  }

  askWebCache(url: string, request: GwebCacheRequest): void {
    this.#internet.later(1, () => this.servent.bootstrap.webCacheFailed(url, request, 'there is no HTTP here', false));
  }

  // --- ServentSink

  onHit(search: Search, hit: QueryHit, hops: number | null): void {
    note(this.hits, { search, hit, hops });
    for (const observer of this.#internet.observers) observer.onHit?.(this, search, hit);
  }
  onRole(role: string): void {
    note(this.roles, role);
  }
  onSourceOffer(offer: SourceOffer): void {
    note(this.offers, offer);
  }

  onQueryPassed(link: Link, frame: Frame): void {
    for (const observer of this.#internet.observers) observer.onQueryPassed?.(this, link, frame);
  }
  onHitPassed(): void {}
  onLinked(): void {}
  onUnlinked(): void {}
  onBye(): void {}
  onLinkEnded(): void {}
  onLeaving(): void {}
  onMissing(): void {}
  onCacheAnswered(): void {}
  onCacheFailed(): void {}
  onNoNeighbour(): void {}
  onFound(): void {}
  onSearchEnded(): void {}
  onSearchForgotten(): void {}
  onDhtChanged(): void {}
  onDhtLookup(): void {}
}

function note<T>(list: T[], item: T): void {
  if (list.length < NOTES_MAX) list.push(item);
}
