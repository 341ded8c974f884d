// Starts the HTTP server of the admin API: address, TLS, Unix socket, token, and warnings about exposure.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiCounters } from '../../api/app.ts';
import type { Control } from '../../api/control.ts';
import { type ApiServer, SOCKET_PATH_BYTES_MAX, startApi } from '../../api/server.ts';
import type { StreamSources } from '../../api/streams.ts';
import { isLoopback } from '../../api/throttle.ts';
import { version } from '../../api/version.ts';
import { webPage } from '../../api/web-page.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Log } from '../log.ts';
import type { Keys } from './keys.ts';
import { refusalOf } from './refusals.ts';
import { StorageTroubles } from './storage-troubles.ts';

const SOCKET_FILE = 'api.sock';

export interface AdminApiParts {
  /** Made when it is known where the API listens. */
  controlOf: (at: Endpoint) => Control;
  settings: Pick<Settings, 'api' | 'dataDir'>;
  /** The owner's token; not empty. */
  token: string;
  keys: Keys;
  streams: StreamSources;
  /** Updated by the API. */
  counters: ApiCounters;
  log: Log;
}

/** Rejects with an error that says what to do. */
export async function startAdminApi({
  controlOf,
  settings,
  token,
  keys,
  streams,
  counters,
  log,
}: AdminApiParts): Promise<ApiServer> {
  const { host, port, hostNames, corsOrigins } = settings.api;
  const troubles = new StorageTroubles();
  const tls = await readTls(settings.api);
  const api = await startApi(
    controlOf,
    { host, port, tls, socketPath: socketPathOf(settings, log) },
    {
      token,
      keys,
      hostNames,
      corsOrigins,
      streams,
      counters,
      version,
      page: () => (settings.api.web ? webPage() : null),
      onInternalError: (err, doing) => log.error({ err }, doing),
      refusalOf: error => {
        const refusal = refusalOf(error);
        if (refusal !== null && troubles.isNew(refusal)) log.warn({ code: refusal.code }, refusal.message);
        return refusal;
      },
    },
  );
  if (!isLoopback(api.host)) {
    const at = { host: api.host, port: api.port };
    if (tls === null)
      log.warn(at, 'the admin API accepts calls from other machines without TLS: set api.tlsCert and api.tlsKey');
    else log.info(at, 'the admin API accepts calls from other machines');
  }
  return api;
}

async function readTls({ tlsCert, tlsKey }: Settings['api']): Promise<{ cert: string; key: string } | null> {
  if (tlsCert === '') return null;
  const read = async (name: string, file: string): Promise<string> => {
    try {
      return await readFile(file, 'utf8');
    } catch (cause) {
      throw new Error(`${name}: cannot read ${file} (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, {
        cause,
      });
    }
  };
  return { cert: await read('api.tlsCert', tlsCert), key: await read('api.tlsKey', tlsKey) };
}

/** Path of the Unix socket; null when it is off, on Windows, or when the path is too long. */
function socketPathOf({ api, dataDir }: AdminApiParts['settings'], log: Log): string | null {
  if (!api.socket || process.platform === 'win32') return null;
  const path = join(dataDir, SOCKET_FILE);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path;
  log.info({ path }, `no Unix socket for the admin API: its path is longer than ${SOCKET_PATH_BYTES_MAX} bytes`);
  return null;
}
