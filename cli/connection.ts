// Finds the running daemon: flags, then environment, then what it left in its data folder.
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
import { CommandError, usageError } from './failure.ts';
import { outputOptions } from './output.ts';
import type { Terminal } from './terminal.ts';

export interface ClientFlags {
  api?: string;
  token?: string;
  dataDir?: string;
  json?: boolean;
}

/** A command that talks to a running daemon. */
export function clientCommand(name: string, description: string): Command {
  return outputOptions(new Command(name).description(description))
    .option('--curl', 'print the calls as curl commands; those that change something are not made')
    .option('--api <url>', 'where the daemon answers (SERVENT_API)')
    .option('--token <token>', 'its API token (SERVENT_TOKEN, or SERVENT_TOKEN_FILE with a file)')
    .option('--data-dir <dir>', 'its data folder, where address and token are found otherwise (SERVENT_DATA_DIR)');
}

export interface Daemon {
  client: Client;
  follow: Follow;
  url: string;
  /** What is not answered as JSON, whole. */
  text: (stream: StreamName, query?: Readonly<Record<string, string>>) => Promise<string>;
}

export async function findDaemon(flags: ClientFlags, terminal: Terminal, waitMs?: number): Promise<Daemon> {
  const folder = (): Promise<string> => dataDirOf(flags, terminal); // not asked for where all is said by flags
  const given = flags.api ?? (terminal.env['SERVENT_API'] || undefined);
  const url = given === undefined ? await usualUrl(await folder()) : urlOf(given);
  const { env, cwd } = terminal;
  const token =
    flags.token ??
    (env['SERVENT_TOKEN'] || undefined) ??
    (await givenToken(env, cwd))?.token ??
    (await tokenIn(await folder(), url));
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

/** Ends a command whose call was to be shown and not made. */
export class ShownOnly extends Error {}

/** The token stays in its file: the pasted line reads it from there. */
function curlText(method: string, url: string, body: string | null, dataDir: string): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const json = body === null ? '' : ` -H 'Content-Type: application/json' -d ${quote(body)}`;
  const how = method === 'GET' ? '' : ` -X ${method}`;
  return `curl -sS${how} -H "Authorization: Bearer $(cat ${quote(join(dataDir, 'api-token'))})"${json} ${quote(url)}`;
}

/** As `start` would find it. A broken configuration does not keep anybody from asking a running daemon. */
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
  const { declaration } = await import('../settings/settings.ts'); // takes longer than a call
  const context = { profile: 'public', dataDir } as const;
  return `http://${declaration.api.host.defaultFor(context)}:${declaration.api.port.defaultFor(context)}`;
}

/** A daemon that listens on all addresses says so; from here it is on this machine. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

function urlOf(text: string): string {
  const url = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(url)) throw usageError(`--api: expected a URL such as http://127.0.0.1:8346, got ${text}`);
  return new URL(url).href.replace(/\/+$/, '');
}

async function tokenIn(dataDir: string, url: string): Promise<string> {
  let token: string | null;
  try {
    token = await readApiToken(dataDir);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`cannot read the API token (${why}): run this as the daemon's user, or give --token`);
  }
  // Whether anybody is there comes first: without a daemon there is no token to be missed.
  return token ?? (await noToken(dataDir, url));
}

async function noToken(dataDir: string, url: string): Promise<string> {
  await createClient({ url, token: '' }).live();
  throw new CommandError(
    `no API token in ${dataDir}: give the daemon's with --token, or its data folder with --data-dir`,
  );
}
