// download, pause, resume, cancel.
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { type Client, everyItem } from '../../api/client.ts';
import type { DownloadView } from '../../api/control.ts';
import type { CallOf } from '../../api/endpoints.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError, usageError } from './failure.ts';
import { wholeNumber } from './numbers.ts';
import { followProgress } from './progress.ts';
import { print, printJson, type Terminal } from './terminal.ts';

const POLL_MS = 250;

type DownloadFlags = ClientFlags & { wait?: boolean; source: string[]; name?: string; size?: number };

export function transferCommands(terminal: Terminal): Command[] {
  return [
    clientCommand('download', 'queue a download')
      .argument('<what>', 'a result as "servent search" shows it, a magnet link, or a URN')
      .option('--source <host:port>', 'somewhere to fetch the URN from, again and again', collect, [])
      .option('--name <name>', 'what to call the file')
      .option('--size <bytes>', 'its size, for a URN', wholeNumber(0))
      .option('--wait', 'show the progress until it is done')
      .action(async (what: string, flags: DownloadFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const download = await client.startDownload(await orderFor(client, what, flags));
        if (flags.wait === true) return awaitEnd(terminal, client, download, flags.json === true);
        if (flags.json === true) return printJson(terminal, download);
        print(terminal, `${download.id}  ${download.state}  ${download.name}`);
      }),
    changeCommand(terminal, 'pause', 'pause downloads', 'paused', (client, id) =>
      client.changeDownload({ id, state: 'paused' }),
    ),
    changeCommand(terminal, 'resume', 'resume paused downloads', 'resumed', (client, id) =>
      client.changeDownload({ id, state: 'active' }),
    ),
    changeCommand(terminal, 'cancel', 'cancel downloads and delete their partial files', 'cancelled', (client, id) =>
      client.removeDownload({ id }),
    ),
  ];
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
): Command {
  return clientCommand(name, description)
    .argument('<ids...>', 'as "servent downloads" shows them')
    .action(async (ids: string[], flags: ClientFlags) => {
      const { client } = await findDaemon(flags, terminal);
      const items: unknown[] = [];
      for (const id of ids) {
        items.push((await change(client, id)) ?? { id });
        if (flags.json !== true) print(terminal, `${done} ${id}`);
      }
      if (flags.json === true) printJson(terminal, { items });
    });
}

async function orderFor(client: Client, what: string, flags: DownloadFlags): Promise<CallOf<'startDownload'>> {
  const { source, name, size } = flags;
  if (/^magnet:/i.test(what)) return { magnet: what };
  if (/^urn:/i.test(what))
    return {
      urn: what,
      sources: source,
      ...(name === undefined ? {} : { name }),
      ...(size === undefined ? {} : { size }),
    };
  if (source.length > 0 || size !== undefined) throw usageError('--source and --size belong to a URN');
  return { ...(await findResult(client, what)), ...(name === undefined ? {} : { name }) };
}

/** `SEARCH/RESULT`, or a result's id alone: then the newest search that has it. */
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
  if (!json) print(terminal, download.path ?? download.name);
}
