// backup, restore: copy the state of a servent to and from one file.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { resolveSettings } from '../settings/resolve.ts';
import { type ClientFlags, dataDirOf } from './connection.ts';
import { CommandError } from './failure.ts';
import { inProcess } from './in-process.ts';
import { outputOptions } from './output.ts';
import { facts } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

type FolderFlags = Pick<ClientFlags, 'json' | 'dataDir'>;
type BackupFlags = FolderFlags & { config?: string; parts?: true; secrets?: true; force?: true };

export function backupCommands(terminal: Terminal): Command[] {
  return [
    folderCommand(
      'backup',
      'write configuration, hosts, library, downloads and keys to one file; the daemon must not run',
    )
      .argument('<file>', 'the file to write')
      .option('--config <file>', 'the configuration file (SERVENT_CONFIG)')
      .option('--parts', 'include the data of unfinished downloads')
      .option('--secrets', 'include the API token; API keys are stored as hashes only')
      .option('--force', 'overwrite an existing file')
      .action((file: string, flags: BackupFlags) => stopped(backup(terminal, file, flags))),
    folderCommand('restore', 'restore a data folder from a backup file; the daemon must not run')
      .argument('<file>', 'a file written by "servent backup"')
      .option('--force', 'move an existing data folder aside')
      .action((file: string, flags: FolderFlags & { force?: true }) => stopped(restoreFrom(terminal, file, flags))),
  ];
}

function folderCommand(name: string, description: string): Command {
  return outputOptions(new Command(name).description(description)).option(
    '--data-dir <dir>',
    'the data folder (SERVENT_DATA_DIR)',
  );
}

async function stopped(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const { StoreError } = await inProcess.store();
    if (!(error instanceof StoreError) || error.code !== 'STORE_LOCKED') throw error;
    throw new CommandError(
      'the daemon is running on this data folder: stop it first ("systemctl stop servent", or Ctrl-C where it runs)',
    );
  }
}

async function backup(terminal: Terminal, given: string, flags: BackupFlags): Promise<void> {
  const file = resolve(terminal.cwd, given);
  if (existsSync(file) && flags.force !== true)
    throw new CommandError(`${file} exists: choose another name, or overwrite it with --force`);
  const { env, cwd } = terminal;
  const dataDir = await dataDirOf(flags, terminal);
  if (!existsSync(dataDir))
    throw new CommandError(`${dataDir} does not exist: give the data folder to back up with --data-dir`);
  const { file: config, settings } = await resolveSettings({
    env,
    cwd,
    flags: { dataDir },
    ...(flags.config === undefined ? {} : { configFile: flags.config }),
  });
  const [{ backUp }, { silentLog }] = await Promise.all([inProcess.backup(), inProcess.log()]);
  const held = await backUp(file, {
    dataDir,
    config,
    downloadsFolder: settings.downloads.folder,
    parts: flags.parts === true,
    secrets: flags.secrets === true,
    now: new Date(),
    log: silentLog,
  });
  if (flags.json === true) return printJson(terminal, { file, ...held });
  print(terminal, `written: ${file}`);
  print(terminal, facts(factsOf(held)));
  if (flags.secrets === true) note(terminal, 'the file contains the API token: store it where nobody else can read it');
}

async function restoreFrom(terminal: Terminal, given: string, flags: FolderFlags & { force?: true }): Promise<void> {
  const file = resolve(terminal.cwd, given);
  const dataDir = await dataDirOf(flags, terminal);
  const [{ restore }, { silentLog }] = await Promise.all([inProcess.backup(), inProcess.log()]);
  const restored = await restore(file, { dataDir, force: flags.force === true, now: new Date(), log: silentLog });
  const { header, aside } = restored;
  if (flags.json === true) return printJson(terminal, { dataDir, ...restored });
  print(
    terminal,
    `restored: ${dataDir}, as it was on ${header.at.slice(0, 16).replace('T', ' ')} (servent ${header.version})`,
  );
  print(terminal, facts(factsOf(restored)));
  if (aside !== null) note(terminal, `the previous contents are in ${aside}`);
  if (!restored.files.includes('api-token')) note(terminal, 'the backup has no API token: the next start creates one');
}

function factsOf({
  records,
  files,
  parts,
}: {
  records: Record<string, number>;
  files: string[];
  parts: number;
}): [string, string][] {
  return [
    ['in it', files.length === 0 ? 'no files' : files.join(', ')],
    ...Object.entries(records).map(([table, count]) => [`records of ${table}`, String(count)] as [string, string]),
    ...(parts > 0 ? [['unfinished downloads', String(parts)] as [string, string]] : []),
  ];
}
