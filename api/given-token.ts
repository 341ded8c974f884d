// An API token handed over in a file, as orchestrators and systemd do: it is read from there and kept nowhere else.
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** The name of systemd's credential: `LoadCredential=api-token:/etc/servent/api-token`. */
const CREDENTIAL = 'api-token';

export interface GivenToken {
  token: string;
  /** The variable that led there. */
  by: string;
}

/**
 * `SERVENT_TOKEN_FILE` names the file; else systemd's folder of credentials may hold one. null when neither does. Rejects with what to do
 * when a file is named and cannot be used.
 */
export async function givenToken(env: Environment, cwd: string): Promise<GivenToken | null> {
  const named = env['SERVENT_TOKEN_FILE'];
  if (named !== undefined && named !== '') return usable(resolve(cwd, named), 'SERVENT_TOKEN_FILE');
  const folder = env['CREDENTIALS_DIRECTORY'];
  if (folder === undefined || folder === '') return null;
  try {
    return await usable(join(folder, CREDENTIAL), 'CREDENTIALS_DIRECTORY');
  } catch (error) {
    // other credentials may be all that the unit was given
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
