// Runs a command line; returns its exit code and prints an error as one line.
import { type Command, CommanderError } from 'commander';
import { ShownOnly } from './connection.ts';
import { EndedBySignal, EXIT_USAGE, exitCodeOf, explain } from './failure.ts';
import { assembled } from './program.ts';
import { note, type Terminal } from './terminal.ts';

type Commands = (terminal: Terminal) => Command | readonly Command[];

/** Frequent commands: loaded alone, for a quick start. */
const AT_ONCE: Readonly<Record<string, () => Promise<Commands>>> = {
  start: async () => (await import('./start.ts')).startCommand,
  history: async () => (await import('./history.ts')).historyCommand,
  ...each('status peers health', async () => (await import('./show.ts')).showCommands),
  ...each('connect disconnect', async () => (await import('./overlay.ts')).overlayCommands),
  ...each('hosts block unblock', async () => (await import('./hosts.ts')).hostCommands),
  queries: async () => (await import('./queries.ts')).queriesCommand,
  ...each('search browse', async () => (await import('./search.ts')).searchCommands),
  searches: async () => (await import('./searches.ts')).searchesCommand,
  ...each(
    'download downloads pause resume cancel priority uploads',
    async () => (await import('./transfers.ts')).transferCommands,
  ),
  get: async () => (await import('./get.ts')).getCommand,
  ...each('library share unshare rescan', async () => (await import('./library.ts')).libraryCommands),
  context: async () => (await import('./context.ts')).contextCommand,
  fleet: async () => (await import('./fleet.ts')).fleetCommand,
  sim: async () => (await import('./sim.ts')).simCommand,
  tui: async () => (await import('./tui.ts')).tuiCommand,
  web: async () => (await import('./web.ts')).webCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  keys: async () => (await import('./keys.ts')).keysCommand,
  hooks: async () => (await import('./hooks.ts')).hooksCommand,
  log: async () => (await import('./log.ts')).logCommand,
  call: async () => (await import('./call.ts')).callCommand,
};

function each<T>(names: string, load: () => Promise<T>): Record<string, () => Promise<T>> {
  return Object.fromEntries(names.split(' ').map(name => [name, load]));
}

async function programFor(word: string | undefined, terminal: Terminal): Promise<Command> {
  const load = word !== undefined && Object.hasOwn(AT_ONCE, word) ? AT_ONCE[word] : undefined;
  if (load === undefined) return (await import('./tree.ts')).createProgram(terminal);
  const commands = await load();
  return assembled(terminal, of => [commands(of)].flat());
}

/** Runs one command line and resolves to its exit code: 0 success, 1 failure, 2 wrong usage, 128 + number for a signal. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const program = await programFor(words[0], terminal);
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
    if (code !== 0 && !(error instanceof EndedBySignal))
      note(terminal, `servent: ${error instanceof CommanderError ? misuse(error, words, program) : explain(error)}`);
    return code;
  }
}

function misuse(error: CommanderError, words: readonly string[], program: Command): string {
  if (error.code === 'commander.help') return 'no command given; the commands are listed above';
  const about = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  return `${about}; see "servent ${[...namedBy(words, program), '--help'].join(' ')}"`;
}

/** Names of the command and its parents, as far as the words match. */
function namedBy(words: readonly string[], program: Command): string[] {
  const path: string[] = [];
  let command: Command = program;
  for (const word of words) {
    const inner = command.commands.find(known => known.name() === word);
    if (inner === undefined) continue;
    command = inner;
    path.push(word);
  }
  return path;
}
