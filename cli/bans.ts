// bans: addresses that are banned from uploads.
import { type Command, InvalidArgumentError } from 'commander';
import type { BanView } from '../api/control.ts';
import { formatAge, formatDuration } from '../api/format.ts';
import type { ColumnsAt } from './columns.ts';
import { type ClientFlags, clientCommand } from './connection.ts';
import { type List, listCommand } from './list.ts';
import { forEachId } from './several.ts';
import type { Terminal } from './terminal.ts';

const columns: ColumnsAt<BanView> = nowMs => [
  { title: 'ADDRESS', of: row => row.address },
  { title: 'SINCE', of: row => formatAge(row.since, nowMs), right: true },
  {
    title: 'LEFT',
    of: ({ until }) =>
      until === null ? 'until lifted' : formatDuration(Math.max(0, Math.ceil((Date.parse(until) - nowMs) / 1000))),
    right: true,
  },
  { title: 'TIMES', of: row => String(row.times), right: true },
  { title: 'TURNED AWAY', of: row => String(row.turnedAway), right: true },
  { title: 'REASON', of: row => row.reason },
  { title: 'WHY', of: row => row.text },
];

const BANS: List<BanView> = {
  name: 'bans',
  description: 'show addresses that are banned from uploads, newest first',
  page: client => page => client.bans(page),
  columns,
  follow: {
    topic: 'uploads',
    rowOf: event => (event.topic === 'uploads' && 'turnedAway' in event.data ? event.data : null),
  },
  none: 'nobody is banned: "servent bans add ADDRESS" bans an address',
};

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** Parses `300`, `45m`, `3h`, `7d` to seconds. */
function duration(text: string): number {
  const [, number = '', unit = ''] = /^([1-9]\d{0,8})([smhd]?)$/.exec(text) ?? [];
  if (number === '') throw new InvalidArgumentError('Expected seconds, or a number with m, h or d, such as 45m or 7d.');
  return Number(number) * (UNITS[unit] ?? 1);
}

type AddFlags = ClientFlags & { for?: number; reason?: string };

export function bansCommand(terminal: Terminal): Command {
  const command = listCommand(terminal, BANS);
  command.addCommand(
    clientCommand('add', 'ban addresses from uploads; their links and queries are not concerned, see "servent block"')
      .argument('<addresses...>', 'IP addresses')
      .option('--for <duration>', 'how long, such as 45m, 3h or 7d; default: until lifted', duration)
      .option('--reason <text>', 'shown with the ban')
      .action((addresses: string[], { for: seconds, reason, ...flags }: AddFlags) =>
        forEachId(terminal, flags, addresses, 'banned', (client, address) =>
          client.addBan({
            address,
            ...(seconds === undefined ? {} : { for: seconds }),
            ...(reason === undefined ? {} : { reason }),
          }),
        ),
      ),
  );
  command.addCommand(
    clientCommand('lift', 'lift the bans of addresses')
      .argument('<addresses...>', 'as "servent bans" shows them')
      .action((addresses: string[], flags: ClientFlags) =>
        forEachId(terminal, flags, addresses, 'no longer banned:', (client, id) => client.liftBan({ id })),
      ),
  );
  return command;
}
