// Composition root, and the map: what there is, in which order it is built, started and, in reverse, stopped.
import type { ConfigPlan } from '../api/control.ts';
import type { OverlayLimits } from '../protocol/overlay/limits.ts';
import type { Endpoint } from '../protocol/wire/endpoint.ts';
import { type Surface, startSurface } from './admin/surface.ts';
import { type Ground, layGround } from './ground.ts';
import { type Log, logLevels } from './log.ts';
import { listenerLimits, uploadLimits } from './overlay/bounds.ts';
import { OverlaySide } from './overlay/overlay-side.ts';
import { Running } from './running.ts';
import type { ResolvedSettings } from './settings.ts';
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
 * experiments: what of the overlay is no setting.
 */
export async function startDaemon(
  resolved: ResolvedSettings,
  log: Log,
  limits: Partial<OverlayLimits> = {},
): Promise<RunningDaemon> {
  const running = new Running(log);
  try {
    return await start(await layGround(resolved, log, running, limits));
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function start(ground: Ground): Promise<RunningDaemon> {
  const { running } = ground;
  // Built first, as each knows others; nothing runs yet.
  const library = libraryOf(ground, () => overlay.core.onLibraryChanged());
  const overlay: OverlaySide = new OverlaySide(ground, { library, uploads: () => transfers.uploads });
  const transfers: TransferSide = new TransferSide(ground, library, overlay);
  overlay.watch.searches = transfers.searches;

  await overlay.remember();
  await transfers.share();
  const gnutella = await overlay.listen();
  await transfers.resume();
  const surface = await startSurface(ground, overlay, transfers, gnutella);
  const ticker = new Ticker(ground.clock, now => {
    transfers.searches.expire(ground.clock.wallTime());
    return overlay.tick(now);
  });
  running.add('the clock', () => ticker.stop());
  await overlay.join();

  const reload = followSettings(ground, overlay, transfers, surface);
  surface.control.reload = reload;
  await surface.watching.start(ground.settings.hooks);
  running.add('looking on', () => surface.watching.stop());
  return { gnutella, api: surface.api, reload, stop: () => running.stop() };
}

/** Who copied a setting hears of its change here; gives what reads the configuration again. */
function followSettings(
  { live, log, observation }: Ground,
  overlay: OverlaySide,
  transfers: TransferSide,
  { watching }: Surface,
): () => Promise<ConfigPlan> {
  const { listener, neighbours, monitor } = overlay;
  const { uploads, downloads } = transfers;
  live.on(
    ['gnutella.maxLeaves', 'gnutella.maxUltrapeers', 'gnutella.maxPerAddress'],
    now => (listener.limits = listenerLimits(now)),
  );
  live.on(['uploads.slots', 'uploads.queue', 'uploads.maxPerAddress'], now => {
    uploads.limits = uploadLimits(now);
    listener.limits = listenerLimits(now);
  });
  live.on(['downloads.maxActive'], now => (downloads.activeMax = now.downloads.maxActive));
  live.on(['gnutella.connect'], now => (neighbours.configured = now.gnutella.connect));
  live.on(['gnutella.reachable'], now => overlay.beside.decree(now.gnutella.reachable));
  live.on(['library.folders'], now => transfers.shareThese(now.library.folders));
  live.on(['queries.privacy'], now => (monitor.privacy = now.queries.privacy));
  live.on(['hooks'], now => watching.hooks.use(now.hooks));
  live.on(['log.level'], now => (logLevels(log).level = now.log.level));
  live.on(['gnutella.block', 'gnutella.blockLists'], () => overlay.readBlockLists());
  return async () => {
    const plan = await live.reload();
    observation.bus.emit('status.configured', plan);
    // the same files may say something else by now
    if (!plan.changes.some(({ key }) => key.startsWith('gnutella.block'))) await overlay.readBlockLists();
    return plan;
  };
}
