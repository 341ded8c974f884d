// explain: shows the tests behind a search, a download, a peer's rates, refused handshakes, a lookup in the DHT and the role.
import { Command } from 'commander';
import type { Explanation, RefusedPeersView } from '../api/control.ts';
import { keptText } from '../api/format.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { type Column, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

export function explainCommand(terminal: Terminal): Command {
  const command = new Command('explain').description(
    'show the reasons for a result or a state: each test with its value',
  );
  const show = (flags: ClientFlags, explained: Explanation): void => {
    if (flags.json === true) printJson(terminal, explained, explained.tests);
    else print(terminal, textOf(explained));
  };
  command.addCommand(
    clientCommand('search', 'why a search has results or none')
      .argument('<id>', 'as "servent search" shows it')
      .action(async (id: string, flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        show(flags, await client.explainSearch({ id }));
      }),
  );
  command.addCommand(
    clientCommand('download', 'why a download waits or fails')
      .argument('<id>', 'as "servent downloads" shows it')
      .action(async (id: string, flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        show(flags, await client.explainDownload({ id }));
      }),
  );
  command.addCommand(
    clientCommand('peer', 'the query rates of a connection, and what they dropped')
      .argument('<id>', 'as "servent peers" shows it')
      .action(async (id: string, flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        show(flags, await client.explainPeer({ id }));
      }),
  );
  command.addCommand(
    clientCommand('lookup', 'why a lookup in the DHT asked each node, what it answered, and why it ended')
      .argument('<id>', 'as "servent dht find" says it')
      .action(async (id: string, flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        show(flags, await client.explainDhtLookup({ id }));
      }),
  );
  command.addCommand(
    clientCommand('peers', 'failed handshakes, with reasons').action(async (flags: ClientFlags) => {
      const { client } = await findDaemon(flags, terminal);
      const refused = await client.refusedPeers();
      if (flags.json === true) return printJson(terminal, refused);
      for (const kept of refused.configured) note(terminal, `${kept.address} (gnutella.connect): ${keptText(kept)}`);
      if (refused.items.length === 0) note(terminal, 'no handshake has failed');
      else print(terminal, table(refusedColumns, refused.items));
    }),
  );
  command.addCommand(
    clientCommand('role', 'why this servent is a leaf or an ultrapeer').action(async (flags: ClientFlags) => {
      const { client } = await findDaemon(flags, terminal);
      show(flags, await client.election());
    }),
  );
  return command;
}

function textOf({ verdict, tests }: Explanation): string {
  const lines = tests.map(
    ({ name, ok, value, mend }) =>
      `${ok ? 'yes' : 'NO '}  ${name.replaceAll('_', ' ')}: ${value}${mend === null ? '' : `\n     -> ${mend}`}`,
  );
  return [verdict, ...lines].join('\n');
}

const refusedColumns: Column<RefusedPeersView['items'][number]>[] = [
  { title: 'AT', of: row => row.at.slice(0, 19) },
  { title: 'ADDRESS', of: row => row.address },
  { title: 'DIRECTION', of: row => row.direction },
  { title: 'REASON', of: row => row.reason.replaceAll('_', ' ') },
  { title: 'DETAIL', of: row => row.detail },
];
