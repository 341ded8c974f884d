// The home folder of the user who runs this: clients and the daemon keep things below it.
import { homedir, userInfo } from 'node:os';
import { isAbsolute } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Null for a user without one, as the arbitrary users of containers are. A HOME that depends on the current folder is none. */
export function homeFolder(env: Environment): string | null {
  const said = absoluteOrNull(env['HOME']);
  if (said !== null) return said;
  try {
    return absoluteOrNull(process.platform === 'win32' ? homedir() : userInfo().homedir);
  } catch {
    return null; // no passwd entry, and the system says so with an error
  }
}

/** A folder that a variable names, as the XDG specification has it: relative ones do not count. */
export function absoluteOrNull(path: string | undefined): string | null {
  return path !== undefined && isAbsolute(path) ? path : null;
}
