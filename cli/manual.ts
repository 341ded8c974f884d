// Writes docs/servent.1 and docs/cli.md from the command tree.
import type { Command, Option } from 'commander';
import { createProgram } from './tree.ts';

const NOWHERE = { stdout: { write: () => true }, stderr: { write: () => true }, env: {}, cwd: '/' };

const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');

interface Described {
  /** For example `downloads show`. */
  words: string;
  /** Arguments as in the usage line. */
  usage: string;
  command: Command;
  options: readonly Option[];
}

/** Every command that has an action, in the order of the help. */
function described(parent: Command, path: readonly string[] = []): Described[] {
  return parent.commands.flatMap(command => {
    const words = [...path, command.name()];
    const inner = described(command, words);
    const usage = command
      .usage()
      .replace(/\[(options|command)\]/g, '')
      .trim();
    // a command without options of its own only groups others
    const acts = inner.length === 0 || command.options.length > 0;
    const options = command.options.filter(({ hidden }) => !hidden);
    return [...(acts ? [{ words: words.join(' '), usage, command, options }] : []), ...inner];
  });
}

export function manualPage(): string {
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
    ...described(createProgram(NOWHERE)).flatMap(({ words, usage, command, options }) => [
      `.SS ${escaped(`${words} ${usage}`.trim())}`,
      `${escaped(command.description())}.`,
      ...options.flatMap(({ flags, description }) => ['.TP', `.B ${escaped(flags)}`, escaped(description)]),
    ]),
    '.SH EXIT STATUS',
    '0 success, 1 failure, 2 wrong usage.',
    '.SH SIGNALS',
    'SIGTERM and SIGINT stop the daemon, SIGHUP reloads its configuration. SIGUSR1 and SIGUSR2 only write a line to the log.',
    '.SH ENVIRONMENT',
    'SERVENT_API, SERVENT_TOKEN, SERVENT_TOKEN_FILE, SERVENT_DATA_DIR and SERVENT_CONFIG locate the daemon; every setting has a variable, see configuration.md.',
    '.SH FILES',
    'servent.yaml, api\\-token and runtime.json in the data folder.',
  ].join('\n')}\n`;
}

/** Sections of the page; commands without a group come last. */
const GROUPS: readonly (readonly [title: string, intro: string, commands: readonly string[]])[] = [
  ['Run', 'The daemon, its configuration, dashboard and web page.', ['init', 'start', 'config', 'tui', 'web', 'cache']],
  [
    'Look',
    'State, rates, log and reasons.',
    ['status', 'health', 'history', 'log', 'doctor', 'explain', 'support-bundle'],
  ],
  [
    'The overlay',
    'Connections, hosts and queries.',
    ['peers', 'connect', 'disconnect', 'hosts', 'block', 'unblock', 'queries'],
  ],
  [
    'Find and fetch',
    'Searches and transfers.',
    [
      'search',
      'searches',
      'saved',
      'spam',
      'browse',
      'get',
      'download',
      'downloads',
      'pause',
      'resume',
      'cancel',
      'priority',
      'uploads',
      'bans',
    ],
  ],
  ['Many servents', 'Several daemons at once.', ['context', 'fleet']],
  ['Share', 'The library.', ['library', 'share', 'unshare', 'rescan']],
  ['Keep', 'Backups, and the data of other servents.', ['backup', 'restore', 'import']],
  ['Others', 'Keys, hooks and direct calls of the API.', ['keys', 'hooks', 'call', 'bulk', 'openapi']],
  ['Shell', '', ['completion', 'complete', 'version']],
];

/** Described once for all commands that have them. */
const COMMON = new Set(['--json', '--output', '--template', '--curl', '--api', '--token', '--data-dir', '--context']);
/** `start` has a flag for each setting; configuration.md lists them. */
const SETTINGS_ELSEWHERE = new Set(['start']);

/** Returns docs/cli.md. */
export function commandsDocument(): string {
  const all = described(createProgram(NOWHERE));
  const named = new Set(GROUPS.flatMap(([, , commands]) => commands));
  const first = ({ words }: Described): string => words.split(' ')[0] ?? '';
  const rest = all.filter(entry => !named.has(first(entry)));
  const groups = [...GROUPS, ['More', '', rest.map(first)] as const].flatMap(([title, intro, commands]) => {
    const entries = [...new Set(commands)].flatMap(name => all.filter(entry => first(entry) === name));
    return entries.length === 0 ? [] : [{ title, intro, entries }];
  });
  return `${[
    '# The command line',
    '',
    '<!-- Written from the command tree by `npm run docs`: change it in cli/. -->',
    '',
    '`servent COMMAND [options]`. An error is one line with a remedy on standard error. Exit codes: 0 success, 1 failure, 2 wrong usage.',
    '',
    'Commands that call a daemon find it through its data folder, or by --api and --token. They print a table by default; for programs:',
    '',
    '| option | |',
    '| --- | --- |',
    ...commonOptions(all).map(option => `| \`${option.flags}\` | ${cell(option.description)} |`),
    '',
    '`servent COMMAND --help` prints the same in the terminal, [servent.1](servent.1) as a manual page, and `servent completion bash|zsh|fish`',
    'completes commands and live ids in the shell.',
    '',
    '| | |',
    '| --- | --- |',
    ...groups.map(
      ({ title, entries }) =>
        `| ${title} | ${[...new Set(entries.map(first))].map(name => `[${name}](#${anchorOf(headingOf(all.find(entry => first(entry) === name)))})`).join(' ')} |`,
    ),
    ...groups.flatMap(({ title, intro, entries }) => [
      '',
      `## ${title}`,
      ...(intro === '' ? [] : ['', intro]),
      ...entries.flatMap(textOf),
    ]),
  ].join('\n')}\n`;
}

function commonOptions(all: readonly Described[]): readonly Option[] {
  const peers = all.find(({ words }) => words === 'peers');
  return peers?.options.filter(({ long }) => COMMON.has(long ?? '')) ?? [];
}

const headingOf = (entry: Described | undefined): string =>
  `servent ${entry?.words ?? ''} ${entry?.usage ?? ''}`.trim();

/** The anchor that GitHub derives from a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function textOf(entry: Described): string[] {
  const { command, options, words } = entry;
  const isClient = options.some(({ long }) => long === '--api');
  const own = options.filter(({ long }) => !isClient || !COMMON.has(long ?? ''));
  const takes = command.registeredArguments
    .filter(({ description }) => description !== '')
    .map(argument => `- \`${argument.name()}${argument.variadic ? ' …' : ''}\`: ${cell(argument.description)}`);
  const lines = [
    '',
    `### ${headingOf(entry).replaceAll('<', '\\<')}`,
    '',
    sentence(command.description()),
    ...(takes.length === 0 ? [] : ['', ...takes]),
  ];
  if (SETTINGS_ELSEWHERE.has(words))
    return [
      ...lines,
      '',
      '`--config FILE` names the configuration file; every setting has a flag: [configuration.md](configuration.md) lists them.',
    ];
  if (own.length === 0) return lines;
  return [
    ...lines,
    '',
    '| option | |',
    '| --- | --- |',
    ...own.map(option => `| \`${option.flags.replaceAll('|', '\\|')}\` | ${cell(withDefault(option))} |`),
  ];
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function withDefault({ description, defaultValue, argChoices }: Option): string {
  const choices = argChoices === undefined ? '' : ` One of ${argChoices.join(', ')}.`;
  const shown =
    typeof defaultValue === 'number' || typeof defaultValue === 'string' ? ` Default: ${defaultValue}.` : '';
  return choices === '' && shown === '' ? description : `${description.replace(/\.$/, '')}.${choices}${shown}`;
}
