import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { NoAnswerError } from '../api/client.ts';
import type { ConfigChangeView, ConfigPlan, ConfigView, SettingView } from '../api/control.ts';
import { nearest, SettingsError } from '../settings/faults.ts';
import { FILE_NAME, resolveSettings, type SettingSources } from '../settings/resolve.ts';
import { type SettingKey, settingsList } from '../settings/settings.ts';
import { configView } from '../settings/view.ts';
import { type ClientFlags, clientCommand, dataDirOf, findDaemon } from './connection.ts';
import { CommandError, EXIT_FAILURE, usageError } from './failure.ts';
import { outputOptions } from './output.ts';
import { type Column, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

type FileFlags = Pick<ClientFlags, 'json' | 'dataDir'> & { config?: string };

export function configCommand(terminal: Terminal): Command {
  const command = new Command('config').description('show, check and change the configuration');
  command.addCommand(
    effectiveCommand('get', 'print a value, or all of them')
      .argument('[key]', 'for example gnutella.port')
      .action(async (key: string | undefined, flags: EffectiveFlags) => {
        const wanted = key === undefined ? null : settingOf(key).key;
        const { settings } = await effective(flags, terminal);
        const rows = settings.filter(row => wanted === null || row.key === wanted);
        if (flags.json === true) printJson(terminal, key === undefined ? valuesOf(rows) : rows[0]?.value, rows);
        else if (key === undefined) for (const row of rows) print(terminal, `${row.key} = ${shownValue(row.value)}`);
        else print(terminal, shownValue(rows[0]?.value));
      }),
  );
  command.addCommand(
    effectiveCommand('show', 'print every value with its source')
      .option('--origin', 'print the flag, variable or line of the file; always on')
      .action(async (flags: EffectiveFlags) => {
        const view = await effective(flags, terminal);
        if (flags.json === true) printJson(terminal, view, view.settings);
        else print(terminal, table(settingColumns, view.settings));
      }),
  );
  command.addCommand(
    fileCommand('set', 'write a value into the configuration file; comments are kept')
      .argument('<key>', 'for example gnutella.port')
      .argument('<values...>', 'the value; several for a list')
      .action((key: string, values: string[], flags: FileFlags) => edit(terminal, flags, key, values)),
  );
  command.addCommand(
    fileCommand('unset', 'remove a value from the configuration file')
      .argument('<key>', 'for example gnutella.port')
      .action((key: string, flags: FileFlags) => edit(terminal, flags, key, undefined)),
  );
  command.addCommand(
    fileCommand('check', 'check the configuration without starting the daemon')
      .argument('[file]', 'the configuration file')
      .action(async (file: string | undefined, flags: FileFlags) =>
        check(terminal, { ...flags, ...(file === undefined ? {} : { config: file }) }),
      ),
  );
  command.addCommand(
    clientCommand('reload', 'reload the configuration of the running daemon').action(async (flags: ClientFlags) => {
      const { client } = await findDaemon(flags, terminal);
      showPlan(terminal, await client.reloadConfig(), flags.json === true);
    }),
  );
  command.addCommand(
    clientCommand('apply', 'change a setting in the running daemon and in its configuration file')
      .argument('<key>', 'for example gnutella.maxLeaves')
      .argument('[values...]', 'the value; several for a list; none removes the key from the file')
      .option('--dry-run', 'show the changes without making them')
      .action(async (key: string, values: string[], flags: ClientFlags & { dryRun?: boolean }) => {
        const patch = patchOf(key, values);
        const { client } = await findDaemon(flags, terminal);
        const plan = await client.changeConfig({ dryRun: flags.dryRun === true ? 'true' : 'false', ...patch });
        showPlan(terminal, plan, flags.json === true);
      }),
  );
  command.addCommand(
    new Command('example').description('print a configuration file with every key and its default').action(async () => {
      const { exampleFile } = await import('../settings/documents.ts');
      terminal.stdout.write(exampleFile());
    }),
  );
  return command;
}

/** The patch of the API for a setting; without values it removes the key from the file. Throws a usage error. */
export function patchOf(key: string, values: readonly string[]): Record<string, unknown> {
  const { setting } = settingOf(key);
  const one = setting.separator === undefined;
  if (one && values.length > 1) throw usageError(`${key} takes one value: quote a value that contains blanks`);
  return patchWith(key, values.length === 0 ? null : one ? setting.fromText(values[0] ?? '') : values);
}

/** null: remove the key from the file. */
export function patchWith(key: string, value: unknown): Record<string, unknown> {
  const [section = '', name] = key.split('.');
  return { [section]: name === undefined ? value : { [name]: value } };
}

const WHEN = { hot: 'now', reconnect: 'now, for new connections', restart: 'at the next start' };

function showPlan(terminal: Terminal, plan: ConfigPlan, json: boolean): void {
  if (json) {
    printJson(terminal, plan, plan.changes);
    return;
  }
  for (const { key, by } of plan.overruled) note(terminal, `${key}: ${by} takes precedence over the file`);
  if (plan.changes.length === 0) note(terminal, 'nothing changes');
  else print(terminal, table(planColumns, plan.changes));
}

export const planColumns: Column<ConfigChangeView>[] = [
  { title: 'KEY', of: row => row.key },
  { title: 'FROM', of: row => JSON.stringify(row.from) },
  { title: 'TO', of: row => JSON.stringify(row.to) },
  { title: 'WHEN', of: row => (row.error === null ? WHEN[row.effect] : `not: ${row.error}`) },
];

function fileCommand(name: string, description: string): Command {
  return outputOptions(new Command(name).description(description))
    .option('--config <file>', 'the configuration file (SERVENT_CONFIG)')
    .option('--data-dir <dir>', 'the data folder (SERVENT_DATA_DIR)');
}

type EffectiveFlags = ClientFlags & { config?: string; profile?: string; offline?: boolean };

function effectiveCommand(name: string, description: string): Command {
  return clientCommand(name, `${description}, of the running daemon, or of the next start when none runs`)
    .option('--offline', 'use the values of the next start even if a daemon runs')
    .option('--config <file>', 'the configuration file of the next start (SERVENT_CONFIG)')
    .option('--profile <name>', 'the profile of the next start (SERVENT_PROFILE)');
}

/** Configuration of the running daemon; without one, the configuration that the next start would use. */
async function effective(flags: EffectiveFlags, terminal: Terminal): Promise<ConfigView> {
  if (flags.offline !== true && flags.config === undefined && flags.profile === undefined) {
    try {
      const { client } = await findDaemon(flags, terminal);
      return await client.config();
    } catch (error) {
      if (!(error instanceof NoAnswerError) || flags.api !== undefined) throw error;
      note(terminal, 'no daemon is running: these are the values of the next start');
    }
  }
  return configView(await resolveSettings(sourcesOf(flags, terminal)));
}

function sourcesOf(flags: FileFlags & { profile?: string }, { env, cwd }: Terminal): SettingSources {
  return {
    env,
    cwd,
    ...(flags.config === undefined ? {} : { configFile: flags.config }),
    flags: {
      ...(flags.dataDir === undefined ? {} : { dataDir: flags.dataDir }),
      ...(flags.profile === undefined ? {} : { profile: flags.profile }),
    },
  };
}

function settingOf(key: string): (typeof settingsList)[number] {
  const found = settingsList.find(row => row.key === key);
  if (found !== undefined) return found;
  const near = nearest(
    key,
    settingsList.map(row => row.key),
  );
  throw usageError(
    `there is no setting ${key}${near === null ? ': "servent config show" lists them' : `; did you mean ${near}?`}`,
  );
}

function valuesOf(rows: readonly SettingView[]): Record<string, unknown> {
  return Object.fromEntries(rows.map(row => [row.key, row.value]));
}

function shownValue(value: unknown): string {
  if (Array.isArray(value)) return value.join('\n');
  return String(value);
}

const settingColumns: Column<SettingView>[] = [
  { title: 'KEY', of: row => row.key },
  { title: 'VALUE', of: row => (Array.isArray(row.value) ? row.value.join(', ') : String(row.value)) },
  { title: 'FROM', of: row => row.origin },
  { title: 'WHERE', of: row => row.where ?? '' },
];

async function edit(terminal: Terminal, flags: FileFlags, key: string, values: string[] | undefined): Promise<void> {
  const { setting } = settingOf(key);
  if (values !== undefined && values.length > 1 && setting.separator === undefined)
    throw usageError(`${key} takes one value: quote a value that contains blanks`);
  const { readIfThere, editSettings } = await import('../settings/file.ts');
  const { default: writeFileAtomic } = await import('write-file-atomic');
  const file = await fileOf(flags, terminal);
  let value: unknown;
  if (values !== undefined) value = setting.separator === undefined ? setting.fromText(values[0] ?? '') : values;
  const edited = editSettings((await readIfThere(file)) ?? '', file, key as SettingKey, value);
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, edited);
  if (flags.json === true)
    return printJson(terminal, { file, key, value: value ?? null, restart: setting.change === 'restart' });
  print(terminal, `${values === undefined ? 'removed' : 'written'}: ${key} in ${file}`);
  if (setting.change === 'restart') note(terminal, 'it takes effect at the next start');
  else note(terminal, 'a running daemon reads it with "servent config reload"');
}

async function fileOf(flags: FileFlags, terminal: Terminal): Promise<string> {
  const named = flags.config ?? (terminal.env['SERVENT_CONFIG'] || undefined);
  if (named !== undefined) return resolve(terminal.cwd, named);
  return join(await dataDirOf(flags, terminal), FILE_NAME);
}

async function check(terminal: Terminal, flags: FileFlags): Promise<void> {
  try {
    const { file, warnings } = await resolveSettings(sourcesOf(flags, terminal));
    if (flags.json === true) return printJson(terminal, { ok: true, file, faults: [], warnings });
    for (const warning of warnings) note(terminal, warning);
    print(terminal, `the configuration is valid (${file ?? 'no file: defaults, environment and flags'})`);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const faults = error.faults.map(fault => fault.text);
    if (flags.json === true) printJson(terminal, { ok: false, file: flags.config ?? null, faults, warnings: [] });
    const [last = 'wrong', ...rest] = faults.toReversed();
    for (const fault of rest.toReversed()) note(terminal, fault);
    throw new CommandError(last, EXIT_FAILURE);
  }
}
