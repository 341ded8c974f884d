// history: rates of the past, transfers and searches that are over, and sums.
import { type Command, Option } from 'commander';
import type {
  AddressTallyView,
  FileTallyView,
  HistoryView,
  PastSearchView,
  PastTransferView,
  TallyView,
} from '../api/control.ts';
import { formatAge, formatBytes, formatRate } from '../api/format.ts';
import type { ColumnsAt } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { type List, listCommand } from './list.ts';
import { type Column, facts, table } from './table.ts';
import { print, printJson, type Terminal } from './terminal.ts';

const SPANS = ['minute', 'hour', 'day', 'month', 'year'] as const satisfies (keyof HistoryView)[];
type Span = (typeof SPANS)[number];

export function historyCommand(terminal: Terminal): Command {
  const command = clientCommand('history', 'show rates of the past; below it transfers and searches that are over')
    .enablePositionalOptions()
    .addOption(new Option('--span <span>', 'period to show').choices(SPANS).default('minute'))
    .action(async (flags: ClientFlags & { span: Span }) => {
      const { client } = await findDaemon(flags, terminal);
      const history = await client.history();
      if (flags.json === true) return printJson(terminal, history[flags.span]);
      print(terminal, table(rateColumns, rateRows(history[flags.span])));
    });
  command.addCommand(transfersCommand(terminal));
  command.addCommand(listCommand(terminal, SEARCHES));
  command.addCommand(listCommand(terminal, ADDRESSES));
  command.addCommand(listCommand(terminal, FILES));
  command.addCommand(
    clientCommand('totals', 'show how much was transferred since the data folder was made').action(
      async (flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const totals = await client.totals();
        if (flags.json === true) return printJson(terminal, totals);
        print(terminal, facts(totalFacts(totals)));
      },
    ),
  );
  return command;
}

function totalFacts({ uploaded, downloaded, ratio, uploads, downloads, since }: TallyView): [string, string][] {
  return [
    ['uploaded', `${formatBytes(uploaded)} in ${uploads} uploads`],
    ['downloaded', `${formatBytes(downloaded)} in ${downloads} downloads`],
    ['ratio', ratio === null ? 'nothing was downloaded' : ratio.toFixed(2)],
    ['since', since],
  ];
}

const transferColumns: ColumnsAt<PastTransferView> = nowMs => [
  { title: 'ENDED', of: row => formatAge(row.finishedAt, nowMs), right: true },
  { title: 'DIRECTION', of: row => row.direction },
  { title: 'RESULT', of: row => row.result },
  { title: 'BYTES', of: row => formatBytes(row.bytes), right: true },
  { title: 'RATE', of: row => formatRate(row.rate), right: true },
  { title: 'ADDRESS', of: row => row.address ?? '' },
  { title: 'NAME', of: row => row.name },
  { title: 'SERVENT', of: row => row.userAgent ?? '' },
  { title: 'NOTE', of: row => row.error ?? '' },
];

/** Listed with a filter of its own besides those of lists. */
function transfersCommand(terminal: Terminal): Command {
  let direction: 'upload' | 'download' | undefined;
  const list: List<PastTransferView> = {
    name: 'transfers',
    description: 'show uploads and downloads that are over, newest first',
    page: client => page => client.pastTransfers({ ...page, ...(direction === undefined ? {} : { direction }) }),
    columns: transferColumns,
    none: 'no transfer is over yet',
  };
  return listCommand(terminal, list)
    .addOption(new Option('--direction <direction>', 'only one of both').choices(['upload', 'download']))
    .hook('preAction', (_, action) => {
      direction = action.opts<{ direction?: typeof direction }>().direction;
    });
}

const SEARCHES: List<PastSearchView> = {
  name: 'searches',
  description: 'show own searches that are over, newest first',
  page: client => page => client.pastSearches(page),
  columns: nowMs => [
    { title: 'ENDED', of: row => formatAge(row.finishedAt, nowMs), right: true },
    { title: 'RESULTS', of: row => String(row.results), right: true },
    { title: 'HITS', of: row => String(row.hits), right: true },
    { title: 'PEERS', of: row => String(row.peers), right: true },
    { title: 'SEARCH', of: row => row.text ?? row.urn ?? (row.browse === null ? '' : `browse ${row.browse}`) },
    { title: 'NOTE', of: row => row.error ?? '' },
  ],
  none: 'no search is over yet',
};

const ADDRESSES: List<AddressTallyView> = {
  name: 'addresses',
  description: 'show bytes to and from each address, the latest first',
  page: client => page => client.addressTotals(page),
  columns: nowMs => [
    { title: 'ADDRESS', of: row => row.address },
    { title: 'UPLOADED', of: row => formatBytes(row.uploaded), right: true },
    { title: 'DOWNLOADED', of: row => formatBytes(row.downloaded), right: true },
    { title: 'RATIO', of: row => row.ratio?.toFixed(2) ?? '', right: true },
    { title: 'UPLOADS', of: row => String(row.uploads), right: true },
    { title: 'LATEST', of: row => formatAge(row.at, nowMs), right: true },
  ],
  none: 'nothing was transferred yet',
};

const FILES: List<FileTallyView> = {
  name: 'files',
  description: 'show bytes of each content, the latest first',
  page: client => page => client.fileTotals(page),
  columns: nowMs => [
    { title: 'UPLOADED', of: row => formatBytes(row.uploaded), right: true },
    { title: 'UPLOADS', of: row => String(row.uploads), right: true },
    { title: 'DOWNLOADED', of: row => formatBytes(row.downloaded), right: true },
    { title: 'LATEST', of: row => formatAge(row.at, nowMs), right: true },
    { title: 'NAME', of: row => row.name },
    { title: 'URN', of: row => row.urn },
  ],
  none: 'nothing was transferred yet',
};

interface RateRow {
  name: string;
  values: readonly number[];
  shown: (value: number) => string;
}

const perSecond = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)}/s`;

function rateRows(ring: HistoryView['minute']): RateRow[] {
  return [
    { name: 'messages in', values: ring.messagesIn, shown: perSecond },
    { name: 'messages out', values: ring.messagesOut, shown: perSecond },
    { name: 'bytes in', values: ring.bytesIn, shown: formatRate },
    { name: 'bytes out', values: ring.bytesOut, shown: formatRate },
    { name: 'queries', values: ring.queries, shown: perSecond },
    { name: 'downloads', values: ring.download, shown: formatRate },
    { name: 'uploads', values: ring.upload, shown: formatRate },
    { name: 'peers', values: ring.peers, shown: value => String(Math.round(value)) },
  ];
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

const rateColumns: Column<RateRow>[] = [
  { title: 'RATE', of: row => row.name },
  { title: 'NOW', of: row => row.shown(row.values.at(-1) ?? 0), right: true },
  { title: 'MEAN', of: row => row.shown(mean(row.values)), right: true },
  { title: 'MOST', of: row => row.shown(Math.max(0, ...row.values)), right: true },
  { title: 'OLDEST TO NEWEST', of: row => bars(row.values) },
];

const BARS = '▁▂▃▄▅▆▇█';
const BARS_WIDE = 40;

/** Draws values as bars; a character shows the highest of the values it covers. */
function bars(values: readonly number[]): string {
  const most = Math.max(0, ...values);
  const wide = Math.min(BARS_WIDE, values.length);
  return Array.from({ length: wide }, (_, i) => {
    const from = Math.floor((i * values.length) / wide);
    const to = Math.floor(((i + 1) * values.length) / wide);
    const value = Math.max(...values.slice(from, to));
    return value <= 0 ? ' ' : BARS[Math.min(BARS.length - 1, Math.floor((value / most) * BARS.length))];
  }).join('');
}
