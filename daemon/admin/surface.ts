// What people and programs see of the daemon: the admin API on its control, streams, hooks, keys, and the file that says where it listens.

import type { ConfigPlan, StatusView } from '../../api/control.ts';
import { givenToken } from '../../api/given-token.ts';
import { ensureApiToken, removeRuntime, writeRuntime } from '../../api/runtime-files.ts';
import { version } from '../../api/version.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Ground } from '../ground.ts';
import type { Network } from '../network/network.ts';
import { Watching } from '../observation/observation.ts';
import type { QueryMonitor } from '../queries/query-monitor.ts';
import type { TransferSide } from '../transfer/transfer-side.ts';
import { startAdminApi } from './admin-api.ts';
import { DaemonControl } from './control.ts';
import { Health } from './health.ts';
import { type KeyRecord, Keys } from './keys.ts';
import { statusView } from './status-view.ts';

export interface Surface {
  readonly watching: Watching;
  readonly status: () => StatusView;
  /** http://HOST:PORT */
  readonly api: string;
}

interface SurfaceParts {
  network: Network;
  transfers: TransferSide;
  monitor: QueryMonitor;
  /** Where the servent listens. */
  gnutella: Endpoint;
  /** Reads the configuration again. */
  reload: () => Promise<ConfigPlan>;
}

/** Everything is there by now. */
export async function startSurface(
  ground: Ground,
  { network, transfers, monitor, gnutella, reload }: SurfaceParts,
): Promise<Surface> {
  const { live, settings, clock, log, running, store, observation, startedAt } = ground;
  const { library, searches, downloads, uploads: fileServer } = transfers;
  const parts = {
    clock,
    network,
    servent: network.servent,
    library,
    searches,
    monitor,
    downloads,
    fileServer,
  };
  const watching = new Watching(observation, {
    ...parts,
    startedAt: startedAt.getTime(),
    log,
    version,
    mode: () => network.servent.role.role,
  });
  live.on(['hooks'], now => watching.hooks.use(now.hooks));
  const { env = process.env, cwd = process.cwd() } = live.resolved.sources;
  const given = await givenToken(env, cwd);
  if (given !== null)
    log.info({ by: given.by }, 'the API token was handed over; the one of the data folder is not used');
  const token = given?.token ?? (await ensureApiToken(settings.dataDir));
  const keys = new Keys({
    table: store.table<KeyRecord>('keys'),
    clock,
    log: log.child({ mod: 'api' }),
    onRemoved: id => watching.streams.events.endOf(id),
  });
  await keys.start();
  const health = new Health({
    ...parts,
    ...{ live, log, gnutella, hooks: watching.hooks },
    damagedAside: store.damagedAside,
    eventsTrouble: () => observation.events.trouble,
  });
  const seen = { ...parts, ...{ live, startedAt, gnutella, health } };
  const { history, hooks } = watching;
  const api = await startAdminApi({
    controlOf: at => new DaemonControl({ ...seen, ...{ api: at, reload, keys, log, history, hooks } }),
    settings,
    token,
    keys,
    streams: watching.streams,
    counters: watching.apiCounters,
    log: log.child({ mod: 'api' }),
  });
  running.add('the admin API', () => api.stop());
  await writeRuntime(settings.dataDir, { pid: process.pid, api: api.url, gnutella: formatEndpoint(gnutella) });
  running.add('the runtime file', () => removeRuntime(settings.dataDir));
  const status = () => statusView({ ...seen, api: { host: api.host, port: api.port } });
  return { watching, status, api: api.url };
}
