// Builds commands that print a list of the daemon: paging, filter, order, table, --follow.
import type { Command } from 'commander';
import { type Client, everyItem } from '../api/client.ts';
import type { Page } from '../api/control.ts';
import type { ServentEvent, Topic } from '../api/events.ts';
import type { ColumnsAt } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { usageError } from './failure.ts';
import { plainly, printed, redrawn } from './follow.ts';
import { wholeNumber } from './numbers.ts';
import { table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const LIMIT_DEFAULT = 100;

/** Paging parameters of the API, which validates filter and order. */
export interface PageAsked {
  limit: number;
  cursor?: string;
  filter?: string;
  sort?: string;
}

export interface List<T> {
  /** Name of the command. */
  name: string;
  description: string;
  page: (client: Client) => (page: PageAsked) => Promise<Page<T>>;
  columns: ColumnsAt<T>;
  /** Events that change the list; null: none, polled every second. Absent: --follow is not offered. */
  follow?: { topic: Topic; rowOf: (event: ServentEvent) => T | null } | null;
  /** Text for an empty list; default `no <name>`. */
  none?: string;
}

export type ListFlags = ClientFlags & { limit: number; follow?: true; filter?: string; sort?: string };

/** Creates a command that prints the list; subcommands may be added to it. */
export function listCommand<T>(terminal: Terminal, list: List<T>): Command {
  const command = listOptions(clientCommand(list.name, list.description)).enablePositionalOptions();
  if (list.follow !== undefined)
    command.option('--follow', 'keep running: redraw the table on a terminal, print one line per event on a pipe');
  return command.action((flags: ListFlags) =>
    flags.follow === true ? followList(terminal, list, flags) : showList(terminal, list, flags),
  );
}

export function listOptions(command: Command): Command {
  return command
    .option('--limit <n>', 'most rows to show', wholeNumber(1), LIMIT_DEFAULT)
    .option('--filter <expression>', 'show only rows that match, for example "size>1MiB and not state=paused"')
    .option('--sort <fields>', 'up to three fields to order by; "-" in front reverses one');
}

export async function showList<T>(terminal: Terminal, list: List<T>, flags: ListFlags): Promise<void> {
  const { client } = await findDaemon(flags, terminal);
  const { items, next } = await firstItems(list.page(client), flags);
  if (flags.json === true) return printJson(terminal, { items, next });
  if (items.length === 0) return note(terminal, list.none ?? `no ${list.name}`);
  print(terminal, table(list.columns(Date.now()), items));
  if (next !== null) note(terminal, `more rows exist: --limit ${flags.limit * 10} shows them`);
}

async function followList<T>(terminal: Terminal, list: List<T>, flags: ListFlags): Promise<void> {
  const daemon = await findDaemon(flags, terminal);
  const { follow = null } = list;
  const rows = async (): Promise<T[]> => (await firstItems(list.page(daemon.client), flags)).items;
  if (terminal.stdout.isTTY === true && flags.json !== true)
    return redrawn(terminal, daemon, follow?.topic ?? null, async () => table(list.columns(Date.now()), await rows()));
  if (follow === null) throw usageError(`${list.name} have no events: --follow works only on a terminal`);
  if (flags.filter !== undefined || flags.sort !== undefined)
    throw usageError('--filter and --sort do not apply to events: leave them out, or --follow');
  // on a pipe, the current rows come before the events
  if (flags.json !== true) print(terminal, table(list.columns(Date.now()), await rows()));
  else await rows(); // fails when no daemon runs
  await printed(terminal, daemon, { topics: [follow.topic] }, flags.json === true, event => {
    const row = follow.rowOf(event);
    if (row === null) return plainly(event.data);
    return list
      .columns(Date.now())
      .map(column => column.of(row))
      .filter(text => text !== '')
      .join('  ');
  });
}

/** Reads up to the limit, over as many pages of the API as that takes. */
export async function firstItems<T>(
  list: (page: PageAsked) => Promise<Page<T>>,
  { limit, filter, sort }: Pick<ListFlags, 'limit' | 'filter' | 'sort'>,
): Promise<Page<T>> {
  const items: T[] = [];
  let next: string | null = null;
  const watched = async (page: PageAsked): Promise<Page<T>> => {
    const answer = await list({
      ...page,
      ...(filter === undefined ? {} : { filter }),
      ...(sort === undefined ? {} : { sort }),
    });
    next = answer.next;
    return answer;
  };
  for await (const item of everyItem(watched, limit)) items.push(item);
  return { items, next };
}
