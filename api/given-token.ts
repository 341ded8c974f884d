// Reads the API token from a file of an orchestrator or of systemd. The token is not stored elsewhere.
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Name of the systemd credential: `LoadCredential=api-token:/etc/servent/api-token`. */
const CREDENTIAL = 'api-token';

export interface GivenToken {
  token: string;
  /** Variable that names the file or its folder. */
  by: string;
}

/**
 * Reads the file of `SERVENT_TOKEN_FILE`, else the systemd credential; null when there is neither. Rejects when a named file cannot be
 * used.
 */
export async function givenToken(env: Environment, cwd: string): Promise<GivenToken | null> {
  const named = env['SERVENT_TOKEN_FILE'];
  if (named !== undefined && named !== '') return usable(resolve(cwd, named), 'SERVENT_TOKEN_FILE');
  const folder = env['CREDENTIALS_DIRECTORY'];
  if (folder === undefined || folder === '') return null;
  try {
    return await usable(join(folder, CREDENTIAL), 'CREDENTIALS_DIRECTORY');
  } catch (error) {
    // the unit may have only other credentials
    if (error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return null;
    throw error;
  }
}

async function usable(file: string, by: string): Promise<GivenToken> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${by}: cannot read the API token: ${why}`, { cause });
  }
  const token = text.trim();
  if (!isToken(token))
    throw new Error(`${by}: ${file} holds no usable token: expected one line of 16 or more printable characters`);
  return { token, by };
}

export function isToken(text: string): boolean {
  return /^[\x21-\x7e]{16,1024}$/.test(text);
}
