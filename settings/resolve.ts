// Resolves settings: flags override environment variables, which override the file, which overrides the profile.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Fault, nearest, SettingsError, wrongValue } from './faults.ts';
import type { FileValues } from './file.ts';
import { folderRefusal } from './folder-refusal.ts';
import type { DefaultContext, Setting } from './setting.ts';
import {
  declaration,
  type Origin,
  type ResolvedSettings,
  type SettingKey,
  type SettingSources,
  type Settings,
  settingsList,
  variableOf,
} from './settings.ts';

/** Default configuration file, in the data folder. */
export const FILE_NAME = 'servent.yaml';

interface Found {
  value: unknown;
  origin: Origin;
}

export type { SettingSources } from './settings.ts';

/** Configuration file that is not written yet. */
export interface Draft {
  file: string;
  text: string;
}

/** Resolves and checks all settings. Throws SettingsError with all faults. */
export async function resolveSettings(sources: SettingSources = {}, draft?: Draft): Promise<ResolvedSettings> {
  const { flags = {}, env = process.env, cwd = process.cwd() } = sources;
  const faults: Fault[] = [];

  const spoken = (key: SettingKey, setting: Setting<unknown>, into: Fault[]): Found | null =>
    fromFlag(key, setting, flags[key], cwd, into) ?? fromVariable(key, setting, env, cwd, into);

  // The file may be in the data folder and may set it; only a flag or variable decides where the file is read.
  const namedFile = sources.configFile ?? (env['SERVENT_CONFIG'] || undefined);
  const dataDirGiven = spoken('dataDir', declaration.dataDir, [])?.value as string | undefined;
  const found = namedFile !== undefined ? resolve(cwd, namedFile) : ifThere(usualFile(dataDirGiven));
  const file = draft?.file ?? found;
  let fileValues: FileValues = new Map();
  if (file !== null) {
    const { parseSettings, readSettingsFile } = await import('./file.ts');
    try {
      fileValues = draft === undefined ? await readSettingsFile(file) : parseSettings(draft.text, file);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      faults.push(...error.faults);
    }
  }

  const context: DefaultContext = { profile: 'public', dataDir: '' };
  const values: Record<string, unknown> = {};
  const origins: Partial<Record<SettingKey, Origin>> = {};
  for (const { key, setting } of settingsList) {
    const { value, origin } =
      spoken(key, setting, faults) ?? fromFile(key, setting, fileValues, file) ?? fromProfile(setting, context);
    origins[key] = origin;
    place(values, key, value);
    // Profile and data folder are first in the list: other defaults depend on them.
    if (key === 'profile') context.profile = value as DefaultContext['profile'];
    if (key === 'dataDir') context.dataDir = value as string;
  }
  const settings = values as Settings;
  if (faults.length === 0) faults.push(...(await conflicts(settings, origins)));
  if (faults.length > 0) throw new SettingsError(faults);
  return {
    settings,
    origins: origins as Record<SettingKey, Origin>,
    file,
    sources,
    warnings: strayVariables(env),
  };
}

function usualFile(dataDir = declaration.dataDir.defaultFor({ profile: 'public', dataDir: '' })): string {
  return join(dataDir, FILE_NAME);
}

const ifThere = (file: string): string | null => (existsSync(file) ? file : null);

function fromFlag(
  key: SettingKey,
  setting: Setting<unknown>,
  given: unknown,
  cwd: string,
  faults: Fault[],
): Found | null {
  if (given === undefined) return null;
  const where = `flag ${flagName(setting)}`;
  // Each use of a list's flag is one item, not split: a path may contain the separator.
  const value = typeof given === 'string' ? setting.fromText(given) : given;
  return checked(key, setting, value, { kind: 'flag', where: flagName(setting) }, where, cwd, faults);
}

function fromVariable(
  key: SettingKey,
  setting: Setting<unknown>,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  faults: Fault[],
): Found | null {
  const plain = variableOf(key);
  // An empty variable is ignored, as Compose files and units use it.
  const name = env[plain] ? plain : `${plain}${FILE_SUFFIX}`;
  let text = env[name];
  if (text === undefined || text === '') return null;
  if (name !== plain) {
    const path = resolve(cwd, text);
    try {
      text = readFileSync(path, 'utf8').trim();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      faults.push({ key, text: `${key}: cannot read the file that ${name} names: ${why}` });
      return null;
    }
  }
  const origin: Origin = { kind: 'environment', where: name };
  return checked(key, setting, setting.fromText(text), origin, `environment ${name}`, cwd, faults, text);
}

function checked(
  key: SettingKey,
  setting: Setting<unknown>,
  value: unknown,
  origin: Origin,
  where: string,
  folder: string,
  faults: Fault[],
  asGiven: unknown = value,
): Found | null {
  const result = setting.check(value);
  if (!result.ok) {
    const wrong = result.item !== null && Array.isArray(value) ? value[result.item] : asGiven;
    faults.push(wrongValue(key, result.expected ?? setting.expected, wrong, where, origin.kind === 'flag'));
    return null;
  }
  return { value: setting.within === undefined ? result.value : setting.within(result.value, folder), origin };
}

function fromFile(key: SettingKey, setting: Setting<unknown>, values: FileValues, file: string | null): Found | null {
  const found = values.get(key);
  if (found === undefined || file === null) return null;
  const value = setting.within === undefined ? found.value : setting.within(found.value, join(file, '..'));
  return { value, origin: { kind: 'file', where: found.where } };
}

function fromProfile(setting: Setting<unknown>, context: DefaultContext): Found {
  const value = setting.defaultFor(context);
  const sameEverywhere = (['local', 'lan', 'public'] as const).every(
    profile => JSON.stringify(setting.defaultFor({ ...context, profile })) === JSON.stringify(value),
  );
  const origin: Origin = sameEverywhere
    ? { kind: 'default', where: null }
    : { kind: 'profile', where: context.profile };
  return { value, origin };
}

/** Returns the flag without placeholder: `--port`. */
export function flagName(setting: Setting<unknown>): string {
  return setting.flag.split(' ')[0] ?? setting.flag;
}

function place(values: Record<string, unknown>, key: SettingKey, value: unknown): void {
  const [section = '', name] = key.split('.');
  if (name === undefined) values[section] = value;
  else {
    const inner = values[section] as Record<string, unknown> | undefined;
    values[section] = { ...inner, [name]: value };
  }
}

/** Reports values that conflict with each other. */
async function conflicts(settings: Settings, origins: Partial<Record<SettingKey, Origin>>): Promise<Fault[]> {
  const { profile, gnutella, api, dataDir } = settings;
  const faults: Fault[] = [];
  const conflict = (key: SettingKey, expected: string, value: unknown): void => {
    const origin = origins[key];
    faults.push(wrongValue(key, expected, value, origin?.where ?? 'default', origin?.kind === 'flag'));
  };
  if (profile === 'local' && !/^(127\.|::1$)/.test(gnutella.host)) {
    const expected = 'a loopback address in the profile `local` (or choose `--profile lan`)';
    conflict('gnutella.host', expected, gnutella.host);
  }
  if (gnutella.port !== 0 && gnutella.port === api.port) {
    conflict('gnutella.port', 'another port than api.port', gnutella.port);
  }
  if ((api.tlsCert === '') !== (api.tlsKey === '')) {
    const [given, missing] = api.tlsKey === '' ? (['tlsCert', 'tlsKey'] as const) : (['tlsKey', 'tlsCert'] as const);
    conflict(`api.${given}`, `api.${missing} as well`, api[given]);
  }
  const { mode, url: database } = settings.recording;
  if (mode === 'clickhouse' && database === '')
    conflict('recording.url', 'the address of the ClickHouse server for `recording.mode` `clickhouse`', database);
  if (profile === 'local' && mode === 'clickhouse' && database !== '' && !isLoopback(database))
    conflict('recording.url', 'a loopback address in the profile `local`', database);
  const own = settings.library.folders.find(folder => realOrSame(folder) === realOrSame(dataDir));
  if (own !== undefined) {
    const expected = `folders other than the data folder, which has the token and the keys (its subfolder \`shared\` is allowed)`;
    conflict('library.folders', expected, own);
  }
  for (const folder of settings.library.folders) {
    // What lies in it may change between two starts: the library says so, and shares nothing of it.
    const refusal = await folderRefusal(folder, { signs: false });
    if (refusal !== null) conflict('library.folders', `folders that may be shared (${refusal})`, folder);
  }
  for (const { name, url } of profile === 'local' ? settings.hooks : []) {
    if (url === undefined || isLoopback(url)) continue;
    const expected = 'a loopback address in the profile `local` (or choose `--profile lan`)';
    conflict('hooks', `${expected} for ${name}`, url);
  }
  return faults;
}

const isLoopback = (url: string): boolean => /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname);

/** Returns the real path, or the path itself when it does not exist. */
function realOrSame(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path); // does not exist yet
  }
}

/** `SERVENT_API_HOST_FILE` names a file with the value, as orchestrators pass secrets. */
const FILE_SUFFIX = '_FILE';

/** Variables that are not settings. */
const OTHER_VARIABLES = ['SERVENT_CONFIG', 'SERVENT_API', 'SERVENT_TOKEN', 'SERVENT_TOKEN_FILE'];

/** Warns of misspelt variables. Only near misses: container platforms define names that begin with SERVENT_. */
function strayVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const variables = settingsList.map(({ key }) => variableOf(key));
  const known = new Set([...variables, ...variables.map(name => `${name}${FILE_SUFFIX}`), ...OTHER_VARIABLES]);
  return Object.keys(env).flatMap(name => {
    if (!name.startsWith('SERVENT_') || known.has(name)) return [];
    const near = nearest(name, known);
    return near === null ? [] : [`the variable ${name} is unknown and ignored; did you mean ${near}?`];
  });
}
