// The command tree, and how a command line ends: exit code, and one line for what went wrong.
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { backupCommands } from './backup.ts';
import { cacheCommand } from './cache.ts';
import { bulkCommand, callCommand, openapiCommand } from './call.ts';
import { completionCommands } from './completion.ts';
import { configCommand } from './config.ts';
import { ShownOnly } from './connection.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { EXIT_USAGE, exitCodeOf, explain } from './failure.ts';
import { hooksCommand } from './hooks.ts';
import { hostCommands } from './hosts.ts';
import { importCommand } from './import.ts';
import { initCommand } from './init.ts';
import { keysCommand } from './keys.ts';
import { libraryCommands } from './library.ts';
import { logCommand } from './log.ts';
import { overlayCommands } from './overlay.ts';
import { queriesCommand } from './queries.ts';
import { searchCommands } from './search.ts';
import { searchesCommand } from './searches.ts';
import { showCommands } from './show.ts';
import { startCommand } from './start.ts';
import { supportBundleCommand } from './support-bundle.ts';
import { note, type OutputFormat, print, type Terminal } from './terminal.ts';
import { transferCommands } from './transfers.ts';
import { tuiCommand } from './tui.ts';
import { webCommand } from './web.ts';

const AFTER_HELP = `
Commands find a running daemon by --api and --token, SERVENT_API and SERVENT_TOKEN, or its data folder,
and print JSON with --json. Exit codes: 0 success, 1 failure, 2 wrong usage.`;

/** Runs one command line and resolves to its exit code: 0 success, 1 failure, 2 wrong usage. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const program = createProgram(terminal);
  try {
    if (words.length === 0) {
      note(terminal, program.helpInformation().trimEnd());
      return EXIT_USAGE;
    }
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof ShownOnly) return 0;
    const code = exitCodeOf(error);
    if (code !== 0)
      note(terminal, `servent: ${error instanceof CommanderError ? misuse(error, words) : explain(error)}`);
    return code;
  }
}

export function createProgram(surroundings: Terminal): Command {
  // Each command line has its own: the flags below change it before the command runs.
  const terminal: { -readonly [K in keyof Terminal]: Terminal[K] } = { ...surroundings };
  const program = new Command('servent')
    .description('A Gnutella servent: daemon and command line.')
    .version(version, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show what a command takes')
    .addHelpText('after', AFTER_HELP);
  for (const command of [
    startCommand(terminal),
    initCommand(terminal),
    ...showCommands(terminal),
    ...overlayCommands(terminal),
    ...hostCommands(terminal),
    queriesCommand(terminal),
    ...searchCommands(terminal),
    searchesCommand(terminal),
    ...transferCommands(terminal),
    ...libraryCommands(terminal),
    configCommand(terminal),
    tuiCommand(terminal),
    webCommand(terminal),
    doctorCommand(terminal),
    supportBundleCommand(terminal),
    explainCommand(terminal),
    ...backupCommands(terminal),
    importCommand(terminal),
    keysCommand(terminal),
    hooksCommand(terminal),
    logCommand(terminal),
    cacheCommand(terminal),
    callCommand(terminal),
    bulkCommand(terminal),
    openapiCommand(terminal),
    ...completionCommands(terminal, () => program),
    new Command('version').description('print the version').action(() => print(terminal, version)),
  ])
    program.addCommand(command);
  program.hook('preAction', (_, command) => {
    const { output, curl } = command.opts<{ output?: OutputFormat; curl?: true }>();
    if (output !== undefined) {
      terminal.format = output;
      command.setOptionValue('json', output !== 'table');
    }
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

function misuse(error: CommanderError, words: readonly string[]): string {
  if (error.code === 'commander.help') return 'say which command; the lines above list them';
  const about = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  const command = words.find(word => !word.startsWith('-'));
  const help =
    error.code === 'commander.unknownCommand' || command === undefined ? 'servent --help' : `servent ${command} --help`;
  return `${about}; see "${help}"`;
}
