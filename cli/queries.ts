// queries: lists, counts and exports the queries that the servent received.
import { type Command, Option } from 'commander';
import type { QueryStatsView, QueryView } from '../api/control.ts';
import { formatDuration, formatShare } from '../api/format.ts';
import { queryColumns } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { type List, listCommand } from './list.ts';
import { wholeNumber } from './numbers.ts';
import { type Column, facts, table } from './table.ts';
import { print, printJson, type Terminal } from './terminal.ts';

const TOP_DEFAULT = 20;
const TOP_MAX = 200;
const EXPORT_MAX = 100_000;
const SPANS = ['minute', 'hour', 'day'] as const;

const QUERIES: List<QueryView> = {
  name: 'queries',
  description: 'show the latest queries received',
  page: client => page => client.queries(page),
  columns: queryColumns,
  follow: { topic: 'queries', rowOf: event => (event.type === 'query.passed' ? event.data : null) },
};

type StatsFlags = ClientFlags & { span: (typeof SPANS)[number]; top: number };

export function queriesCommand(terminal: Terminal): Command {
  const command = listCommand(terminal, QUERIES);
  command.addCommand(
    clientCommand('stats', 'count received queries by hops, TTL, word and neighbour')
      .addOption(new Option('--span <span>', 'period to show').choices(SPANS).default('minute'))
      .option('--top <n>', 'most words and neighbours to show', wholeNumber(1, TOP_MAX), TOP_DEFAULT)
      .action(async ({ span, top, ...flags }: StatsFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const stats = await client.queryStats({ span, top });
        if (flags.json === true) return printJson(terminal, stats);
        print(terminal, facts(statsFacts(stats)));
        for (const [title, rows] of [
          ['WORD', stats.words],
          ['NEIGHBOUR', stats.peers],
        ] as const)
          if (rows.length > 0) print(terminal, `\n${table(rankColumns(title), rows)}`);
      }),
  );
  command.addCommand(
    clientCommand('export', 'print the stored queries, oldest first, one JSON object per line')
      .option('--limit <n>', 'most queries to print, the latest', wholeNumber(1, EXPORT_MAX))
      .action(async ({ limit, ...flags }: ClientFlags & { limit?: number }) => {
        const { text } = await findDaemon(flags, terminal);
        const lines = await text('exportQueries', limit === undefined ? {} : { limit: String(limit) });
        if (flags.json !== true && terminal.format === undefined) terminal.stdout.write(lines);
        else
          printJson(terminal, {
            items: lines
              .trim()
              .split('\n')
              .filter(Boolean)
              .map(line => JSON.parse(line)),
            next: null,
          });
      }),
  );
  return command;
}

function statsFacts(stats: QueryStatsView): [string, string][] {
  const { queries, answered, hits, duplicates, seconds } = stats;
  return [
    ['over', `the last ${seconds < 120 ? `${seconds} s` : formatDuration(seconds)}`],
    ['queries', `${queries}, ${(queries / Math.max(1, seconds)).toFixed(1)}/s`],
    ['answered', queries === 0 ? '0' : `${answered}, ${formatShare(answered, queries)}`],
    ['hits', String(hits)],
    ['duplicates', String(duplicates)],
    ['by hops', spread(stats.byHops)],
    ['by TTL', spread(stats.byTtl)],
    ['queries sampled for words', formatShare(stats.sampled * 100, 100)],
    ['privacy', stats.privacy],
  ];
}

/** Formats counts by index, such as `1: 40, 2: 7`. */
function spread(counts: readonly number[]): string {
  const parts = counts.flatMap((count, i) => (count === 0 ? [] : [`${i}: ${count}`]));
  return parts.length === 0 ? 'none' : parts.join(', ');
}

const rankColumns = (title: string): Column<QueryStatsView['words'][number]>[] => [
  { title: 'QUERIES', of: row => (row.error === 0 ? String(row.count) : `${row.count} (-${row.error})`), right: true },
  { title, of: row => row.key },
];
