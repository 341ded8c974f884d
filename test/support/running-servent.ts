// A whole daemon in this process, on free ports of loopback, and a client that knows its token.
import type { Test } from 'tap';
import { type Client, createClient } from '../../api/client.ts';
import { readApiToken } from '../../api/runtime-files.ts';
import { type RunningDaemon, startDaemon } from '../../daemon/daemon.ts';
import { silentLog } from '../../daemon/log.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { resolveSettings } from '../../settings/resolve.ts';
import type { SettingKey } from '../../settings/settings.ts';

export interface RunningServent extends RunningDaemon {
  /** `HOST:PORT` of Gnutella. */
  address: string;
  token: string;
  dataDir: string;
  client: Client;
}

/** An ultrapeer unless `flags` say otherwise; it stops when the test ends. */
export async function startServent(
  t: Test,
  dataDir: string,
  flags: Partial<Record<SettingKey, unknown>> = {},
): Promise<RunningServent> {
  const resolved = await resolveSettings({
    flags: { profile: 'local', dataDir, 'gnutella.port': 0, 'api.port': 0, 'gnutella.mode': 'ultrapeer', ...flags },
    env: {},
  });
  const daemon = await startDaemon(resolved, silentLog);
  t.teardown(() => daemon.stop());
  const token = (await readApiToken(dataDir)) ?? '';
  return {
    ...daemon,
    address: formatEndpoint(daemon.gnutella),
    token,
    dataDir,
    client: createClient({ url: daemon.api, token }),
  };
}

/** Asks until there is an answer, for at most a minute. */
export async function until<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const found = await ask();
    if (found !== null) return found;
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  throw new Error(`waited in vain until ${what}`);
}

/** When so many files are hashed, and so can be found. */
export const hashed = (client: Client, files: number) =>
  until(`${files} files are hashed`, async () => ((await client.status()).library.files === files ? true : null));
