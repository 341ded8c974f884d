// What a servent does besides its links: UDP, vendor messages, reachability, pushes. Built and wired in one place, so that
// the composition root need not know how these hang together.
import type { Socket } from 'node:net';
import { Datagrams, LOCAL_DATAGRAM_LIMITS } from '../../protocol/overlay/datagrams.ts';
import { Firewall, type FirewallStatus } from '../../protocol/overlay/firewall.ts';
import type { HostCache } from '../../protocol/overlay/host-cache.ts';
import type { Identity } from '../../protocol/overlay/identity.ts';
import type { Link } from '../../protocol/overlay/link.ts';
import type { Overlay } from '../../protocol/overlay/overlay.ts';
import { VendorDispatch } from '../../protocol/overlay/vendor-dispatch.ts';
import type { Clock, Random } from '../../protocol/ports.ts';
import type { Searchable } from '../../protocol/search/shared-file.ts';
import { distinct, type Endpoint, formatEndpoint, isIpv6, reachOf } from '../../protocol/wire/endpoint.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import type { HostCachePong, UdpPings } from '../bootstrap/udp-host-caches.ts';
import type { Log } from '../log.ts';
import { ConnectBackProbes } from '../net/connect-back.ts';
import type { Dialer } from '../net/dialer.ts';
import { FaultLog } from '../net/fault-log.ts';
import type { OwnAddress } from '../net/own-address.ts';
import { type ReachPolicy, reachesOf } from '../net/reach.ts';
import { Udp } from '../net/udp.ts';
import type { OverlayEars, OverlayWatch } from '../observation/overlay-watch.ts';
import type { Settings } from '../settings.ts';
import { PushAnswerer } from '../transfer/push.ts';
import { PushRelay } from '../transfer/push-relay.ts';
import { PushRequester } from '../transfer/push-requester.ts';
import type { Source } from '../transfer/source.ts';

/** Hosts out of the cache for one pong, after our neighbours. */
const FRESH_HOSTS = 30;
const DECREES = { auto: null, yes: 'open', no: 'firewalled' } as const;

export interface DatagramSideOptions {
  settings: Settings;
  clock: Clock;
  random: Random;
  log: Log;
  identity: Identity;
  library: Searchable;
  overlay: Overlay;
  watch: OverlayWatch;
  hosts: HostCache;
  reach: ReachPolicy;
  /** Addresses that are not heard. */
  blocks: (host: string) => boolean;
  dialer: Dialer;
  own: () => OwnAddress | null;
  listen: () => Endpoint;
  /** The file server, for those who pushed. */
  serve: (socket: Socket, head: Buffer) => void;
}

export class DatagramSide implements UdpPings, OverlayEars {
  readonly firewall: Firewall;
  readonly core: Datagrams;
  readonly vendor: VendorDispatch;
  readonly pushes: PushAnswerer;
  readonly requester: PushRequester;
  readonly relay: PushRelay;
  readonly probes: ConnectBackProbes;
  readonly #options: DatagramSideOptions;
  readonly #faults: FaultLog;
  #udp: Udp | null = null;

  constructor(options: DatagramSideOptions) {
    const { settings, clock, random, log, identity, library, overlay, watch, reach, dialer } = options;
    const { profile, gnutella } = settings;
    const lab = profile === 'local';
    const reaches = reachesOf(profile);
    this.#options = options;
    this.#faults = new FaultLog(log.child({ mod: 'udp' }), () => clock.now(), 'a datagram that we failed on');
    const now = clock.now();
    this.firewall = new Firewall({
      decreed: DECREES[gnutella.reachable],
      isNear: host => !reaches.includes(reachOf(host)),
      byPort: lab,
      now,
    });
    this.core = new Datagrams({
      clock,
      random,
      identity,
      library,
      core: overlay,
      firewall: this.firewall,
      send: (bytes, to) => this.#udp?.send(bytes, to),
      hosts: count => this.#hosts(count),
      userAgent: () => gnutella.userAgent,
      limits: { reaches, ...(lab ? LOCAL_DATAGRAM_LIMITS : {}) },
      sink: {
        onDatagramHit: (search, hit) => watch.searches?.onHit(search, hit, null),
        onDatagramHosts: hosts => watch.onHosts(hosts),
        onOwnAddressSeen: (host, voter) => options.own()?.seen(host, voter),
      },
    });
    this.probes = new ConnectBackProbes(dialer, log.child({ mod: 'connect-back' }));
    this.vendor = new VendorDispatch({
      clock,
      random,
      identity,
      firewall: this.firewall,
      probes: { tcp: to => this.probes.probe(to), udp: (to, guid) => this.core.probe(to, guid) },
      links: overlay.links,
      reaches,
      adopt: (link, guid) => overlay.adopt(link, guid),
    });
    const dial = (endpoint: Endpoint, signal: AbortSignal) => dialer.dial(endpoint, signal);
    const forbids = (endpoint: Endpoint) => reach.forbids(endpoint);
    this.pushes = new PushAnswerer({
      serventGuid: identity.serventGuid,
      dial,
      forbids,
      serve: options.serve,
      byPort: lab,
      clock,
      log: log.child({ mod: 'pushes' }),
    });
    this.relay = new PushRelay({
      serventGuid: identity.serventGuid,
      ultrapeer: () => identity.ultrapeer,
      sendPush: push => overlay.sendPush(push),
      onPush: push => this.pushes.onPush(push),
      clock,
    });
    this.requester = new PushRequester({
      sendPush: push => overlay.sendPush(push),
      sendDatagram: (push, to) => this.#sendPush(() => this.core.push(push, to)),
      dial,
      forbids,
      listen: options.listen,
      firewalled: () => this.firewall.firewalled(clock.now()),
      userAgent: () => gnutella.userAgent,
      clock,
      log: log.child({ mod: 'pushes' }),
    });
  }

  /** After a change of `gnutella.reachable`. */
  decree(reachable: Settings['gnutella']['reachable']): void {
    this.firewall.decree(DECREES[reachable], this.#options.clock.now());
  }

  #sendPush(send: () => void): boolean {
    if (this.#udp === null) return false;
    send();
    return true;
  }

  /** Our ultrapeers, then others heard of lately. */
  #hosts(count: number): Endpoint[] {
    const { overlay, hosts } = this.#options;
    const near: Endpoint[] = [];
    for (const link of overlay.links.values()) {
      if (link.role === 'ultrapeer' && link.listen !== null) near.push(link.listen);
    }
    return distinct([...near, ...hosts.fresh(FRESH_HOSTS, true)]).slice(0, count);
  }

  /** On the port that TCP got; without UDP, with a line in the log, when that is taken. */
  async start(at: Endpoint): Promise<void> {
    const { settings, reach, blocks, log, overlay } = this.#options;
    if (!settings.gnutella.udp) return;
    const udp = new Udp({
      ...at,
      log: log.child({ mod: 'udp' }),
      forbids: endpoint => reach.forbids(endpoint),
      onDatagram: (bytes, from) => {
        if (blocks(from.host)) return;
        try {
          this.core.receive(bytes, from);
        } catch (error) {
          this.#faults.note(error, { from: formatEndpoint(from), bytes: bytes.length });
        }
      },
    });
    if (!(await udp.start())) return;
    this.#udp = udp;
    overlay.courier = this.core.replies;
  }

  get open(): boolean {
    return this.#udp !== null;
  }

  onVendorMessage(link: Link, frame: Frame): void {
    this.vendor.onMessage(link, frame);
  }

  onHitForOutside(frame: Frame): void {
    this.core.guess.onHit(frame, this.#options.clock.now());
  }

  onLinked(link: Link): void {
    this.vendor.onLinked(link);
  }

  onUnlinked(link: Link): void {
    this.vendor.onUnlinked(link);
  }

  /** Somebody connected to our port. */
  onAccepted(host: string): void {
    this.firewall.tcpArrived(host, this.#options.clock.now());
  }

  /** See Identity. */
  outOfBand(): Endpoint | null {
    const { settings, clock, listen } = this.#options;
    const wanted = settings.gnutella.outOfBand && this.open && this.firewall.takesDatagrams(clock.now());
    const own = listen();
    return wanted && !isIpv6(own.host) && reachesOf(settings.profile).includes(reachOf(own.host)) ? own : null;
  }

  /** Has a servent behind a firewall connect to us, for a download. */
  fetch(source: Source, signal: AbortSignal): Promise<Socket> {
    const { serventGuid, endpoint, index, pushProxies = [] } = source;
    if (serventGuid === null) return this.#options.dialer.dial(endpoint, signal);
    return this.requester.request({ serventGuid, endpoint, index, pushProxies }, signal);
  }

  sendUdpPing(to: Endpoint, onPong: (pong: HostCachePong) => void): boolean {
    const { reach, identity } = this.#options;
    if (!this.open || reach.forbids(to) !== null) return false;
    this.core.ask(to, { hosts: identity.ultrapeer ? 'ultrapeer' : 'leaf', address: true }, answer => {
      if (answer !== null) onPong({ hosts: answer.pong.hosts, hostCaches: answer.caches });
    });
    return true;
  }

  status(): FirewallStatus {
    return this.firewall.status(this.#options.clock.now());
  }

  /** When to be called again. */
  tick(now: number): number {
    this.vendor.tick(now);
    return this.core.tick(now);
  }

  async stop(): Promise<void> {
    this.pushes.stop();
    this.requester.stop();
    this.probes.stop();
    this.#options.overlay.courier = null;
    await this.#udp?.stop();
  }
}
