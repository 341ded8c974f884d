// dht: the state of the node of the DHT, the nodes that it knows, and lookups.
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import type { DhtContactView, DhtLookupView, DhtView, StartDhtLookupInput } from '../api/control.ts';
import { counted, formatAge, formatBytes } from '../api/format.ts';
import type { ColumnsAt } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError, usageError } from './failure.ts';
import { type List, listCommand } from './list.ts';
import { type Column, facts, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const contactColumns: ColumnsAt<DhtContactView> = nowMs => [
  { title: 'KUID', of: row => row.kuid },
  { title: 'ADDRESS', of: row => row.address },
  { title: 'VENDOR', of: row => row.vendor },
  { title: 'STATE', of: row => row.state },
  { title: 'RTT', of: row => (row.rtt === null ? '' : `${Math.round(1000 * row.rtt)} ms`), right: true },
  { title: 'SEEN', of: row => formatAge(row.seenAt, nowMs), right: true },
];

const CONTACTS: List<DhtContactView> = {
  name: 'contacts',
  description: 'show the nodes of the DHT that this servent knows, nearest first',
  page: client => page => client.dhtContacts(page),
  columns: contactColumns,
  follow: null,
  none: 'no node of the DHT is known: "servent dht" shows whether it is on',
};

export function dhtCommand(terminal: Terminal): Command {
  const command = clientCommand('dht', 'show the state of the DHT').enablePositionalOptions();
  command.action(async (flags: ClientFlags) => {
    const { client } = await findDaemon(flags, terminal);
    const dht = await client.dht();
    if (flags.json === true) return printJson(terminal, dht);
    const { mode, kuid, state, why, contacts, values, publishing, size, traffic } = dht;
    const nodes = `${contacts.good} good, ${contacts.stale} stale, ${contacts.pending} pending`;
    print(
      terminal,
      facts([
        ['mode', why === null ? mode : `${mode}: ${why}`],
        ['kuid', kuid],
        ['state', state],
        ['contacts', nodes],
        ['values', `${values}`],
        ['publishing', `${publishing}`],
        ['size', size === 0 ? '-' : `about ${counted(size, 'node')}`],
        ['traffic', `${formatBytes(traffic.in)} in, ${formatBytes(traffic.out)} out`],
      ]),
    );
    if (dht.buckets.length > 0) print(terminal, `\n${table(bucketColumns, dht.buckets)}`);
  });
  command.addCommand(listCommand(terminal, CONTACTS));
  command.addCommand(findCommand(terminal));
  return command;
}

const bucketColumns: Column<DhtView['buckets'][number]>[] = [
  { title: 'BITS', of: row => String(row.bits), right: true },
  { title: 'BUCKETS', of: row => String(row.buckets), right: true },
  { title: 'GOOD', of: row => String(row.good), right: true },
  { title: 'STALE', of: row => String(row.stale), right: true },
  { title: 'PENDING', of: row => String(row.pending), right: true },
];

const LOOK_MS = 200;

function findCommand(terminal: Terminal): Command {
  return clientCommand('find', 'look something up in the DHT, and show the nodes asked on the way')
    .argument('<urn|guid|kuid>', 'a file by its SHA-1, a servent by its GUID (32 hex digits), a node by its KUID (40)')
    .action(async (text: string, flags: ClientFlags) => {
      const wish = wishOf(text);
      const { client } = await findDaemon(flags, terminal);
      let lookup = await client.startDhtLookup(wish);
      while (lookup.state === 'running') {
        await wait(LOOK_MS);
        lookup = await client.dhtLookup({ id: lookup.id });
      }
      if (flags.json === true) printJson(terminal, lookup);
      else printLookup(terminal, lookup);
      if (flags.json !== true) note(terminal, `"servent explain lookup ${lookup.id}" says why each node was asked`);
      if (lookup.error !== null) throw new CommandError(`the lookup failed: ${lookup.error}`);
    });
}

/** The API says what is wrong with a URN. */
function wishOf(text: string): StartDhtLookupInput {
  if (/^[0-9a-f]{32}$/i.test(text)) return { guid: text.toLowerCase() };
  if (/^[0-9a-f]{40}$/i.test(text)) return { kuid: text.toLowerCase() };
  if (/^(urn|magnet):/i.test(text)) return { urn: text };
  throw usageError(
    'expected a URN such as urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB, a GUID of 32 hex digits or a KUID of 40',
  );
}

const hopColumns: Column<DhtLookupView['path'][number] & { readonly hop: number }>[] = [
  { title: 'HOP', of: row => String(row.hop), right: true },
  { title: 'KUID', of: row => row.kuid },
  { title: 'ADDRESS', of: row => row.address },
  { title: 'DISTANCE', of: row => distanceText(row.distance), right: true },
  { title: 'TIME', of: row => `${Math.round(row.ms)} ms`, right: true },
];

const valueColumns: Column<DhtLookupView['values'][number]>[] = [
  { title: 'TYPE', of: row => row.type },
  { title: 'ADDRESS', of: row => row.address },
  { title: 'SERVENT', of: row => row.servent ?? '' },
  { title: 'SIZE', of: row => (row.size === null ? '' : formatBytes(row.size)), right: true },
  { title: 'FIREWALLED', of: row => (row.firewalled === null ? '' : row.firewalled ? 'yes' : 'no') },
  { title: 'PROXIES', of: row => row.proxies.join(' ') },
];

/** The power of two below it. */
function distanceText(hex: string): string {
  const distance = BigInt(`0x${hex}`);
  return distance === 0n ? '0' : `2^${distance.toString(2).length - 1}`;
}

function printLookup(terminal: Terminal, { path, values, state }: DhtLookupView): void {
  if (path.length > 0)
    print(
      terminal,
      table(
        hopColumns,
        path.map((node, i) => ({ ...node, hop: i + 1 })),
      ),
    );
  if (values.length > 0) print(terminal, `\n${table(valueColumns, values)}`);
  if (state === 'missing') note(terminal, 'not found: the last one is the nearest node that answered');
}
