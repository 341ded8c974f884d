// Composition root: builds and starts the parts of the daemon in order, and stops them in reverse order.
import { once } from 'node:events';
import type { ConfigPlan } from '../api/control.ts';
import type { BudgetState } from '../protocol/bandwidth/budget.ts';
import type { OverlayLimits } from '../protocol/overlay/limits.ts';
import { ROUND_MS } from '../protocol/servent.ts';
import type { Endpoint } from '../protocol/wire/endpoint.ts';
import { type ResolvedSettings, settingsList } from '../settings/settings.ts';
import { startAdmin } from './admin/admin.ts';
import { cachesToAsk } from './bootstrap/known-caches.ts';
import { type DaemonContext, openContext } from './context.ts';
import { type Log, logLevels } from './log.ts';
import { listenerLimits } from './network/bounds.ts';
import { Network, type NetworkParts } from './network/network.ts';
import { ServentLog } from './network/servent-log.ts';
import { QueryMonitor } from './queries/query-monitor.ts';
import { Recorder } from './recording/recorder.ts';
import { TrafficRows } from './recording/traffic-rows.ts';
import { Shutdown } from './shutdown.ts';
import { Ticker } from './ticker.ts';
import { createLibrary, sharedFolders, Transfers } from './transfer/transfers.ts';
import { EventReports } from './views/event-reports.ts';
import { budgetView } from './views/limits.ts';
import { natView } from './views/nat.ts';
import { recordingNewsView } from './views/recordings.ts';
import { hideRuleOf } from './views/result-rule.ts';

export interface RunningDaemon {
  readonly gnutella: Endpoint;
  /** http://HOST:PORT */
  readonly api: string;
  /** Reads the configuration again and applies what can be applied now. Rejects with SettingsError, nothing changed, when it is wrong. */
  reload(): Promise<ConfigPlan>;
  stop(): Promise<void>;
}

/**
 * Starts a daemon. On failure it stops what it has started and rejects with an error that says what to do.
 * `limits` sets overlay limits that are not settings; experiments use it. When `signal` aborts, the start stops and rejects with its reason.
 */
export async function startDaemon(
  resolved: ResolvedSettings,
  log: Log,
  limits: Partial<OverlayLimits> = {},
  signal?: AbortSignal,
): Promise<RunningDaemon> {
  const shutdown = new Shutdown(log);
  try {
    const starting = openContext(resolved, log, shutdown, limits).then(start);
    return await (signal === undefined ? starting : Promise.race([starting, reasonOf(signal)]));
  } catch (error) {
    await shutdown.stop();
    throw error;
  }
}

async function reasonOf(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

async function start(context: DaemonContext): Promise<RunningDaemon> {
  const { shutdown } = context;
  const caches = await cachesToAsk(context.live.resolved);
  // Constructors only: these parts refer to each other.
  const { clock, log, settings, recorder } = context;
  const monitor = new QueryMonitor({ privacy: settings.queries.privacy });
  const reports = new EventReports(recorder.events, clock, () => hideRuleOf(settings.searches.spam));
  const recordings = startRecorder(context);
  const sink = new ServentLog({
    ...{ clock, log, monitor, reports },
    recorder: recordings.active ? recordings : null,
    searches: () => transfers.searches,
    onHit: hit => transfers.finder.onHit(hit),
    onSourceOffer: offer => transfers.finder.onOffer(offer),
  });
  const library = createLibrary(context, {
    onChange: () => network.servent.onLibraryChanged(),
    onScanned: reports.onScanned,
  });
  const serve = (...asked: Parameters<NetworkParts['serve']>) => transfers.uploads.handle(...asked);
  const gave = (address: string) => transfers.past.tallies.ofAddress(address)?.downloaded ?? 0;
  const network: Network = new Network(context, {
    ...{ library, caches, sink, serve, gave },
    partials: () => transfers.partialFiles(),
    sharesPart: sha1 => transfers.sharesPart(sha1),
    onQueueCallback: (socket, head) => transfers.downloads.onQueueCallback(socket, head),
  });
  const transfers: Transfers = new Transfers(context, library, network, reports);

  network.onNat = () => recorder.events.tell('status.nat', natView(network, clock));
  network.limits.onBudget = (budget, before) => onBudget(context, network, transfers, budget.state, before);
  const traffic = new TrafficRows(network.servent, clock.now());
  recordings.onFlush = last => {
    const row = traffic.next(clock.now(), last);
    if (row !== null) recordings.row('traffic', row, clock.wallTime());
  };
  await network.restore();
  await transfers.startLibrary();
  await transfers.restore();
  const gnutella = await network.listen();
  await transfers.startServing();
  const reload = applyLiveSettings(context, { network, transfers, monitor, recordings });
  const { telemetry, status, api } = await startAdmin(context, {
    ...{ network, transfers, monitor, recordings, gnutella, reload },
  });
  // The tick runs at least once per round, so a call between two ticks waits at most ROUND_MS.
  const ticker = new Ticker(context.clock, now =>
    Math.min(network.servent.tick(now), transfers.finder.tick(now), transfers.saved.tick(now), now + ROUND_MS),
  );
  shutdown.add('the ticker', () => ticker.stop());

  shutdown.add('the telemetry', await telemetry.start(context.settings.hooks, status));
  return { gnutella, api, reload, stop: () => shutdown.stop() };
}

/** Starts recording, if it is wanted. It stops after all that it is told by. */
function startRecorder({ settings, clock, log, guid, shutdown, recorder }: DaemonContext): Recorder {
  const { mode, folder, url, maxBytes: bytesMax } = settings.recording;
  const recordings = new Recorder({
    ...{ mode, folder, url, bytesMax, guid, clock, log, privacy: settings.queries.privacy },
    onNews: news => recorder.events.tell('status.recording', recordingNewsView(news)),
  });
  recordings.start();
  shutdown.add('the recording', () => recordings.stop());
  return recordings;
}

/** Stops transfers and becomes a leaf when the monthly budget is used up; takes that back in the next month. */
function onBudget(
  { log, clock, recorder }: DaemonContext,
  { limits, servent }: Network,
  { uploads, downloads }: Transfers,
  state: BudgetState,
  before: BudgetState,
): void {
  const { spent } = limits;
  downloads.suspended = spent;
  if (spent) uploads.endActive();
  servent.role.hold(spent, spent ? 'the monthly budget is used up' : 'there is a budget again', clock.now());
  if (!['slow', 'spent'].some(one => one === state || one === before)) return;
  const view = budgetView(limits);
  log.warn({ used: view.used, bytes: view.bytes }, BUDGET_TEXTS[state]);
  recorder.events.tell('status.budget', view);
}

const BUDGET_TEXTS: Readonly<Record<BudgetState, string>> = {
  none: 'there is no monthly budget any more: nothing is held back by it',
  open: 'there is budget again: transfers run',
  slow: 'nine tenths of the monthly budget are used: the rest is spread over the rest of the month',
  spent: 'the monthly budget is used up: uploads and downloads stop until the next month, and the servent is a leaf',
};

const LIMIT_KEYS = settingsList.flatMap(({ key }) => (key.startsWith('limits.') ? [key] : []));

interface LiveParts {
  network: Network;
  transfers: Transfers;
  monitor: QueryMonitor;
  recordings: Recorder;
}

/** Passes changed settings to the parts that hold copies of them. Returns a function that reloads the configuration. */
function applyLiveSettings(
  { live, log, clock }: DaemonContext,
  { network, transfers, monitor, recordings }: LiveParts,
): () => Promise<ConfigPlan> {
  const { listener, servent } = network;
  const { downloads } = transfers;
  live.on(
    ['gnutella.maxLeaves', 'gnutella.maxUltrapeers', 'gnutella.maxPerAddress'],
    now => (listener.limits = listenerLimits(now)),
  );
  live.on(
    ['uploads.slots', 'uploads.queue', 'uploads.maxPerAddress', 'uploads.groups'],
    now => (listener.limits = listenerLimits(now)),
  );
  live.on(['uploads.groups'], now => network.bandwidth.limitGroups(now.uploads.groups));
  live.on(LIMIT_KEYS, () => network.limits.tick());
  live.on(['downloads.maxActive'], now => (downloads.activeMax = now.downloads.maxActive));
  live.on(['downloads.reserve'], now => (downloads.reserve = now.downloads.reserve));
  live.on(['gnutella.port'], () => network.port.follow());
  live.on(['nat.mapping', 'nat.router'], () => network.mapping.follow());
  live.on(['gnutella.connect'], now => servent.kept.use(now.gnutella.connect));
  live.on(['dht.mode'], () => servent.dht?.tick(clock.now()));
  live.on(['gnutella.reachable'], now =>
    servent.overrideReach(now.proxy.socks === '' ? now.gnutella.reachable : 'no', clock.now()),
  );
  live.on(['library.exclude'], now => transfers.library.useExclude(now.library.exclude));
  live.on(['library.folders', 'downloads.categories'], now => transfers.syncFolders(sharedFolders(now)));
  live.on(['downloads.categories'], now => {
    downloads.categories = now.downloads.categories;
    network.bandwidth.limitGroups(now.downloads.categories, 'download');
  });
  live.on(['library.hashSpeed'], now => (transfers.library.hashSpeed = now.library.hashSpeed));
  live.on(['library.watch'], now => (transfers.library.watching = now.library.watch));
  live.on(['history.transfers', 'history.searches', 'history.days'], now => transfers.keepPast(now.history));
  live.on(['queries.privacy'], now => {
    monitor.privacy = now.queries.privacy;
    recordings.privacy = now.queries.privacy;
  });
  live.on(['recording.maxBytes'], now => (recordings.bytesMax = now.recording.maxBytes));
  live.on(['log.level'], now => (logLevels(log).level = now.log.level));
  live.on(['gnutella.block', 'gnutella.blockLists'], () => network.readBlockLists());
  return async () => {
    const plan = await live.reload();
    // The settings name the same files, but their content may have changed.
    if (!plan.changes.some(({ key }) => key.startsWith('gnutella.block'))) await network.readBlockLists();
    return plan;
  };
}
