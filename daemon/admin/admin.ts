// Starts the admin API: control, event streams, hooks, API keys, and the runtime file with the address.
import type { ConfigPlan, StatusView } from '../../api/control.ts';
import { ContentReaders } from '../../api/download-content.ts';
import { givenToken } from '../../api/given-token.ts';
import { ensureApiToken, removeRuntime, writeRuntime } from '../../api/runtime-files.ts';
import { version } from '../../api/version.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { DaemonContext } from '../context.ts';
import type { Network } from '../network/network.ts';
import { Telemetry } from '../observation/telemetry.ts';
import type { QueryMonitor } from '../queries/query-monitor.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { Transfers } from '../transfer/transfers.ts';
import { startAdminApi } from './admin-api.ts';
import { daemonControl } from './control.ts';
import { openContent } from './download-content.ts';
import { Health } from './health.ts';
import { type KeyRecord, Keys } from './keys.ts';
import { statusView } from './status-view.ts';

export interface Admin {
  readonly telemetry: Telemetry;
  readonly status: () => StatusView;
  /** http://HOST:PORT */
  readonly api: string;
}

interface AdminParts {
  network: Network;
  transfers: Transfers;
  monitor: QueryMonitor;
  recordings: Recorder;
  /** Where the servent listens. */
  gnutella: Endpoint;
  /** Reads the configuration again. */
  reload: () => Promise<ConfigPlan>;
}

/** Starts the API. The network and transfers must run. Rejects with an error that says what to do. */
export async function startAdmin(
  context: DaemonContext,
  { network, transfers, monitor, recordings, gnutella, reload }: AdminParts,
): Promise<Admin> {
  const { live, settings, clock, log, shutdown, store, recorder, startedAt } = context;
  const {
    library,
    searches,
    downloads,
    batches,
    uploads: fileServer,
    bans,
    past,
    pastSearches,
    saved,
    spam,
  } = transfers;
  const parts = {
    clock,
    network,
    servent: network.servent,
    library,
    searches,
    monitor,
    downloads,
    batches,
    fileServer,
    bans,
    past,
    saved,
    spam,
    recordings,
  };
  const telemetry = new Telemetry(recorder, {
    ...parts,
    startedAt: startedAt.getTime(),
    log,
    version,
    mode: () => network.servent.role.role,
  });
  live.on(['hooks'], now => telemetry.hooks.use(now.hooks));
  const { env = process.env, cwd = process.cwd() } = live.resolved.sources;
  const given = await givenToken(env, cwd);
  if (given !== null)
    log.info(
      { by: given.by },
      'using the API token given by the environment; the token in the data folder is not used',
    );
  const token = given?.token ?? (await ensureApiToken(settings.dataDir));
  const keys = new Keys({
    table: store.table<KeyRecord>('keys'),
    clock,
    log: log.child({ mod: 'api' }),
    onRemoved: id => telemetry.streams.events.endOf(id),
  });
  await keys.start();
  const health = new Health({
    ...parts,
    ...{ live, log, gnutella, hooks: telemetry.hooks },
    damagedAside: store.damagedAside,
    lostBytes: store.lostBytes,
    eventsTrouble: () => recorder.events.trouble,
  });
  const seen = { ...parts, ...{ live, startedAt, gnutella, health, pastSearches } };
  const { history, hooks } = telemetry;
  const api = await startAdminApi({
    controlOf: at => daemonControl({ ...seen, ...{ api: at, reload, keys, log, history, hooks } }),
    settings,
    token,
    keys,
    streams: { ...telemetry.streams, content: new ContentReaders(id => openContent(downloads, id)) },
    counters: telemetry.apiCounters,
    log: log.child({ mod: 'api' }),
  });
  shutdown.add('the admin API', () => api.stop());
  const toldWhere = () =>
    writeRuntime(settings.dataDir, { pid: process.pid, api: api.url, gnutella: formatEndpoint(gnutella) });
  await toldWhere();
  network.port.onMoved.push(() => {
    toldWhere().catch((err: unknown) => log.warn({ err }, 'the runtime file could not be written'));
  });
  shutdown.add('the runtime file', () => removeRuntime(settings.dataDir));
  const status = () => statusView({ ...seen, api: { host: api.host, port: api.port } });
  return { telemetry, status, api: api.url };
}
