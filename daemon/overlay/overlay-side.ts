// Everything that speaks with the network, built and wired in one place: who we are, the overlay core, the links and how they come about,
// UDP, the hosts we know. Files and searches are the transfer side's.
import { BlockList } from '../../protocol/overlay/block-list.ts';
import { HostCache } from '../../protocol/overlay/host-cache.ts';
import { LOCAL_OVERLAY_LIMITS } from '../../protocol/overlay/limits.ts';
import { Overlay } from '../../protocol/overlay/overlay.ts';
import { QUERY_GUARD } from '../../protocol/overlay/query-guard.ts';
import { ByeCode } from '../../protocol/wire/bye.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Bootstrap } from '../bootstrap/bootstrap.ts';
import { bootstrapOf } from '../bootstrap/bootstrap-side.ts';
import { Refusals } from '../explain/refusals.ts';
import type { Ground } from '../ground.ts';
import type { Library } from '../library/library.ts';
import { type BlockListFault, type ReadBlockLists, readBlockLists } from '../net/block-lists.ts';
import { Dialer } from '../net/dialer.ts';
import { Handshaker } from '../net/handshaker.ts';
import { Listener } from '../net/listener.ts';
import { isWildcard, OwnAddress } from '../net/own-address.ts';
import { ReachPolicy, reachesOf } from '../net/reach.ts';
import { Tls } from '../net/tls.ts';
import { OverlayWatch } from '../observation/overlay-watch.ts';
import { QueryMonitor } from '../observation/query-monitor.ts';
import { HostStore } from '../store/hosts.ts';
import type { FileServer } from '../transfer/file-server.ts';
import { blockFiles, freeSlots, hostPolicy, linkBounds, listenerLimits, seekOf } from './bounds.ts';
import { DatagramSide } from './datagram-side.ts';
import { ServentIdentity } from './identity.ts';
import { Neighbours } from './neighbours.ts';
import type { OwnRole } from './own-role.ts';
import { RoleSide } from './role-side.ts';

export interface OverlaySideParts {
  library: Library;
  /** The file server: HTTP comes in by the same port. Built later, on this. */
  uploads: () => FileServer;
}

export class OverlaySide {
  readonly hosts: HostCache;
  readonly reach: ReachPolicy;
  readonly monitor: QueryMonitor;
  readonly watch: OverlayWatch;
  readonly identity: ServentIdentity;
  readonly core: Overlay;
  readonly dialer: Dialer;
  readonly refusals = new Refusals();
  readonly handshaker: Handshaker;
  readonly neighbours: Neighbours;
  readonly beside: DatagramSide;
  readonly listener: Listener;
  readonly #ground: Ground;
  readonly #side: RoleSide;
  readonly #blocked = new BlockList();
  readonly #tls: Tls | null;
  #blockLists: ReadBlockLists = { sources: [], faults: [] };
  /** Known once we listen. */
  #own: OwnAddress | null = null;
  #bootstrap: Bootstrap | null = null;

  /** Builds; nothing listens or dials before listen() and join(). */
  constructor(ground: Ground, parts: OverlaySideParts) {
    const { settings, clock, random, log, live } = ground;
    const { gnutella, profile } = settings;
    this.#ground = ground;
    this.hosts = new HostCache(random, hostPolicy(settings));
    this.reach = new ReachPolicy(profile, this.#blocked);
    this.#side = this.#roleSide(parts);
    this.monitor = new QueryMonitor({ privacy: settings.queries.privacy });
    this.watch = new OverlayWatch({
      clock,
      log: log.child({ mod: 'overlay' }),
      hosts: this.hosts,
      reach: this.reach,
      monitor: this.monitor,
      slots: this.#side.slots,
      onPush: push => this.beside.pushes.onPush(push),
    });
    this.identity = this.#identity(parts);
    this.core = new Overlay({
      clock,
      random,
      library: parts.library,
      sink: this.watch,
      identity: this.identity,
      limits: {
        reaches: reachesOf(profile),
        queries: profile === 'local' ? null : QUERY_GUARD,
        ...(profile === 'public' ? {} : LOCAL_OVERLAY_LIMITS),
        ...ground.limits,
      },
    });
    this.dialer = new Dialer({
      forbids: endpoint => this.reach.forbids(endpoint),
      // who listens on one address speaks from it too: a VPN's, or one of several
      ...(isWildcard(gnutella.host) ? {} : { localAddress: gnutella.host }),
    });
    this.#tls = gnutella.tls ? new Tls() : null;
    this.handshaker = this.#handshaker();
    this.neighbours = new Neighbours({
      overlay: this.core,
      handshaker: this.handshaker,
      hosts: this.hosts,
      slots: this.#side.slots,
      reach: this.reach,
      clock,
      random,
      log: log.child({ mod: 'neighbours' }),
      role: () => this.role.role,
      mayBecomeLeaf: () => this.role.mayBecomeLeaf,
      onGuided: () => this.role.yield(),
      topology: this.#side.topology,
      serventGuid: ground.guid,
      startedAt: ground.startedAt,
      bounds: linkBounds(live.resolved),
      configured: gnutella.connect,
      acceptLegacy: this.#side.lab,
      strict: !this.#side.lab,
      guides: this.#side.lab && this.role.active,
    });
    this.beside = new DatagramSide({
      ...{ settings, clock, random, log },
      identity: this.identity,
      library: parts.library,
      overlay: this.core,
      watch: this.watch,
      hosts: this.hosts,
      reach: this.reach,
      blocks: host => this.#blocked.blocks(host),
      dialer: this.dialer,
      own: () => this.#own,
      listen: () => this.endpoint(),
      serve: (socket, head) => parts.uploads().handle(socket, head),
    });
    this.watch.ears = this.beside;
    this.listener = this.#listener(parts);
  }

  /** Null until join(). */
  get bootstrap(): Bootstrap | null {
    return this.#bootstrap;
  }

  get role(): OwnRole {
    return this.#side.role;
  }

  /** What we say we listen on; before that is known, what was configured. */
  endpoint(): Endpoint {
    const { host, port } = this.#ground.settings.gnutella;
    return this.#own?.endpoint ?? { host, port };
  }

  /** Files that do not block what they were to. */
  get blockListFaults(): readonly BlockListFault[] {
    return this.#blockLists.faults;
  }

  #roleSide({ uploads }: OverlaySideParts): RoleSide {
    const { settings, live, startedAt, clock, random, log, store } = this.#ground;
    return new RoleSide({
      ...{ settings, startedAt, clock, random },
      seeks: seekOf(live.resolved) > 0,
      log: log.child({ mod: 'role' }),
      table: store.table('sessions'),
      reachable: () => this.beside.status(),
      linkBytesSent: () => this.core.bytesOut,
      uploadRate: () => uploads().load.rate,
      refusedShare: () => this.neighbours.refusedShare,
      counts: () => this.neighbours.counts,
      onChange: changed => this.neighbours.onRole(changed),
    });
  }

  #identity({ uploads }: OverlaySideParts): ServentIdentity {
    const { settings, startedAt, clock, guid } = this.#ground;
    return new ServentIdentity({
      ...{ settings, startedAt },
      serventGuid: guid,
      role: () => this.role.role,
      dailyUptimeSeconds: () => this.#side.sessions.dailySeconds,
      listen: () => this.endpoint(),
      ipv6: () => this.#own?.ipv6 ?? null,
      uploadsFull: () => uploads().full,
      bestUpload: () => this.#side.sessions.bestUpload,
      firewalled: () => this.beside.firewall.firewalled(clock.now()),
      pushProxies: () => this.beside.vendor.pushProxies.endpoints,
      outOfBand: () => this.beside.outOfBand(),
      datagrams: () => this.beside.open,
      free: () => freeSlots(settings, this.neighbours.counts),
    });
  }

  #handshaker(): Handshaker {
    const { clock, log, observation } = this.#ground;
    const { reports } = observation;
    return new Handshaker({
      ...(this.#tls === null ? {} : { tls: this.#tls }),
      core: this.core,
      dialer: this.dialer,
      log: log.child({ mod: 'links' }),
      now: () => clock.now(),
      local: () => this.identity.hello(),
      admit: (peer, remote, direction, begunAt) => this.neighbours.admit(peer, remote, direction, begunAt),
      tryUltrapeers: () => this.neighbours.tryUltrapeers(),
      onEnded: (remote, direction, end, detail) =>
        this.refusals.add({ at: clock.wallTime(), remote, direction, end, detail }),
      crawl: remote => this.neighbours.crawl(remote),
      onLinked: link => {
        const own = this.#own;
        if (own?.seen(link.capabilities.remoteIp ?? '', link.endpoint.host) === true) this.reach.addOwn(own.endpoint);
        this.beside.onLinked(link);
        this.neighbours.onLinked(link);
        reports.onLinked(link);
      },
      onUnlinked: link => {
        this.beside.onUnlinked(link);
        this.neighbours.onUnlinked(link);
        reports.onUnlinked(link);
      },
    });
  }

  #listener({ uploads }: OverlaySideParts): Listener {
    const { settings, log } = this.#ground;
    const tls = this.#tls;
    return new Listener(
      {
        host: settings.gnutella.host,
        port: settings.gnutella.port,
        log: log.child({ mod: 'listener' }),
        limits: listenerLimits(settings),
        allow: address => !this.#blocked.blocks(address),
        ...(tls === null ? {} : { secure: (socket, head) => tls.accept(socket, head) }),
        onAccepted: address => this.beside.onAccepted(address),
      },
      {
        overlay: (socket, head, remote) => this.handshaker.accept(socket, head, remote),
        http: (socket, head) => uploads().handle(socket, head),
        giv: (socket, head) => this.beside.requester.onGiv(socket, head),
      },
    );
  }

  /** The hosts of earlier runs. Rejects with StoreError. */
  async remember(): Promise<void> {
    const { store, clock, log, running } = this.#ground;
    const kept = new HostStore(store.table('hosts'), this.hosts, clock, log.child({ mod: 'hosts' }));
    await kept.start();
    running.add('the host cache', () => kept.stop());
  }

  /** TCP, and UDP on the port that TCP got: resolves with where. */
  async listen(): Promise<Endpoint> {
    const { settings, running } = this.#ground;
    await this.readBlockLists();
    await this.#side.start();
    running.add('the measurements', () => this.#side.stop());
    const at = await this.listener.start();
    running.add('the links', async () => {
      await this.listener.stop();
      this.core.shutdown();
      await this.handshaker.stop();
    });
    const own = new OwnAddress(at, settings.profile);
    this.#own = own;
    this.reach.addOwn(own.endpoint);
    if (own.ipv6 !== null) this.reach.addOwn({ host: own.ipv6, port: at.port });
    await this.beside.start(at);
    running.add('UDP', () => this.beside.stop());
    return at;
  }

  /** Looks for others. The clock must run. */
  async join(): Promise<void> {
    const { running } = this.#ground;
    const bootstrap = await bootstrapOf(this.#ground, this);
    this.#bootstrap = bootstrap;
    await bootstrap.start();
    running.add('the bootstrap', () => bootstrap.stop());
    this.neighbours.start();
    this.role.start();
    running.add('the neighbours', () => this.neighbours.stop());
  }

  /** Again, when the lists or what they say may have changed: links to who is blocked now are ended. */
  async readBlockLists(): Promise<void> {
    const { settings, log } = this.#ground;
    const listLog = log.child({ mod: 'block lists' });
    const { sources } = this.#blockLists;
    this.#blockLists = await readBlockLists(blockFiles(settings), this.#blocked, listLog, sources);
    for (const link of [...this.core.links.values()])
      if (this.#blocked.blocks(link.endpoint.host)) this.core.bye(link, ByeCode.UserRemoval, 'Blocked');
  }

  /** When to be called again. */
  tick(now: number): number {
    return Math.min(this.core.tick(now), this.beside.tick(now));
  }
}
