// Commands on several things of a list: by id or its beginning, `all`, or a filter. One that fails does not stop the others.
import type { Command } from 'commander';
import { type Client, everyItem, RefusedError } from '../api/client.ts';
import { printable } from '../api/format.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError, usageError } from './failure.ts';
import type { List } from './list.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

type Change = (client: Client, id: string) => Promise<unknown>;
type SeveralFlags = ClientFlags & { filter?: string };

/** What the command changes. */
export interface Several {
  list: { readonly name: string; readonly page: (client: Client) => ReturnType<List<{ id: string }>['page']> };
  /** Filter of those that the word `all` stands for; absent: of all of them. */
  all?: string;
  /** Order in which those of a filter are changed. */
  sort?: string;
}

/** The name of the first argument of such a command. */
export const IDS = '[ids...]';

export function severalCommand(
  terminal: Terminal,
  name: string,
  description: string,
  of: Several,
  done: string,
  change: Change,
): Command {
  return severalOptions(clientCommand(name, description), of).action((ids: string[], flags: SeveralFlags) =>
    forEachChosen(terminal, flags, of, ids, done, change),
  );
}

export function severalOptions(command: Command, { list, all }: Several): Command {
  const which = all === undefined ? '' : ` with ${all}`;
  return command
    .argument(IDS, `as "servent ${list.name}" shows them, or the first characters, at least 4; "all": all${which}`)
    .option('--filter <expression>', `those that match, for example 'name~"moon"', as "servent ${list.name}" takes it`);
}

export async function forEachChosen(
  terminal: Terminal,
  flags: SeveralFlags,
  of: Several,
  words: readonly string[],
  done: string,
  change: Change,
): Promise<void> {
  const { filter } = flags;
  const isAll = words.length === 1 && words[0] === 'all';
  if (words.length === 0 && filter === undefined)
    throw usageError(`expected ids of "servent ${of.list.name}", "all" or --filter`);
  if (words.length > 0 && !isAll && filter !== undefined) throw usageError('expected ids or --filter, not both');
  if (!isAll && filter === undefined) return forEachId(terminal, flags, words, done, change);
  const { client } = await findDaemon(flags, terminal);
  const tests = [filter, isAll ? of.all : undefined].filter(test => test !== undefined);
  const chosen = {
    ...(tests.length === 0 ? {} : { filter: tests.map(test => `(${test})`).join(' and ') }),
    ...(of.sort === undefined ? {} : { sort: of.sort }),
  };
  const ids: string[] = [];
  for await (const { id } of everyItem(page => of.list.page(client)({ ...page, ...chosen }))) ids.push(id);
  if (ids.length === 0 && flags.json !== true) note(terminal, `no ${of.list.name} to change`);
  return forEachId(terminal, flags, ids, done, change);
}

/** A failure of one alone is that of the command; among several it is told, and the others follow. */
export async function forEachId(
  terminal: Terminal,
  flags: ClientFlags,
  ids: readonly string[],
  done: string,
  change: Change,
): Promise<void> {
  const { client } = await findDaemon(flags, terminal);
  const items: unknown[] = [];
  let failed = 0;
  for (const id of ids) {
    try {
      items.push((await change(client, id)) ?? { id });
      if (flags.json !== true) print(terminal, `${done} ${id}`);
    } catch (error) {
      if (!(error instanceof RefusedError) || ids.length === 1) throw error;
      failed++;
      items.push({ id, problem: error.problem });
      if (flags.json !== true) note(terminal, `${id}: ${printable(error.message)}`);
    }
  }
  if (flags.json === true) printJson(terminal, { items });
  if (failed > 0) throw new CommandError(`${failed} of ${ids.length} failed`);
}
