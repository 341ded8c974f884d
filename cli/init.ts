// init: the first configuration file, from five questions that flags can answer.
import { existsSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { settingsFile } from '../settings/documents.ts';
import { FILE_NAME, flagName, resolveSettings } from '../settings/resolve.ts';
import { type DefaultContext, type Setting, type SettingKey, settingsList, variableOf } from '../settings/settings.ts';
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
    ask: 'How far may it reach: "public" is the real network, "lan" private addresses, "local" this machine',
  },
  { key: 'gnutella.port', ask: 'Port for Gnutella, TCP and UDP' },
  { key: 'library.folders', ask: 'Folders to share, ":" between them' },
  { key: 'downloads.folder', ask: 'Folder for finished downloads' },
  {
    key: 'gnutella.mode',
    ask: 'What to be: "leaf" saves this machine, "ultrapeer" carries others, "auto" decides by itself',
  },
];
/** Limits that have good defaults: not asked, but taken. */
const MORE: readonly SettingKey[] = ['gnutella.maxLeaves', 'downloads.maxActive', 'uploads.slots'];
/** A person who answers wrongly more often wants to read the help. */
const TRIES_MAX = 5;

type InitFlags = Pick<ClientFlags, 'dataDir' | 'json'> & { config?: string; yes?: true; force?: true };

const settingOf = (key: SettingKey): Setting<unknown> => {
  const row = settingsList.find(known => known.key === key);
  if (row === undefined) throw new Error(`no setting ${key}`);
  return row.setting;
};

export function initCommand(terminal: Terminal): Command {
  const command = outputOptions(new Command('init'))
    .description('write a first configuration file: asks five things, each of which a flag can answer')
    .option('--yes', 'take the default for what no flag answers, without asking')
    .option('--force', 'overwrite a configuration file that is there')
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
      `${file} is there already: change it with "servent config set KEY VALUE", or overwrite it with --force`,
    );
  const context: DefaultContext = { profile: 'public', dataDir };
  const chosen = new Map<SettingKey, unknown>();
  // With --config the file may lie elsewhere, and must say where the data are.
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
    'Configuration of the servent, begun by "servent init": every key, with its default where it is commented out.',
    '"servent config check" says what is wrong; "servent config reload" has a running daemon read it again.',
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
      note(terminal, `${path} is not there yet: it is shared once it is`);
  for (const [key] of chosen)
    if (env[variableOf(key)]) note(terminal, `${variableOf(key)} is set, and wins over ${key} of the file`);
  const where =
    named === undefined
      ? flags.dataDir === undefined
        ? ''
        : ` --data-dir ${quoted(dataDir)}`
      : ` --config ${quoted(file)}`;
  note(
    terminal,
    `\nnext:\n  servent start${where}\n  servent tui         the dashboard, in another terminal\n  servent doctor      what is wrong with the surroundings, if anything`,
  );
  if (settings.profile === 'public' && settings.gnutella.port !== 0)
    note(
      terminal,
      `let TCP and UDP port ${settings.gnutella.port} through your router and firewall: others find more of you then`,
    );
}

const quoted = (path: string): string => (/^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isDirectory(),
    () => false,
  );
}

/** The value as the file has it; what is wrong goes through `refuse`. */
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

/** Throws a usage error when nobody is there to answer. */
function asker(terminal: Terminal, missing: readonly Question[]): Asker {
  const input: NodeJS.ReadableStream & { isTTY?: boolean } = terminal.stdin ?? process.stdin;
  if (input.isTTY !== true) {
    const names = missing.map(({ key }) => flagName(settingOf(key)));
    throw usageError(
      `nobody to ask, since standard input is no terminal: give ${names.join(', ')}, or --yes for their defaults`,
    );
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
        'too many wrong answers: nothing was written; "servent init --help" says what is expected',
      );
    },
    end: () => lines.close(),
  };
}

class WrongAnswer extends Error {}
