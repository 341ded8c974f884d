// Composition root, and the map: what there is, in which order it is built, started and, in reverse, stopped.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { ConfigPlan } from '../api/control.ts';
import type { OverlayLimits } from '../protocol/overlay/limits.ts';
import { ROUND_MS } from '../protocol/servent.ts';
import type { Endpoint } from '../protocol/wire/endpoint.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import { startSurface } from './admin/surface.ts';
import { cachesToAsk } from './bootstrap/known-caches.ts';
import { type Ground, layGround } from './ground.ts';
import { type Log, logLevels } from './log.ts';
import { listenerLimits } from './network/bounds.ts';
import { Network } from './network/network.ts';
import { ServentLog } from './network/servent-log.ts';
import { QueryMonitor } from './queries/query-monitor.ts';
import { Running } from './running.ts';
import { Ticker } from './ticker.ts';
import { libraryOf, TransferSide } from './transfer/transfer-side.ts';

export interface RunningDaemon {
  readonly gnutella: Endpoint;
  /** http://HOST:PORT */
  readonly api: string;
  /** Reads the configuration again and applies what can be applied now. Rejects with SettingsError, nothing changed, when it is wrong. */
  reload(): Promise<ConfigPlan>;
  stop(): Promise<void>;
}

/**
 * Rejects with an error whose message tells a person what to do; nothing is left running then. `limits` are for
 * experiments: what of the overlay is no setting. `signal` gives the start up: what runs by then is stopped, and it rejects with the reason.
 */
export async function startDaemon(
  resolved: ResolvedSettings,
  log: Log,
  limits: Partial<OverlayLimits> = {},
  signal?: AbortSignal,
): Promise<RunningDaemon> {
  const running = new Running(log);
  try {
    const starting = layGround(resolved, log, running, limits).then(start);
    return await (signal === undefined ? starting : Promise.race([starting, reasonOf(signal)]));
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function reasonOf(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

async function start(ground: Ground): Promise<RunningDaemon> {
  const { running } = ground;
  const caches = await cachesToAsk(ground.live.resolved);
  // Built first, as each knows others; nothing runs yet.
  const { clock, log, settings, observation } = ground;
  const monitor = new QueryMonitor({ privacy: settings.queries.privacy });
  const sink = new ServentLog({
    ...{ clock, log, monitor, reports: observation.reports },
    searches: () => transfers.searches,
    onPushTimeout: request => network.pushes.onTimeout(request),
  });
  const library = libraryOf(ground, () => network.servent.onLibraryChanged());
  const serve = (socket: Socket, head: Buffer) => transfers.uploads.handle(socket, head);
  const network: Network = new Network(ground, { library, caches, sink, serve });
  const transfers: TransferSide = new TransferSide(ground, library, network);

  await network.remember();
  await transfers.share();
  const gnutella = await network.listen();
  await transfers.resume();
  const reload = followSettings(ground, { network, transfers, monitor });
  const { watching, status, api } = await startSurface(ground, { network, transfers, monitor, gnutella, reload });
  // calls between two ticks need no timer of their own
  const ticker = new Ticker(ground.clock, now => Math.min(network.servent.tick(now), now + ROUND_MS));
  running.add('the clock', () => ticker.stop());

  running.add('looking on', await watching.start(ground.settings.hooks, status));
  return { gnutella, api, reload, stop: () => running.stop() };
}

interface Followers {
  network: Network;
  transfers: TransferSide;
  monitor: QueryMonitor;
}

/** Tells the parts that copied a setting of its change; gives what reads the configuration again. */
function followSettings(
  { live, log, clock }: Ground,
  { network, transfers, monitor }: Followers,
): () => Promise<ConfigPlan> {
  const { listener, servent } = network;
  const { downloads } = transfers;
  live.on(
    ['gnutella.maxLeaves', 'gnutella.maxUltrapeers', 'gnutella.maxPerAddress'],
    now => (listener.limits = listenerLimits(now)),
  );
  live.on(['uploads.slots', 'uploads.queue', 'uploads.maxPerAddress'], now => (listener.limits = listenerLimits(now)));
  live.on(['downloads.maxActive'], now => (downloads.activeMax = now.downloads.maxActive));
  live.on(['gnutella.connect'], now => servent.kept.use(now.gnutella.connect));
  live.on(['gnutella.reachable'], now => servent.decree(now.gnutella.reachable, clock.now()));
  live.on(['library.folders'], now => transfers.shareThese(now.library.folders));
  live.on(['queries.privacy'], now => (monitor.privacy = now.queries.privacy));
  live.on(['log.level'], now => (logLevels(log).level = now.log.level));
  live.on(['gnutella.block', 'gnutella.blockLists'], () => network.readBlockLists());
  return async () => {
    const plan = await live.reload();
    // the same files may say something else by now
    if (!plan.changes.some(({ key }) => key.startsWith('gnutella.block'))) await network.readBlockLists();
    return plan;
  };
}
