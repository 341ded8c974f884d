// get: searches, downloads and verifies one file without a daemon.
import { mkdir } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Command } from 'commander';
import type { Client } from '../api/client.ts';
import type { DownloadView } from '../api/control.ts';
import type { CallOf } from '../api/endpoints.ts';
import { printable } from '../api/format.ts';
import { parseMetalink } from '../protocol/wire/metalink.ts';
import { linkIn } from '../protocol/wire/pasted-link.ts';
import { searchAndChoose } from './choose-result.ts';
import { CommandError, usageError } from './failure.ts';
import { inProcess } from './in-process.ts';
import { orderInFile } from './link-file.ts';
import { secondsUpTo } from './numbers.ts';
import { followDownload } from './progress.ts';
import { settingOptions } from './setting-options.ts';
import { pause, stopSignal } from './signals.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';
import { ownFolder, removeFolder, startThrowaway, throwawayFolder, throwawaySettings } from './throwaway-servent.ts';

const PATIENCE_SECONDS = 60;
const SECONDS_MAX = 7 * 86_400;
const POLL_MS = 250;

interface GetFlags {
  json?: boolean;
  dir?: string;
  first?: true;
  keep?: true;
  patience: number;
  timeout?: number;
}

export function getCommand(terminal: Terminal): Command {
  const command = new Command('get')
    .description('search, download and verify one file without a daemon, with a leaf that lives as long as that takes')
    .argument('<what...>', 'a magnet link, a URN, a .magnet, .meta4 or .metalink file, or words to search for')
    .option('-o, --dir <dir>', 'folder for the file (default: the current one); no file there is overwritten')
    .option('--first', 'take the first result, without a question and without waiting for others')
    .option('--keep', 'keep what came when it does not end; the same command goes on with it')
    .option(
      '--patience <seconds>',
      'give up when there is no connection, no result or no source for so long',
      secondsUpTo(SECONDS_MAX),
      PATIENCE_SECONDS,
    )
    .option('--timeout <seconds>', 'give up after so long in any case', secondsUpTo(SECONDS_MAX))
    .option('--json', 'print JSON');
  const settingsIn = settingOptions(command, [
    'profile',
    'gnutella.host',
    'gnutella.port',
    'gnutella.connect',
    'bootstrap.enabled',
    'bootstrap.caches',
    'limits.download',
    'log.level',
  ]);
  return command.action(async (words: string[], flags: GetFlags) => {
    const what = words.join(' ').trim();
    if (what === '') throw usageError('nothing to get: give a magnet link, a URN, or words');
    const settings = settingsIn(flags as unknown as Record<string, unknown>);
    const isIsolated = settings.profile === 'local' || settings.profile === 'lan';
    if (isIsolated && settings['gnutella.connect'] === undefined && settings['bootstrap.caches'] === undefined)
      throw usageError(`the profile ${settings.profile} knows nobody: give --connect HOST:PORT, or --cache ADDRESS`);

    const dir = resolve(terminal.cwd, flags.dir ?? '.');
    const folder = throwawayFolder(dir, what);
    const resolved = await throwawaySettings(folder, settings, terminal.cwd);
    await mkdir(dir, { recursive: true });
    const isNew = await ownFolder(folder);
    const signal = boundedBy(stopSignal(terminal), flags.timeout);
    let isOver = false;
    try {
      const servent = await startThrowaway(resolved, signal);
      try {
        if (!isNew) note(terminal, `going on with what an earlier "servent get" left in ${folder}`);
        const started = Date.now();
        const download = await fetched(terminal, servent.client, what, flags, signal);
        const { placeFile } = await inProcess.placeFile();
        const path = await placeFile(download.path ?? '', dir, basename(download.path ?? ''));
        isOver = true;
        say(terminal, { ...download, path }, (Date.now() - started) / 1000, flags.json === true);
      } finally {
        await servent.stop();
      }
    } finally {
      if (isOver || flags.keep !== true) await removeFolder(folder);
      else note(terminal, `kept what came in ${folder}: the same command goes on with it`);
    }
  });
}

/** Aborts also after so many seconds. */
function boundedBy(signal: AbortSignal, seconds: number | undefined): AbortSignal {
  if (seconds === undefined) return signal;
  const late = new AbortController();
  const reason = new CommandError(`not finished within ${seconds} s, the limit of --timeout`);
  setTimeout(() => late.abort(reason), seconds * 1000).unref();
  return AbortSignal.any([signal, late.signal]);
}

/** Resolves with the completed download. */
async function fetched(
  terminal: Terminal,
  client: Client,
  what: string,
  flags: GetFlags,
  signal: AbortSignal,
): Promise<DownloadView> {
  const [left] = (await client.downloads()).items;
  const first = left ?? (await client.startDownload(await orderFor(terminal, client, what, flags, signal)));
  let foundAt = Date.now();
  const download = await followDownload(terminal.stderr, client, first, signal, ({ sources }) => {
    if (sources.length > 0) foundAt = Date.now();
    else if (Date.now() - foundAt > flags.patience * 1000)
      throw new CommandError(`no source was found within ${flags.patience} s: try again later, or give --patience`);
  }).catch(error => {
    signal.throwIfAborted(); // a call that was cut off fails in other words
    throw error;
  });
  if (download.state === 'failed') throw new CommandError(`${download.name}: ${download.error ?? 'failed'}`);
  return download;
}

async function orderFor(
  terminal: Terminal,
  client: Client,
  what: string,
  { first, json, patience }: GetFlags,
  signal: AbortSignal,
): Promise<CallOf<'startDownload'>> {
  const inFile = await orderInFile(terminal.cwd, what);
  if (inFile !== null) return oneFile(inFile);
  const link = linkIn(what);
  if (link !== null) return link.startsWith('magnet:') ? { magnet: link } : { urn: link, sources: [] };
  await connected(terminal, client, patience, signal);
  const input: NodeJS.ReadableStream & { isTTY?: boolean } = terminal.stdin ?? process.stdin;
  const asks = first !== true && json !== true && terminal.stderr.isTTY === true && input.isTTY === true;
  return searchAndChoose(terminal, client, what, { first: first === true, asks, patience }, signal);
}

/** As one file is fetched, a description of several is refused. */
function oneFile<Order extends object>(order: Order & { metalink?: string }): Order {
  const count = order.metalink === undefined ? 1 : parseMetalink(order.metalink).length;
  if (count > 1) throw usageError(`the description has ${count} files: "servent download" fetches several`);
  return order;
}

async function connected(terminal: Terminal, client: Client, patience: number, signal: AbortSignal): Promise<void> {
  note(terminal, 'connecting to the network');
  const deadline = Date.now() + patience * 1000;
  for (;;) {
    const { peers, bootstrap } = await client.status();
    if (peers.ultrapeers > 0) return;
    if (Date.now() > deadline)
      throw new CommandError(
        `no connection within ${patience} s (${bootstrap.detail}): give an ultrapeer with --connect HOST:PORT`,
      );
    await pause(POLL_MS, signal);
  }
}

function say(terminal: Terminal, { name, path, size, urn }: DownloadView, seconds: number, json: boolean): void {
  const isVerified = urn !== null;
  if (json) {
    printJson(terminal, { path, name, size, urn, verified: isVerified, seconds });
    return;
  }
  if (!isVerified) note(terminal, 'not verified: no hash of it is known');
  print(terminal, path ?? printable(name));
}
