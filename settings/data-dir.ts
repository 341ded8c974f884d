// Finds the default data folder. Separate from the settings, so that client commands need not load them.
import { join } from 'node:path';
import { absoluteOrNull, homeFolder } from '../api/home.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns `servent` in the platform's data folder. Throws for a user without a home folder. */
export function usualDataDir(env: Environment = process.env, platform: NodeJS.Platform = process.platform): string {
  const named = absoluteOrNull(env[platform === 'win32' ? 'LOCALAPPDATA' : 'XDG_DATA_HOME']);
  const below = (...names: string[]): string => join(requireHome(env), ...names);
  switch (platform) {
    case 'darwin':
      return below('Library', 'Application Support', 'servent');
    case 'win32':
      return join(named ?? below('AppData', 'Local'), 'servent', 'Data');
    default:
      return join(named ?? below('.local', 'share'), 'servent');
  }
}

function requireHome(env: Environment): string {
  const home = homeFolder(env);
  if (home !== null) return home;
  throw new Error('this user has no home folder: set the data folder with --data-dir or SERVENT_DATA_DIR');
}
