// The root of the command tree.
import { Command } from 'commander';
import { version } from '../api/version.ts';
import { chooseOutput } from './output.ts';
import type { Terminal } from './terminal.ts';

const AFTER_HELP = `
Commands find a running daemon by --api and --token, SERVENT_API and SERVENT_TOKEN, or its data folder,
and print JSON with --json, or as --output (-o) says. Exit codes: 0 success, 1 failure, 2 wrong usage.`;

/** The root with these commands below it; they are given the terminal of this very command line. */
export function assembled(
  surroundings: Terminal,
  commands: (terminal: Terminal, program: Command) => readonly Command[],
): Command {
  // Each command line has its own: the flags below change it before the command runs.
  const terminal: { -readonly [K in keyof Terminal]: Terminal[K] } = { ...surroundings };
  const program = new Command('servent')
    .description('A Gnutella servent: daemon and command line.')
    .version(version, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show what a command takes')
    .addHelpText('after', AFTER_HELP);
  for (const command of commands(terminal, program)) program.addCommand(command);
  program.hook('preAction', (_, command) => {
    const { curl } = command.opts<{ curl?: true }>();
    chooseOutput(command, terminal);
    if (curl === true) {
      terminal.curl = text => surroundings.stdout.write(`${text}\n`);
      terminal.stdout = { write: () => true };
    }
  });
  settle(program, terminal);
  return program;
}

/** Commander neither exits nor prints by itself anywhere in the tree. */
function settle(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .helpOption('-h, --help', 'show this help')
    .configureOutput({
      writeOut: text => terminal.stdout.write(text),
      writeErr: text => terminal.stderr.write(text),
      outputError: () => undefined, // `run` says it in one line
    });
  for (const inner of command.commands) settle(inner, terminal);
}
