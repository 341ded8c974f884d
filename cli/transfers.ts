import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { type Client, everyItem } from '../api/client.ts';
import type { DownloadView, UploadView } from '../api/control.ts';
import type { CallOf } from '../api/endpoints.ts';
import { formatBytes, formatDuration, formatRate, formatShare, printable } from '../api/format.ts';
import { linkIn } from '../protocol/wire/pasted-link.ts';
import { downloadColumns, uploadColumns } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError, usageError } from './failure.ts';
import { type List, listCommand } from './list.ts';
import { wholeNumber } from './numbers.ts';
import { followProgress } from './progress.ts';
import { forEachId } from './several.ts';
import { type Column, facts, table } from './table.ts';
import { print, printJson, type Terminal } from './terminal.ts';

const POLL_MS = 250;
const PRIORITY_MAX = 100;

type DownloadFlags = ClientFlags & { wait?: boolean; source: string[]; name?: string; size?: number };

export function transferCommands(terminal: Terminal): Command[] {
  return [
    clientCommand('download', 'queue a download')
      .argument('<what>', 'a result id of "servent search", a magnet link or a URN')
      .option('--source <host[:port]>', 'a host that has the file of the URN (repeatable)', collect, [])
      .option('--name <name>', 'name of the file')
      .option('--size <bytes>', 'size of the file of the URN', wholeNumber(0))
      .option('--wait', 'show progress until the download ends')
      .action(async (what: string, flags: DownloadFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const download = await client.startDownload(await orderFor(client, what, flags));
        if (flags.wait === true) return awaitEnd(terminal, client, download, flags.json === true);
        if (flags.json === true) return printJson(terminal, download);
        print(terminal, `${download.id}  ${download.state}  ${printable(download.name)}`);
      }),
    downloadsCommand(terminal),
    changeCommand(terminal, 'pause', 'pause downloads', 'paused', (client, id) =>
      client.changeDownload({ id, state: 'paused' }),
    ),
    changeCommand(terminal, 'resume', 'resume paused downloads', 'resumed', (client, id) =>
      client.changeDownload({ id, state: 'active' }),
    ),
    changeCommand(terminal, 'cancel', 'cancel downloads and delete their partial files', 'cancelled', (client, id) =>
      client.removeDownload({ id }),
    ),
    clientCommand('priority', 'change the order of downloads')
      .argument('<n>', 'from -100 to 100; higher is first, 0 is the default', wholeNumber(-PRIORITY_MAX, PRIORITY_MAX))
      .argument('<ids...>', 'as "servent downloads" shows them')
      .action((priority: number, ids: string[], flags: ClientFlags) =>
        forEachId(terminal, flags, ids, `priority ${priority} for`, (client, id) =>
          client.changeDownload({ id, priority }),
        ),
      ),
    uploadsCommand(terminal),
  ];
}

const DOWNLOADS: List<DownloadView> = {
  name: 'downloads',
  description: 'show the downloads',
  page: client => page => client.downloads(page),
  columns: downloadColumns,
  follow: {
    topic: 'downloads',
    rowOf: event => (event.topic === 'downloads' && event.type !== 'download.removed' ? event.data : null),
  },
};

function downloadsCommand(terminal: Terminal): Command {
  const command = listCommand(terminal, DOWNLOADS);
  command.addCommand(
    clientCommand('show', 'show one download and its sources')
      .argument('<id>', 'as "servent downloads" shows it')
      .action(async (id: string, flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const download = await client.download({ id });
        if (flags.json === true) return printJson(terminal, download);
        print(terminal, facts(downloadFacts(download)));
        if (download.sources.length > 0) print(terminal, `\n${table(sourceColumns, download.sources)}`);
      }),
  );
  return command;
}

function downloadFacts(download: DownloadView): [string, string][] {
  const { name, state, error, done, size, rate, eta, urn, priority, path, addedAt } = download;
  const share = size === null ? formatBytes(done) : `${formatShare(done, size)} of ${formatBytes(size)}`;
  const left = eta === null ? '' : `, ${formatDuration(eta)} left`;
  return [
    ['name', name],
    ['state', error === null ? state : `${state}: ${error}`],
    ['done', state === 'active' ? `${share}, ${formatRate(rate)}${left}` : share],
    ['urn', urn ?? 'unknown'],
    ['priority', String(priority)],
    ['added', addedAt],
    ...(path === null ? [] : [['file', path] as [string, string]]),
  ];
}

const sourceColumns: Column<DownloadView['sources'][number]>[] = [
  { title: 'SOURCE', of: row => row.address },
  { title: 'STATE', of: row => row.state },
  { title: 'PUSH', of: row => (row.push ? 'yes' : 'no') },
  { title: 'SERVENT', of: row => row.servent ?? '' },
  { title: 'NOTE', of: row => row.error ?? '' },
];

const UPLOADS: List<UploadView> = {
  name: 'uploads',
  description: 'show uploads and the upload queue',
  page: client => page => client.uploads(page),
  columns: uploadColumns,
  follow: { topic: 'uploads', rowOf: event => (event.topic === 'uploads' && 'sent' in event.data ? event.data : null) },
};

function uploadsCommand(terminal: Terminal): Command {
  const command = listCommand(terminal, UPLOADS);
  command.addCommand(
    changeCommand(
      terminal,
      'cancel',
      'cancel uploads, running or queued',
      'cancelled',
      (client, id) => client.cancelUpload({ id }),
      'uploads',
    ),
  );
  return command;
}

function collect(item: string, items: string[]): string[] {
  return [...items, item];
}

function changeCommand(
  terminal: Terminal,
  name: string,
  description: string,
  done: string,
  change: (client: Client, id: string) => Promise<unknown>,
  list = 'downloads',
): Command {
  return clientCommand(name, description)
    .argument('<ids...>', `as "servent ${list}" shows them`)
    .action((ids: string[], flags: ClientFlags) => forEachId(terminal, flags, ids, done, change));
}

async function orderFor(client: Client, what: string, flags: DownloadFlags): Promise<CallOf<'startDownload'>> {
  const { source, name, size } = flags;
  const link = linkIn(what);
  if (link?.startsWith('magnet:') === true) return { magnet: link };
  if (link !== null)
    return {
      urn: link,
      sources: source,
      ...(name === undefined ? {} : { name }),
      ...(size === undefined ? {} : { size }),
    };
  if (source.length > 0 || size !== undefined) throw usageError('--source and --size belong to a URN');
  return { ...(await findResult(client, what)), ...(name === undefined ? {} : { name }) };
}

/** Resolves `SEARCH/RESULT`, or a result id alone to the newest search that has it. */
async function findResult(client: Client, what: string): Promise<{ search: string; result: string }> {
  const slash = what.indexOf('/');
  if (slash > 0) return { search: what.slice(0, slash), result: what.slice(slash + 1) };
  for await (const { id } of everyItem(page => client.searches(page)))
    for await (const result of everyItem(page => client.results({ id, ...page })))
      if (result.id === what) return { search: id, result: what };
  throw new CommandError(
    `no search has a result ${JSON.stringify(what)}: take SEARCH/RESULT from "servent search", a magnet link, or a URN`,
  );
}

async function awaitEnd(terminal: Terminal, client: Client, first: DownloadView, json: boolean): Promise<void> {
  const progress = await followProgress(terminal.stderr);
  let download = first;
  try {
    for (;;) {
      progress.show(download);
      if (download.state === 'completed' || download.state === 'failed') break;
      await wait(POLL_MS);
      download = await client.download({ id: download.id });
    }
  } finally {
    progress.end();
  }
  if (json) printJson(terminal, download);
  if (download.state === 'failed')
    throw new CommandError(
      `${download.name}: ${download.error ?? 'failed'}; "servent resume ${download.id}" tries again`,
    );
  if (!json) print(terminal, download.path ?? printable(download.name));
}
