// docs/servent.1, the manual page, written from the command tree.
import type { Command } from 'commander';
import { createProgram } from './program.ts';

const NOWHERE = { stdout: { write: () => true }, stderr: { write: () => true }, env: {}, cwd: '/' };

const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');

export function manualPage(): string {
  const program = createProgram(NOWHERE);
  return `${[
    '.\\" Written from the command tree by `npm run docs`.',
    '.TH SERVENT 1',
    '.SH NAME',
    'servent \\- a Gnutella servent: daemon and command line',
    '.SH SYNOPSIS',
    '.B servent',
    '.I command',
    '[options]',
    '.SH COMMANDS',
    ...commandsOf(program, []),
    '.SH EXIT STATUS',
    '0 success, 1 failure, 2 wrong usage.',
    '.SH ENVIRONMENT',
    'SERVENT_API, SERVENT_TOKEN, SERVENT_DATA_DIR and SERVENT_CONFIG say where the daemon is; every setting has a variable, see configuration.md.',
    '.SH FILES',
    'servent.yaml, api\\-token and runtime.json in the data folder.',
  ].join('\n')}\n`;
}

function commandsOf(parent: Command, path: readonly string[]): string[] {
  return parent.commands.flatMap(command => {
    const words = [...path, command.name()];
    if (command.commands.length > 0) return commandsOf(command, words);
    return [
      `.SS ${escaped(`${words.join(' ')} ${command.usage().replace('[options]', '').trim()}`.trim())}`,
      `${escaped(command.description())}.`,
      ...command.options
        .filter(({ hidden }) => !hidden)
        .flatMap(({ flags, description }) => ['.TP', `.B ${escaped(flags)}`, escaped(description)]),
    ];
  });
}
