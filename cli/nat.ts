// nat: how others get to this servent through router, VPN and proxy.
import type { Command } from 'commander';
import type { NatView } from '../api/control.ts';
import { mappingText, relayText } from '../api/nat-text.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { facts } from './table.ts';
import { print, printJson, type Terminal } from './terminal.ts';

export function natCommand(terminal: Terminal): Command {
  return clientCommand('nat', 'show what router, VPN and proxy forward to this servent').action(
    async (flags: ClientFlags) => {
      const { client } = await findDaemon(flags, terminal);
      const nat = await client.nat();
      if (flags.json === true) printJson(terminal, nat);
      else print(terminal, facts(natFacts(nat)));
    },
  );
}

function natFacts(nat: NatView): [string, string][] {
  const { router, external, tcp, udp, againAt, announced, portFile, interface: bound, proxy, relay } = nat;
  return [
    ['announced', announced],
    ['mapping', mappingText(nat)],
    ...([tcp, udp] as const).flatMap((lease, at): [string, string][] =>
      lease === null
        ? []
        : [[at === 0 ? 'tcp' : 'udp', `port ${lease.external} to our ${lease.internal}, until ${lease.until}`]],
    ),
    ['router', router === null ? '-' : `${router}${external === null ? '' : `, outside ${external}`}`],
    ...(againAt === null ? [] : ([['asked again', againAt]] as [string, string][])),
    ...(portFile === null
      ? []
      : ([['port file', `${portFile.path}: ${portFile.trouble ?? portFile.port ?? 'not read yet'}`]] as [
          string,
          string,
        ][])),
    ...(bound === null
      ? []
      : ([['interface', `${bound.name}, ${bound.address ?? 'away: nothing is sent'}`]] as [string, string][])),
    ...(proxy === null
      ? []
      : ([
          ['proxy', `${proxy.address}${proxy.isolated ? ', another user for each address' : ''}`],
          ['off', proxy.off.join(', ')],
          ...(proxy.trouble === null ? [] : [['trouble', proxy.trouble]]),
        ] as [string, string][])),
    ...(relay === null ? [] : ([['relay', relayText(relay)]] as [string, string][])),
  ];
}
