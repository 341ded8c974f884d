// Finds the home folder of the current user.
import { homedir, userInfo } from 'node:os';
import { isAbsolute } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the home folder; null for a user without one, as in containers. A relative HOME is ignored. */
export function homeFolder(env: Environment): string | null {
  const said = absoluteOrNull(env['HOME']);
  if (said !== null) return said;
  try {
    return absoluteOrNull(process.platform === 'win32' ? homedir() : userInfo().homedir);
  } catch {
    return null; // the user has no passwd entry
  }
}

/** Returns an absolute path; null for a relative one, which the XDG specification ignores. */
export function absoluteOrNull(path: string | undefined): string | null {
  return path !== undefined && isAbsolute(path) ? path : null;
}
