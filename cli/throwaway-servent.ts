// A leaf in this process with a data folder of its own, for commands that need no daemon.
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, createClient } from '../api/client.ts';
import { readApiToken } from '../api/runtime-files.ts';
import { resolveSettings } from '../settings/resolve.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import { CommandError } from './failure.ts';
import { inProcess } from './in-process.ts';
import type { SettingFlags } from './setting-options.ts';

const NAME_CHARACTERS = 12;

/** Limit for stopping, as for a daemon. */
const STOP_WAIT_MS = 4_000;

export interface ThrowawayServent {
  readonly client: Client;
  /** Resolves when it has stopped, or after STOP_WAIT_MS. */
  stop(): Promise<void>;
}

/** Data folder for `purpose` in `parent`: the same purpose gives the same folder, so that a kept one is found again. */
export function throwawayFolder(parent: string, purpose: string): string {
  return join(parent, `.servent-get-${createHash('sha256').update(purpose).digest('hex').slice(0, NAME_CHARACTERS)}`);
}

/** Creates the folder; false: it exists. Throws when it is not this user's own: others could have prepared it. */
export async function ownFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = await lstat(folder);
  const isOurs = process.getuid === undefined || found.uid === process.getuid();
  if (!found.isDirectory() || !isOurs)
    throw new CommandError(`${folder} is not a folder of this user: remove it, or choose another folder with -o DIR`);
  await chmod(folder, 0o700);
  return false;
}

/** Settings that no flag or variable changes: it shares nothing, keeps nothing, and takes any free port. */
const FIXED: SettingFlags = {
  'gnutella.mode': 'leaf',
  'library.folders': [],
  'library.watch': false,
  'api.host': '127.0.0.1',
  'api.port': 0,
  'api.socket': false,
  'api.web': false,
  'api.tlsCert': '',
  'api.tlsKey': '',
  hooks: [],
  'queries.privacy': 'off',
  'history.transfers': 0,
  'history.searches': 0,
};
const DEFAULTS: SettingFlags = { 'gnutella.port': 0, 'log.level': 'silent' };

/** Settings of a servent in `folder`: those given, and no configuration file or variable. Throws SettingsError. */
export function throwawaySettings(folder: string, flags: SettingFlags, cwd: string): Promise<ResolvedSettings> {
  return resolveSettings({
    flags: { ...DEFAULTS, ...flags, ...FIXED, dataDir: folder, 'downloads.folder': join(folder, 'done') },
    env: {},
    cwd,
  });
}

/** Rejects with the reason of `signal` when it aborts. */
export async function startThrowaway(resolved: ResolvedSettings, signal: AbortSignal): Promise<ThrowawayServent> {
  const [{ createLog }, { startDaemon }] = await Promise.all([inProcess.log(), inProcess.daemon()]);
  const { settings } = resolved;
  const daemon = await startDaemon(resolved, await createLog(settings.log), {}, signal);
  const token = (await readApiToken(settings.dataDir)) ?? '';
  return {
    client: createClient({ url: daemon.api, token, signal }),
    stop: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>(resolve => {
        timer = setTimeout(resolve, STOP_WAIT_MS);
      });
      await Promise.race([daemon.stop(), late]);
      clearTimeout(timer);
    },
  };
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
