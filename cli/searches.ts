// searches: lists and removes own searches and shows their results.
import type { Command } from 'commander';
import type { ResultView, SearchView } from '../api/control.ts';
import { formatBytes, formatRepeat } from '../api/format.ts';
import { type ColumnsAt, mediaColumns, searchColumns } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { firstItems, type List, type ListFlags, listCommand, listOptions } from './list.ts';
import { forEachId } from './several.ts';
import { facts, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const SEARCHES: List<SearchView> = {
  name: 'searches',
  description: 'show own searches',
  page: client => page => client.searches(page),
  columns: searchColumns,
  follow: {
    topic: 'searches',
    rowOf: event => (event.topic === 'searches' && event.type !== 'search.result' ? event.data : null),
  },
};

export function searchesCommand(terminal: Terminal): Command {
  const command = listCommand(terminal, SEARCHES);
  command.addCommand(
    listOptions(clientCommand('show', 'show the results of a search so far'))
      .argument('<id>', 'as "servent searches" shows it')
      .action(async (id: string, flags: ListFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const search = await client.search({ id });
        const { items, next } = await firstItems(page => client.results({ id, ...page }), flags);
        if (flags.json === true) return printJson(terminal, { search, items, next });
        note(terminal, facts(factsOf(search)));
        if (items.length > 0) print(terminal, table(resultColumns(search.id), items));
        if (next !== null) note(terminal, `more rows exist: --limit ${flags.limit * 10} shows them`);
      }),
  );
  command.addCommand(
    clientCommand('remove', 'stop searches and delete their results')
      .argument('<ids...>', 'as "servent searches" shows them')
      .action((ids: string[], flags: ClientFlags) =>
        forEachId(terminal, flags, ids, 'removed', (client, id) => client.removeSearch({ id })),
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
    ...(search.cut === null ? [] : [['cut', search.cut] as [string, string]]),
    ...(repeat === null ? [] : [['repeat', repeat] as [string, string]]),
  ];
}

const resultColumns = (search: string): ReturnType<ColumnsAt<ResultView>> => [
  { title: 'RESULT', of: row => `${search}/${row.id}` },
  { title: 'SIZE', of: row => formatBytes(row.size), right: true },
  { title: 'SOURCES', of: row => String(row.sources.length), right: true },
  ...mediaColumns,
  { title: 'NAME', of: row => row.name },
];
