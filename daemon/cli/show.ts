// status, peers, hosts, uploads, downloads, queries: what the daemon is doing.
import type { Command } from 'commander';
import { type Client, everyItem } from '../../api/client.ts';
import type {
  DownloadView,
  HostView,
  Page,
  PageRequest,
  PeerView,
  QueryView,
  StatusView,
  UploadView,
} from '../../api/control.ts';
import { counted, formatAge, formatBytes, formatDuration, formatRate, formatShare } from '../../api/format.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { wholeNumber } from './numbers.ts';
import { type Column, facts, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const LIMIT_DEFAULT = 100;

export function showCommands(terminal: Terminal): Command[] {
  return [
    statusCommand(terminal),
    listCommand(terminal, 'peers', 'show the overlay connections', client => page => client.peers(page), peerColumns),
    listCommand(terminal, 'hosts', 'show the host cache', client => page => client.hosts(page), hostColumns),
    listCommand(
      terminal,
      'uploads',
      'show transfers to others and the queue',
      client => page => client.uploads(page),
      uploadColumns,
    ),
    listCommand(terminal, 'downloads', 'show the downloads', client => page => client.downloads(page), downloadColumns),
    listCommand(
      terminal,
      'queries',
      'show the latest queries that passed through',
      client => page => client.queries(page),
      queryColumns,
    ),
  ];
}

function statusCommand(terminal: Terminal): Command {
  return clientCommand('status', 'show the servent at a glance').action(async (flags: ClientFlags) => {
    const { client } = await findDaemon(flags, terminal);
    const status = await client.status();
    if (flags.json === true) printJson(terminal, status);
    else print(terminal, facts(statusFacts(status)));
  });
}

function statusFacts(status: StatusView): [string, string][] {
  const { gnutella, peers, library, downloads, uploads, messages } = status;
  const reasons = Object.entries(messages.reasons)
    .filter(([, times]) => times > 0)
    .map(([reason, times]) => `${reason} ${times}`);
  return [
    ['servent', `${status.version}, ${status.mode}, profile ${status.profile}, up ${formatDuration(status.uptime)}`],
    ['guid', status.servent],
    ['gnutella', `${gnutella.host}:${gnutella.port}`],
    [
      'peers',
      `${counted(peers.ultrapeers, 'ultrapeer')}, ${counted(peers.leaves, 'leaf', 'leaves')}; ${counted(status.hosts, 'host')} known`,
    ],
    [
      'library',
      `${counted(library.files, 'file')}, ${formatBytes(library.bytes)}${library.hashing > 0 ? `, ${library.hashing} to hash` : ''}`,
    ],
    ['searches', `${status.searches} running`],
    ['downloads', `${downloads.active} active, ${downloads.queued} queued, ${formatRate(downloads.rate)}`],
    ['uploads', `${uploads.active} active, ${uploads.queued} queued, ${formatRate(uploads.rate)}`],
    ['messages', `${messages.in} in, ${messages.out} out, ${messages.dropped} dropped`],
    ...(reasons.length > 0 ? ([['dropped for', reasons.join(', ')]] as [string, string][]) : []),
  ];
}

type ListFlags = ClientFlags & { limit: number };
type ColumnsAt<T> = (nowMs: number) => Column<T>[];

function listCommand<T>(
  terminal: Terminal,
  name: string,
  description: string,
  list: (client: Client) => (page: PageRequest) => Promise<Page<T>>,
  columns: ColumnsAt<T>,
): Command {
  return clientCommand(name, description)
    .option('--limit <n>', 'most rows to show', wholeNumber(1), LIMIT_DEFAULT)
    .action(async (flags: ListFlags) => {
      const { client } = await findDaemon(flags, terminal);
      const { items, next } = await firstItems(list(client), flags.limit);
      if (flags.json === true) return printJson(terminal, { items, next });
      if (items.length === 0) return note(terminal, `no ${name}`);
      print(terminal, table(columns(Date.now()), items));
      if (next !== null) note(terminal, `there are more: --limit ${flags.limit * 10} shows them`);
    });
}

/** One page from the daemon's point of view may be many. */
export async function firstItems<T>(list: (page: PageRequest) => Promise<Page<T>>, limit: number): Promise<Page<T>> {
  const items: T[] = [];
  let next: string | null = null;
  const watched = async (page: PageRequest): Promise<Page<T>> => {
    const answer = await list(page);
    next = answer.next;
    return answer;
  };
  for await (const item of everyItem(watched, limit)) items.push(item);
  return { items, next };
}

const peerColumns: ColumnsAt<PeerView> = nowMs => [
  { title: 'ID', of: row => row.id },
  { title: 'ADDRESS', of: row => row.address },
  { title: 'ROLE', of: row => row.role },
  { title: 'FROM', of: row => (row.direction === 'incoming' ? 'them' : 'us') },
  { title: 'AGE', of: row => formatAge(row.since, nowMs), right: true },
  { title: 'MSG IN', of: row => String(row.messages.in), right: true },
  { title: 'MSG OUT', of: row => String(row.messages.out), right: true },
  { title: 'IN', of: row => formatBytes(row.bytes.in), right: true },
  { title: 'OUT', of: row => formatBytes(row.bytes.out), right: true },
  { title: 'DROPPED', of: row => String(row.dropped), right: true },
  { title: 'DEFLATE', of: row => (row.deflate ? 'yes' : 'no') },
  { title: 'SERVENT', of: row => row.userAgent ?? '' },
];

const hostColumns: ColumnsAt<HostView> = nowMs => [
  { title: 'ADDRESS', of: row => row.address },
  { title: 'ROLE', of: row => (row.ultrapeer === null ? '?' : row.ultrapeer ? 'ultrapeer' : 'leaf') },
  { title: 'SOURCE', of: row => row.source },
  { title: 'SEEN', of: row => ago(row.seenAt, nowMs), right: true },
  { title: 'TRIED', of: row => ago(row.triedAt, nowMs), right: true },
  { title: 'CONNECTED', of: row => ago(row.connectedAt, nowMs), right: true },
  { title: 'FAILURES', of: row => String(row.failures), right: true },
];

function ago(time: string | null, nowMs: number): string {
  return time === null ? 'never' : formatAge(time, nowMs);
}

const uploadColumns: ColumnsAt<UploadView> = () => [
  { title: 'ID', of: row => row.id },
  { title: 'ADDRESS', of: row => row.address },
  { title: 'STATE', of: row => (row.position === null ? row.state : `${row.state} ${row.position}`) },
  { title: 'DONE', of: row => formatShare(row.sent, row.end - row.start + 1), right: true },
  { title: 'RATE', of: row => formatRate(row.rate), right: true },
  { title: 'SIZE', of: row => formatBytes(row.size), right: true },
  { title: 'NAME', of: row => row.name },
  { title: 'SERVENT', of: row => row.userAgent ?? '' },
];

const downloadColumns: ColumnsAt<DownloadView> = () => [
  { title: 'ID', of: row => row.id },
  { title: 'STATE', of: row => row.state },
  {
    title: 'DONE',
    of: row => (row.size === null ? formatBytes(row.done) : formatShare(row.done, row.size)),
    right: true,
  },
  { title: 'SIZE', of: row => (row.size === null ? '?' : formatBytes(row.size)), right: true },
  { title: 'RATE', of: row => (row.state === 'active' ? formatRate(row.rate) : ''), right: true },
  { title: 'LEFT', of: row => (row.eta === null ? '' : formatDuration(row.eta)), right: true },
  { title: 'SOURCES', of: row => String(row.sources.length), right: true },
  { title: 'NAME', of: row => row.name },
  { title: 'NOTE', of: row => row.error ?? '' },
];

const queryColumns: ColumnsAt<QueryView> = () => [
  { title: 'AT', of: row => row.at.slice(11, 19) },
  { title: 'FROM', of: row => row.from },
  { title: 'TTL', of: row => String(row.ttl), right: true },
  { title: 'HOPS', of: row => String(row.hops), right: true },
  { title: 'HITS', of: row => String(row.hits), right: true },
  { title: 'QUERY', of: row => [row.text, ...row.urns].filter(text => text !== '').join(' ') },
];
