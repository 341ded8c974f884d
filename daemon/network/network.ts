// Connects the servent to the operating system: TCP port, UDP port, dials, block lists.
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CachesToAsk } from '../../protocol/bootstrap/bootstrap.ts';
import type { GwebCacheRequest } from '../../protocol/bootstrap/gwebcache-request.ts';
import { NETWORK_RULES, type NetworkRules } from '../../protocol/network-rules.ts';
import type { DialResult } from '../../protocol/overlay/neighbours/dial-result.ts';
import type { PushRequest } from '../../protocol/overlay/pushes/push-requester.ts';
import { isWildcard } from '../../protocol/overlay/reach/own-address.ts';
import type { RelayCall } from '../../protocol/relay/relay-line.ts';
import { Servent } from '../../protocol/servent.ts';
import type { ServentParts } from '../../protocol/servent-parts.ts';
import type { Shell } from '../../protocol/servent-shell.ts';
import type { ServentSink } from '../../protocol/servent-sink.ts';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import { Conduct } from '../../protocol/transfer/uploads/conduct/conduct.ts';
import { BlockList } from '../../protocol/wire/block-list.ts';
import { ByeCode } from '../../protocol/wire/bye.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { CacheCalls } from '../bootstrap/cache-calls.ts';
import type { DaemonContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { Bandwidth } from '../net/bandwidth.ts';
import { type BlockListFault, type ReadBlockLists, readBlockLists } from '../net/block-lists.ts';
import { awayText, BoundInterface } from '../net/bound-interface.ts';
import { ConnectBackProbes } from '../net/connect-back.ts';
import { Dialer } from '../net/dialer.ts';
import { FaultLog } from '../net/fault-log.ts';
import { Handshaker } from '../net/handshaker.ts';
import { Listener } from '../net/listener.ts';
import { resolveAddress } from '../net/lookup.ts';
import { PortFile } from '../net/port-file.ts';
import { RudpDialer } from '../net/rudp/rudp-dialer.ts';
import type { StreamSocket } from '../net/stream-socket.ts';
import { Tls } from '../net/tls.ts';
import { Udp } from '../net/udp.ts';
import { WayOut } from '../net/way-out.ts';
import { blockFiles, listenerLimits } from './bounds.ts';
import { GnutellaPort } from './gnutella-port.ts';
import { Limits } from './limits.ts';
import { MachineGauge } from './machine-gauge.ts';
import { neverBanned } from './never-banned.ts';
import { PortMapping } from './port-mapping.ts';
import { type Dial, PushConnections, type Reached } from './push-connections.ts';
import { QueueCalls } from './queue-calls.ts';
import { Refusals } from './refusals.ts';
import { RelayConnections } from './relay-connections.ts';
import { keepDht, restoreHosts } from './servent-memory.ts';
import { serventSettings } from './servent-settings.ts';
import { hiddenName, outsideProxy, socksWayOf } from './socks-proxy.ts';

export interface NetworkParts extends Required<Pick<ServentParts, 'gave' | 'partials' | 'sharesPart'>> {
  library: Library;
  /** Caches to ask for the first neighbours. */
  caches: CachesToAsk;
  sink: ServentSink;
  /** Serves HTTP on an incoming socket or one opened for a push; `only`: a file of this SHA-1 alone. */
  serve: (socket: StreamSocket, head: Buffer, pushed: boolean, only?: Buffer) => void;
  /** Takes the call of a remote upload queue. */
  onQueueCallback: (socket: Socket, head: Buffer) => void;
}

export class Network implements Shell {
  readonly rules: NetworkRules;
  readonly bandwidth: Bandwidth;
  readonly limits: Limits;
  readonly machine: MachineGauge;
  readonly servent: Servent;
  readonly dialer: Dialer;
  /** Streams over UDP. */
  readonly rudp: RudpDialer;
  readonly handshaker: Handshaker;
  readonly listener: Listener;
  readonly port: GnutellaPort;
  readonly way: WayOut;
  /** Null: not bound to an interface. */
  readonly bound: BoundInterface | null;
  readonly mapping: PortMapping;
  /** Something of how others reach us has changed. */
  onNat: () => void = () => undefined;
  /** Null: no file names the port. */
  readonly portFile: PortFile | null;
  readonly probes: ConnectBackProbes;
  readonly pushes: PushConnections;
  readonly queueCalls: QueueCalls;
  readonly relays: RelayConnections;
  readonly #cacheCalls: CacheCalls;
  /** Judges those that ask for uploads. */
  readonly conduct: Conduct;
  readonly refusals = new Refusals();
  readonly #context: DaemonContext;
  readonly #blocked = new BlockList();
  readonly #tls: Tls | null;
  readonly #udpFaults: FaultLog;
  readonly #abort = new AbortController();
  readonly #udp: Udp | null;
  #blockLists: ReadBlockLists = { sources: [], faults: [] };

  /** Nothing listens or dials before listen() and join(). */
  constructor(context: DaemonContext, parts: NetworkParts) {
    const { library, caches, sink, serve, gave, partials, sharesPart, onQueueCallback } = parts;
    const { settings, clock, random, log, live, startedAt, store, guid } = context;
    const { gnutella, profile } = settings;
    this.#context = context;
    this.rules = NETWORK_RULES[profile];
    this.way = new WayOut(socksWayOf(settings));
    this.conduct = new Conduct({ bans: this.rules.bans, spares: neverBanned(settings) });
    this.bandwidth = new Bandwidth(() => clock.now());
    this.bandwidth.limitGroups(settings.uploads.groups);
    this.bandwidth.limitGroups(settings.downloads.categories, 'download');
    this.limits = new Limits({
      ...{ bandwidth: this.bandwidth, clock },
      settings: () => settings.limits,
      log: log.child({ mod: 'limits' }),
      table: store.table('bandwidth'),
    });
    this.machine = new MachineGauge({
      ...{ clock, startedAt },
      log: log.child({ mod: 'role' }),
      table: store.table('sessions'),
      bytesSent: () => this.servent.overlay.bytesOut + this.servent.uploads.bytesSent,
    });
    this.servent = new Servent(
      {
        ...{ clock, random, library, caches, sink, gave, partials, sharesPart },
        machine: this.machine,
        rules: this.rules,
        settings: serventSettings(live.resolved, () => this.limits.spent),
        shell: this,
        blocked: this.#blocked,
        conduct: this.conduct,
        serventGuid: guid,
        dht: context.dht,
        startedAt: startedAt.getTime(),
        liveSince: startedAt.toUTCString().replace('GMT', '+0000'),
        configured: gnutella.connect,
        limits: context.limits,
      },
      clock.now(),
    );
    const { servent } = this;
    this.dialer = new Dialer({ forbids: endpoint => servent.reach.forbids(endpoint), way: this.way });
    this.rudp = new RudpDialer({
      ...{ clock, bandwidth: this.bandwidth },
      rudp: () => servent.rudp,
      send: (bytes, to) => this.#udp?.sendNow(bytes, to),
    });
    this.#tls = gnutella.tls ? new Tls() : null;
    this.handshaker = new Handshaker({
      servent,
      clock,
      bandwidth: this.bandwidth,
      dialer: this.dialer,
      log: log.child({ mod: 'links' }),
      ...(this.#tls === null ? {} : { tls: this.#tls }),
      onEnded: (remote, direction, end, detail) =>
        this.refusals.add({ at: clock.wallTime(), remote, direction, end, detail }),
    });
    this.#cacheCalls = new CacheCalls({
      ...{ servent, clock, rules: this.rules, way: this.way },
      log: log.child({ mod: 'bootstrap' }),
    });
    this.probes = new ConnectBackProbes(this.dialer, log.child({ mod: 'connect-back' }));
    const calls = { servent, serve, clock, dialer: this.dialer };
    this.relays = new RelayConnections({ ...calls, log: log.child({ mod: 'relay' }) });
    const { relays, rudp: streams } = this;
    this.pushes = new PushConnections({ ...calls, relays, streams, log: log.child({ mod: 'pushes' }) });
    this.queueCalls = new QueueCalls({ ...calls, log: log.child({ mod: 'uploads' }) });
    this.#udpFaults = new FaultLog(log.child({ mod: 'udp' }), () => clock.now(), 'internal error on a datagram');
    this.listener = this.#listenerOf(serve, onQueueCallback);
    this.#udp = gnutella.udp && this.way.proxy === null ? this.#udpOf() : null;
    this.bound = this.#boundOf();
    this.portFile = this.#portFileOf();
    this.port = new GnutellaPort({
      ...{ listener: this.listener, udp: this.#udp, servent, clock, log },
      wish: () => ({
        host: this.way.proxy !== null ? null : this.bound === null ? gnutella.host : this.bound.address,
        port: this.portFile?.port ?? gnutella.port,
        masked: this.bound !== null,
      }),
    });
    this.mapping = this.#mappingOf();
    this.port.onMoved.push(() => {
      void this.mapping.follow();
      this.onNat();
    });
  }

  #mappingOf(): PortMapping {
    const { settings, clock, random, log } = this.#context;
    const { servent, rules, way, listener, port } = this;
    return new PortMapping({
      ...{ servent, rules, clock, random },
      log: log.child({ mod: 'nat' }),
      onChange: () => this.onNat(),
      need: () => ({
        on: settings.nat.mapping === 'auto' && way.proxy === null && way.closed === null && listener.listening,
        router: settings.nat.router,
        port: port.address.port,
        udp: servent.udp,
        localAddress: way.localAddress,
        interface: this.bound?.name ?? null,
      }),
    });
  }

  #boundOf(): BoundInterface | null {
    const { gnutella } = this.#context.settings;
    const bound =
      gnutella.interface === ''
        ? null
        : new BoundInterface({ name: gnutella.interface, onChange: address => void this.#onInterface(address) });
    if (this.way.proxy !== null) this.way.outside = outsideProxy(this.way.proxy.proxy, this.rules);
    // A servent that listens on one address, such as that of a VPN, also dials from it.
    if (bound === null) this.way.open(isWildcard(gnutella.host) ? null : gnutella.host);
    else if (bound.address === null) this.way.close(awayText(bound.name));
    else this.#leaveFrom(bound.address);
    return bound;
  }

  #leaveFrom(address: string): void {
    this.way.open(address);
    this.way.asksFrom = address;
  }

  /** Fails closed: what is open ends before anything is opened elsewhere. */
  async #onInterface(address: string | null): Promise<void> {
    const { log, settings } = this.#context;
    const name = settings.gnutella.interface;
    const interfaceLog = log.child({ mod: 'interface' });
    this.way.close(awayText(name));
    if (address === null)
      interfaceLog.warn({ interface: name }, 'the interface is away: all connections are closed and nothing is sent');
    else this.#leaveFrom(address);
    try {
      await this.port.follow();
      void this.mapping.follow();
      this.onNat();
      if (address !== null) interfaceLog.info({ interface: name, address }, 'the interface is there: traffic goes on');
    } catch (err) {
      interfaceLog.error(
        { err, interface: name, address },
        'the port cannot be opened on the address of the interface',
      );
    }
  }

  #portFileOf(): PortFile | null {
    const { settings, log } = this.#context;
    if (settings.nat.portFile === '') return null;
    const fileLog = log.child({ mod: 'port file' });
    return new PortFile({
      path: settings.nat.portFile,
      onPort: async port => {
        const before = this.port.address.port;
        try {
          await this.port.follow();
          fileLog.info({ before, port }, 'the port file names another port: we listen there');
        } catch (err) {
          fileLog.warn({ err, before, port }, 'the port that the port file names cannot be opened: the old one stays');
        }
      },
      onTrouble: trouble => fileLog.warn(`${trouble}; the port stays as it is`),
    });
  }

  #listenerOf(serve: NetworkParts['serve'], queue: NetworkParts['onQueueCallback']): Listener {
    const { settings, log, clock } = this.#context;
    const tls = this.#tls;
    return new Listener(
      {
        host: settings.gnutella.host,
        port: settings.gnutella.port,
        way: this.way,
        log: log.child({ mod: 'listener' }),
        limits: listenerLimits(settings),
        allow: address => !this.#blocked.blocks(address),
        ...(tls === null ? {} : { secure: (socket, head) => tls.accept(socket, head) }),
        onAccepted: address => this.servent.accepted(address, clock.now()),
      },
      {
        overlay: (socket, head, remote) => this.handshaker.accept(socket, head, remote),
        http: (socket, head) => serve(socket, head, false),
        giv: (socket, head) => this.pushes.onGiv(socket, head),
        queue,
        relay: (socket, head) => this.relays.onRelay(socket, head),
      },
    );
  }

  // --- calls from the servent

  dial(endpoint: Endpoint): void {
    void this.connect(endpoint);
  }

  dialKept(address: string): void {
    const { kept } = this.servent;
    void this.connectTo(address).then(attempt => kept.ended(address, attempt, this.#context.clock.now()));
  }

  send(bytes: Buffer, to: Endpoint): boolean {
    this.#udp?.send(bytes, to);
    return this.#udp?.isOpen === true;
  }

  wakeRudp(): void {
    this.rudp.wake();
  }

  probe(to: Endpoint): void {
    if (this.way.proxy === null) this.probes.probe(to); // else the proxy would be whom it proves something of
  }

  serve(to: Endpoint): void {
    this.pushes.serve(to);
  }

  serveStream(to: Endpoint): void {
    this.pushes.serveStream(to);
  }

  serveAtRelay(relay: Endpoint, call: RelayCall): void {
    this.relays.serve(relay, call);
  }

  callBack(to: Endpoint, id: string): void {
    this.queueCalls.call(to, id);
  }

  dialSource(request: PushRequest): void {
    this.pushes.dialSource(request);
  }

  callProxy(request: PushRequest, proxy: Endpoint, fileIndex: number): void {
    this.pushes.callProxy(request, proxy, fileIndex);
  }

  openStream(request: PushRequest, to: Endpoint): void {
    this.pushes.openStream(request, to);
  }

  meetAtRelay(request: PushRequest, relays: readonly Endpoint[]): void {
    this.pushes.meetAtRelay(request, relays);
  }

  lookUpCache(address: string): void {
    this.#cacheCalls.lookUpCache(address);
  }

  askWebCache(url: string, request: GwebCacheRequest): void {
    this.#cacheCalls.askWebCache(url, request);
  }

  // --- dials

  /** Dials and runs the handshake. Never rejects. */
  async connect(endpoint: Endpoint): Promise<DialResult> {
    const { clock, log } = this.#context;
    const triedAt = clock.wallTime();
    this.servent.dialling(endpoint);
    const attempt = await this.handshaker
      .connect(endpoint, { signal: this.#abort.signal })
      .catch((err: unknown): DialResult => {
        log.error({ err, endpoint }, 'internal error in a dial'); // caught: the servent needs the end of every dial
        return { kind: 'failed', reason: 'DIAL_FAILED', text: 'internal error: see the log' };
      });
    this.servent.dialled(endpoint, attempt, triedAt, clock.now());
    return attempt;
  }

  /** Looks up HOST:PORT and connects. Never rejects. */
  async connectTo(address: string): Promise<DialResult> {
    // the dialer asks whether it may
    const endpoint =
      this.way.closed ??
      (this.way.proxy === null ? null : hiddenName(address)) ??
      (await resolveAddress(address, this.rules.resolvesNames, undefined, this.way.asksFrom));
    return typeof endpoint === 'string'
      ? { kind: 'failed', reason: 'DIAL_FAILED', text: endpoint }
      : this.connect(endpoint);
  }

  /** Resolves with a connection to a source of a download, whichever way led to it. */
  reach({ pushProxies = [], ...source }: Source, dial: Dial, signal: AbortSignal): Promise<Reached> {
    return this.pushes.reach({ ...source, pushProxies }, dial, signal);
  }

  // --- starting and stopping

  /** Reads the hosts and caches of earlier runs, and hosts files. Rejects with StoreError. */
  async restore(): Promise<void> {
    await this.limits.start();
    this.#context.shutdown.add('the limits', () => this.limits.stop());
    await restoreHosts(this.#context, this.servent);
  }

  /** Opens TCP, then UDP on the same port. Resolves with the address. Rejects with ListenError. */
  async listen(): Promise<Endpoint> {
    const { shutdown } = this.#context;
    await this.readBlockLists();
    await this.machine.start();
    shutdown.add('the measurements', () => this.machine.stop());
    await this.portFile?.start();
    await this.port.start();
    this.bound?.start();
    shutdown.add('the links', async () => {
      await this.listener.stop();
      this.#abort.abort();
      this.servent.close();
      await this.#cacheCalls.stop();
      await this.handshaker.stop();
    });
    shutdown.add('UDP', async () => {
      this.servent.dht?.leave();
      this.rudp.stop();
      this.servent.port.udp = false;
      await nextTurn(); // a socket drops what is sent in the same turn in which it is closed
      this.bandwidth.stop();
      this.pushes.stop();
      this.queueCalls.stop();
      this.relays.stop();
      this.probes.stop();
      await this.#udp?.stop();
    });
    shutdown.add('the port', () => {
      this.bound?.stop();
      this.portFile?.stop();
    });
    keepDht(this.#context, this.servent); // stops first: a node that has left knows no others
    this.mapping.start();
    shutdown.add('the port mapping', () => this.mapping.stop());
    return this.port.address;
  }

  #udpOf(): Udp {
    const { settings, log, clock } = this.#context;
    return new Udp({
      host: settings.gnutella.host,
      port: settings.gnutella.port,
      log: log.child({ mod: 'udp' }),
      bandwidth: this.bandwidth,
      forbids: endpoint => this.servent.reach.forbids(endpoint),
      onDatagram: (bytes, from) => {
        try {
          this.servent.receiveDatagram(bytes, from, clock.now());
        } catch (error) {
          this.#udpFaults.note(error, { from: formatEndpoint(from), bytes: bytes.length });
        }
      },
    });
  }

  /** Block list files that are not, or not fully, in force. */
  get blockListFaults(): readonly BlockListFault[] {
    return this.#blockLists.faults;
  }

  /** Reads the block lists again and closes links to addresses that are blocked now. */
  async readBlockLists(): Promise<void> {
    const { settings, log } = this.#context;
    const { overlay } = this.servent;
    const listLog = log.child({ mod: 'block lists' });
    const { sources } = this.#blockLists;
    this.#blockLists = await readBlockLists(blockFiles(settings), this.#blocked, listLog, sources);
    for (const link of [...overlay.links.values()])
      if (this.#blocked.blocks(link.endpoint.host)) overlay.bye(link, ByeCode.UserRemoval, 'Blocked');
  }
}
