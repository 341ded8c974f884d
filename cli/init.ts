// init: writes a first configuration file from five answers or flags.
import { existsSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { settingsFile } from '../settings/documents.ts';
import { FILE_NAME, flagName, resolveSettings } from '../settings/resolve.ts';
import type { DefaultContext, Setting } from '../settings/setting.ts';
import { type SettingKey, settingsList, variableOf } from '../settings/settings.ts';
import { type ClientFlags, dataDirOf } from './connection.ts';
import { CommandError, usageError } from './failure.ts';
import { outputOptions } from './output.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

interface Question {
  key: SettingKey;
  ask: string;
}

const QUESTIONS: readonly Question[] = [
  {
    key: 'profile',
    ask: 'Network: "public" is the Internet, "lan" private addresses, "local" this machine',
  },
  { key: 'gnutella.port', ask: 'Port for Gnutella, TCP and UDP' },
  { key: 'library.folders', ask: 'Folders to share, separated by ":"' },
  { key: 'downloads.folder', ask: 'Folder for finished downloads' },
  {
    key: 'gnutella.mode',
    ask: 'Role: "leaf" needs few resources, "ultrapeer" serves leaves, "auto" chooses',
  },
];
/** Further settings with a flag but no question. */
const MORE: readonly SettingKey[] = ['gnutella.maxLeaves', 'downloads.maxActive', 'uploads.slots'];
/** Wrong answers to one question before the command fails. */
const TRIES_MAX = 5;

type InitFlags = Pick<ClientFlags, 'dataDir' | 'json'> & { config?: string; yes?: true; force?: true };

const settingOf = (key: SettingKey): Setting<unknown> => {
  const row = settingsList.find(known => known.key === key);
  if (row === undefined) throw new Error(`no setting ${key}`);
  return row.setting;
};

export function initCommand(terminal: Terminal): Command {
  const command = outputOptions(new Command('init'))
    .description('write a first configuration file from five questions or their flags')
    .option('--yes', 'take defaults instead of asking')
    .option('--force', 'overwrite an existing configuration file')
    .option('--data-dir <dir>', 'the data folder (SERVENT_DATA_DIR)')
    .option('--config <file>', 'the file to write (SERVENT_CONFIG; default: servent.yaml in the data folder)');
  const names = new Map<SettingKey, string>();
  for (const key of [...QUESTIONS.map(question => question.key), ...MORE]) {
    const setting = settingOf(key);
    const option = command.createOption(setting.flag, setting.doc.replaceAll('`', ''));
    if (setting.separator !== undefined)
      option.argParser((item: string, items: string[] | undefined) => [...(items ?? []), item]);
    command.addOption(option);
    names.set(key, option.attributeName());
  }
  return command.action(async (flags: InitFlags) => {
    const given = new Map<SettingKey, unknown>();
    for (const [key, name] of names) {
      const value = (flags as Record<string, unknown>)[name];
      if (value !== undefined) given.set(key, value);
    }
    await init(terminal, flags, given);
  });
}

async function init(terminal: Terminal, flags: InitFlags, given: ReadonlyMap<SettingKey, unknown>): Promise<void> {
  const { env, cwd } = terminal;
  const dataDir = await dataDirOf(flags, terminal);
  const named = flags.config ?? (env['SERVENT_CONFIG'] || undefined);
  const file = named === undefined ? join(dataDir, FILE_NAME) : resolve(cwd, named);
  if (existsSync(file) && flags.force !== true)
    throw new CommandError(
      `${file} exists: change it with "servent config set KEY VALUE", or overwrite it with --force`,
    );
  const context: DefaultContext = { profile: 'public', dataDir };
  const chosen = new Map<SettingKey, unknown>();
  // With --config the file may be outside the data folder, so it names the data folder.
  if (named !== undefined && (flags.dataDir ?? env['SERVENT_DATA_DIR']) !== undefined) chosen.set('dataDir', dataDir);
  const missing = QUESTIONS.filter(({ key }) => !given.has(key));
  const asking = missing.length > 0 && flags.yes !== true ? asker(terminal, missing) : null;
  try {
    for (const key of [...QUESTIONS.map(question => question.key), ...MORE]) {
      const setting = settingOf(key);
      const usual = setting.defaultFor(context);
      let value = usual;
      if (given.has(key))
        value = checked(setting, given.get(key), cwd, text => usageError(`${flagName(setting)}: ${text}`));
      else if (asking !== null) {
        const question = missing.find(one => one.key === key);
        if (question !== undefined) value = await asking.answer(question, setting, usual);
      }
      if (key === 'profile') context.profile = value as DefaultContext['profile'];
      if (key === 'profile' || JSON.stringify(value) !== JSON.stringify(usual)) chosen.set(key, value);
    }
  } finally {
    asking?.end();
  }
  const text = settingsFile(chosen, [
    'Configuration of the servent, written by "servent init". Keys that are commented out show their defaults.',
    '"servent config check" checks this file; "servent config reload" loads it into a running daemon.',
  ]);
  const { settings } = await resolveSettings({ flags: { dataDir }, env: {}, cwd }, { file, text });
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await mkdir(dirname(file), { recursive: true });
  const { default: writeFileAtomic } = await import('write-file-atomic');
  await writeFileAtomic(file, text);
  if (flags.json === true) return printJson(terminal, { file, settings: Object.fromEntries(chosen) });
  print(terminal, `written: ${file}`);
  for (const path of settings.library.folders)
    if (path !== join(dataDir, 'shared') && !(await isFolder(path)))
      note(terminal, `${path} does not exist yet: it is shared when it does`);
  for (const [key] of chosen)
    if (env[variableOf(key)]) note(terminal, `${variableOf(key)} is set and takes precedence over ${key} in the file`);
  const where =
    named === undefined
      ? flags.dataDir === undefined
        ? ''
        : ` --data-dir ${quoted(dataDir)}`
      : ` --config ${quoted(file)}`;
  note(
    terminal,
    `\nnext:\n  servent start${where}\n  servent tui         the dashboard, in another terminal\n  servent doctor      checks ports, disk and network`,
  );
  if (settings.profile === 'public' && settings.gnutella.port !== 0)
    note(
      terminal,
      `open TCP and UDP port ${settings.gnutella.port} in your router and firewall, so that other servents can connect`,
    );
}

const quoted = (path: string): string => (/^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isDirectory(),
    () => false,
  );
}

/** Validates a value and returns it as written to the file; throws `refuse(text)` for an invalid one. */
function checked(setting: Setting<unknown>, given: unknown, cwd: string, refuse: (text: string) => Error): unknown {
  const value = typeof given === 'string' ? setting.fromText(given) : given;
  const result = setting.check(value);
  if (!result.ok) throw refuse(`expected ${setting.expected}, got ${JSON.stringify(given)}`);
  return setting.within === undefined ? result.value : setting.within(result.value, cwd);
}

interface Asker {
  answer(question: Question, setting: Setting<unknown>, usual: unknown): Promise<unknown>;
  end(): void;
}

/** Asks the questions on the terminal; throws a usage error when standard input is no terminal. */
function asker(terminal: Terminal, missing: readonly Question[]): Asker {
  const input: NodeJS.ReadableStream & { isTTY?: boolean } = terminal.stdin ?? process.stdin;
  if (input.isTTY !== true) {
    const names = missing.map(({ key }) => flagName(settingOf(key)));
    throw usageError(`cannot ask, standard input is no terminal: give ${names.join(', ')}, or --yes for the defaults`);
  }
  const lines = createInterface({ input });
  const answers = lines[Symbol.asyncIterator]();
  return {
    async answer({ ask }, setting, usual) {
      const shown = Array.isArray(usual) ? usual.join(':') : String(usual);
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        terminal.stderr.write(`${ask}\n  [${shown}] `);
        const { value: text, done } = await answers.next();
        if (done === true) throw new CommandError('no answer: nothing was written');
        if (text.trim() === '') return usual;
        try {
          return checked(setting, text.trim(), terminal.cwd, detail => new WrongAnswer(detail));
        } catch (error) {
          if (!(error instanceof WrongAnswer)) throw error;
          note(terminal, `  ${error.message}`);
        }
      }
      throw new CommandError(
        'too many wrong answers: nothing was written; "servent init --help" lists the allowed values',
      );
    },
    end: () => lines.close(),
  };
}

class WrongAnswer extends Error {}
