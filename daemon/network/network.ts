// Connects the servent to the operating system: TCP port, UDP port, dials, block lists.
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { CachesToAsk } from '../../protocol/bootstrap/bootstrap.ts';
import type { GwebCacheRequest } from '../../protocol/bootstrap/gwebcache-request.ts';
import { NETWORK_RULES, type NetworkRules } from '../../protocol/network-rules.ts';
import type { DialResult } from '../../protocol/overlay/neighbours/dial-result.ts';
import { isWildcard } from '../../protocol/overlay/reach/own-address.ts';
import { Servent } from '../../protocol/servent.ts';
import type { Shell } from '../../protocol/servent-shell.ts';
import type { ServentSink } from '../../protocol/servent-sink.ts';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import { Conduct } from '../../protocol/transfer/uploads/conduct/conduct.ts';
import { BlockList } from '../../protocol/wire/block-list.ts';
import { ByeCode } from '../../protocol/wire/bye.ts';
import { canonicalHost, type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { CacheCalls } from '../bootstrap/cache-calls.ts';
import { CacheStore } from '../bootstrap/cache-store.ts';
import { readHostsFiles } from '../bootstrap/hosts-file.ts';
import type { DaemonContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { Bandwidth } from '../net/bandwidth.ts';
import { type BlockListFault, type ReadBlockLists, readBlockLists } from '../net/block-lists.ts';
import { ConnectBackProbes } from '../net/connect-back.ts';
import { Dialer } from '../net/dialer.ts';
import { FaultLog } from '../net/fault-log.ts';
import { Handshaker } from '../net/handshaker.ts';
import { Listener } from '../net/listener.ts';
import { resolveAddress } from '../net/lookup.ts';
import { Tls } from '../net/tls.ts';
import { Udp } from '../net/udp.ts';
import { HostStore } from '../store/hosts.ts';
import { blockFiles, listenerLimits } from './bounds.ts';
import { Limits } from './limits.ts';
import { MachineGauge } from './machine-gauge.ts';
import { neverBanned } from './never-banned.ts';
import { PushConnections } from './push-connections.ts';
import { QueueCalls } from './queue-calls.ts';
import { Refusals } from './refusals.ts';
import { serventSettings } from './servent-settings.ts';

export interface NetworkParts {
  library: Library;
  /** Caches to ask for the first neighbours. */
  caches: CachesToAsk;
  sink: ServentSink;
  /** Bytes that an address has given us. */
  gave: (address: string) => number;
  /** Serves HTTP on an incoming socket or one opened for a push. */
  serve: (socket: Socket, head: Buffer, pushed: boolean) => void;
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
  readonly handshaker: Handshaker;
  readonly listener: Listener;
  readonly probes: ConnectBackProbes;
  readonly pushes: PushConnections;
  readonly queueCalls: QueueCalls;
  readonly #cacheCalls: CacheCalls;
  /** Judges those that ask for uploads. */
  readonly conduct: Conduct;
  readonly refusals = new Refusals();
  readonly #context: DaemonContext;
  readonly #blocked = new BlockList();
  readonly #tls: Tls | null;
  readonly #udpFaults: FaultLog;
  readonly #abort = new AbortController();
  #udp: Udp | null = null;
  #blockLists: ReadBlockLists = { sources: [], faults: [] };

  /** Nothing listens or dials before listen() and join(). */
  constructor(context: DaemonContext, { library, caches, sink, serve, gave, onQueueCallback }: NetworkParts) {
    const { settings, clock, random, log, live, startedAt, store, guid } = context;
    const { gnutella, profile } = settings;
    this.#context = context;
    this.rules = NETWORK_RULES[profile];
    this.conduct = new Conduct({ bans: this.rules.bans, spares: neverBanned(settings) });
    this.bandwidth = new Bandwidth(() => clock.now());
    this.bandwidth.limitGroups(settings.uploads.groups);
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
        ...{ clock, random, library, caches, sink, gave },
        machine: this.machine,
        rules: this.rules,
        settings: serventSettings(live.resolved, () => this.limits.spent),
        shell: this,
        blocked: this.#blocked,
        conduct: this.conduct,
        serventGuid: guid,
        startedAt: startedAt.getTime(),
        liveSince: startedAt.toUTCString().replace('GMT', '+0000'),
        configured: gnutella.connect,
        limits: context.limits,
      },
      clock.now(),
    );
    const { servent } = this;
    this.dialer = new Dialer({
      forbids: endpoint => servent.reach.forbids(endpoint),
      // A servent that listens on one address, such as that of a VPN, also dials from it.
      ...(isWildcard(gnutella.host) ? {} : { localAddress: gnutella.host }),
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
    this.#cacheCalls = new CacheCalls({ servent, clock, rules: this.rules, log: log.child({ mod: 'bootstrap' }) });
    this.probes = new ConnectBackProbes(this.dialer, log.child({ mod: 'connect-back' }));
    this.pushes = new PushConnections({
      servent,
      serve,
      clock,
      dialer: this.dialer,
      log: log.child({ mod: 'pushes' }),
    });
    this.queueCalls = new QueueCalls({ servent, serve, dialer: this.dialer, log: log.child({ mod: 'uploads' }) });
    this.#udpFaults = new FaultLog(log.child({ mod: 'udp' }), () => clock.now(), 'internal error on a datagram');
    this.listener = this.#listenerOf(serve, onQueueCallback);
  }

  #listenerOf(serve: NetworkParts['serve'], queue: NetworkParts['onQueueCallback']): Listener {
    const { settings, log, clock } = this.#context;
    const tls = this.#tls;
    return new Listener(
      {
        host: settings.gnutella.host,
        port: settings.gnutella.port,
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
    return this.#udp !== null;
  }

  probe(to: Endpoint): void {
    this.probes.probe(to);
  }

  serve(to: Endpoint): void {
    this.pushes.serve(to);
  }

  callBack(to: Endpoint, id: string): void {
    this.queueCalls.call(to, id);
  }

  callProxy(proxy: Endpoint, serventGuid: Buffer): void {
    this.pushes.callProxy(proxy, serventGuid);
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
    const endpoint = await resolveAddress(address, this.rules.resolvesNames); // the dialer asks whether it may
    return typeof endpoint === 'string'
      ? { kind: 'failed', reason: 'DIAL_FAILED', text: endpoint }
      : this.connect(endpoint);
  }

  /** Resolves with a socket to a source of a download, dialled or, with a GUID, requested by push. */
  fetch(source: Source, signal: AbortSignal): Promise<Socket> {
    const { serventGuid, endpoint, index, pushProxies = [] } = source;
    if (serventGuid === null) return this.dialer.dial(endpoint, signal);
    return this.pushes.request({ serventGuid, endpoint, index, pushProxies }, signal);
  }

  // --- starting and stopping

  /** Reads the hosts and caches of earlier runs, and hosts files. Rejects with StoreError. */
  async restore(): Promise<void> {
    const { settings, store, clock, log, shutdown } = this.#context;
    const { bootstrap } = this.servent;
    await this.limits.start();
    shutdown.add('the limits', () => this.limits.stop());
    const kept = new HostStore(store.table('hosts'), this.servent.hosts, clock, log.child({ mod: 'hosts' }));
    await kept.start();
    shutdown.add('the host cache', () => kept.stop());
    const bootstrapLog = log.child({ mod: 'bootstrap' });
    const caches = new CacheStore(store.table('caches'), bootstrap, bootstrapLog);
    await caches.start();
    shutdown.add('the known caches', () => caches.stop());
    await readHostsFiles(settings.bootstrap.hostsFiles, bootstrap, clock, bootstrapLog);
  }

  /** Opens TCP, then UDP on the same port. Resolves with the address. Rejects with ListenError. */
  async listen(): Promise<Endpoint> {
    const { shutdown } = this.#context;
    await this.readBlockLists();
    await this.machine.start();
    shutdown.add('the measurements', () => this.machine.stop());
    const at = await this.listener.start();
    shutdown.add('the links', async () => {
      await this.listener.stop();
      this.#abort.abort();
      this.servent.close();
      await this.#cacheCalls.stop();
      await this.handshaker.stop();
    });
    this.servent.listening(at, interfaceHosts());
    await this.#openUdp(at);
    shutdown.add('UDP', async () => {
      this.bandwidth.stop();
      this.pushes.stop();
      this.queueCalls.stop();
      this.probes.stop();
      this.servent.udpOpen(false);
      await this.#udp?.stop();
    });
    return at;
  }

  /** Opens UDP. When the port is taken, UDP stays off with a warning. */
  async #openUdp(at: Endpoint): Promise<void> {
    const { settings, log, clock } = this.#context;
    if (!settings.gnutella.udp) return;
    const udp = new Udp({
      ...at,
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
    if (!(await udp.start())) return;
    this.#udp = udp;
    this.servent.udpOpen(true);
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

function interfaceHosts(): string[] {
  return Object.values(networkInterfaces()).flatMap(addresses =>
    (addresses ?? []).flatMap(({ address }) => canonicalHost(address) ?? []),
  );
}
