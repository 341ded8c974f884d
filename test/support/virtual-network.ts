// Overlays joined by wires of memory: a network in one process, deterministic, with a clock that a test moves.

import type { Capabilities, PeerRole, Role } from '../../protocol/handshake/capabilities.ts';
import type { Identity } from '../../protocol/overlay/identity.ts';
import type { OverlayLimits } from '../../protocol/overlay/limits.ts';
import type { Link, LinkSpec, Wire } from '../../protocol/overlay/links/link.ts';
import type { HostSighting } from '../../protocol/overlay/neighbours/host-cache.ts';
import { Overlay } from '../../protocol/overlay/overlay.ts';
import type { HitTransport } from '../../protocol/overlay/queries/answerer.ts';
import type { QueryRateSettings } from '../../protocol/overlay/queries/query-rates.ts';
import type { SearchSpec } from '../../protocol/overlay/queries/question.ts';
import type { Search } from '../../protocol/overlay/queries/search.ts';
import type { OverlaySink } from '../../protocol/overlay/sink.ts';
import type { Random } from '../../protocol/ports.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { Frame, FrameReader, ReadResult } from '../../protocol/wire/frame-reader.ts';
import { formatGuid, markGuid } from '../../protocol/wire/guid.ts';
import type { Push } from '../../protocol/wire/push.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import { VirtualLibrary } from '../../sim/servents/virtual-library.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

export { VirtualClock };

/** xorshift32: the same seed, the same run. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  below(bound: number): number {
    return this.next() % bound;
  }

  fill(target: Uint8Array): void {
    for (let i = 0; i < target.length; i++) target[i] = this.next();
  }

  guid(): Buffer {
    const guid = Buffer.alloc(16);
    this.fill(guid);
    return markGuid(guid);
  }
}

/** What a modern ultrapeer says of itself; change what a test is about. */
export function capabilitiesWith(changes: Partial<Capabilities> = {}): Capabilities {
  return {
    userAgent: 'virtual/1',
    role: 'ultrapeer',
    version: '0.6',
    guid: null,
    listen: null,
    remoteIp: null,
    queryRouting: 0.1,
    ultrapeerQueryRouting: false,
    dynamicQuerying: true,
    degree: 32,
    maxTtl: 4,
    extProbes: true,
    requeries: false,
    pongCaching: true,
    ggep: true,
    vendorMessages: true,
    bye: true,
    deflate: false,
    contentDeflate: false,
    guess: 0,
    tlsUpgrade: false,
    liveSince: null,
    tryUltrapeers: [],
    tryHosts: [],
    ultrapeerNeeded: null,
    crawler: false,
    authChallenge: false,
    gnutella: true,
    locale: null,
    ...changes,
  };
}

export interface ServentOptions {
  readonly role?: Role;
  readonly firewalled?: boolean;
  readonly limits?: Partial<OverlayLimits>;
  /** How fast queries may come; absent: no limit. */
  readonly rates?: QueryRateSettings;
}

/** One servent: an overlay and a note of everything that it told. */
export class VirtualServent implements OverlaySink, Identity {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly library = new VirtualLibrary();
  readonly overlay: Overlay;
  readonly serventGuid: Buffer;
  readonly vendor = 'TEST';
  readonly ultrapeer: boolean;
  readonly #firewalled: boolean;
  busy = (): boolean => false;
  tls = false;
  speedKbps = 100;
  leafSlotsFree = 5;
  ultrapeerSlotsFree = 5;
  dailyUptimeSeconds = 3600;

  readonly hits: { search: Search; hit: QueryHit; link: Link; hops: number }[] = [];
  /** GUIDs of queries in order. */
  readonly passed: string[] = [];
  readonly hitsPassed: string[] = [];
  readonly pushes: Push[] = [];
  readonly hosts: HostSighting[] = [];
  readonly byes: { code: number; text: string }[] = [];
  readonly ended: { code: number; text: string }[] = [];
  vendorMessages = 0;
  /** Where it takes hits by datagram, and who takes its pushes; for tests that have datagrams. */
  datagramEndpoint: Endpoint | null = null;
  proxies: Endpoint[] = [];
  /** Further ears, for the parts beside the overlay. */
  hearVendorMessage: (link: Link, frame: Frame) => void = () => undefined;
  hearHitForOutside: (frame: Frame) => void = () => undefined;
  routeTableUpdates = 0;
  /** Where hits go instead of the links; for tests that have datagrams. */
  hitTransport: HitTransport | null = null;
  readonly #clock: VirtualClock;

  constructor(name: string, host: string, clock: VirtualClock, random: Random, options: ServentOptions = {}) {
    this.name = name;
    this.endpoint = { host, port: 6346 };
    this.serventGuid = random.guid();
    this.ultrapeer = options.role !== 'leaf';
    this.#firewalled = options.firewalled ?? false;
    // most tests are about the flood; those of query routing turn it off
    const limits = { reaches: ['private', 'public'] as const, flooding: true, ...options.limits };
    this.#clock = clock;
    const hitTransport: HitTransport = {
      offer: (frame, query, files, now) => this.hitTransport?.offer(frame, query, files, now) ?? false,
    };
    this.overlay = new Overlay(
      {
        ...{ clock, random, library: this.library, sink: this, identity: this, limits, hitTransport },
        ...(options.rates === undefined ? {} : { rates: options.rates }),
      },
      clock.now(),
    );
  }

  firewalled(): boolean {
    return this.#firewalled;
  }

  search(spec: SearchSpec): Search {
    return this.overlay.search(spec, this.#clock.now());
  }

  sendPush(push: Push): number {
    return this.overlay.sendPush(push, this.#clock.now());
  }

  addLink(spec: LinkSpec): Link {
    return this.overlay.addLink(spec, this.#clock.now());
  }

  receive(link: Link, chunk: Buffer): void {
    this.overlay.receive(link, chunk, this.#clock.now());
  }

  listen(): Endpoint {
    return this.endpoint;
  }

  outOfBand(): Endpoint | null {
    return this.datagramEndpoint;
  }

  pushProxies(): readonly Endpoint[] {
    return this.proxies;
  }

  onHit(search: Search, hit: QueryHit, link: Link, hops: number): void {
    this.hits.push({ search, hit, link, hops });
  }
  onQueryPassed(_link: Link, frame: Frame, _ownHits: number): void {
    this.passed.push(formatGuid(frame.guid()));
  }
  onHitPassed(_from: Link, _to: Link, frame: Frame): void {
    this.hitsPassed.push(formatGuid(frame.guid()));
  }
  onPush(push: Push): void {
    this.pushes.push(push);
  }
  onHosts(hosts: readonly HostSighting[]): void {
    this.hosts.push(...hosts);
  }
  onBye(_link: Link, code: number, text: string): void {
    this.byes.push({ code, text });
  }
  onVendorMessage(link: Link, frame: Frame): void {
    this.vendorMessages++;
    this.hearVendorMessage(link, frame);
  }
  onDatagramQueryHit(frame: Frame): void {
    this.hearHitForOutside(frame);
  }
  onRouteTableUpdate(): void {
    this.routeTableUpdates++;
  }
  onLinkEnded(_link: Link, code: number, text: string): void {
    this.ended.push({ code, text });
  }
}

/** What a socket holds before it says "enough". */
const SOCKET_BYTES = 65_536;

/** One direction of a connection. */
export class VirtualWire implements Wire {
  link: Link | null = null;
  /** Gets what this wire carries. */
  deliver: (chunk: Buffer) => void = () => undefined;
  hungUp: () => void = () => undefined;
  /** The other side does not read. */
  stalled = false;
  wakes = 0;
  #inFlight: Buffer[] = [];
  #inFlightBytes = 0;
  #closing = false;
  #closed = false;

  wake(urgent: boolean): void {
    this.wakes++;
    if (urgent) this.#fill();
  }

  close(): void {
    this.#closing = true;
  }

  #fill(): void {
    while (this.link !== null && this.#inFlightBytes < SOCKET_BYTES) {
      const bytes = this.link.queue.take(SOCKET_BYTES);
      if (bytes === null) return;
      this.#inFlight.push(bytes);
      this.#inFlightBytes += bytes.length;
    }
  }

  /** Carries what there is to the other side; false when nothing moved. */
  step(): boolean {
    if (this.#closed || this.stalled) return false;
    this.#fill();
    const chunks = this.#inFlight;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
    for (const chunk of chunks) this.deliver(chunk);
    if (chunks.length > 0) return true;
    if (!this.#closing) return false;
    this.#closed = true;
    this.hungUp();
    return true;
  }
}

export interface ConnectOptions {
  /** What `b` is to `a`, and `a` to `b`; from the servents' roles when not said. */
  readonly roles?: readonly [b: PeerRole, a: PeerRole];
}

export interface Connection {
  readonly a: Link;
  readonly b: Link;
  readonly aToB: VirtualWire;
  readonly bToA: VirtualWire;
}

export class VirtualNetwork {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly servents: VirtualServent[] = [];
  readonly #wires: VirtualWire[] = [];
  readonly #edges: [VirtualServent, VirtualServent][] = [];
  /** Every frame that went from one servent to another, when a test sets it to a list. */
  carried: { wire: VirtualWire; frame: SeenFrame }[] | null = null;

  constructor(seed = 1) {
    this.random = new SeededRandom(seed);
  }

  add(name: string, options: ServentOptions = {}): VirtualServent {
    const host = `10.0.${this.servents.length >> 8}.${(this.servents.length & 255) + 1}`;
    const servent = new VirtualServent(name, host, this.clock, this.random, options);
    this.servents.push(servent);
    return servent;
  }

  /** `a` dials `b`. */
  connect(a: VirtualServent, b: VirtualServent, options: ConnectOptions = {}): Connection {
    const [bRole, aRole] = options.roles ?? [roleOf(b), roleOf(a)];
    const aToB = new VirtualWire();
    const bToA = new VirtualWire();
    const aLink = a.addLink(specOf(b, 'out', bRole, a, aToB));
    const bLink = b.addLink(specOf(a, 'in', aRole, b, bToA));
    this.#join(aToB, aLink, b, bLink);
    this.#join(bToA, bLink, a, aLink);
    this.#wires.push(aToB, bToA);
    this.#edges.push([a, b]);
    return { a: aLink, b: bLink, aToB, bToA };
  }

  #join(wire: VirtualWire, from: Link, to: VirtualServent, toLink: Link): void {
    const frames = new FrameCollector();
    wire.link = from;
    wire.deliver = chunk => {
      for (const frame of frames.read(chunk)) this.carried?.push({ wire, frame });
      to.receive(toLink, chunk);
    };
    wire.hungUp = () => to.overlay.removeLink(toLink, 'closed by peer');
  }

  /** a - b - c …, one servent a letter. */
  line(names: string): VirtualServent[] {
    const servents = [...names].map(name => this.add(name));
    servents.forEach((servent, i) => {
      const next = servents[i + 1];
      if (next !== undefined) this.connect(servent, next);
    });
    this.settle();
    return servents;
  }

  /** A peer played by the test: it sees frames and sends bytes. */
  puppet(
    servent: VirtualServent,
    role: PeerRole = 'ultrapeer',
    capabilities: Partial<Capabilities> = {},
    link: Partial<LinkSpec> = {},
  ): Puppet {
    const puppet = new Puppet(servent, role, capabilities, link);
    this.#wires.push(puppet.wire);
    return puppet;
  }

  /** Carries everything until nothing moves. */
  settle(): void {
    for (let round = 0; round < 10_000; round++) {
      let moved = false;
      for (const wire of this.#wires) moved = wire.step() || moved;
      if (!moved) return;
    }
    throw new Error('the network never comes to rest');
  }

  /** Lets only some wires, chosen at random, carry what they have: orders in which things arrive vary. */
  settleSome(): void {
    for (const wire of this.#wires) if (this.random.below(3) === 0) wire.step();
  }

  /** How many servents are at most so many hops from this one, itself included. */
  within(servent: VirtualServent, hops: number): number {
    let reached = new Set([servent]);
    for (let hop = 0; hop < hops; hop++) {
      const next = new Set(reached);
      for (const [a, b] of this.#edges) {
        if (reached.has(a)) next.add(b);
        if (reached.has(b)) next.add(a);
      }
      reached = next;
    }
    return reached.size;
  }

  /** Lets time pass, a second at a time or as told. */
  pass(ms: number, stepMs = 1_000): void {
    const until = this.clock.ms + ms;
    this.settle();
    while (this.clock.ms < until) {
      this.clock.ms = Math.min(until, this.clock.ms + stepMs);
      for (const { overlay } of this.servents) overlay.tick(this.clock.ms);
      this.settle();
    }
  }
}

export interface SeenFrame {
  readonly bytes: Buffer;
  readonly guid: Buffer;
  readonly type: number;
  readonly ttl: number;
  readonly hops: number;
  readonly payload: Buffer;
}

class FrameCollector {
  readonly #reader = new FrameReader(65_535);

  read(chunk: Buffer): SeenFrame[] {
    const seen: SeenFrame[] = [];
    const frame = new Frame();
    this.#reader.push(chunk);
    while (this.#reader.next(frame) === ReadResult.Frame) {
      const bytes = frame.copy();
      const { type, ttl, hops } = frame;
      seen.push({ bytes, guid: bytes.subarray(0, 16), type, ttl, hops, payload: bytes.subarray(23) });
    }
    return seen;
  }
}

export class Puppet {
  readonly link: Link;
  readonly wire = new VirtualWire();
  /** What the servent sent. */
  seen: SeenFrame[] = [];
  hungUp = false;
  readonly #servent: VirtualServent;
  readonly #frames = new FrameCollector();

  constructor(servent: VirtualServent, role: PeerRole, capabilities: Partial<Capabilities>, link: Partial<LinkSpec>) {
    this.#servent = servent;
    this.link = servent.addLink({
      endpoint: { host: '10.9.9.9', port: 6346 },
      direction: 'in',
      role,
      ourRole: servent.ultrapeer ? 'ultrapeer' : 'leaf',
      capabilities: capabilitiesWith({ role, ...capabilities }),
      deflateIn: false,
      deflateOut: false,
      wire: this.wire,
      ...link,
    });
    this.wire.link = this.link;
    this.wire.deliver = chunk => this.seen.push(...this.#frames.read(chunk));
    this.wire.hungUp = () => {
      this.hungUp = true;
      servent.overlay.removeLink(this.link, 'closed');
    };
  }

  send(...frames: Buffer[]): void {
    this.#servent.receive(this.link, Buffer.concat(frames));
  }

  ofType(type: number): SeenFrame[] {
    return this.seen.filter(frame => frame.type === type);
  }
}

function roleOf(servent: VirtualServent): Role {
  return servent.ultrapeer ? 'ultrapeer' : 'leaf';
}

function specOf(peer: VirtualServent, direction: 'in' | 'out', role: PeerRole, us: VirtualServent, wire: Wire) {
  const capabilities = capabilitiesWith({
    role,
    guid: peer.serventGuid,
    listen: peer.endpoint,
    ultrapeerQueryRouting: role === 'ultrapeer',
    ...(role === 'legacy' ? { version: '0.4', maxTtl: null, pongCaching: false, ggep: false } : {}),
  });
  return {
    endpoint: peer.endpoint,
    direction,
    role,
    ourRole: roleOf(us),
    capabilities,
    deflateIn: false,
    deflateOut: false,
    wire,
  };
}
