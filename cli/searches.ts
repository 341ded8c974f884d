// searches: lists and removes own searches and shows their results.
import type { Command } from 'commander';
import type { ResultView, SearchView } from '../api/control.ts';
import { formatBytes, formatRepeat } from '../api/format.ts';
import { type ColumnsAt, mediaColumns, searchColumns } from './columns.ts';
import { clientCommand, findDaemon } from './connection.ts';
import { firstItems, type List, type ListFlags, listCommand, listOptions } from './list.ts';
import { severalCommand } from './several.ts';
import { facts, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const SEARCHES: List<SearchView> = {
  name: 'searches',
  description: 'show own searches',
  page: client => page => client.searches(page),
  columns: searchColumns,
  follow: {
    topic: 'searches',
    rowOf: event => (event.type === 'search.started' || event.type === 'search.finished' ? event.data : null),
  },
};

export function searchesCommand(terminal: Terminal): Command {
  const command = listCommand(terminal, SEARCHES);
  command.addCommand(
    listOptions(clientCommand('show', 'show the results of a search so far'))
      .argument('<id>', 'as "servent searches" shows it')
      .option('--spam', 'also show results that the setting searches.spam hides')
      .action(async (id: string, flags: ListFlags & { spam?: true }) => {
        const { client } = await findDaemon(flags, terminal);
        const search = await client.search({ id });
        const { items, next } = await firstItems(
          page => client.results({ id, ...page, ...(flags.spam === true ? { spam: 'show' as const } : {}) }),
          flags,
        );
        if (flags.json === true) return printJson(terminal, { search, items, next });
        note(terminal, facts(factsOf(search)));
        if (items.length > 0) print(terminal, table(resultColumns(search.id, flags.spam === true), items));
        if (next !== null) note(terminal, `more rows exist: --limit ${flags.limit * 10} shows them`);
      }),
  );
  command.addCommand(
    severalCommand(
      terminal,
      'remove',
      'stop searches and delete their results',
      { list: SEARCHES },
      'removed',
      (client, id) => client.removeSearch({ id }),
    ),
  );
  return command;
}

function factsOf(search: SearchView): [string, string][] {
  const { text, urn, browse, state, error, hits, results, peers } = search;
  const repeat = formatRepeat(search, Date.now());
  return [
    ['search', text ?? urn ?? `everything of ${browse ?? 'one servent'}`],
    ['state', error === null ? state : `${state}: ${error}`],
    ['found', `${results} different in ${hits} hits, asked of ${peers} neighbours`],
    ...(search.hidden === 0
      ? []
      : [['hidden', `${search.hidden} that look like spam: --spam shows them`] as [string, string]]),
    ...(search.cut === null ? [] : [['cut', search.cut] as [string, string]]),
    ...(repeat === null ? [] : [['repeat', repeat] as [string, string]]),
  ];
}

const resultColumns = (search: string, marks: boolean): ReturnType<ColumnsAt<ResultView>> => [
  { title: 'RESULT', of: row => `${search}/${row.id}` },
  { title: 'SIZE', of: row => formatBytes(row.size), right: true },
  { title: 'SOURCES', of: row => String(row.sources.length), right: true },
  ...mediaColumns,
  ...(marks ? [{ title: 'SPAM', of: (row: ResultView) => row.spam.map(({ reason }) => reason).join(' ') }] : []),
  { title: 'NAME', of: row => row.name },
];
