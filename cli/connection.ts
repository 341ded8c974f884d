// Finds the running daemon: from flags, then the environment, then runtime.json and api-token in the data folder.
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { type Client, type ClientOptions, createClient, readText } from '../api/client.ts';
import { givenToken } from '../api/given-token.ts';
import type { Follow } from '../api/live/follow.ts';
import { followDaemon } from '../api/live/follow-daemon.ts';
import { streamPaths } from '../api/outline.ts';
import { readApiToken, readRuntime } from '../api/runtime-files.ts';
import type { StreamName } from '../api/streams.ts';
import { usualDataDir } from '../settings/data-dir.ts';
import type { Context } from './contexts.ts';
import { CommandError, usageError } from './failure.ts';
import { outputOptions } from './output.ts';
import type { Terminal } from './terminal.ts';

export interface ClientFlags {
  api?: string;
  token?: string;
  dataDir?: string;
  /** Name of a daemon of `servent context`. */
  context?: string;
  json?: boolean;
}

/** Creates a command with the options of a client of the API. */
export function clientCommand(name: string, description: string): Command {
  return outputOptions(new Command(name).description(description))
    .option('--curl', 'print calls as curl commands; calls that change something are not sent')
    .option('--api <url>', 'URL of the daemon (SERVENT_API)')
    .option('--token <token>', 'API token (SERVENT_TOKEN, or a file named by SERVENT_TOKEN_FILE)')
    .option('--data-dir <dir>', 'data folder of the daemon, read for URL and token (SERVENT_DATA_DIR)')
    .option('--context <name>', 'a daemon that "servent context add" has named (SERVENT_CONTEXT)');
}

export interface Daemon {
  client: Client;
  follow: Follow;
  url: string;
  /** Fetches an answer that is not JSON, as one text. */
  text: (stream: StreamName, query?: Readonly<Record<string, string>>) => Promise<string>;
}

/** `waitMs`: deadline of each call. */
export async function findDaemon(given: ClientFlags, shell: Terminal, waitMs?: number): Promise<Daemon> {
  const name = given.context ?? (says(given, shell) ? undefined : shell.env['SERVENT_CONTEXT'] || undefined);
  if (name === undefined) return daemonAt(given, shell, waitMs);
  const { contextNamed } = await import('./contexts.ts');
  return daemonOf(await contextNamed(shell, name), given, shell, waitMs);
}

/** Whether flags or variables name a daemon. */
const says = ({ api, dataDir }: ClientFlags, { env }: Terminal): boolean =>
  [api, dataDir, env['SERVENT_API'], env['SERVENT_DATA_DIR']].some(text => text !== undefined && text !== '');

/** The daemon of a context. Flags go before what it says; variables, which are about another daemon, do not count. */
export async function daemonOf(
  { api, token, tokenFile, dataDir }: Context,
  flags: Omit<ClientFlags, 'context'>,
  terminal: Terminal,
  waitMs?: number,
): Promise<Daemon> {
  const env = Object.fromEntries(Object.entries(terminal.env).filter(([variable]) => !ABOUT_A_DAEMON.has(variable)));
  const at = {
    ...(api === undefined ? {} : { api }),
    ...(token === undefined ? {} : { token }),
    ...(dataDir === undefined ? {} : { dataDir }),
    ...flags,
  };
  const named = tokenFile === undefined ? env : { ...env, SERVENT_TOKEN_FILE: tokenFile };
  return daemonAt(at, { ...terminal, env: named }, waitMs);
}

const ABOUT_A_DAEMON: ReadonlySet<string> = new Set([
  ...['SERVENT_API', 'SERVENT_TOKEN', 'SERVENT_TOKEN_FILE', 'SERVENT_DATA_DIR', 'SERVENT_CONFIG', 'SERVENT_CONTEXT'],
  'CREDENTIALS_DIRECTORY',
]);

async function daemonAt(flags: ClientFlags, terminal: Terminal, waitMs?: number): Promise<Daemon> {
  const folder = (): Promise<string> => dataDirOf(flags, terminal); // read only when flags leave something open
  const given = flags.api ?? (terminal.env['SERVENT_API'] || undefined);
  const url = given === undefined ? await usualUrl(await folder()) : apiUrl(given);
  const { env, cwd } = terminal;
  const token =
    flags.token ??
    (env['SERVENT_TOKEN'] || undefined) ??
    (await givenToken(env, cwd))?.token ??
    (await tokenIn(await folder(), url, waitMs));
  const { curl } = terminal;
  const tokenFolder = curl === undefined ? '' : await folder();
  const onCall = ({ method, url, body }: { method: string; url: string; body: string | null }): void => {
    curl?.(curlText(method, url, body, tokenFolder));
    if (curl !== undefined && method !== 'GET') throw new ShownOnly();
  };
  const options: ClientOptions = {
    url,
    token,
    ...(waitMs === undefined ? {} : { waitMs }),
    ...(curl === undefined ? {} : { onCall }),
  };
  return {
    client: createClient(options),
    follow: followDaemon(options),
    url,
    text: (stream, query = {}) => readText(streamPaths[stream], query, options),
  };
}

/** Ends a command whose call `--curl` printed instead of sending. */
export class ShownOnly extends Error {}

/** The curl command for a call. It reads the token from its file, so that the token itself is not printed. */
function curlText(method: string, url: string, body: string | null, dataDir: string): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const json = body === null ? '' : ` -H 'Content-Type: application/json' -d ${quote(body)}`;
  const how = method === 'GET' ? '' : ` -X ${method}`;
  return `curl -sS${how} -H "Authorization: Bearer $(cat ${quote(join(dataDir, 'api-token'))})"${json} ${quote(url)}`;
}

/** Finds the data folder as `start` does, but ignores an invalid configuration file. */
export async function dataDirOf({ dataDir }: ClientFlags, { env, cwd }: Terminal): Promise<string> {
  const given = dataDir ?? (env['SERVENT_DATA_DIR'] || undefined);
  if (given !== undefined) return resolve(cwd, given);
  const configFile = env['SERVENT_CONFIG'] || undefined;
  if (configFile !== undefined) {
    const [{ readSettingsFile }, { declaration }] = await Promise.all([
      import('../settings/file.ts'),
      import('../settings/settings.ts'),
    ]);
    const file = resolve(cwd, configFile);
    const said = (await readSettingsFile(file).catch(() => null))?.get('dataDir')?.value;
    if (typeof said === 'string') return declaration.dataDir.within?.(said, resolve(file, '..')) ?? said;
  }
  return usualDataDir();
}

async function usualUrl(dataDir: string): Promise<string> {
  const runtime = await readRuntime(dataDir);
  if (runtime !== null) return reachable(runtime.api);
  const { declaration } = await import('../settings/settings.ts'); // slow to load
  const context = { profile: 'public', dataDir } as const;
  return `http://${declaration.api.host.defaultFor(context)}:${declaration.api.port.defaultFor(context)}`;
}

/** Replaces the wildcard address of a daemon that listens on all addresses with loopback. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

/** Completes the URL of an API. Throws a usage error. */
export function apiUrl(text: string): string {
  const url = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(url)) throw usageError(`--api: expected a URL such as http://127.0.0.1:8346, got ${text}`);
  return new URL(url).href.replace(/\/+$/, '');
}

async function tokenIn(dataDir: string, url: string, waitMs?: number): Promise<string> {
  let token: string | null;
  try {
    token = await readApiToken(dataDir);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`cannot read the API token (${why}): run this as the daemon's user, or give --token`);
  }
  return token ?? (await noToken(dataDir, url, waitMs));
}

async function noToken(dataDir: string, url: string, waitMs?: number): Promise<string> {
  await createClient({ url, token: '', ...(waitMs === undefined ? {} : { waitMs }) }).live();
  throw new CommandError(`no API token in ${dataDir}: give the token with --token, or the data folder with --data-dir`);
}
