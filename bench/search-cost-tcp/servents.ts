// Several whole daemons in one process, told what to be by their parent. They end with it.

import { readApiToken } from '../../api/runtime-files.ts';
import { startDaemon } from '../../daemon/daemon.ts';
import { silentLog } from '../../daemon/log.ts';
import type { OverlayLimits } from '../../protocol/overlay/limits.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { resolveSettings } from '../../settings/resolve.ts';

export interface Wanted {
  readonly dataDir: string;
  readonly mode: 'leaf' | 'ultrapeer';
  /** Neither query routing nor dynamic querying. */
  readonly flooding: boolean;
}

export interface Started {
  readonly gnutella: string;
  readonly api: string;
  readonly token: string;
}

/** As Gnutella 0.4 had it. */
const FLOODING: Partial<OverlayLimits> = { flooding: true, ttlMax: 7 };
/** Every servent of the network may be a neighbour. */
const LINKS_MAX = 100;

async function start({ dataDir, mode, flooding }: Wanted): Promise<{ stop(): Promise<void>; started: Started }> {
  const resolved = await resolveSettings({
    flags: {
      profile: 'local',
      dataDir,
      'gnutella.port': 0,
      'gnutella.mode': mode,
      'gnutella.maxUltrapeers': LINKS_MAX,
      'api.port': 0,
    },
    env: {},
  });
  const daemon = await startDaemon(resolved, silentLog, flooding ? FLOODING : {});
  const token = (await readApiToken(dataDir)) ?? '';
  const started = { gnutella: formatEndpoint(daemon.gnutella), api: daemon.api, token };
  return { stop: () => daemon.stop(), started };
}

process.once('message', async (wanted: Wanted[]) => {
  const running: Awaited<ReturnType<typeof start>>[] = [];
  process.once('disconnect', async () => {
    await Promise.all(running.map(({ stop }) => stop()));
    process.exit();
  });
  try {
    for (const one of wanted) running.push(await start(one)); // one at a time: each opens a database and hashes
    process.send?.({ started: running.map(({ started }) => started) });
  } catch (error) {
    process.send?.({ error: String(error) });
  }
});
