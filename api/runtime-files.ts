// What the daemon leaves in its data folder for the programs that talk to it: the API token, and where it listens.
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

/** The token of the admin API, made at the first start and readable by its owner alone. */
export async function ensureApiToken(dataDir: string): Promise<string> {
  const file = join(dataDir, TOKEN_FILE);
  const known = await readApiToken(dataDir);
  if (known === null) {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    await writeWhole(file, `${token}\n`, OWNER_ONLY);
    return token;
  }
  if (!isToken(known)) throw new Error(`${file} holds no usable token: delete it and a new one is made`);
  if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) await chmod(file, OWNER_ONLY);
  return known;
}

/** null when there is none yet. */
export async function readApiToken(dataDir: string): Promise<string | null> {
  return (await readIfThere(join(dataDir, TOKEN_FILE)))?.trim() ?? null;
}

export async function writeRuntime(dataDir: string, runtime: Runtime): Promise<void> {
  await writeWhole(join(dataDir, RUNTIME_FILE), `${JSON.stringify(runtime)}\n`, 0o644);
}

/** null when no daemon has left one; one that was killed leaves its last. */
export async function readRuntime(dataDir: string): Promise<Runtime | null> {
  const text = await readIfThere(join(dataDir, RUNTIME_FILE));
  if (text === null) return null;
  try {
    const { pid, api, gnutella } = JSON.parse(text) as Partial<Runtime>;
    if (typeof pid === 'number' && typeof api === 'string' && typeof gnutella === 'string')
      return { pid, api, gnutella };
  } catch {
    // as good as none: the caller falls back to the default address
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

/** All of it or nothing, also when the machine goes down meanwhile. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const { default: writeFileAtomic } = await import('write-file-atomic'); // readers, such as every client command, do without
  await writeFileAtomic(file, text, { mode });
}
