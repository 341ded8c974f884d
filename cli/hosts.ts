// hosts, block, unblock: the host cache and the blocked addresses.
import type { Command } from 'commander';
import type { Client } from '../api/client.ts';
import type { HostView } from '../api/control.ts';
import { hostColumns } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError } from './failure.ts';
import { type List, listCommand } from './list.ts';
import { forEachId } from './several.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const HOSTS: List<HostView> = {
  name: 'hosts',
  description: 'show the host cache, best first',
  page: client => page => client.hosts(page),
  columns: hostColumns,
  follow: null,
  none: 'no hosts known: "servent hosts add ADDRESS" adds one',
};

export function hostCommands(terminal: Terminal): Command[] {
  const hosts = listCommand(terminal, HOSTS);
  hosts.addCommand(
    clientCommand('add', 'add hosts to the host cache')
      .argument('<host:port...>', 'their addresses')
      .action((addresses: string[], flags: ClientFlags) =>
        forEachId(terminal, flags, addresses, 'added', (client, address) => client.addHost({ address })),
      ),
  );
  hosts.addCommand(
    clientCommand('remove', 'forget hosts')
      .argument('<host:port...>', 'as "servent hosts" shows them')
      .action((addresses: string[], flags: ClientFlags) =>
        forEachId(terminal, flags, addresses, 'forgotten', (client, id) => client.removeHost({ id })),
      ),
  );
  return [
    hosts,
    clientCommand('block', 'block addresses: closes their connections and refuses new ones')
      .argument('[addresses...]', 'an address, or a range as ADDRESS/BITS; none: show blocked addresses')
      .action(async (addresses: string[], flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const blocked = await blockedBy(client);
        const more = addresses.filter(address => !blocked.includes(address));
        const block = [...blocked, ...more];
        if (more.length > 0) await changeBlocks(client, block);
        if (flags.json === true) return printJson(terminal, { block });
        if (addresses.length > 0) for (const address of addresses) print(terminal, `blocked ${address}`);
        else if (block.length === 0)
          note(terminal, 'no addresses are blocked here; block lists are files, see gnutella.blockLists');
        else for (const address of block) print(terminal, address);
      }),
    clientCommand('unblock', 'unblock addresses that "block" has blocked')
      .argument('<addresses...>', 'as "servent block" shows them')
      .action(async (addresses: string[], flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const blocked = await blockedBy(client);
        const strange = addresses.find(address => !blocked.includes(address));
        if (strange !== undefined)
          throw new CommandError(`${strange} is not blocked: "servent block" shows the blocked addresses`);
        const block = blocked.filter(address => !addresses.includes(address));
        await changeBlocks(client, block);
        if (flags.json === true) return printJson(terminal, { block });
        for (const address of addresses) print(terminal, `no longer blocked: ${address}`);
      }),
  ];
}

async function blockedBy(client: Client): Promise<string[]> {
  const { settings } = await client.config();
  const value = settings.find(({ key }) => key === 'gnutella.block')?.value;
  return Array.isArray(value) ? value.map(String) : [];
}

/** Writes the list to the setting gnutella.block; it takes effect at once. */
async function changeBlocks(client: Client, block: readonly string[]): Promise<void> {
  const { overruled, changes } = await client.changeConfig({ gnutella: { block: block.length === 0 ? null : block } });
  const by = overruled.find(({ key }) => key === 'gnutella.block')?.by;
  if (by !== undefined) throw new CommandError(`${by} sets the blocked addresses: change it there, then restart`);
  const failed = changes.find(({ error }) => error !== null)?.error;
  if (typeof failed === 'string') throw new CommandError(failed);
}
