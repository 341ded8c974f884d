import type { Command } from 'commander';
import { type CellState, type ChunkSpan, chunkCells } from '../api/chunk-cells.ts';
import { type Client, everyItem } from '../api/client.ts';
import type { DownloadView, StartedDownload, UploadView } from '../api/control.ts';
import { placeText, waitText } from '../api/download-wait.ts';
import type { CallOf } from '../api/endpoints.ts';
import { formatBytes, formatDuration, formatRate, formatShare, printable } from '../api/format.ts';
import { linkIn } from '../protocol/wire/pasted-link.ts';
import { type BatchFlags, orderOfSeveral } from './batch.ts';
import { downloadColumns, uploadColumns } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError, EndedBySignal, usageError } from './failure.ts';
import { orderInFile } from './link-file.ts';
import { type List, listCommand } from './list.ts';
import { wholeNumber } from './numbers.ts';
import { followDownload } from './progress.ts';
import { forEachChosen, type Several, severalCommand, severalOptions } from './several.ts';
import { stopSignal } from './signals.ts';
import { type Column, facts, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const PRIORITY_MAX = 100;

type StartedItem = NonNullable<StartedDownload['items']>[number];
type DownloadFlags = ClientFlags &
  BatchFlags & {
    wait?: boolean;
    source: string[];
    size?: number;
    again?: true;
    category?: string;
  };

export function transferCommands(terminal: Terminal): Command[] {
  return [
    clientCommand('download', 'queue a download')
      .argument(
        '[what]',
        'a result id of "servent search", a magnet link, a URN, or a .magnet, .meta4 or .metalink file',
      )
      .option('--source <host[:port]>', 'a host that has the file of the URN (repeatable)', collect, [])
      .option('--browse <host[:port]>', 'all files of a servent, or those of --folder or --match, into one folder')
      .option('--search <id>', 'results of a search or browse: those of --match or --folder')
      .option('--folder <name>', 'files in a folder of that servent, by name or path')
      .option('--match <filter>', 'results that match, for example \'type=audio and name~"moon"\'')
      .option('--name <name>', 'name of the file, or of the folder for several')
      .option('--size <bytes>', 'size of the file of the URN', wholeNumber(0))
      .option('--category <name>', 'one of downloads.categories; by default as their rules say')
      .option('--again', 'another copy, though the content is here already or being fetched')
      .option('--wait', 'show progress until the download ends')
      .action(async (what: string | undefined, flags: DownloadFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const order =
          (await orderOfSeveral(terminal, client, what, flags)) ??
          (await orderInFile(terminal.cwd, what ?? '')) ??
          (await orderFor(client, what ?? '', flags));
        const { again, category } = flags;
        const download = await client.startDownload({
          ...order,
          ...(again === undefined ? {} : { again }),
          ...(category === undefined ? {} : { category }),
        });
        if (download.items === null) noteLink(terminal, download);
        else for (const item of download.items) noteItem(terminal, item);
        if (flags.wait === true) return awaitAll(terminal, client, download, flags.json === true);
        if (flags.json === true) return printJson(terminal, download);
        for (const { id, name, state } of await started(client, download))
          print(terminal, `${id}  ${state}  ${printable(name)}`);
      }),
    downloadsCommand(terminal),
    severalCommand(terminal, 'pause', 'pause downloads', unfinished, 'paused', (client, id) =>
      client.changeDownload({ id, state: 'paused' }),
    ),
    severalCommand(terminal, 'resume', 'resume paused or failed downloads', stopped, 'resumed', resume),
    severalCommand(terminal, 'retry', 'try failed downloads again, with all their sources', failed, 'retried', resume),
    severalCommand(
      terminal,
      'cancel',
      'cancel downloads and delete their partial files',
      unfinished,
      'cancelled',
      (client, id) => client.removeDownload({ id }),
    ),
    priorityCommand(terminal),
    categoryCommand(terminal),
    renameCommand(terminal),
    moveCommand(terminal),
    severalCommand(
      terminal,
      'verify',
      'look through the bytes of downloads again, finished or not; what is wrong is fetched again',
      all,
      'looks through',
      (client, id) => client.verifyDownload({ id }),
    ),
    recoverCommand(terminal),
    clearCommand(terminal),
    uploadsCommand(terminal),
  ];
}

function noteLink(terminal: Terminal, download: StartedDownload): void {
  if (download.joined !== null) note(terminal, joinedText(download));
  for (const text of download.unused) note(terminal, `not used: ${printable(text)}`);
}

function noteItem(terminal: Terminal, { name, joined, unused, error }: StartedItem): void {
  if (error !== null) note(terminal, `${printable(name)}: not downloaded: ${printable(error)}`);
  else {
    if (joined !== null) note(terminal, `${printable(name)}: it is here or among the downloads already`);
    for (const text of unused) note(terminal, `${printable(name)}: not used: ${printable(text)}`);
  }
}

/** All that were started, each once. */
async function started(client: Client, first: StartedDownload): Promise<DownloadView[]> {
  const ids = new Set(first.items?.flatMap(({ id }) => id ?? []));
  ids.delete(first.id);
  const downloads: DownloadView[] = [first];
  for (const id of ids) downloads.push(await client.download({ id }));
  return downloads;
}

async function awaitAll(terminal: Terminal, client: Client, first: StartedDownload, json: boolean): Promise<void> {
  for (const download of await started(client, first)) await awaitEnd(terminal, client, download, json);
}

function joinedText({ joined, path }: StartedDownload): string {
  const again = '--again fetches another copy';
  if (joined === 'download') return `it is among the downloads already; ${again}`;
  return `${joined === 'library' ? 'the library has it' : 'it was downloaded before'}: ${path}; ${again}`;
}

function priorityCommand(terminal: Terminal): Command {
  const command = clientCommand('priority', 'give downloads a priority').argument(
    '<n>',
    'from -100 to 100; higher is first, 0 is the default',
    wholeNumber(-PRIORITY_MAX, PRIORITY_MAX),
  );
  return severalOptions(command, unfinished).action((priority: number, ids: string[], flags: ClientFlags) =>
    forEachChosen(terminal, flags, unfinished, ids, `priority ${priority} for`, (client, id) =>
      client.changeDownload({ id, priority }),
    ),
  );
}

function categoryCommand(terminal: Terminal): Command {
  const command = clientCommand('category', 'put downloads into a category').argument(
    '<name>',
    'one of downloads.categories; "none" takes them out',
  );
  return severalOptions(command, unfinished).action((name: string, ids: string[], flags: ClientFlags) =>
    forEachChosen(terminal, flags, unfinished, ids, `category ${name} for`, (client, id) =>
      client.changeDownload({ id, category: name === 'none' ? null : name }),
    ),
  );
}

function renameCommand(terminal: Terminal): Command {
  return clientCommand('rename', 'give a download another name; a finished file is renamed, never over another')
    .argument('<id>', 'as "servent downloads" shows it, or its first characters, at least 4')
    .argument('<name>', 'of the file')
    .action(async (id: string, name: string, flags: ClientFlags) => {
      const { client } = await findDaemon(flags, terminal);
      const renamed = await client.changeDownload({ id, name });
      if (flags.json === true) return printJson(terminal, renamed);
      print(terminal, `renamed ${renamed.id}  ${printable(renamed.path ?? renamed.name)}`);
    });
}

const MOVES = ['top', 'up', 'down', 'bottom'] as const;

function moveCommand(terminal: Terminal): Command {
  const command = clientCommand(
    'move',
    'move downloads among those of the same priority: IDS… top, up, down or bottom',
  );
  return severalOptions(command, unfinished).action((words: string[], flags: ClientFlags) => {
    const position = MOVES.find(move => move === words.at(-1));
    if (position === undefined) throw usageError(`expected one of ${MOVES.join(', ')} as the last word`);
    // several keep their order when the last of them goes first
    const inReverse = position === 'top' || position === 'down';
    return forEachChosen(
      terminal,
      flags,
      { ...unfinished, sort: inReverse ? '-position' : 'position' },
      inReverse ? words.slice(0, -1).reverse() : words.slice(0, -1),
      'moved',
      (client, id) => client.changeDownload({ id, position }),
    );
  });
}

function recoverCommand(terminal: Terminal): Command {
  return clientCommand(
    'recover',
    'make downloads of partial files that have none, from the descriptions beside them',
  ).action(async (flags: ClientFlags) => {
    const { client } = await findDaemon(flags, terminal);
    const { items } = await client.recoverDownloads();
    if (flags.json === true) return printJson(terminal, { items });
    if (items.length === 0) note(terminal, 'every partial file has its download');
    for (const { path, outcome, id, name, note: what } of items)
      print(
        terminal,
        outcome === 'recovered'
          ? `recovered ${id}  ${printable(name ?? '')}: ${what}`
          : `left ${printable(path)}: ${printable(what)}`,
      );
  });
}

function clearCommand(terminal: Terminal): Command {
  return clientCommand('clear', 'forget downloads that are complete; their files stay')
    .option('--failed', 'forget those that failed instead, and delete their partial files')
    .action(async (flags: ClientFlags & { failed?: true }) => {
      const { client } = await findDaemon(flags, terminal);
      const { items } = await client.clearDownloads({ state: flags.failed === true ? 'failed' : 'completed' });
      if (flags.json === true) return printJson(terminal, { items });
      if (items.length === 0) note(terminal, 'no downloads to forget');
      for (const { id, name } of items) print(terminal, `forgot ${id}  ${printable(name)}`);
    });
}

const resume = (client: Client, id: string): Promise<DownloadView> => client.changeDownload({ id, state: 'active' });

const DOWNLOADS: List<DownloadView> = {
  name: 'downloads',
  description: 'show the downloads',
  page: client => page => client.downloads(page),
  columns: downloadColumns,
  follow: {
    topic: 'downloads',
    rowOf: event => (event.topic === 'downloads' && 'done' in event.data ? event.data : null),
  },
};

const all: Several = { list: DOWNLOADS };
const unfinished: Several = { list: DOWNLOADS, all: 'state!=completed' };
const stopped: Several = { list: DOWNLOADS, all: 'state in (paused, failed)' };
const failed: Several = { list: DOWNLOADS, all: 'state=failed' };

function downloadsCommand(terminal: Terminal): Command {
  const command = listCommand(terminal, DOWNLOADS);
  command.addCommand(
    clientCommand('show', 'show one download and its sources')
      .argument('<id>', 'as "servent downloads" shows it')
      .action(async (id: string, flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const download = await client.download({ id });
        const { size, states } = await client.downloadChunks({ id });
        if (flags.json === true) return printJson(terminal, { ...download, chunks: states });
        print(terminal, facts(downloadFacts(download)));
        if (size !== null && size > 0 && download.state !== 'completed')
          print(terminal, `\n${chunkLine(states, size, (terminal.stdout.columns ?? 80) - 2)}`);
        if (download.sources.length > 0) print(terminal, `\n${table(sourceColumns, download.sources)}`);
      }),
  );
  return command;
}

function downloadFacts(download: DownloadView): [string, string][] {
  const { name, state, error, done, size, rate, eta, urn, priority, batch, path, addedAt } = download;
  const { verified, wasted } = download;
  const waits = waitText(download, Date.now());
  const share = size === null ? formatBytes(done) : `${formatShare(done, size)} of ${formatBytes(size)}`;
  const left = eta === null ? '' : `, ${formatDuration(eta)} left`;
  return [
    ['name', name],
    ['state', error === null ? state : `${state}: ${error}`],
    ['done', state === 'active' ? `${share}, ${formatRate(rate)}${left}` : share],
    ...(waits === null ? [] : [['waits', waits] as [string, string]]),
    ['verified', formatBytes(verified)],
    ...(wasted === 0 ? [] : [['in vain', formatBytes(wasted)] as [string, string]]),
    ['urn', urn ?? 'unknown'],
    ['priority', String(priority)],
    ...(batch === null ? [] : [['batch', batch.name] as [string, string]]),
    ['added', addedAt],
    ...(path === null ? [] : [['file', path] as [string, string]]),
  ];
}

/** One character for each part of the file: `#` verified, `=` received, `-` asked for, `.` missing. */
const CHUNK_SIGNS: Readonly<Record<CellState, string>> = { verified: '#', received: '=', assigned: '-', missing: '.' };

const chunkLine = (states: readonly ChunkSpan[], size: number, count: number): string =>
  chunkCells(states, size, Math.max(1, count))
    .map(state => CHUNK_SIGNS[state])
    .join('');

const sourceColumns: Column<DownloadView['sources'][number]>[] = [
  { title: 'SOURCE', of: row => row.address },
  { title: 'STATE', of: row => row.state },
  { title: 'PUSH', of: row => (row.push ? 'yes' : 'no') },
  { title: 'RATE', of: row => (row.rate > 0 ? formatRate(row.rate) : ''), right: true },
  { title: 'BYTES', of: row => (row.bytes > 0 ? formatBytes(row.bytes) : ''), right: true },
  { title: 'IN VAIN', of: row => (row.wasted > 0 ? formatBytes(row.wasted) : ''), right: true },
  { title: 'QUEUE', of: row => (row.queue === null ? '' : placeText(row.queue)) },
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
    severalCommand(
      terminal,
      'cancel',
      'cancel uploads, running or queued',
      { list: UPLOADS },
      'cancelled',
      (client, id) => client.cancelUpload({ id }),
    ),
  );
  return command;
}

function collect(item: string, items: string[]): string[] {
  return [...items, item];
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
  const signal = stopSignal(terminal);
  const download = await followDownload(terminal.stderr, client, first, signal).catch((error: unknown) => {
    if (error instanceof EndedBySignal)
      note(terminal, `the daemon goes on with it: "servent downloads show ${first.id}", "servent cancel ${first.id}"`);
    throw error;
  });
  if (json) printJson(terminal, download);
  if (download.state === 'failed')
    throw new CommandError(
      `${download.name}: ${download.error ?? 'failed'}; "servent resume ${download.id}" tries again`,
    );
  if (!json) print(terminal, download.path ?? printable(download.name));
}
