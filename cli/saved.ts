// saved: searches that run by themselves. spam: contents that are marked as bad.
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { BadContentView, FindView, SavedSearchView } from '../api/control.ts';
import type { CallOf } from '../api/endpoints.ts';
import { formatAge, formatBytes } from '../api/format.ts';
import type { ColumnsAt } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { usageError } from './failure.ts';
import { type List, type ListFlags, listCommand, listOptions, showList } from './list.ts';
import { secondsUpTo } from './numbers.ts';
import { forEachId } from './several.ts';
import { print, printJson, type Terminal } from './terminal.ts';

const columns: ColumnsAt<SavedSearchView> = nowMs => [
  { title: 'ID', of: row => row.id },
  { title: 'STATE', of: row => (row.running ? 'running' : row.state) },
  { title: 'NEW', of: row => String(row.new), right: true },
  { title: 'ACTION', of: row => row.action },
  { title: 'EVERY', of: row => (row.every === 'auto' ? 'auto' : `${row.every} s`), right: true },
  { title: 'RAN', of: row => (row.ranAt === null ? 'never' : formatAge(row.ranAt, nowMs)), right: true },
  { title: 'FOR', of: row => row.text ?? row.urn ?? '' },
  { title: 'FILTER', of: row => row.filter ?? '' },
  { title: 'NOTE', of: row => row.error ?? '' },
];

const SAVED: List<SavedSearchView> = {
  name: 'saved',
  description: 'show saved searches, which run by themselves and tell or download what is new',
  page: client => page => client.savedSearches(page),
  columns,
  follow: {
    topic: 'searches',
    rowOf: event => (event.type === 'saved.changed' ? event.data : null),
  },
  none: 'no saved searches: "servent saved add WORDS" makes one',
};

const findColumns: ColumnsAt<FindView> = nowMs => [
  { title: 'FOUND', of: row => formatAge(row.at, nowMs), right: true },
  { title: 'SIZE', of: row => formatBytes(row.size), right: true },
  { title: 'SOURCES', of: row => String(row.sources), right: true },
  { title: 'DONE', of: row => row.outcome },
  { title: 'NAME', of: row => row.name },
  { title: 'NOTE', of: row => row.error ?? row.download ?? '' },
];

/** `auto`, or a number of seconds; the daemon knows the least. */
function every(text: string): 'auto' | number {
  if (text === 'auto') return text;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected auto or a number of seconds.');
  return Number(text);
}

const actionOption = (): Option =>
  new Option('--action <action>', 'what is done with new results').choices(['notify', 'download']);

type AddFlags = ClientFlags & {
  urn?: string;
  filter?: string;
  action?: SavedSearchView['action'];
  every?: 'auto' | number;
};

export function savedCommand(terminal: Terminal): Command {
  const command = listCommand(terminal, SAVED);
  command.addCommand(
    listOptions(clientCommand('list', 'show saved searches')).action((flags: ListFlags) =>
      showList(terminal, SAVED, flags),
    ),
  );
  command.addCommand(
    clientCommand('add', 'save a search; it runs as soon as there are neighbours, and then by itself')
      .argument('[words...]', 'words that all must match')
      .option('--urn <urn>', 'search for a file by its content')
      .option(
        '--filter <expression>',
        "only results that match, for example 'type=audio and bitrate>=192 and sources>1'",
      )
      .addOption(actionOption())
      .option('--every <seconds>', 'seconds between runs; auto: more seldom while nothing new is found', every)
      .action(async (words: string[], flags: AddFlags) => {
        const text = words.join(' ').trim();
        const { urn, filter, action, every: seconds } = flags;
        if (text === '' && urn === undefined) throw usageError('nothing to search for: give words, or --urn URN');
        const wanted: CallOf<'saveSearch'> = {
          ...(text === '' ? {} : { text }),
          ...(urn === undefined ? {} : { urn }),
          ...(filter === undefined ? {} : { filter }),
          ...(action === undefined ? {} : { action }),
          ...(seconds === undefined ? {} : { every: seconds }),
        };
        const { client } = await findDaemon(flags, terminal);
        const saved = await client.saveSearch(wanted);
        if (flags.json === true) return printJson(terminal, saved);
        print(terminal, `saved ${saved.id}`);
      }),
  );
  const several = (name: string, does: string, done: string, change: Parameters<typeof forEachId>[4]): void => {
    command.addCommand(
      clientCommand(name, does)
        .argument('<ids...>', 'as "servent saved" shows them')
        .action((ids: string[], flags: ClientFlags) => forEachId(terminal, flags, ids, done, change)),
    );
  };
  several('remove', 'remove saved searches and what they know; downloads stay', 'removed', (client, id) =>
    client.removeSavedSearch({ id }),
  );
  several('pause', 'run saved searches no longer by themselves', 'paused', (client, id) =>
    client.changeSavedSearch({ id, state: 'paused' }),
  );
  several('resume', 'let saved searches run again', 'resumed', (client, id) =>
    client.changeSavedSearch({ id, state: 'active' }),
  );
  several('seen', 'mark the results of saved searches as seen', 'seen', (client, id) =>
    client.changeSavedSearch({ id, new: 0 }),
  );
  command.addCommand(
    clientCommand('run', 'run saved searches now')
      .argument('<ids...>', 'as "servent saved" shows them')
      .option('--wait <seconds>', 'how long to accept hits', secondsUpTo(3600))
      .action((ids: string[], { wait, ...flags }: ClientFlags & { wait?: number }) =>
        forEachId(terminal, flags, ids, 'runs:', (client, id) =>
          client.runSavedSearch({ id, ...(wait === undefined ? {} : { duration: Math.max(1, wait) }) }),
        ),
      ),
  );
  command.addCommand(
    listOptions(clientCommand('results', 'show what a saved search found, newest first'))
      .argument('<id>', 'as "servent saved" shows it')
      .action((id: string, flags: ListFlags) => {
        const list: List<FindView> = {
          ...{ name: 'results', description: '', columns: findColumns },
          page: client => page => client.finds({ id, ...page }),
        };
        return showList(terminal, list, flags);
      }),
  );
  return command;
}

const SPAM: List<BadContentView> = {
  name: 'spam',
  description: 'show contents that are marked as bad wherever they are found',
  page: client => page => client.badContents(page),
  columns: nowMs => [
    { title: 'ID', of: row => row.id },
    { title: 'SINCE', of: row => formatAge(row.addedAt, nowMs), right: true },
    { title: 'NOTE', of: row => row.note ?? '' },
  ],
  none: 'no content is marked as bad: "servent spam add URN" marks one',
};

export function spamCommand(terminal: Terminal): Command {
  const command = listCommand(terminal, SPAM);
  command.addCommand(
    clientCommand('add', 'mark contents as bad; the setting searches.spam hides them')
      .argument('<urns...>', 'urn:sha1:… of the contents')
      .option('--note <text>', 'shown with the results')
      .action((urns: string[], { note, ...flags }: ClientFlags & { note?: string }) =>
        forEachId(terminal, flags, urns, 'marked', (client, urn) =>
          client.addBadContent({ urn, ...(note === undefined ? {} : { note }) }),
        ),
      ),
  );
  command.addCommand(
    clientCommand('remove', 'mark contents as bad no longer')
      .argument('<ids...>', 'as "servent spam" shows them')
      .action((ids: string[], flags: ClientFlags) =>
        forEachId(terminal, flags, ids, 'no longer marked:', (client, id) => client.removeBadContent({ id })),
      ),
  );
  return command;
}
