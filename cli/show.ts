// status, peers, health: print the state of the daemon.
import type { Command } from 'commander';
import type { PeerView, StatusView } from '../api/control.ts';
import { counted, formatBytes, formatDuration, formatRate, keptText } from '../api/format.ts';
import { natText } from '../api/nat-text.ts';
import { peerColumns } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError } from './failure.ts';
import { type List, listCommand } from './list.ts';
import { facts } from './table.ts';
import { print, printJson, type Terminal } from './terminal.ts';

export function showCommands(terminal: Terminal): Command[] {
  return [statusCommand(terminal), listCommand(terminal, PEERS), healthCommand(terminal)];
}

const PEERS: List<PeerView> = {
  name: 'peers',
  description: 'show overlay connections',
  page: client => page => client.peers(page),
  columns: peerColumns,
  follow: { topic: 'peers', rowOf: event => (event.type === 'link.opened' ? event.data : null) },
};

function statusCommand(terminal: Terminal): Command {
  return clientCommand('status', 'show a summary of the servent').action(async (flags: ClientFlags) => {
    const { client } = await findDaemon(flags, terminal);
    const status = await client.status();
    if (flags.json === true) printJson(terminal, status);
    else print(terminal, facts(statusFacts(status)));
  });
}

/** Bootstrap states that need no line. */
const IN_ORDER: ReadonlySet<StatusView['bootstrap']['state']> = new Set(['unwanted', 'linked']);

function statusFacts(status: StatusView): [string, string][] {
  const { gnutella, peers, library, downloads, uploads, messages, attention } = status;
  const reasons = Object.entries(messages.reasons)
    .filter(([, times]) => times > 0)
    .map(([reason, times]) => `${reason} ${times}`);
  return [
    ['servent', `${status.version}, ${status.mode}, profile ${status.profile}, up ${formatDuration(status.uptime)}`],
    ['guid', status.servent],
    ['gnutella', `${gnutella.host}:${gnutella.port}`],
    ['reachable', `TCP ${reachText(status.reachability.tcp)}; UDP ${reachText(status.reachability.udp)}`],
    ...natFacts(status),
    [
      'peers',
      `${counted(peers.ultrapeers, 'ultrapeer')}, ${counted(peers.leaves, 'leaf', 'leaves')}; ${counted(status.hosts, 'host')} known`,
    ],
    ...status.neighbours.map((kept): [string, string] => ['neighbour', `${kept.address} ${keptText(kept)}`]),
    ...(IN_ORDER.has(status.bootstrap.state) ? [] : ([['bootstrap', status.bootstrap.detail]] as [string, string][])),
    [
      'library',
      [
        counted(library.files, 'file'),
        formatBytes(library.bytes),
        ...(library.hashing > 0 ? [`${library.hashing} to hash`] : []),
        ...(library.media.pending > 0 ? [`metadata of ${counted(library.media.pending, 'file')} to read`] : []),
        ...(library.media.failed > 0 ? [`metadata of ${counted(library.media.failed, 'file')} unreadable`] : []),
        ...(library.trees > 0 ? [`${counted(library.trees, 'hash tree')} to make`] : []),
      ].join(', '),
    ],
    ['dht', dhtText(status.dht)],
    ['searches', `${status.searches} running`],
    ['downloads', `${downloads.active} active, ${downloads.queued} queued, ${formatRate(downloads.rate)}`],
    ['uploads', `${uploads.active} active, ${uploads.queued} queued, ${formatRate(uploads.rate)}`],
    ['messages', `${messages.in} in, ${messages.out} out, ${messages.dropped} dropped`],
    ...(reasons.length > 0 ? ([['dropped for', reasons.join(', ')]] as [string, string][]) : []),
    ...attention.map(({ name, detail }): [string, string] => ['attention', `${name}: ${detail}`]),
    ...(attention.length > 0 ? ([['to mend', '"servent doctor" says how']] as [string, string][]) : []),
  ];
}

function dhtText({ mode, state, why, nodes, values, size }: StatusView['dht']): string {
  if (mode === 'off') return `off: ${why ?? ''}`;
  const said = `${mode}, ${state}, ${counted(nodes, 'node')} known of about ${size}, ${counted(values, 'value')} kept`;
  return why === null ? said : `${said}; ${why}`;
}

function natFacts({ nat }: StatusView): [string, string][] {
  const text = natText(nat);
  return text === null ? [] : [['port', text]];
}

const KNOWN_BY = { configured: 'as configured', proof: 'others came', silence: 'nobody came' } as const;

function reachText({ state, known }: StatusView['reachability']['tcp']): string {
  return known === null ? 'not known yet' : `${state === 'open' ? 'yes' : 'no'} (${KNOWN_BY[known]})`;
}

function healthCommand(terminal: Terminal): Command {
  return clientCommand('health', 'check that the daemon is ready; exits 1 when not').action(
    async (flags: ClientFlags) => {
      const { client } = await findDaemon(flags, terminal);
      const { status: alive } = await client.live();
      const ready = await client.ready();
      if (flags.json === true) printJson(terminal, { live: alive, ...ready }, ready.checks);
      else
        for (const { name, ok, detail } of ready.checks)
          print(terminal, `${ok ? 'ok ' : 'BAD'}  ${name}${detail === null ? '' : `: ${detail}`}`);
      if (ready.status !== 'ok')
        throw new CommandError('not ready: read the log of the daemon, or run "servent doctor"');
    },
  );
}
