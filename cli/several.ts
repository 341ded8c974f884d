// Makes one call per id of a command line.
import type { Client } from '../api/client.ts';
import { type ClientFlags, findDaemon } from './connection.ts';
import { print, printJson, type Terminal } from './terminal.ts';

/** Stops at the first failure; earlier calls are not undone. */
export async function forEachId(
  terminal: Terminal,
  flags: ClientFlags,
  ids: readonly string[],
  done: string,
  change: (client: Client, id: string) => Promise<unknown>,
): Promise<void> {
  const { client } = await findDaemon(flags, terminal);
  const items: unknown[] = [];
  for (const id of ids) {
    items.push((await change(client, id)) ?? { id });
    if (flags.json !== true) print(terminal, `${done} ${id}`);
  }
  if (flags.json === true) printJson(terminal, { items });
}
