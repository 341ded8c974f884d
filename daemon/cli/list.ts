// A list of the daemon's as a command: pages, filter, order, and a table for a person.
import type { Command } from 'commander';
import { type Client, everyItem } from '../../api/client.ts';
import type { Page } from '../../api/control.ts';
import type { ColumnsAt } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
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
  /** What to say when there is nothing; `no <name>` otherwise. */
  none?: string;
}

export type ListFlags = ClientFlags & { limit: number; filter?: string; sort?: string };

/** Alone it shows the list; commands added to it do something with its rows. */
export function listCommand<T>(terminal: Terminal, list: List<T>): Command {
  return listOptions(clientCommand(list.name, list.description))
    .enablePositionalOptions()
    .action((flags: ListFlags) => showList(terminal, list, flags));
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
