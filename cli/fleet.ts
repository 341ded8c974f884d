// fleet: shows all daemons of the contexts in one table, their connections and their queries.
import { Command } from 'commander';
import type { PeerView, QueryView } from '../api/control.ts';
import { formatBytes, formatDuration, formatRate, printable } from '../api/format.ts';
import { peerColumns, queryColumns } from './columns.ts';
import type { Daemon } from './connection.ts';
import { explain } from './failure.ts';
import {
  askEach,
  type FleetFlags,
  fleetOptions,
  type Member,
  membersOf,
  type Outcome,
  type RolloutFlags,
  requireAnswers,
} from './fleet-members.ts';
import { followEvents } from './follow.ts';
import { firstItems } from './list.ts';
import { wholeNumber } from './numbers.ts';
import { stopSignal } from './signals.ts';
import { type Column, table } from './table.ts';
import { note, print, printJson, rowPrinter, type Terminal } from './terminal.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 10_000;

export function fleetCommand(terminal: Terminal): Command {
  const command = fleetOptions(
    new Command('fleet').description('show the daemons of "servent context" side by side'),
  ).action(async (flags: FleetFlags) => {
    const outcomes = await askEach(await membersOf(flags, terminal), flags.wait * 1000, stateOf);
    const rows = outcomes.map(rowOf);
    if (flags.json === true) printJson(terminal, { items: rows, next: null });
    else print(terminal, table(stateColumns, rows));
    requireAnswers(outcomes, flags);
  });
  command.addCommand(
    listOptions(new Command('peers').description('show the overlay connections of all daemons')).action(
      async (flags: FleetListFlags) =>
        showAll(terminal, flags, (daemon, limited) => firstItems(page => daemon.client.peers(page), limited), {
          columns: peerColumns(Date.now()),
          none: 'no daemon has peers',
        }),
    ),
  );
  command.addCommand(
    listOptions(new Command('queries').description('show the latest queries that the daemons received, newest first'))
      .option('--follow', 'keep running: print the queries of all daemons as they come')
      .action(async (flags: FleetListFlags & { follow?: true }) =>
        flags.follow === true
          ? followQueries(terminal, flags)
          : showAll(terminal, flags, (daemon, limited) => firstItems(page => daemon.client.queries(page), limited), {
              columns: queryColumns(Date.now()),
              none: 'no daemon has received a query',
              sort: (a, b) => b.at.localeCompare(a.at),
            }),
      ),
  );
  command.addCommand(rolloutCommand(terminal));
  return command;
}

/** `servent fleet config`; its code is loaded when it runs, as it needs the settings. */
function rolloutCommand(terminal: Terminal): Command {
  const command = new Command('config').description('settings of all daemons');
  command.addCommand(
    fleetOptions(
      new Command('apply')
        .alias('set')
        .description(
          'change a setting on one daemon after the other; the next one waits until the last one is healthy',
        ),
    )
      .argument('<key>', 'for example gnutella.maxLeaves')
      .argument('[values...]', 'the value; several for a list; none removes the key from the file')
      .option('--dry-run', 'show the changes of each daemon without making them')
      .option(
        '--settle <seconds>',
        'time without a fault after which a daemon counts as healthy',
        wholeNumber(1, 3600),
        5,
      )
      .option('--within <seconds>', 'time in which it must have become healthy', wholeNumber(1, 3600), 30)
      .option('--keep <percent>', 'share of its peers that a healthy daemon still has', wholeNumber(0, 100), 50)
      .action(async (key: string, values: string[], flags: RolloutFlags) => {
        const { rollOutSetting } = await import('./fleet-config.ts');
        await rollOutSetting(terminal, key, values, flags);
      }),
  );
  return command;
}

type FleetListFlags = FleetFlags & { limit: number; filter?: string };

function listOptions(command: Command): Command {
  return fleetOptions(command)
    .option('--limit <n>', 'most rows of each daemon', wholeNumber(1, LIMIT_MAX), LIMIT_DEFAULT)
    .option('--filter <expression>', 'show only rows that match, as "servent peers" and "servent queries" take it');
}

/** Of a daemon that answered. */
interface State {
  version: string;
  mode: string;
  uptime: number;
  leaves: number;
  ultrapeers: number;
  files: number;
  bytes: number;
  queriesPerSecond: number;
  download: number;
  upload: number;
  health: 'ok' | 'unavailable';
  /** What is wrong, or asks for attention. */
  troubles: string[];
}

async function stateOf({ client }: Daemon): Promise<State> {
  const [status, ready, stats] = await Promise.all([
    client.status(),
    client.ready(),
    client.queryStats({ span: 'minute', top: 1 }),
  ]);
  return {
    version: status.version,
    mode: status.mode,
    uptime: status.uptime,
    leaves: status.peers.leaves,
    ultrapeers: status.peers.ultrapeers,
    files: status.library.files,
    bytes: status.library.bytes,
    queriesPerSecond: stats.queries / Math.max(1, stats.seconds),
    download: status.downloads.rate,
    upload: status.uploads.rate,
    health: ready.status,
    troubles: [
      ...ready.checks
        .filter(({ ok }) => !ok)
        .map(({ name, detail }) => (detail === null ? name : `${name}: ${detail}`)),
      ...status.attention.map(({ name }) => name),
    ],
  };
}

type Row = { name: string; error: string | null } & { [K in keyof State]: State[K] | null };

const SILENT: { [K in keyof State]: null } = {
  ...{ version: null, mode: null, uptime: null, leaves: null, ultrapeers: null, files: null, bytes: null },
  ...{ queriesPerSecond: null, download: null, upload: null, health: null, troubles: null },
};

const rowOf = ({ name, answer, error }: Outcome<State>): Row => ({ name, error, ...(answer ?? SILENT) });

const shown = <T>(value: T | null, text: (value: T) => string): string => (value === null ? '-' : text(value));

const stateColumns: Column<Row>[] = [
  { title: 'NAME', of: row => row.name },
  { title: 'VERSION', of: row => shown(row.version, String) },
  { title: 'MODE', of: row => shown(row.mode, String) },
  { title: 'UP', of: row => shown(row.uptime, formatDuration), right: true },
  { title: 'LEAVES', of: row => shown(row.leaves, String), right: true },
  { title: 'ULTRAPEERS', of: row => shown(row.ultrapeers, String), right: true },
  { title: 'FILES', of: row => shown(row.files, String), right: true },
  { title: 'SIZE', of: row => shown(row.bytes, formatBytes), right: true },
  { title: 'QUERIES/S', of: row => shown(row.queriesPerSecond, rate => rate.toFixed(1)), right: true },
  { title: 'DOWN', of: row => shown(row.download, formatRate), right: true },
  { title: 'UPLOAD', of: row => shown(row.upload, formatRate), right: true },
  { title: 'HEALTH', of: row => row.error ?? healthText(row) },
];

function healthText({ health, troubles }: Row): string {
  const text = (troubles ?? []).join('; ');
  if (health === 'ok') return text === '' ? 'ready' : `ready; ${text}`;
  return `not ready: ${text}`;
}

type Limited = Parameters<typeof firstItems>[1];

async function showAll<T extends PeerView | QueryView>(
  terminal: Terminal,
  flags: FleetListFlags,
  ask: (daemon: Daemon, limited: Limited) => Promise<{ items: T[] }>,
  shape: { columns: Column<T>[]; none: string; sort?: (a: T, b: T) => number },
): Promise<void> {
  const { limit, filter } = flags;
  const limited = { limit, ...(filter === undefined ? {} : { filter }) };
  const outcomes = await askEach(
    await membersOf(flags, terminal),
    flags.wait * 1000,
    async daemon => (await ask(daemon, limited)).items,
  );
  const rows = outcomes.flatMap(({ name, answer }) => (answer ?? []).map(row => ({ daemon: name, row })));
  const { sort } = shape;
  if (sort !== undefined) rows.sort((a, b) => sort(a.row, b.row));
  const failures = outcomes.flatMap(({ name, error }) => (error === null ? [] : [{ daemon: name, error }]));
  const flat = rows.map(({ daemon, row }) => ({ daemon, ...row }));
  if (flags.json === true) printJson(terminal, { items: flat, failures }, flat);
  else {
    const columns: Column<(typeof rows)[number]>[] = [
      { title: 'DAEMON', of: ({ daemon }) => daemon },
      ...shape.columns.map(column => ({ ...column, of: ({ row }: { row: T }) => column.of(row) })),
    ];
    if (rows.length > 0) print(terminal, table(columns, rows));
    else if (failures.length < outcomes.length) note(terminal, shape.none);
    for (const { daemon, error } of failures) note(terminal, `${daemon}: ${error}`);
  }
  requireAnswers(outcomes, flags);
}

/** Runs until Ctrl-C, or until every daemon has refused. One that is lost is tried again. */
async function followQueries(terminal: Terminal, flags: FleetListFlags): Promise<void> {
  const members = await membersOf(flags, terminal);
  const signal = stopSignal(terminal);
  const width = Math.max(...members.map(({ name }) => name.length));
  const rows = rowPrinter(terminal);
  const columns = queryColumns(Date.now());
  const follow = async ({ name, daemon }: Member): Promise<void> => {
    const say = (text: string): void => note(terminal, `${name}: ${printable(text)}`);
    const told = { ...terminal, signal, stderr: { write: (text: string) => say(text.trimEnd()) } };
    await followEvents(told, await daemon(), { topics: ['queries'] }, events => {
      const queries = events.flatMap(event => (event.type === 'query.passed' ? [event.data] : []));
      if (flags.json === true) return rows(queries.map(query => ({ daemon: name, ...query })));
      for (const query of queries) {
        const cells = columns.map(column => column.of(query)).filter(text => text !== '');
        print(terminal, printable(`${name.padEnd(width)}  ${cells.join('  ')}`));
      }
    });
  };
  const ended = await Promise.all(
    members.map(async (member): Promise<Outcome<true>> => {
      const { name } = member;
      try {
        await follow(member);
        return { name, answer: true, error: null };
      } catch (error) {
        const why = explain(error);
        note(terminal, `${name}: ${why}`); // the others go on
        return { name, answer: null, error: why };
      }
    }),
  );
  requireAnswers(ended, flags);
}
