// Keeps the contexts, which are daemons by name, in the configuration folder of the user.
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { absoluteOrNull, homeFolder } from '../api/home.ts';
import { CommandError, usageError } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** How to reach a daemon. `dataDir`: URL and token are read there at each use. */
export interface Context {
  readonly name: string;
  readonly api?: string;
  readonly token?: string;
  /** A file that holds the token, read at each use. */
  readonly tokenFile?: string;
  readonly dataDir?: string;
}

const CONTEXTS_MAX = 256;
const OWNER_ONLY = 0o600;
const FIELDS = ['api', 'token', 'tokenFile', 'dataDir'] as const;

/** Path of the file, whether it exists or not. */
function contextsFile({ env }: Pick<Terminal, 'env'>): string {
  const home = homeFolder(env);
  const base = absoluteOrNull(env['XDG_CONFIG_HOME']) ?? (home === null ? null : join(home, '.config'));
  if (base === null)
    throw new CommandError('this user has no home folder: say where contexts are kept with XDG_CONFIG_HOME');
  return join(base, 'servent', 'contexts.json');
}

/** In the order in which they were added; none without a file. */
export async function readContexts(terminal: Pick<Terminal, 'env'>): Promise<Context[]> {
  const file = contextsFile(terminal);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const contexts = parseContexts(text);
  if (contexts === null)
    throw new CommandError(`${file} is no list of contexts: mend it, or delete it and add the contexts again`);
  return contexts;
}

export async function writeContexts(terminal: Pick<Terminal, 'env'>, contexts: readonly Context[]): Promise<string> {
  if (contexts.length > CONTEXTS_MAX)
    throw new CommandError(
      `there can be ${CONTEXTS_MAX} contexts at most: remove one with "servent context remove NAME"`,
    );
  const file = contextsFile(terminal);
  await mkdir(dirname(file), { recursive: true });
  const { default: writeFileAtomic } = await import('write-file-atomic');
  await writeFileAtomic(file, `${JSON.stringify({ contexts }, null, 2)}\n`, { mode: OWNER_ONLY });
  return file;
}

/** The context of this name. Throws a usage error that lists the names there are. */
export async function contextNamed(terminal: Pick<Terminal, 'env'>, name: string): Promise<Context> {
  const contexts = await readContexts(terminal);
  const found = contexts.find(context => context.name === name);
  if (found !== undefined) return found;
  const names = contexts.map(context => context.name).join(', ');
  throw usageError(
    names === ''
      ? `there is no context ${name}: add one with "servent context add ${name} --api URL --token TOKEN"`
      : `there is no context ${name}: there are ${names}`,
  );
}

export const isContextName = (text: string): boolean => /^[A-Za-z0-9][\w.-]{0,62}$/.test(text);

function parseContexts(text: string): Context[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const items = typeof value === 'object' && value !== null && 'contexts' in value ? value.contexts : null;
  return Array.isArray(items) && items.length <= CONTEXTS_MAX && items.every(isContext) ? items : null;
}

function isContext(value: unknown): value is Context {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  const { name } = fields;
  const texts = FIELDS.every(field => fields[field] === undefined || typeof fields[field] === 'string');
  return typeof name === 'string' && isContextName(name) && texts;
}
