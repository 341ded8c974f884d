// Composition root: builds the parts, starts them in order, stops them in reverse. The only file that knows everybody.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigPlan, DownloadView } from '../api/control.ts';
import { BlockList } from '../protocol/overlay/block-list.ts';
import { HostCache } from '../protocol/overlay/host-cache.ts';
import { LOCAL_OVERLAY_LIMITS } from '../protocol/overlay/limits.ts';
import { Overlay } from '../protocol/overlay/overlay.ts';
import { QUERY_GUARD } from '../protocol/overlay/query-guard.ts';
import { ByeCode } from '../protocol/wire/bye.ts';
import { type Endpoint, formatEndpoint, reachOf } from '../protocol/wire/endpoint.ts';
import { urnOrNull } from '../protocol/wire/urn.ts';
import { startAdminApi } from './admin-api.ts';
import { Bootstrap } from './bootstrap/bootstrap.ts';
import { cachesToAsk } from './bootstrap/known-caches.ts';
import { blockFiles, hostPolicy, LINKS_TO_FIND, listenerLimits, seekOf, uploadLimits } from './bounds.ts';
import { DaemonControl } from './control.ts';
import { DatagramSide } from './datagram-side.ts';
import { Refusals } from './explain/refusals.ts';
import { ServentIdentity, serventGuid } from './identity.ts';
import { type KeyRecord, Keys } from './keys.ts';
import { Library } from './library/library.ts';
import { type Log, logLevels } from './log.ts';
import { Neighbours } from './neighbours.ts';
import { readBlockLists } from './net/block-lists.ts';
import { Dialer } from './net/dialer.ts';
import { Handshaker } from './net/handshaker.ts';
import { Listener } from './net/listener.ts';
import { isWildcard, OwnAddress } from './net/own-address.ts';
import { ReachPolicy, reachesOf } from './net/reach.ts';
import { Tls } from './net/tls.ts';
import { Observation, Watching } from './observation.ts';
import { OverlayWatch } from './overlay-watch.ts';
import { QueryMonitor } from './query-monitor.ts';
import { RoleSide } from './role-side.ts';
import { ensureApiToken, removeRuntime, writeRuntime } from './runtime-files.ts';
import { Searches } from './searches.ts';
import { LiveSettings } from './settings/live.ts';
import type { ResolvedSettings } from './settings.ts';
import { DownloadStore } from './store/downloads.ts';
import { FileStore } from './store/files.ts';
import { HostStore } from './store/hosts.ts';
import { Store } from './store/store.ts';
import { SystemClock, SystemRandom } from './system.ts';
import { Ticker } from './ticker.ts';
import { browseHost } from './transfer/browse-host.ts';
import { Downloads } from './transfer/downloads.ts';
import { FileServer } from './transfer/file-server.ts';
import { version } from './version.ts';

export interface RunningDaemon {
  readonly gnutella: Endpoint;
  /** http://HOST:PORT */
  readonly api: string;
  /** Reads the configuration again and applies what can be applied now. Rejects with SettingsError, nothing changed, when it is wrong. */
  reload(): Promise<ConfigPlan>;
  stop(): Promise<void>;
}

/** What has been started, to be stopped in reverse. */
class Running {
  readonly #log: Log;
  readonly #stops: { what: string; stop: () => Promise<void> | void }[] = [];
  #stopping: Promise<void> | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  add(what: string, stop: () => Promise<void> | void): void {
    this.#stops.push({ what, stop });
  }

  /** One part that fails to stop must not keep the others from saving their state. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      for (const { what, stop } of this.#stops.reverse()) {
        try {
          await stop();
        } catch (err) {
          this.#log.error({ err }, `stopping ${what} failed`);
        }
      }
    })();
    return this.#stopping;
  }
}

/** Rejects with an error whose message tells a person what to do; nothing is left running then. */
export async function startDaemon(resolved: ResolvedSettings, log: Log): Promise<RunningDaemon> {
  const running = new Running(log);
  try {
    return await start(resolved, log, running);
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function start(given: ResolvedSettings, log: Log, running: Running): Promise<RunningDaemon> {
  const live = new LiveSettings(given);
  const { settings, resolved } = live;
  const clock = new SystemClock();
  const random = new SystemRandom();
  const startedAt = new Date();
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });

  const store = await Store.open(join(settings.dataDir, 'store'), log.child({ mod: 'store' }));
  running.add('the store', () => store.close());
  const observation = new Observation({ store, clock, log });
  await observation.start();
  running.add('the event log', () => observation.stop());
  const { bus, reports } = observation;
  const token = await ensureApiToken(settings.dataDir);
  const guid = await serventGuid(store.table<string>('identity'), random);

  const hosts = new HostCache(random, hostPolicy(settings));
  const hostStore = new HostStore(store.table('hosts'), hosts, clock, log.child({ mod: 'hosts' }));
  await hostStore.start();
  running.add('the host cache', () => hostStore.stop());

  const [ownShare] = settings.library.folders;
  if (ownShare === join(settings.dataDir, 'shared')) await mkdir(ownShare, { recursive: true });
  const libraryLog = log.child({ mod: 'library' });
  let core: Overlay | null = null; // shares come in before it is there; it reads them itself then
  const library = new Library({
    folders: settings.library.folders,
    store: new FileStore(store.table('files'), store.table('folders'), libraryLog),
    log: libraryLog,
    onChange: () => core?.onLibraryChanged(),
    onScanned: reports.onScanned,
  });
  await library.start();
  running.add('the library', () => library.stop());

  const blocked = new BlockList();
  let blockSources = await readBlockLists(blockFiles(settings), blocked, log.child({ mod: 'block lists' }));
  const reach = new ReachPolicy(settings.profile, blocked);
  const side: RoleSide = new RoleSide({
    settings,
    seeks: seekOf(resolved) > 0,
    startedAt,
    clock,
    random,
    log: log.child({ mod: 'role' }),
    table: store.table('sessions'),
    reachable: () => beside.firewall.status(clock.now()),
    linkBytesSent: () => overlay.bytesOut,
    uploadRate: () => fileServer.load.rate,
    refusedShare: () => neighbours.refusedShare,
    counts: () => neighbours.counts,
    onChange: changed => neighbours.onRole(changed),
  });
  await side.start();
  running.add('the measurements', () => side.stop());
  const { role, slots } = side;
  const monitor = new QueryMonitor({ privacy: settings.queries.privacy });
  const watch = new OverlayWatch({
    clock,
    log: log.child({ mod: 'overlay' }),
    hosts,
    reach,
    monitor,
    slots,
    onPush: push => beside.pushes.onPush(push),
  });
  let own: OwnAddress | null = null;
  const listen = () => own?.endpoint ?? { host: settings.gnutella.host, port: settings.gnutella.port };
  const identity: ServentIdentity = new ServentIdentity({
    serventGuid: guid,
    settings,
    startedAt,
    role: () => role.role,
    dailyUptimeSeconds: () => side.sessions.dailySeconds,
    listen,
    ipv6: () => own?.ipv6 ?? null,
    uploadsFull: () => fileServer.full,
    firewalled: () => beside.firewall.firewalled(clock.now()),
    pushProxies: () => beside.vendor.pushProxies.endpoints,
    outOfBand: () => beside.outOfBand(),
    datagrams: () => beside.open,
    free: () => {
      const { leaves, ultrapeers } = neighbours.counts;
      return {
        leafSlots: Math.max(0, settings.gnutella.maxLeaves - leaves),
        ultrapeerSlots: Math.max(0, settings.gnutella.maxUltrapeers - ultrapeers),
      };
    },
  });
  const overlay: Overlay = new Overlay({
    clock,
    random,
    library,
    sink: watch,
    identity,
    limits: {
      reaches: reachesOf(settings.profile),
      queries: settings.profile === 'local' ? null : QUERY_GUARD,
      ...(settings.profile === 'public' ? {} : LOCAL_OVERLAY_LIMITS),
    },
  });
  core = overlay;
  const dialer = new Dialer({
    forbids: endpoint => reach.forbids(endpoint),
    // who listens on one address speaks from it too: a VPN's, or one of several
    ...(isWildcard(settings.gnutella.host) ? {} : { localAddress: settings.gnutella.host }),
  });
  const dial = (endpoint: Endpoint, signal: AbortSignal) => dialer.dial(endpoint, signal);
  const { userAgent } = settings.gnutella;
  const searches = new Searches({
    overlay,
    clock,
    browse: (endpoint, onHit, signal) => browseHost({ dial, userAgent }, endpoint, onHit, signal),
    ...reports.searches,
  });
  watch.searches = searches;
  const fileServer: FileServer = new FileServer({
    files: library,
    limits: uploadLimits(settings),
    identity,
    browse: () => library.shared(),
    pushProxy: (target, node, remoteHost) => beside.relay.answer(target, node, remoteHost),
    clock,
    log: log.child({ mod: 'uploads' }),
    ...reports.uploads,
  });
  const tls = settings.gnutella.tls ? new Tls() : null;
  const refusals = new Refusals();
  const handshaker: Handshaker = new Handshaker({
    ...(tls === null ? {} : { tls }),
    core: overlay,
    dialer,
    log: log.child({ mod: 'links' }),
    now: () => clock.now(),
    local: () => identity.hello(),
    admit: (peer, remote, direction) => neighbours.admit(peer, remote, direction),
    tryUltrapeers: () => neighbours.tryUltrapeers(),
    onEnded: (remote, direction, end, detail) => refusals.add({ at: clock.wallTime(), remote, direction, end, detail }),
    crawl: remote => neighbours.crawl(remote),
    onLinked: link => {
      if (own?.seen(link.capabilities.remoteIp ?? '', link.endpoint.host) === true) reach.addOwn(own.endpoint);
      beside.onLinked(link);
      neighbours.onLinked(link);
      reports.onLinked(link);
    },
    onUnlinked: link => {
      beside.onUnlinked(link);
      neighbours.onUnlinked(link);
      reports.onUnlinked(link);
    },
  });
  const neighbours: Neighbours = new Neighbours({
    overlay,
    handshaker,
    hosts,
    slots,
    reach,
    clock,
    random,
    log: log.child({ mod: 'neighbours' }),
    role: () => role.role,
    mayBecomeLeaf: () => role.mayBecomeLeaf,
    onGuided: () => role.yield(),
    topology: side.topology,
    serventGuid: guid,
    startedAt,
    get maxLeaves() {
      return settings.gnutella.maxLeaves;
    },
    get maxUltrapeers() {
      return settings.gnutella.maxUltrapeers;
    },
    get seek() {
      return seekOf(resolved);
    },
    get maxPerAddress() {
      return settings.gnutella.maxPerAddress;
    },
    configured: settings.gnutella.connect,
    acceptLegacy: side.lab,
    strict: !side.lab,
    guides: side.lab && role.active,
  });

  const beside: DatagramSide = new DatagramSide({
    settings,
    clock,
    random,
    log,
    identity,
    library,
    overlay,
    watch,
    hosts,
    reach,
    blocks: host => blocked.blocks(host),
    dialer,
    own: () => own,
    listen,
    serve: (socket, head) => fileServer.handle(socket, head),
  });
  watch.ears = beside;

  const listener = new Listener(
    {
      host: settings.gnutella.host,
      port: settings.gnutella.port,
      log: log.child({ mod: 'listener' }),
      limits: listenerLimits(settings),
      allow: address => !blocked.blocks(address),
      ...(tls === null ? {} : { secure: (socket, head) => tls.accept(socket, head) }),
      onAccepted: address => beside.onAccepted(address),
    },
    {
      overlay: (socket, head, remote) => handshaker.accept(socket, head, remote),
      http: (socket, head) => fileServer.handle(socket, head),
      giv: (socket, head) => beside.requester.onGiv(socket, head),
    },
  );
  const gnutella = await listener.start();
  running.add('the links', async () => {
    await listener.stop();
    overlay.shutdown();
    await handshaker.stop();
  });
  running.add('the uploads', () => fileServer.stop());
  own = new OwnAddress(gnutella, settings.profile);
  reach.addOwn(own.endpoint);
  if (own.ipv6 !== null) reach.addOwn({ host: own.ipv6, port: gnutella.port });
  await beside.start(gnutella);
  running.add('UDP', () => beside.stop());

  const downloads = new Downloads({
    folder: settings.downloads.folder,
    store: new DownloadStore(store.table('downloads')),
    dial,
    push: (source, signal) => beside.fetch(source, signal),
    identity,
    clock,
    random,
    activeMax: settings.downloads.maxActive,
    log: log.child({ mod: 'downloads' }),
    ...reports.downloads,
    onCompleted: (download, path) => {
      reports.onCompleted(download);
      shareDownload(library, download, path);
    },
  });
  await downloads.start();
  running.add('the downloads', () => downloads.stop());

  const watching: Watching = new Watching(observation, {
    overlay,
    neighbours,
    hosts,
    handshaker,
    library,
    searches,
    monitor,
    downloads,
    fileServer,
    startedAt: startedAt.getTime(),
    version,
    mode: () => role.role,
    status: () => control.status(),
  });
  const keys = new Keys({ table: store.table<KeyRecord>('keys'), clock, log: log.child({ mod: 'api' }) });
  await keys.start();
  const control: DaemonControl = new DaemonControl({
    keys,
    live,
    startedAt,
    clock,
    identity,
    overlay,
    neighbours,
    role,
    hosts,
    library,
    searches,
    monitor,
    downloads,
    fileServer,
    listener,
    gnutella,
    beside,
    handshaker,
    refusals,
    log,
    history: watching.history,
    hooks: watching.hooks,
  });
  const api = await startAdminApi({
    control,
    settings,
    token,
    keys,
    streams: watching.streams,
    counters: watching.apiCounters,
    log: log.child({ mod: 'api' }),
  });
  control.api = { host: api.host, port: api.port };
  running.add('the admin API', () => api.stop());
  await writeRuntime(settings.dataDir, { pid: process.pid, api: api.url, gnutella: formatEndpoint(gnutella) });
  running.add('the runtime file', () => removeRuntime(settings.dataDir));

  const ticker = new Ticker(clock, now => {
    searches.expire(clock.wallTime());
    return Math.min(overlay.tick(now), beside.tick(now));
  });
  running.add('the clock', () => ticker.stop());
  running.add('the searches', () => searches.stop());
  const bootstrap = new Bootstrap({
    profile: settings.profile,
    caches: await cachesToAsk(resolved),
    hostsFiles: settings.bootstrap.hostsFiles,
    hosts,
    table: store.table('caches'),
    pings: beside,
    clock,
    random,
    log: log.child({ mod: 'bootstrap' }),
    forbids: endpoint => reach.forbids(endpoint),
    isOwn: endpoint => reach.isOwn(endpoint),
    links: () => {
      const wanted = Math.min(neighbours.sought, LINKS_TO_FIND);
      return { connected: neighbours.counts.ultrapeers, wanted };
    },
    publish: () => {
      const found = role.role === 'ultrapeer' && role.settled && !identity.firewalled ? listen() : null;
      return found !== null && reachesOf(settings.profile).includes(reachOf(found.host)) ? found : null;
    },
  });
  await bootstrap.start();
  running.add('the bootstrap', () => bootstrap.stop());
  neighbours.start();
  role.start();
  running.add('the neighbours', () => neighbours.stop());
  live.on(
    ['gnutella.maxLeaves', 'gnutella.maxUltrapeers', 'gnutella.maxPerAddress'],
    now => (listener.limits = listenerLimits(now)),
  );
  live.on(['uploads.slots', 'uploads.queue', 'uploads.maxPerAddress'], now => {
    fileServer.limits = uploadLimits(now);
    listener.limits = listenerLimits(now);
  });
  live.on(['downloads.maxActive'], now => (downloads.activeMax = now.downloads.maxActive));
  live.on(['gnutella.connect'], now => (neighbours.configured = now.gnutella.connect));
  live.on(['library.folders'], now => shareThese(library, now.library.folders));
  live.on(['queries.privacy'], now => (monitor.privacy = now.queries.privacy));
  live.on(['hooks'], now => watching.hooks.use(now.hooks));
  live.on(['log.level'], now => (logLevels(log).level = now.log.level));
  const readBlocked = async () => {
    const listLog = log.child({ mod: 'block lists' });
    blockSources = await readBlockLists(blockFiles(settings), blocked, listLog, blockSources);
    for (const link of [...overlay.links.values()])
      if (blocked.blocks(link.endpoint.host)) overlay.bye(link, ByeCode.UserRemoval, 'Blocked');
  };
  live.on(['gnutella.block', 'gnutella.blockLists'], readBlocked);
  const reload = async () => {
    const plan = await live.reload();
    bus.emit('status.configured', plan);
    // the same files may say something else by now
    if (!plan.changes.some(({ key }) => key.startsWith('gnutella.block'))) await readBlocked();
    return plan;
  };
  control.reload = reload;
  await watching.start(settings.hooks);
  running.add('looking on', () => watching.stop());
  return { gnutella, api: api.url, reload, stop: () => running.stop() };
}

/** Folders shared by hand through the API, and not in the configuration, stay until it names others. */
async function shareThese(library: Library, wanted: readonly string[]): Promise<void> {
  const shared = library.folders();
  for (const { id, path } of shared) if (!wanted.includes(path)) await library.removeFolder(id);
  for (const path of wanted) if (!shared.some(folder => folder.path === path)) await library.addFolder(path);
}

/** A download that lies in a shared folder is shared without being read again. */
function shareDownload(library: Library, { urn }: DownloadView, path: string): void {
  const sha1 = urn === null ? null : (urnOrNull(urn)?.sha1 ?? null);
  if (sha1 !== null) void library.addFile(path, sha1);
}
