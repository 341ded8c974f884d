// The root of the command tree.
import { Command } from 'commander';
import { version } from '../api/version.ts';
import { chooseOutput } from './output.ts';
import type { Terminal } from './terminal.ts';

const AFTER_HELP = `
Commands find a running daemon by --api and --token, SERVENT_API and SERVENT_TOKEN, or its data folder,
and print JSON with --json, or as --output (-o) says. Exit codes: 0 success, 1 failure, 2 wrong usage.`;

/** Builds the root command with these commands below it, sharing one terminal. */
export function assembled(
  surroundings: Terminal,
  commands: (terminal: Terminal, program: Command) => readonly Command[],
): Command {
  // a copy: flags change it before the command runs
  const terminal: { -readonly [K in keyof Terminal]: Terminal[K] } = { ...surroundings };
  const program = new Command('servent')
    .description('A Gnutella servent: daemon and command line.')
    .version(version, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show the help of a command')
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

/** Makes every command of the tree throw instead of exiting, and print to the terminal. */
function settle(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .helpOption('-h, --help', 'show this help')
    .configureOutput({
      writeOut: text => terminal.stdout.write(text),
      writeErr: text => terminal.stderr.write(text),
      outputError: () => undefined, // `run` prints the error
    });
  for (const inner of command.commands) settle(inner, terminal);
}
