// A list of the daemon's as a command: pages, filter, order, and a table for a person.
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

/** As the API takes it; filter and order are its to check. */
export interface PageAsked {
  limit: number;
  cursor?: string;
  filter?: string;
  sort?: string;
}

export interface List<T> {
  /** Of the command. */
  name: string;
  description: string;
  page: (client: Client) => (page: PageAsked) => Promise<Page<T>>;
  columns: ColumnsAt<T>;
  /** Its events; null: none, and it is looked at again every second. Without it the list cannot be followed. */
  follow?: { topic: Topic; rowOf: (event: ServentEvent) => T | null } | null;
  /** What to say when there is nothing; `no <name>` otherwise. */
  none?: string;
}

export type ListFlags = ClientFlags & { limit: number; follow?: true; filter?: string; sort?: string };

/** Alone it shows the list; commands added to it do something with its rows. */
export function listCommand<T>(terminal: Terminal, list: List<T>): Command {
  const command = listOptions(clientCommand(list.name, list.description)).enablePositionalOptions();
  if (list.follow !== undefined)
    command.option('--follow', 'go on: a table that is drawn again on a terminal, a line for each event on a pipe');
  return command.action((flags: ListFlags) =>
    flags.follow === true ? followList(terminal, list, flags) : showList(terminal, list, flags),
  );
}

export function listOptions(command: Command): Command {
  return command
    .option('--limit <n>', 'most rows to show', wholeNumber(1), LIMIT_DEFAULT)
    .option('--filter <expression>', 'only rows for which this holds, for example "size>1MiB and not state=paused"')
    .option('--sort <fields>', 'up to three fields to order by; "-" in front turns one around');
}

export async function showList<T>(terminal: Terminal, list: List<T>, flags: ListFlags): Promise<void> {
  const { client } = await findDaemon(flags, terminal);
  const { items, next } = await firstItems(list.page(client), flags);
  if (flags.json === true) return printJson(terminal, { items, next });
  if (items.length === 0) return note(terminal, list.none ?? `no ${list.name}`);
  print(terminal, table(list.columns(Date.now()), items));
  if (next !== null) note(terminal, `there are more: --limit ${flags.limit * 10} shows them`);
}

async function followList<T>(terminal: Terminal, list: List<T>, flags: ListFlags): Promise<void> {
  const daemon = await findDaemon(flags, terminal);
  const { follow = null } = list;
  const rows = async (): Promise<T[]> => (await firstItems(list.page(daemon.client), flags)).items;
  if (terminal.stdout.isTTY === true && flags.json !== true)
    return redrawn(terminal, daemon, follow?.topic ?? null, async () => table(list.columns(Date.now()), await rows()));
  if (follow === null)
    throw usageError(`${list.name} have no events: --follow needs a terminal to draw them again and again`);
  if (flags.filter !== undefined || flags.sort !== undefined)
    throw usageError('--filter and --sort are for a list, not for its events: leave them or --follow');
  // who reads a pipe wants what is there first
  if (flags.json !== true) print(terminal, table(list.columns(Date.now()), await rows()));
  else await rows(); // whether anybody is there
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

/** One page from the daemon's point of view may be many. */
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
