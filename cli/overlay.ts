import type { Command } from 'commander';
import { printable } from '../api/format.ts';
import { ADDRESS_EXPECTED, addressOrNull } from '../protocol/wire/endpoint.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { usageError } from './failure.ts';
import { print, printJson, type Terminal } from './terminal.ts';

/** Limit for the call: the daemon answers after the handshake. */
const CONNECT_WAIT_MS = 60_000;

export function overlayCommands(terminal: Terminal): Command[] {
  return [
    clientCommand('connect', 'connect to a servent')
      .argument('<host[:port]>', 'address; the default port is 6346')
      .action(async (text: string, flags: ClientFlags) => {
        const address = givenAddress(text);
        const { client } = await findDaemon(flags, terminal, CONNECT_WAIT_MS);
        const peer = await client.connect({ address });
        if (flags.json === true) return printJson(terminal, peer);
        print(
          terminal,
          `connected to ${peer.role} ${peer.address} (${printable(peer.userAgent ?? 'unnamed')}) as ${peer.id}`,
        );
      }),
    clientCommand('disconnect', 'close an overlay connection')
      .argument('<id>', 'the connection, as "servent peers" shows it')
      .action(async (id: string, flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        await client.disconnect({ id });
        if (flags.json === true) return printJson(terminal, { id });
        print(terminal, `disconnected ${id}`);
      }),
  ];
}

/** Adds the default port to an address without one. */
export function givenAddress(text: string): string {
  const address = addressOrNull(text);
  if (address === null) throw usageError(`expected ${ADDRESS_EXPECTED}; got ${JSON.stringify(text)}`);
  return address;
}
