// log: prints the log of the daemon and changes its levels.
import { type Command, Option } from 'commander';
import type { LogLevel, LogLevelsView, LogLineView } from '../api/control.ts';
import { printable } from '../api/format.ts';
import { LOG_LEVELS } from '../api/log-level.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { usageError } from './failure.ts';
import { followEvents, plainly } from './follow.ts';
import { wholeNumber } from './numbers.ts';
import { type Column, table } from './table.ts';
import { note, print, printJson, rowPrinter, type Terminal } from './terminal.ts';

const LINES_DEFAULT = 50;
const LINES_MAX = 1_000;

type LogFlags = ClientFlags & { level: LogLevel; limit: number; follow?: true };

export function logCommand(terminal: Terminal): Command {
  const command = clientCommand('log', 'show the latest lines of the log')
    .enablePositionalOptions()
    .addOption(new Option('--level <level>', 'lowest level to show').choices(LOG_LEVELS).default('info'))
    .option('--limit <n>', 'most lines to show', wholeNumber(0, LINES_MAX), LINES_DEFAULT)
    .option('--follow', 'print new lines as they come')
    .action((flags: LogFlags) => showLog(terminal, flags));
  command.addCommand(
    clientCommand('levels', 'show or change the log levels of the daemon, until the next start')
      .argument('[part=level...]', 'for example links=debug; links= resets it; none: show all')
      .action(async (words: string[], flags: ClientFlags) => {
        const changes = Object.fromEntries(words.map(levelOf));
        const { client } = await findDaemon(flags, terminal);
        const view = words.length === 0 ? await client.logLevels() : await client.changeLogLevels(changes);
        const rows = levelFacts(view).map(([part, level]) => ({ part, level }));
        if (flags.json === true) printJson(terminal, view, rows);
        else print(terminal, table(levelColumns, rows));
      }),
  );
  return command;
}

async function showLog(terminal: Terminal, { level, limit, follow, ...flags }: LogFlags): Promise<void> {
  const daemon = await findDaemon(flags, terminal);
  const json = flags.json === true;
  const { items, next } = await daemon.client.logLines({ level, limit: Math.max(1, limit) });
  const oldestFirst = items.slice(0, limit).reverse();
  if (json && follow !== true) return printJson(terminal, { items: oldestFirst, next: null });
  const rows = rowPrinter(terminal);
  const show = (line: LogLineView): void => (json ? rows([line]) : print(terminal, lineOf(line)));
  oldestFirst.forEach(show);
  if (follow !== true) {
    if (next !== null) note(terminal, `more lines exist: --limit ${Math.min(LINES_MAX, limit * 10)} shows them`);
    if (items.length === 0) note(terminal, `no lines at level ${level} or above`);
    return;
  }
  await followEvents(terminal, daemon, { topics: ['log'], level }, events => {
    for (const event of events) {
      if (event.type === 'log.line') show(event.data);
      else note(terminal, `${plainly(event.data)}: lines skipped, they came too fast`);
    }
  });
}

function lineOf({ at, level, mod, message, data }: LogLineView): string {
  const more = Object.keys(data).length === 0 ? '' : `  ${plainly(data)}`;
  return printable(
    `${at.slice(11, 19)} ${level.toUpperCase().padEnd(5)} ${mod === null ? '' : `${mod}: `}${message}${more}`,
  );
}

function levelOf(word: string): [part: string, level: LogLevel | null] {
  const [part = '', text = '', ...rest] = word.split('=');
  const level = LOG_LEVELS.find(known => known === text) ?? null;
  if (part === '' || rest.length > 0 || !word.includes('=') || (level === null && text !== ''))
    throw usageError(`expected PART=LEVEL with one of ${LOG_LEVELS.join(', ')}, got ${word}`);
  return [part, level];
}

function levelFacts({ level, levels }: LogLevelsView): [string, string][] {
  const own = Object.entries(levels);
  return [['all others', level], ...own];
}

const levelColumns: Column<{ part: string; level: string }>[] = [
  { title: 'PART', of: row => row.part },
  { title: 'LEVEL', of: row => row.level },
];
