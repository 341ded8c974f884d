// Files of the data folder for clients: the API token, and runtime.json with the addresses of the daemon.
import { randomBytes } from 'node:crypto';
import { chmod, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isToken } from './given-token.ts';

const TOKEN_FILE = 'api-token';
const RUNTIME_FILE = 'runtime.json';
const TOKEN_BYTES = 32;
const OWNER_ONLY = 0o600;

export interface Runtime {
  pid: number;
  /** `http://HOST:PORT` */
  api: string;
  /** `HOST:PORT` */
  gnutella: string;
}

/** Reads the API token, or creates it with mode 0600. */
export async function ensureApiToken(dataDir: string): Promise<string> {
  const file = join(dataDir, TOKEN_FILE);
  const known = await readApiToken(dataDir);
  if (known === null) {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    await writeWhole(file, `${token}\n`, OWNER_ONLY);
    return token;
  }
  if (!isToken(known)) throw new Error(`${file} has no valid token: delete it, and the daemon creates a new one`);
  if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) await chmod(file, OWNER_ONLY);
  return known;
}

/** Returns null when the file does not exist. */
export async function readApiToken(dataDir: string): Promise<string | null> {
  return (await readIfThere(join(dataDir, TOKEN_FILE)))?.trim() ?? null;
}

export async function writeRuntime(dataDir: string, runtime: Runtime): Promise<void> {
  await writeWhole(join(dataDir, RUNTIME_FILE), `${JSON.stringify(runtime)}\n`, 0o644);
}

/** Reads runtime.json; null when it is missing or invalid. A killed daemon leaves an outdated one. */
export async function readRuntime(dataDir: string): Promise<Runtime | null> {
  const text = await readIfThere(join(dataDir, RUNTIME_FILE));
  if (text === null) return null;
  try {
    const { pid, api, gnutella } = JSON.parse(text) as Partial<Runtime>;
    if (typeof pid === 'number' && typeof api === 'string' && typeof gnutella === 'string')
      return { pid, api, gnutella };
  } catch {
    // invalid: the caller uses the default address
  }
  return null;
}

export async function removeRuntime(dataDir: string): Promise<void> {
  await rm(join(dataDir, RUNTIME_FILE), { force: true });
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes a file atomically, with fsync. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const { default: writeFileAtomic } = await import('write-file-atomic'); // clients, which only read, do not load it
  await writeFileAtomic(file, text, { mode });
}
