// import: takes over hosts, shared folders and settings of another servent.
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { type Client, NoAnswerError } from '../api/client.ts';
import type { ConfigView } from '../api/control.ts';
import { counted } from '../api/format.ts';
import { homeFolder } from '../api/home.ts';
import { formatEndpoint } from '../protocol/wire/endpoint.ts';
import { FILE_NAME, resolveSettings } from '../settings/resolve.ts';
import type { SettingKey } from '../settings/settings.ts';
import { configView } from '../settings/view.ts';
import { type ClientFlags, clientCommand, dataDirOf, findDaemon } from './connection.ts';
import { CommandError, usageError } from './failure.ts';
import { gtkGnutella } from './import/gtk-gnutella.ts';
import type { Importer, LeftBehind } from './import/left-behind.ts';
import { limewire } from './import/limewire.ts';
import { facts } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const PARTS = ['hosts', 'folders', 'settings'] as const;
type Part = (typeof PARTS)[number];
/** Most hosts in one call of the API. */
const BULK_MAX = 1000;
/** Hosts file in the data folder, written when no daemon runs. */
const HOSTS_FILE = 'imported-hosts';

type ImportFlags = ClientFlags & { only: Part[]; dryRun?: true };

export function importCommand(terminal: Terminal): Command {
  const command = new Command('import').description('import hosts, shared folders and settings of another servent');
  for (const [name, importer] of [
    ['gtk-gnutella', gtkGnutella],
    ['limewire', limewire],
  ] as const)
    command.addCommand(
      clientCommand(name, `import hosts, shared folders and settings of ${importer.name}`)
        .argument('[dir]', `its folder (default: ${importer.usualFolders.map(dir => `~/${dir}`).join(', ')})`)
        .addOption(
          new Option('--only <part>', `import only this part: ${PARTS.join(', ')} (repeatable)`)
            .argParser((part: string, parts: Part[]) => [...parts, partOf(part)])
            .default([]),
        )
        .option('--dry-run', 'show what was found without importing it')
        .action((dir: string | undefined, flags: ImportFlags) => run(terminal, importer, dir, flags)),
    );
  return command;
}

function partOf(text: string): Part {
  const found = PARTS.find(part => part === text);
  if (found === undefined) throw usageError(`--only: expected one of ${PARTS.join(', ')}, got ${text}`);
  return found;
}

async function run(terminal: Terminal, importer: Importer, dir: string | undefined, flags: ImportFlags): Promise<void> {
  const found = await shareable(chosen(await read(terminal, importer, dir), flags.only));
  const { hosts, folders, settings, caches, notes } = found;
  const asJson = {
    hosts: hosts.map(formatEndpoint),
    folders,
    caches,
    settings: Object.fromEntries(settings),
    notes,
  };
  const outcome = flags.dryRun === true ? null : await takeOver(terminal, flags, found);
  if (flags.json === true) return printJson(terminal, { ...asJson, dryRun: outcome === null, ...outcome });
  print(terminal, facts(factsOf(found)));
  for (const text of notes) note(terminal, `not taken: ${text}`);
  if (outcome === null) note(terminal, 'nothing was changed: run it without --dry-run to import');
  else {
    if (outcome.refusedHosts > 0)
      note(terminal, `${counted(outcome.refusedHosts, 'host')} not imported: this profile does not connect to them`);
    note(terminal, `written: ${outcome.file}${outcome.restart ? '; some changes take effect at the next start' : ''}`);
  }
}

async function read(terminal: Terminal, importer: Importer, dir: string | undefined): Promise<LeftBehind> {
  if (dir !== undefined) return importer.read(resolve(terminal.cwd, dir));
  const { existsSync } = await import('node:fs');
  const home = homeFolder(terminal.env);
  if (home === null)
    throw new CommandError(
      `this user has no home folder: give the folder of ${importer.name}, as "servent import … DIR"`,
    );
  const usual = importer.usualFolders.map(name => join(home, name)).find(path => existsSync(path));
  if (usual === undefined)
    throw new CommandError(`no folder of ${importer.name} in ${home}: give it, as "servent import … DIR"`);
  return importer.read(usual);
}

function chosen(found: LeftBehind, only: readonly Part[]): LeftBehind {
  const wants = (part: Part): boolean => only.length === 0 || only.includes(part);
  return {
    hosts: wants('hosts') ? found.hosts : [],
    caches: wants('hosts') ? found.caches : [],
    folders: wants('folders') ? found.folders : [],
    settings: wants('settings') ? found.settings : new Map(),
    notes: found.notes,
  };
}

/** Leaves out folders that must not be shared: the servent would refuse to start with them. */
async function shareable(found: LeftBehind): Promise<LeftBehind> {
  const { folderRefusal } = await import('../settings/folder-refusal.ts');
  const refusals = await Promise.all(found.folders.map(folder => folderRefusal(folder)));
  return {
    ...found,
    folders: found.folders.filter((_, i) => refusals[i] === null),
    notes: [...found.notes, ...refusals.filter(refusal => refusal !== null)],
  };
}

function factsOf({ hosts, folders, caches, settings }: LeftBehind): [string, string][] {
  return [
    ['hosts', String(hosts.length)],
    ...(caches.length > 0 ? [['host caches', caches.join(', ')] as [string, string]] : []),
    ...folders.map(path => ['share', path] as [string, string]),
    ...[...settings].map(([key, value]) => [key, String(value)] as [string, string]),
  ];
}

interface Outcome {
  file: string;
  restart: boolean;
  refusedHosts: number;
}

async function takeOver(terminal: Terminal, flags: ImportFlags, found: LeftBehind): Promise<Outcome> {
  let running: { client: Client; view: ConfigView } | null = null;
  try {
    const { client } = await findDaemon(flags, terminal);
    running = { client, view: await client.config() };
  } catch (error) {
    if (!(error instanceof NoAnswerError) || flags.api !== undefined) throw error;
  }
  return running === null ? intoFiles(terminal, flags, found) : intoDaemon(running.client, running.view, found);
}

/** New values of the settings: current values merged with those found. */
function changesOf({ settings }: ConfigView, found: LeftBehind): Map<SettingKey, unknown> {
  const now = (key: SettingKey): string[] => {
    const value = settings.find(row => row.key === key)?.value;
    return Array.isArray(value) ? value.map(String) : [];
  };
  const changes = new Map(found.settings);
  const union = (key: SettingKey, more: readonly string[]): void => {
    const all = [...new Set([...now(key), ...more])];
    if (all.length > now(key).length) changes.set(key, all);
  };
  const shared = now('library.folders');
  union(
    'library.folders',
    found.folders.filter(path => !shared.some(folder => path.startsWith(`${folder}/`))),
  );
  union('bootstrap.caches', found.caches);
  return changes;
}

async function intoDaemon(client: Client, view: ConfigView, found: LeftBehind): Promise<Outcome> {
  const patch: Record<string, Record<string, unknown>> = {};
  for (const [key, value] of changesOf(view, found)) {
    const [section = '', name = ''] = key.split('.');
    patch[section] = { ...patch[section], [name]: value };
  }
  const plan = await client.changeConfig(patch);
  let refusedHosts = 0;
  for (let i = 0; i < found.hosts.length; i += BULK_MAX) {
    const operations = found.hosts
      .slice(i, i + BULK_MAX)
      .map(host => ({ operation: 'addHost', input: { address: formatEndpoint(host) } }));
    const { items } = await client.bulk({ operations });
    refusedHosts += items.filter(({ problem }) => problem !== undefined).length;
  }
  return { file: plan.file ?? '', restart: plan.restart, refusedHosts };
}

async function intoFiles(terminal: Terminal, flags: ImportFlags, found: LeftBehind): Promise<Outcome> {
  const { env, cwd } = terminal;
  const dataDir = await dataDirOf(flags, terminal);
  const resolved = await resolveSettings({ env, cwd, flags: { dataDir } });
  const file = resolved.file ?? join(dataDir, FILE_NAME);
  const { editSettings, readIfThere } = await import('../settings/file.ts');
  const { default: writeFileAtomic } = await import('write-file-atomic');
  const changes = changesOf(configView(resolved), found);
  const hostsFile = join(dataDir, HOSTS_FILE);
  if (found.hosts.length > 0)
    changes.set('bootstrap.hostsFiles', [...new Set([...resolved.settings.bootstrap.hostsFiles, hostsFile])]);
  let text = (await readIfThere(file)) ?? '';
  for (const [key, value] of changes) text = editSettings(text, file, key, value);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await mkdir(dirname(file), { recursive: true });
  if (found.hosts.length > 0) await writeFileAtomic(hostsFile, `${found.hosts.map(formatEndpoint).join('\n')}\n`);
  await writeFileAtomic(file, text);
  return { file, restart: false, refusedHosts: 0 };
}
