// A servent without I/O: bytes, datagrams, outcomes and time go in; bytes, dials and events come out. The shell (daemon/, or a
// simulator) has the sockets, files and timers.
import type { Bootstrap } from './bootstrap/bootstrap.ts';
import type { Verdict } from './handshake/admission.ts';
import type { Capabilities, Role } from './handshake/capabilities.ts';
import type { CrawlAnswer, LocalHello } from './handshake/handshake.ts';
import type { DatagramEnd } from './overlay/datagrams/datagram-end.ts';
import { type DatagramSink, Datagrams } from './overlay/datagrams/datagrams.ts';
import type { Link, LinkSpec } from './overlay/links/link.ts';
import type { DialResult } from './overlay/neighbours/dial-result.ts';
import type { Vitals } from './overlay/neighbours/election.ts';
import { FreeSlots } from './overlay/neighbours/free-slots.ts';
import { HostCache, type HostSighting } from './overlay/neighbours/host-cache.ts';
import { HostSightings } from './overlay/neighbours/host-sightings.ts';
import { hostsToTell } from './overlay/neighbours/hosts-to-tell.ts';
import { KeptNeighbours } from './overlay/neighbours/kept-neighbours.ts';
import { Neighbours } from './overlay/neighbours/neighbours.ts';
import { OwnRole, type RoleReport } from './overlay/neighbours/own-role.ts';
import { Overlay } from './overlay/overlay.ts';
import { OwnIdentity } from './overlay/own-identity.ts';
import type { PushAnswerer } from './overlay/pushes/push-answerer.ts';
import type { PushRelay } from './overlay/pushes/push-relay.ts';
import type { PushRequester } from './overlay/pushes/push-requester.ts';
import type { HitTransport } from './overlay/queries/answerer.ts';
import type { SearchSpec } from './overlay/queries/question.ts';
import type { Search } from './overlay/queries/search.ts';
import { SearchSessions } from './overlay/queries/search-sessions.ts';
import { Firewall } from './overlay/reach/firewall.ts';
import { OwnPort } from './overlay/reach/own-port.ts';
import { ReachPolicy } from './overlay/reach/reach-policy.ts';
import type { OverlaySink } from './overlay/sink.ts';
import { VendorDispatch } from './overlay/vendor-dispatch.ts';
import type { SharedFile } from './search/shared-file.ts';
import { serventBootstrap } from './servent-bootstrap.ts';
import { ServentContents } from './servent-contents.ts';
import { ServentDht } from './servent-dht.ts';
import { serventDhtParts } from './servent-dht-parts.ts';
import type { ServentParts } from './servent-parts.ts';
import { serventPushes } from './servent-pushes.ts';
import { type ServentRelay, serventRelay } from './servent-relay.ts';
import { type ServentRudp, serventRudp } from './servent-rudp.ts';
import type { ReachableSetting } from './servent-settings.ts';
import { vitals } from './servent-vitals.ts';
import { Mesh } from './transfer/mesh/mesh.ts';
import type { CallBack } from './transfer/uploads/queue/slot-offers.ts';
import { UploadQueue } from './transfer/uploads/upload-queue.ts';
import { type Endpoint, isIpv6, reachOf } from './wire/endpoint.ts';
import type { Frame } from './wire/frame-reader.ts';
import type { Push } from './wire/push.ts';
import type { Query } from './wire/query.ts';
import type { QueryHit } from './wire/query-hit.ts';

/** Interval of periodic work. */
export const ROUND_MS = 1_000;
const REACH_OVERRIDES = { auto: null, yes: 'open', no: 'firewalled' } as const;

export class Servent implements OverlaySink, DatagramSink, HitTransport {
  readonly hosts: HostCache;
  readonly slots: FreeSlots;
  readonly reach: ReachPolicy;
  readonly port: OwnPort;
  readonly sightings: HostSightings;
  readonly firewall: Firewall;
  readonly role: OwnRole;
  readonly identity: OwnIdentity;
  readonly overlay: Overlay;
  readonly datagrams: Datagrams;
  /** Null without a memory of it. */
  readonly dht: ServentDht | null;
  readonly rudp: ServentRudp;
  readonly vendor: VendorDispatch;
  readonly kept: KeptNeighbours;
  readonly neighbours: Neighbours;
  readonly bootstrap: Bootstrap;
  readonly pushes: PushAnswerer;
  readonly relay: PushRelay;
  readonly requester: PushRequester;
  readonly relaying: ServentRelay;
  readonly uploads: UploadQueue;
  readonly mesh: Mesh;
  readonly searches: SearchSessions;
  readonly contents: ServentContents;
  readonly #parts: ServentParts;
  /** When something came in last: ROUND_MS later every part has had a round. */
  #lastInputAt = 0;

  constructor(parts: ServentParts, now: number) {
    // parts are spelt out for each: spreads would give the objects of each servent shapes of their own, kilobytes of them
    const { clock, random, library, rules, settings, serventGuid, shell, gave, conduct } = parts;
    const callBack: CallBack = (to, id) => shell.callBack(to, id);
    this.#parts = parts;
    this.uploads = new UploadQueue(settings.uploads, { random, gave, conduct, callBack });
    this.searches = new SearchSessions({
      search: (spec, at, held) => this.search(spec, at, held),
      cancel: search => this.cancelSearch(search),
      release: (search, at) => this.overlay.release(search, at),
      lookUp: (search, at, onEnd) => this.contents.lookUp(search, at, onEnd),
      headStartMs: rules.dht.headStartMs,
      sink: parts.sink,
    });
    this.hosts = new HostCache(random, rules.hosts);
    this.slots = new FreeSlots(this.hosts, rules.freeSlotsMs);
    this.reach = new ReachPolicy(rules, parts.blocked);
    this.port = new OwnPort(this.reach, rules.reaches, (at, moved) => this.#onElsewhere(at, moved));
    this.mesh = new Mesh({ role: () => this.role.role, rules, reach: this.reach });
    this.sightings = new HostSightings(this.hosts, this.reach, clock);
    this.firewall = new Firewall({
      override: REACH_OVERRIDES[settings.reachable],
      isNear: host => !rules.reaches.includes(reachOf(host)),
      byPort: rules.sharedAddress,
      now,
    });
    this.role = new OwnRole({
      rules,
      mode: settings.mode,
      leavesMax: settings.maxLeaves,
      seeks: settings.seek > 0,
      random,
      now,
      onChange: (role, why, at) => this.#onRole(role, why, at),
    });
    this.identity = this.#identityOf(parts);
    const { identity, firewall } = this;
    const limits = parts.limits === undefined ? rules.overlay : { ...rules.overlay, ...parts.limits };
    const core = { clock, random, library, identity, limits, rates: settings, sink: this, hitTransport: this };
    this.overlay = new Overlay(core, now);
    const { overlay } = this;
    const dhtParts = serventDhtParts(this, parts);
    this.dht = dhtParts === null ? null : new ServentDht(dhtParts, now);
    this.contents = new ServentContents(
      {
        overlay,
        searches: this.searches,
        dht: this.dht,
        rules,
        onOffer: offer => parts.sink.onSourceOffer(offer),
        onHit: (search, hit, at) => this.searches.onHit(search, hit, null, at),
      },
      now,
    );
    this.rudp = serventRudp(this, parts, now);
    this.datagrams = new Datagrams(
      {
        clock,
        random,
        identity,
        library,
        firewall,
        core: overlay,
        sink: this,
        send: (bytes, to) => shell.send(bytes, to),
        hosts: count => hostsToTell(overlay.links.values(), this.hosts, count),
        userAgent: () => settings.userAgent,
        dht: this.dht,
        rudp: this.rudp,
        limits: rules.datagrams,
      },
      now,
    );
    this.vendor = new VendorDispatch(
      {
        clock,
        random,
        identity,
        firewall,
        probes: { tcp: to => shell.probe(to), udp: (to, guid, at) => this.datagrams.probe(to, guid, at) },
        links: overlay.links,
        reaches: rules.reaches,
        onDhtNode: (endpoint, at) => this.dht?.onNodes([endpoint], at),
        adopt: (link, guid) => overlay.adopt(link, guid),
      },
      now,
    );
    this.kept = new KeptNeighbours({
      addresses: parts.configured,
      random,
      isConnected: address => this.neighbours.isConnected(address),
      dial: address => shell.dialKept(address),
      onMissing: (address, why, waitMs) => parts.sink.onMissing(address, why, waitMs),
    });
    this.neighbours = new Neighbours(
      {
        overlay,
        rules,
        settings,
        clock,
        random,
        serventGuid,
        kept: this.kept,
        hosts: this.hosts,
        sightings: this.sightings,
        slots: this.slots,
        reach: this.reach,
        role: this.role,
        startedAt: parts.startedAt,
        dial: endpoint => shell.dial(endpoint),
        onLeaving: (link, drop) => parts.sink.onLeaving(link, drop),
      },
      now,
    );
    this.bootstrap = serventBootstrap(this, parts, now);
    ({ answerer: this.pushes, relay: this.relay, requester: this.requester } = serventPushes(this, parts, now));
    this.relaying = serventRelay(this, parts);
  }

  #identityOf({ settings, machine, serventGuid, liveSince }: ServentParts): OwnIdentity {
    return new OwnIdentity({
      serventGuid,
      settings,
      liveSince,
      machine,
      uploadsFull: at => this.uploads.busy(at),
      role: () => this.role.role,
      listen: () => this.endpoint,
      datagramPort: () => this.port.datagrams.port,
      ipv6: () => this.port.ipv6,
      firewalled: at => this.firewall.firewalled(at),
      pushProxies: () => this.vendor.pushProxies.endpoints,
      streamEndpoint: at => this.rudp.endpoint(at),
      relays: () => settings.relay && this.role.role === 'ultrapeer',
      relayEndpoints: at => this.relaying.endpoints(at),
      outOfBand: at => this.#outOfBand(at),
      datagrams: () => this.port.udp,
      dhtMode: () => this.dht?.mode ?? 'off',
      links: () => this.overlay.counts,
      alternatesOf: (sha1, max, at) => this.mesh.goodLocations(sha1, max, at),
    });
  }

  // --- the port

  /** Who came to the old port proves nothing of the new one. */
  #onElsewhere(now: number, moved: boolean): void {
    this.#lastInputAt = now;
    if (moved) this.firewall.moved(now);
    this.vendor.connectBacks.askAnew(now);
  }

  get udp(): boolean {
    return this.port.udp;
  }

  /** Where others reach us, as far as we know. */
  get endpoint(): Endpoint {
    return this.port.endpoint;
  }

  /** A connection to our port came from this address. */
  accepted(host: string, now: number): void {
    this.#lastInputAt = now;
    this.firewall.tcpArrived(host, now);
  }

  /** Applies the setting that overrides the measured reachability. */
  overrideReach(reachable: ReachableSetting, now: number): void {
    this.#lastInputAt = now;
    this.firewall.setOverride(REACH_OVERRIDES[reachable], now);
  }

  // --- handshakes and links

  hello(): LocalHello {
    return this.identity.hello();
  }

  admit(peer: Capabilities, remote: Endpoint, direction: 'in' | 'out', begunAt: number): Verdict {
    return this.neighbours.admit(peer, remote, direction, begunAt);
  }

  tryUltrapeers(now: number): Endpoint[] {
    return this.neighbours.tryUltrapeers(now);
  }

  crawl(remote: Endpoint, now: number): CrawlAnswer | null {
    return this.neighbours.crawl(remote, now);
  }

  /** A handshake succeeded. */
  addLink(spec: LinkSpec, now: number): Link {
    this.#lastInputAt = now;
    const link = this.overlay.addLink(spec, now);
    this.onOwnAddressSeen(link.capabilities.remoteIp ?? '', link.endpoint.host);
    this.vendor.onLinked(link, now);
    this.neighbours.onLinked(link, now);
    this.#parts.sink.onLinked(link);
    return link;
  }

  /** Bytes from a link, inflated already. */
  receive(link: Link, chunk: Buffer, now: number): void {
    this.#lastInputAt = now;
    this.overlay.receive(link, chunk, now);
  }

  /** The socket of a link is gone. */
  removeLink(link: Link, reason: string, now: number): void {
    this.#lastInputAt = now;
    this.overlay.removeLink(link, reason);
    this.vendor.onUnlinked(link);
    this.neighbours.onUnlinked(link, now);
    this.#parts.sink.onUnlinked(link);
  }

  dialling(endpoint: Endpoint): void {
    this.neighbours.dialling(endpoint);
  }

  dialled(endpoint: Endpoint, attempt: DialResult, triedAt: number, now: number): void {
    this.#lastInputAt = now;
    this.neighbours.dialled(endpoint, attempt, triedAt, now);
  }

  #onRole(role: Role, why: string, now: number): void {
    this.#parts.sink.onRole(role, why);
    this.neighbours.onRole(role, now);
  }

  #vitals(now: number): Vitals {
    const { firewall, slots, neighbours, overlay } = this;
    return vitals({ machine: this.#parts.machine, firewall, slots, neighbours, overlay }, now);
  }

  roleReport(now: number): RoleReport {
    return this.role.report(this.#vitals(now), now);
  }

  // --- datagrams

  /** One datagram; how it ended, counted already. */
  receiveDatagram(bytes: Buffer, from: Endpoint, now: number): DatagramEnd | null {
    this.#lastInputAt = now;
    return this.reach.blocks(from.host) ? null : this.datagrams.receive(bytes, from, now);
  }

  #outOfBand(now: number): Endpoint | null {
    const { settings, rules } = this.#parts;
    const own = this.port.datagrams;
    const wanted = settings.outOfBand && this.port.udp && this.firewall.takesDatagrams(now);
    return wanted && !isIpv6(own.host) && rules.reaches.includes(reachOf(own.host)) ? own : null;
  }

  /** See HitTransport: hits go by datagram where the query asks for it and UDP is open. */
  offer(frame: Frame, query: Query, files: readonly SharedFile[], now: number): boolean {
    return this.port.udp && this.datagrams.replies.offer(frame, query, files, now);
  }

  onDatagramHit(search: Search, hit: QueryHit, _from: Endpoint, now: number): void {
    this.#onHit(search, hit, null, now);
  }

  onDatagramHosts(hosts: readonly HostSighting[], now: number): void {
    this.dht?.onHosts(hosts, now);
    this.sightings.add(hosts, now);
  }

  onOwnAddressSeen(host: string, voter: string): void {
    this.port.seen(host, voter);
  }

  // --- what the links tell (OverlaySink)

  onHit(search: Search, hit: QueryHit, _link: Link, hops: number, now: number): void {
    this.#onHit(search, hit, hops, now);
  }

  #onHit(search: Search, hit: QueryHit, hops: number | null, now: number): void {
    this.#parts.sink.onHit(search, hit, hops);
    this.searches.onHit(search, hit, hops, now);
  }

  onQueryPassed(link: Link, frame: Frame, ownHits: number): void {
    this.#parts.sink.onQueryPassed(link, frame, ownHits);
  }

  onHitPassed(_from: Link, _to: Link, frame: Frame): void {
    this.#parts.sink.onHitPassed(frame);
  }

  readonly onPong = (link: Link, frame: Frame): void => this.#parts.sink.onPong?.(link, frame);

  onDatagramQueryHit(frame: Frame, now: number): void {
    this.datagrams.guess.onHit(frame, now);
  }

  onPush(push: Push, link: Link | null, now: number, guid: Buffer): void {
    if (this.relaying.takes(push, link, now)) return;
    this.pushes.onPush(push, link === null ? 'datagram' : 'overlay', now, guid);
  }

  onHosts(hosts: readonly HostSighting[], _link: Link, now: number): void {
    this.dht?.onHosts(hosts, now);
    this.sightings.add(hosts, now);
  }

  onBye(link: Link, code: number, text: string, tryUltrapeers: readonly Endpoint[], now: number): void {
    this.#parts.sink.onBye(link, code, text);
    this.sightings.addTried(tryUltrapeers, true, now);
  }

  onVendorMessage(link: Link, frame: Frame, now: number): void {
    this.vendor.onMessage(link, frame, now);
  }

  onRouteTableUpdate(): void {}

  onLinkEnded(link: Link, code: number, text: string): void {
    this.#parts.sink.onLinkEnded(link, code, text);
  }

  // --- searches, library, time, end

  /** Other files are shared than before: QRP tables follow. */
  onLibraryChanged(): void {
    this.overlay.onLibraryChanged();
    this.dht?.files.onLibraryChanged();
  }

  /** Throws RangeError when there is neither a word nor a URN in it. */
  search(spec: SearchSpec, now: number, held = false): Search {
    this.#lastInputAt = now;
    return this.overlay.search(spec, now, held);
  }

  cancelSearch(search: Search): void {
    this.overlay.cancelSearch(search);
  }

  /** Does what is due; when to be called again. After any other call of now it is called ROUND_MS later, or sooner. */
  tick(now: number): number {
    const roundAt = this.#lastInputAt + ROUND_MS;
    return Math.min(
      roundAt > now ? roundAt : Number.POSITIVE_INFINITY,
      this.vendor.tick(now),
      this.overlay.tick(now),
      this.datagrams.tick(now),
      this.dht?.tick(now) ?? Number.POSITIVE_INFINITY,
      this.rudp.tickReach(now),
      this.neighbours.tick(now),
      this.bootstrap.tick(now),
      this.role.tick(now, this.overlay.counts.ultrapeers, () => this.#vitals(now)),
      this.requester.tick(now),
      this.searches.tick(now),
      this.contents.tick(now),
      this.uploads.tick(now),
    );
  }

  /** Says Bye to all neighbours; dials, admits and follows nobody from now on. */
  close(): void {
    this.neighbours.close();
    this.bootstrap.close();
    this.searches.close();
    this.pushes.close();
    this.dht?.leave();
    this.port.udp = false;
    this.overlay.shutdown();
  }
}
