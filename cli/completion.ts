// completion: prints scripts for bash, zsh and fish that run `servent complete` for each word. complete: prints commands, flags and live ids.
import { Argument, Command } from 'commander';
import type { Client } from '../api/client.ts';
import { routes } from '../api/outline.ts';
import { settingsList } from '../settings/settings.ts';
import { findDaemon } from './connection.ts';
import { print, type Terminal } from './terminal.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** Limit for calls to the daemon during completion. */
const WAIT_MS = 1_000;
const VALUES_MAX = 100;

const SCRIPTS: Record<Shell, string> = {
  bash: `_servent() {
  local IFS=$'\\n'
  COMPREPLY=($(servent complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _servent servent`,
  zsh: `#compdef servent
_servent() {
  local -a found
  found=("\${(@f)$(servent complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found || _files
}
compdef _servent servent`,
  fish: `complete -c servent -f -a '(servent complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`,
};

export function completionCommands(terminal: Terminal, program: () => Command): Command[] {
  return [
    new Command('completion')
      .description('print a script that completes commands and ids in a shell')
      .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
      .action((shell: Shell) => print(terminal, SCRIPTS[shell])),
    new Command('complete')
      .description('print completions of a command line; used by the scripts of "completion"')
      .argument('[words...]', 'the words typed so far; the last may be unfinished or empty')
      .action(async (words: string[]) => {
        for (const text of await candidates(program(), words, terminal)) print(terminal, text);
      }),
  ];
}

async function candidates(program: Command, words: readonly string[], terminal: Terminal): Promise<string[]> {
  const begun = words.at(-1) ?? '';
  let command = program;
  const path: string[] = [];
  for (const word of words.slice(0, -1)) {
    const inner = command.commands.find(child => child.name() === word);
    if (inner === undefined) continue;
    command = inner;
    path.push(word);
  }
  const before = words.at(-2) ?? '';
  const flag = command.options.find(option => [option.long, option.short].includes(before) && option.required);
  let found: readonly string[];
  if (flag !== undefined) found = flag.argChoices ?? [];
  else if (begun.startsWith('-'))
    found = command.options.filter(({ hidden }) => !hidden).map(option => option.long ?? '');
  else if (command.commands.length > 0) found = command.commands.map(child => child.name());
  else found = await values(path.join(' '), terminal);
  return found.filter(text => text.startsWith(begun));
}

const ids = (page: { items: { id: string }[] }): string[] => page.items.map(({ id }) => id);
const LIVE: Record<string, (client: Client) => Promise<string[]>> = {
  disconnect: async client => ids(await client.peers({ limit: VALUES_MAX })),
  priority: async client => ids(await client.downloads({ limit: VALUES_MAX })),
  'downloads show': async client => ids(await client.downloads({ limit: VALUES_MAX })),
  'uploads cancel': async client => ids(await client.uploads({ limit: VALUES_MAX })),
  'bans lift': async client => ids(await client.bans({ limit: VALUES_MAX })),
  'searches show': async client => ids(await client.searches({ limit: VALUES_MAX })),
  'searches remove': async client => ids(await client.searches({ limit: VALUES_MAX })),
  'saved remove': async client => ids(await client.savedSearches({ limit: VALUES_MAX })),
  'saved run': async client => ids(await client.savedSearches({ limit: VALUES_MAX })),
  'saved pause': async client => ids(await client.savedSearches({ limit: VALUES_MAX })),
  'saved resume': async client => ids(await client.savedSearches({ limit: VALUES_MAX })),
  'saved seen': async client => ids(await client.savedSearches({ limit: VALUES_MAX })),
  'saved results': async client => ids(await client.savedSearches({ limit: VALUES_MAX })),
  'spam remove': async client => ids(await client.badContents({ limit: VALUES_MAX })),
  'keys revoke': async client => ids(await client.keys({ limit: VALUES_MAX })),
  'hooks deliveries': async client => ids(await client.hooks({ limit: VALUES_MAX })),
  'hooks replay': async client => ids(await client.hooks({ limit: VALUES_MAX })),
  'hosts remove': async client => (await client.hosts({ limit: VALUES_MAX })).items.map(({ address }) => address),
  block: async client => (await client.peers({ limit: VALUES_MAX })).items.map(({ address }) => hostOf(address)),
  category: async client => ids(await client.downloads({ limit: VALUES_MAX })),
  move: async client => ids(await client.downloads({ limit: VALUES_MAX })),
  retry: async client => ids(await client.downloads({ limit: VALUES_MAX, filter: 'state=failed' })),
  pause: async client => ids(await client.downloads({ limit: VALUES_MAX })),
  resume: async client => ids(await client.downloads({ limit: VALUES_MAX })),
  cancel: async client => ids(await client.downloads({ limit: VALUES_MAX })),
  'explain download': async client => ids(await client.downloads({ limit: VALUES_MAX })),
  'explain peer': async client => ids(await client.peers({ limit: VALUES_MAX })),
  'explain search': async client => ids(await client.searches({ limit: VALUES_MAX })),
  unshare: async client => (await client.folders({ limit: VALUES_MAX })).items.map(({ path }) => path),
  connect: async client => (await client.hosts({ limit: VALUES_MAX })).items.map(({ address }) => address),
  browse: async client => (await client.peers({ limit: VALUES_MAX })).items.map(({ address }) => address),
};

const hostOf = (address: string): string => address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');

async function values(command: string, terminal: Terminal): Promise<readonly string[]> {
  if (/^config (get|set|unset|apply)$/.test(command)) return settingsList.map(({ key }) => key);
  if (command === 'completion') return SHELLS;
  if (command === 'call') return Object.keys(routes);
  const live = LIVE[command];
  if (live === undefined) return [];
  try {
    return await live((await findDaemon({}, terminal, WAIT_MS)).client);
  } catch {
    return []; // without a daemon there are no values, and no message
  }
}
