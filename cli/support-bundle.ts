// support-bundle: writes state, settings and log to one file, without secrets.
import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Client, everyItem } from '../api/client.ts';
import type { LogLineView } from '../api/control.ts';
import { version } from '../api/version.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError } from './failure.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const LOG_LINES = 1_000;
const OWNER_ONLY = 0o600;
/** Settings whose values may contain secrets, in URLs and arguments. */
const SECRET_SETTINGS = new Set(['hooks', 'recording.url', 'proxy.socks']);
const NAMES_HIDDEN = '(name)';

type BundleFlags = ClientFlags & { names?: true; force?: true };

export function supportBundleCommand(terminal: Terminal): Command {
  return clientCommand('support-bundle', 'write state, settings and log to one file for a bug report, without secrets')
    .argument('[file]', 'the file to write (default: servent-support-DATE.json)')
    .option('--names', 'include names of files and folders, and search texts')
    .option('--force', 'overwrite an existing file')
    .action(async (given: string | undefined, flags: BundleFlags) => {
      const now = new Date();
      const file = resolve(terminal.cwd, given ?? `servent-support-${now.toISOString().slice(0, 10)}.json`);
      if (existsSync(file) && flags.force !== true)
        throw new CommandError(`${file} exists: choose another name, or overwrite it with --force`);
      const { client, text } = await findDaemon(flags, terminal);
      const bundle = {
        at: now.toISOString(),
        servent: version,
        node: process.versions.node,
        platform: `${process.platform} ${process.arch} ${release()}`,
        ...(await collected(client)),
        metrics: await text('metrics'),
      };
      const shown = flags.names === true ? bundle : withoutNames(bundle);
      const { default: writeFileAtomic } = await import('write-file-atomic');
      await writeFileAtomic(file, `${JSON.stringify(shown, null, 1)}\n`, { mode: OWNER_ONLY });
      if (flags.json === true) return printJson(terminal, { file, names: flags.names === true });
      print(terminal, `written: ${file}`);
      note(terminal, 'the file contains addresses of peers, but no tokens or keys: read it before you pass it on');
    });
}

async function collected(client: Client) {
  const { file, settings } = await client.config();
  return {
    configuration: {
      file,
      settings: settings.map(({ key, value, origin, where }) => ({
        key,
        value: settingValue(key, value),
        origin,
        where,
      })),
    },
    status: await client.status(),
    doctor: await client.doctor(),
    ready: await client.ready(),
    election: await client.election(),
    refusedPeers: await client.refusedPeers(),
    history: await client.history(),
    peers: await wholeList(page => client.peers(page)),
    downloads: await wholeList(page => client.downloads(page)),
    hooks: (await client.hooks()).items.map(({ id: _id, url: _url, command: _command, ...hook }) => hook),
    log: (await client.logLines({ limit: LOG_LINES })).items.reverse(),
  };
}

async function wholeList<T>(list: Parameters<typeof everyItem<T>>[0]): Promise<T[]> {
  const items: T[] = [];
  for await (const item of everyItem(list)) items.push(item);
  return items;
}

function settingValue(key: string, value: unknown): unknown {
  if (!SECRET_SETTINGS.has(key)) return value;
  return `${Array.isArray(value) ? value.length : 1} (left out)`;
}

type Bundle = Awaited<ReturnType<typeof collected>> & Record<string, unknown>;

/** Removes paths, names of files and search texts. */
function withoutNames(bundle: Bundle): Record<string, unknown> {
  const { configuration, downloads, log, status, doctor, ready } = bundle;
  const folders = new Set(
    configuration.settings
      .filter(({ key }) => /older|dataDir|File|Lists|tls(Cert|Key)/.test(key))
      .flatMap(({ value }) => (Array.isArray(value) ? value.map(String) : [String(value)]))
      .filter(path => path.length > 1),
  );
  // longest first: folders may be nested
  const paths = [...folders].sort((a, b) => b.length - a.length);
  const hide = (text: string): string => paths.reduce((shown, path) => shown.replaceAll(path, '(path)'), text);
  /** Removes names below a shared folder as well. */
  const bare = (text: string): string => withoutPaths(hide(text).replace(/\(path\)\/.*$/s, '(path)'));
  return {
    ...bundle,
    configuration: {
      file: configuration.file === null ? null : '(path)',
      settings: configuration.settings.map(row => ({
        ...row,
        value: hidden(row.value, hide),
        where: row.where === null ? null : row.where.replace(/^.*\//, ''),
      })),
    },
    status: hidden(status, bare),
    doctor: hidden(doctor, bare),
    ready: hidden(ready, bare),
    downloads: downloads.map(row => ({
      ...row,
      name: NAMES_HIDDEN,
      path: row.path === null ? null : '(path)',
      urn: row.urn === null ? null : '(urn)',
      error: row.error === null ? null : withoutPaths(hide(row.error)),
    })),
    log: log.map(line => logLine(line, hide)),
  };
}

/** Keeps only numbers and booleans of the data of a log line. */
function logLine({ data, message, ...line }: LogLineView, hide: (text: string) => string): LogLineView {
  const shown = Object.entries(data).map(([name, value]) => [
    name,
    typeof value === 'number' || typeof value === 'boolean' ? value : '(left out)',
  ]);
  return { ...line, message: withoutPaths(hide(message)), data: Object.fromEntries(shown) };
}

/** Replaces an absolute path and the rest of the text, since names may contain blanks. */
const withoutPaths = (text: string): string => text.replace(/(^|[\s'"(])\/[^\s/'"].*$/s, '$1(path)');

function hidden(value: unknown, hide: (text: string) => string): unknown {
  if (typeof value === 'string') return hide(value);
  if (Array.isArray(value)) return value.map(inner => hidden(inner, hide));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hidden(inner, hide)]));
}
