// Whole servents in one process: wires, datagrams, dials and time are virtual, everything else is the servent's own code.
import { NO_CACHES } from '../../protocol/bootstrap/bootstrap.ts';
import { GwebCache, PRIVATE_CACHE_RULES } from '../../protocol/bootstrap/gwebcache.ts';
import type { GwebCacheRequest } from '../../protocol/bootstrap/gwebcache-request.ts';
import { PRIVATE_UDP_CACHE_RULES, UdpHostCache } from '../../protocol/bootstrap/udp-host-cache.ts';
import type { HandshakeAccepted, HandshakeRefused } from '../../protocol/handshake/handshake.ts';
import { Handshake } from '../../protocol/handshake/handshake.ts';
import { NETWORK_RULES, type Profile } from '../../protocol/network-rules.ts';
import type { Link, Wire } from '../../protocol/overlay/links/link.ts';
import type { DialResult } from '../../protocol/overlay/neighbours/dial-result.ts';
import type { PushRequest } from '../../protocol/overlay/pushes/push-requester.ts';
import type { Search } from '../../protocol/overlay/queries/search.ts';
import { ROUND_MS, Servent } from '../../protocol/servent.ts';
import type { ServentSettings } from '../../protocol/servent-settings.ts';
import type { Shell } from '../../protocol/servent-shell.ts';
import type { ServentSink } from '../../protocol/servent-sink.ts';
import { BlockList } from '../../protocol/wire/block-list.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../protocol/wire/endpoint.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import { EventQueue } from './event-queue.ts';
import { MACHINE } from './machine.ts';
import { type TestSettings, testSettings } from './servent-settings.ts';
import { VirtualLibrary } from './virtual-library.ts';
import { SeededRandom, VirtualClock } from './virtual-network.ts';

/** Milliseconds of one way, and of a dial that nobody answers. */
const LATENCY_MS = 10;
const DIAL_MS = 3_000;
const WRITE_BYTES = 65_536;
/** Servents tick after everything else of the same moment. */
const TICKS_RANK = 1;

export interface HostOptions {
  readonly settings?: Partial<ServentSettings>;
  readonly profile?: Profile;
  /** HOST:PORT to stay connected to. */
  readonly connect?: readonly string[];
  readonly shares?: readonly string[];
  /** HOST:PORT of UDP host caches to ask. */
  readonly caches?: readonly string[];
}

export class VirtualInternet {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly hosts: VirtualHost[] = [];
  readonly #byAddress = new Map<string, VirtualHost>();
  readonly events = new EventQueue();
  readonly #hostCaches = new Map<string, UdpHostCache>();

  constructor(seed = 1) {
    this.random = new SeededRandom(seed);
  }

  /** On 127.0.0.1 in `local`, in 10.0.0.0/8 in `lan`, in 5.0.0.0/8 in `public`. */
  add(options: HostOptions = {}): VirtualHost {
    const { profile = 'local' } = options;
    const n = this.hosts.length + 1;
    const endpoint: Endpoint =
      profile === 'local'
        ? { host: '127.0.0.1', port: 7000 + n }
        : { host: `${profile === 'lan' ? 10 : 5}.${n >> 8}.${n & 255}.1`, port: 6346 };
    const host = new VirtualHost(this, endpoint, options);
    this.hosts.push(host);
    this.#byAddress.set(formatEndpoint(endpoint), host);
    return host;
  }

  /** A UDP host cache on 127.0.0.1, HOST:PORT; it lists hosts that answer it. */
  addHostCache(): { readonly address: string; readonly machine: UdpHostCache } {
    const own: Endpoint = { host: '127.0.0.1', port: 9001 + this.#hostCaches.size };
    const address = formatEndpoint(own);
    const cache = new GwebCache({ ...PRIVATE_CACHE_RULES, network: 'gnutella', name: 'a cache' });
    const machine = new UdpHostCache({ cache, own, rules: PRIVATE_UDP_CACHE_RULES, random: this.random });
    this.#hostCaches.set(address, machine);
    return { address, machine };
  }

  /** Brings a datagram after the latency to the host or the cache at `to`; to nobody otherwise. */
  deliver(bytes: Buffer, from: Endpoint, to: Endpoint): void {
    const datagram = Buffer.from(bytes);
    this.later(LATENCY_MS, () => {
      this.at(to)?.receiveDatagram(datagram, from);
      const answers = this.#hostCaches.get(formatEndpoint(to))?.receive(datagram, from, this.clock.ms) ?? [];
      for (const answer of answers) this.deliver(answer.bytes, to, answer.to);
    });
  }

  /** Null where nobody listens. */
  at(endpoint: Endpoint): VirtualHost | null {
    const host = this.#byAddress.get(formatEndpoint(endpoint)) ?? null;
    return host?.up === true ? host : null;
  }

  later(ms: number, run: () => void): void {
    this.events.add(this.clock.ms + ms, run);
  }

  /** Lets time pass: what happens at one moment, in its order, then the servents whose deadline it is. */
  run(ms: number, until: () => boolean = () => false): boolean {
    const end = this.clock.ms + ms;
    const { events, clock } = this;
    while (!until()) {
      const next = events.nextAt;
      if (next > end) {
        clock.ms = end;
        return false;
      }
      clock.ms = Math.max(clock.ms, next);
      while (events.nextAt <= clock.ms) events.take()?.();
    }
    return true;
  }
}

/** One direction of a connection. */
class Pipe implements Wire {
  link: Link | null = null;
  far: { host: VirtualHost; link: Link } | null = null;
  readonly #internet: VirtualInternet;
  readonly #owner: VirtualHost;
  #scheduled = false;
  #closed = false;

  constructor(internet: VirtualInternet, owner: VirtualHost) {
    this.#internet = internet;
    this.#owner = owner;
  }

  wake(urgent: boolean): void {
    if (urgent) this.#write();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#internet.later(0, () => {
        this.#scheduled = false;
        this.#write();
      });
    }
  }

  /** Both ends are gone once what was written has arrived. */
  close(): void {
    this.#write();
    this.#internet.later(LATENCY_MS, () => this.cut());
  }

  #write(): void {
    const { link, far } = this;
    if (link === null || far === null || this.#closed) return;
    for (let bytes = link.queue.take(WRITE_BYTES); bytes !== null; bytes = link.queue.take(WRITE_BYTES)) {
      const chunk = Buffer.from(bytes);
      this.#internet.later(LATENCY_MS, () => {
        if (far.host.up) far.host.receive(far.link, chunk);
      });
    }
  }

  cut(): void {
    const { link, far } = this;
    if (this.#closed || link === null || far === null) return;
    this.#closed = true;
    const now = this.#internet.clock.ms;
    if (this.#owner.up) this.#owner.unlinked(link, 'closed', now);
    if (far.host.up) far.host.unlinked(far.link, 'closed by peer', now);
  }
}

export interface Found {
  readonly search: Search;
  readonly hit: QueryHit;
  readonly hops: number | null;
}

export class VirtualHost implements Shell, ServentSink {
  readonly endpoint: Endpoint;
  readonly library = new VirtualLibrary();
  readonly settings: TestSettings;
  readonly servent: Servent;
  readonly hits: Found[] = [];
  readonly roles: string[] = [];
  /** Addresses at which it said GIV and would serve. */
  readonly served: string[] = [];
  /** Calls of remote upload queues: who called, and the queue id. */
  readonly calledBy: { readonly server: string; readonly id: string }[] = [];
  readonly timeouts: PushRequest[] = [];
  readonly dials: string[] = [];
  up = true;
  /** Calls of tick() so far. */
  ticks = 0;
  #due = Number.POSITIVE_INFINITY;
  readonly #internet: VirtualInternet;
  readonly #pipes = new Set<Pipe>();

  constructor(internet: VirtualInternet, endpoint: Endpoint, options: HostOptions) {
    const { clock, random } = internet;
    this.#internet = internet;
    this.endpoint = endpoint;
    this.settings = testSettings(options.settings);
    this.library.share(...(options.shares ?? []));
    const startedAt = clock.wallTime();
    this.servent = new Servent(
      {
        clock,
        random,
        library: this.library,
        machine: MACHINE,
        settings: this.settings,
        startedAt,
        rules: NETWORK_RULES[options.profile ?? 'local'],
        shell: this,
        sink: this,
        blocked: new BlockList(),
        serventGuid: random.guid(),
        liveSince: new Date(startedAt).toUTCString(),
        configured: options.connect ?? [],
        caches:
          options.caches === undefined ? NO_CACHES : { ...NO_CACHES, udp: { own: options.caches, wellKnown: [] } },
      },
      clock.ms,
    );
    this.servent.listening(endpoint, [endpoint.host]);
    this.servent.udpOpen(true);
    this.#tickAt(clock.ms);
  }

  get links(): Link[] {
    return [...this.servent.overlay.links.values()];
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

  unlinked(link: Link, reason: string, now: number): void {
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
    for (const pipe of this.#pipes) pipe.cut();
    this.up = false;
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
    const triedAt = internet.clock.wallTime();
    this.dials.push(formatEndpoint(to));
    this.servent.dialling(to);
    const end = (attempt: DialResult) => {
      if (!this.up) return;
      this.servent.dialled(to, attempt, triedAt, internet.clock.ms);
      done(attempt);
      this.#tickAt(internet.clock.ms);
    };
    const target = internet.at(to);
    if (target === null || target === this)
      internet.later(DIAL_MS, () => end({ kind: 'failed', reason: 'DIAL_TIMEOUT', text: 'nobody is there' }));
    else internet.later(LATENCY_MS, () => end(this.#shakeHands(target)));
  }

  /** Connects without a dial's delay: for networks that a test or benchmark builds by hand. */
  join(target: VirtualHost): DialResult {
    const { clock } = this.#internet;
    this.servent.dialling(target.endpoint);
    const attempt = this.#shakeHands(target);
    this.servent.dialled(target.endpoint, attempt, clock.wallTime(), clock.ms);
    return attempt;
  }

  /** Three steps, all in one moment. */
  #shakeHands(target: VirtualHost): DialResult {
    if (!target.up || !this.up) return { kind: 'failed', reason: 'HANDSHAKE_CLOSED', text: 'closed' };
    const now = this.#internet.clock.ms;
    // the system gives each connection a port of its own
    const from = { host: this.endpoint.host, port: 20_000 + this.#internet.random.below(40_000) };
    target.servent.accepted(from.host, now);
    const ours = this.#handshake(target.endpoint, 'out');
    const theirs = target.#handshake(from, 'in');
    while (ours.outcome === null || theirs.outcome === null) {
      const out = ours.take();
      if (out.length > 0 && theirs.outcome === null) theirs.feed(out);
      const back = theirs.take();
      if (back.length > 0 && ours.outcome === null) ours.feed(back);
      else if (out.length === 0) break;
    }
    const [a, b] = [ours.outcome, theirs.outcome];
    if (a?.kind === 'accepted' && b?.kind === 'accepted') return this.#link(target, from, a, b);
    if (a?.kind === 'refused') return { kind: 'refused', refusal: a };
    return b?.kind === 'refused'
      ? { kind: 'refused', refusal: { ...b, by: 'peer' } satisfies HandshakeRefused }
      : { kind: 'failed', reason: 'HANDSHAKE_CLOSED', text: 'closed during the handshake' };
  }

  #handshake(remote: Endpoint, direction: 'in' | 'out'): Handshake {
    const { servent } = this;
    const now = this.#internet.clock.ms;
    return new Handshake({
      direction,
      local: servent.hello(),
      remoteAddress: remote.host,
      admit: peer => servent.admit(peer, remote, direction, now),
      tryUltrapeers: () => servent.tryUltrapeers(now),
      crawl: () => servent.crawl(remote, now),
    });
  }

  #link(target: VirtualHost, from: Endpoint, ours: HandshakeAccepted, theirs: HandshakeAccepted): DialResult {
    const there = new Pipe(this.#internet, this);
    const back = new Pipe(this.#internet, target);
    const link = this.#addLink(target.endpoint, 'out', ours, there);
    const farLink = target.#addLink(from, 'in', theirs, back);
    there.far = { host: target, link: farLink };
    back.far = { host: this, link };
    there.wake(false);
    back.wake(false);
    return { kind: 'linked', link };
  }

  #addLink(endpoint: Endpoint, direction: 'in' | 'out', accepted: HandshakeAccepted, wire: Pipe): Link {
    const { peerRole: role, ourRole, capabilities } = accepted;
    const link = this.servent.addLink(
      { endpoint, direction, role, ourRole, capabilities, wire },
      this.#internet.clock.ms,
    );
    wire.link = link;
    this.#pipes.add(wire);
    this.#tickAt(this.#internet.clock.ms);
    return link;
  }

  send(bytes: Buffer, to: Endpoint): boolean {
    this.#internet.deliver(bytes, this.endpoint, to);
    return true;
  }

  receiveDatagram(bytes: Buffer, from: Endpoint): void {
    this.servent.receiveDatagram(bytes, from, this.#internet.clock.ms);
    this.stirred();
  }

  probe(to: Endpoint): void {
    const { host } = this.endpoint;
    this.#internet.later(LATENCY_MS, () => this.#internet.at(to)?.servent.accepted(host, this.#internet.clock.ms));
  }

  serve(to: Endpoint): void {
    const { clock } = this.#internet;
    this.#internet.later(LATENCY_MS, () => {
      const target = this.#internet.at(to);
      this.servent.pushes.ended(to, target === null ? 'unreachable' : 'served', clock.ms);
      if (target?.servent.requester.onGiv(this.servent.identity.serventGuid) != null)
        this.served.push(formatEndpoint(to));
    });
  }

  callBack(to: Endpoint, id: string): void {
    const server = formatEndpoint(this.endpoint);
    this.#internet.later(LATENCY_MS, () => this.#internet.at(to)?.calledBy.push({ server, id }));
  }

  callProxy(): void {}

  lookUpCache(address: string): void {
    const { clock } = this.#internet;
    this.#internet.later(LATENCY_MS, () =>
      this.servent.bootstrap.udpCacheFound(address, parseEndpoint(address), clock.ms),
    );
  }

  askWebCache(url: string, request: GwebCacheRequest): void {
    this.#internet.later(LATENCY_MS, () =>
      this.servent.bootstrap.webCacheFailed(url, request, 'there is no HTTP here', false),
    );
  }

  // --- ServentSink

  onHit(search: Search, hit: QueryHit, hops: number | null): void {
    this.hits.push({ search, hit, hops });
  }
  onRole(role: string): void {
    this.roles.push(role);
  }
  onPushTimeout(request: PushRequest): void {
    this.timeouts.push(request);
  }
  onQueryPassed(): void {}
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
}
