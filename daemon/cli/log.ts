// log: what the daemon logs, and how much of it.
import { Command } from 'commander';
import type { LogLevel, LogLevelsView } from '../../api/control.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { usageError } from './failure.ts';
import { facts } from './table.ts';
import { print, printJson, type Terminal } from './terminal.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const satisfies readonly LogLevel[];

export function logCommand(terminal: Terminal): Command {
  const command = new Command('log').description('show or change what is logged');
  command.addCommand(
    clientCommand('levels', 'show or change how much each part of the daemon logs, until the next start')
      .argument('[part=level...]', 'for example links=debug; links= puts it back; none: show them')
      .action(async (words: string[], flags: ClientFlags) => {
        const changes = Object.fromEntries(words.map(levelOf));
        const { client } = await findDaemon(flags, terminal);
        const view = words.length === 0 ? await client.logLevels() : await client.changeLogLevels(changes);
        if (flags.json === true) printJson(terminal, view);
        else print(terminal, facts(levelFacts(view)));
      }),
  );
  return command;
}

function levelOf(word: string): [part: string, level: LogLevel | null] {
  const [part = '', text = '', ...rest] = word.split('=');
  const level = LEVELS.find(known => known === text) ?? null;
  if (part === '' || rest.length > 0 || !word.includes('=') || (level === null && text !== ''))
    throw usageError(`expected PART=LEVEL with one of ${LEVELS.join(', ')}, got ${word}`);
  return [part, level];
}

function levelFacts({ level, levels }: LogLevelsView): [string, string][] {
  const own = Object.entries(levels);
  return [['all others', level], ...own];
}
