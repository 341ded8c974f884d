// Writes docs/configuration.md and conf/servent.example.yaml from the declaration.
import { stringify } from 'yaml';
import { pathSeparator } from './kinds.ts';
import { FILE_NAME } from './resolve.ts';
import type { Profile, Setting } from './setting.ts';
import { type SettingKey, settingsList, variableOf } from './settings.ts';

const PROFILES: readonly Profile[] = ['public', 'lan', 'local'];
const DATA_DIR = '<data dir>';
const CHANGES = { hot: 'at once', reconnect: 'for new connections', restart: 'needs a restart' };

interface Row {
  key: SettingKey;
  name: string;
  setting: Setting<unknown>;
}

/** Rows by section; the first section, with an empty name, has the top-level keys. */
function sections(): Map<string, Row[]> {
  const out = new Map<string, Row[]>();
  for (const { key, setting } of settingsList) {
    const [section = '', name] = key.split('.');
    const row = { key, name: name ?? section, setting };
    const title = name === undefined ? '' : section;
    out.set(title, [...(out.get(title) ?? []), row]);
  }
  return out;
}

function defaultOf(setting: Setting<unknown>, profile: Profile): unknown {
  return setting.defaultFor({ profile, dataDir: DATA_DIR });
}

function literal(value: unknown): string {
  if (Array.isArray(value) && value.length === 0) return 'none';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function defaultText(setting: Setting<unknown>): string {
  if (setting.defaultText !== undefined) return setting.defaultText;
  const [usual, lan, local] = PROFILES.map(profile => literal(defaultOf(setting, profile)));
  if (usual === lan && lan === local) return usual ?? '';
  const others = [lan === usual ? [] : [`${lan} in \`lan\``], local === usual ? [] : [`${local} in \`local\``]].flat();
  return `${usual} (${others.join(', ')})`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function separatorNote(setting: Setting<unknown>): string {
  if (setting.separator === undefined) return '';
  const name = setting.separator === pathSeparator ? '`:` (`;` on Windows)' : '`,`';
  return ` Several in the variable are separated by ${name}; repeat the flag for several.`;
}

/** docs/configuration.md */
export function configurationDocument(): string {
  const lines = [
    '# Configuration',
    '',
    '<!-- Generated from settings/settings.ts by `npm run docs`; edit that file. -->',
    '',
    'Each setting is a key of the configuration file, a flag of `servent start`, and an environment variable.',
    'Flags win over the environment, which wins over the file, which wins over the profile.',
    '`servent config show` prints every effective value and its source; `servent config check` checks the configuration without',
    'starting the daemon; `servent config set KEY VALUE` edits the file and keeps its comments.',
    '',
    `The file is YAML: \`${DATA_DIR}/${FILE_NAME}\` if it exists, or the one named by \`--config FILE\` or \`SERVENT_CONFIG\`.`,
    '[conf/servent.example.yaml](../conf/servent.example.yaml) has every key with its default. Paths in the file are relative to its folder;',
    'those in flags and variables to the working directory; `~` is the home folder.',
    '',
    '`PATCH /api/v1/config` edits the file of a running daemon and applies the changes; SIGHUP and `servent config reload` read the file again.',
    'Both return a plan: each changed key, and whether it takes effect at once, for new connections, or at the next start.',
    '',
    'A variable with the suffix `_FILE` names a file with the value. `SERVENT_TOKEN_FILE` names a file with the API',
    'token, for the daemon and for its clients. Under systemd the credential `api-token` (`LoadCredential=`) has the same effect, and any path may begin',
    'with `$CREDENTIALS_DIRECTORY/`. Such a token is not written to disk.',
    '',
    'With an unknown key or a wrong value the daemon does not start; the error names the key, the value, what is expected, and its source.',
    'An empty variable is ignored. Truth values in variables: `true`, `yes`, `on`, `1` and `false`, `no`, `off`, `0`.',
  ];
  for (const [section, rows] of sections()) {
    lines.push('', `## ${section === '' ? 'General' : section}`);
    for (const { key, setting } of rows) {
      lines.push(
        '',
        `### ${key}`,
        '',
        `${setting.doc}${separatorNote(setting)}`,
        '',
        '| default | expected | flag | variable | change |',
        '| --- | --- | --- | --- | --- |',
        `| ${[
          defaultText(setting),
          setting.expected,
          `\`${setting.flag}\``,
          `\`${variableOf(key)}\``,
          CHANGES[setting.change],
        ]
          .map(cell)
          .join(' | ')} |`,
      );
    }
  }
  lines.push(
    '',
    '## Finding a running daemon',
    '',
    '`--api URL` and `--token TOKEN`, or `SERVENT_API` and `SERVENT_TOKEN` or `SERVENT_TOKEN_FILE`; else the files of the data folder: `runtime.json` has the',
    'addresses, `api-token` the token.',
    '',
  );
  return lines.join('\n');
}

const COMMENT_WIDTH = 110;

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > COMMENT_WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** Writes conf/servent.example.yaml: all keys are commented out. */
export function exampleFile(): string {
  return settingsFile(new Map(), [
    'Configuration of the servent: every key with its default. Remove the "#" of a line to change it.',
    `Copy to ${DATA_DIR}/${FILE_NAME}, or name it with --config FILE; \`servent config check\` checks it.`,
    'Generated from settings/settings.ts by `npm run docs`.',
  ]);
}

/** Writes a configuration file with every key: those of `chosen` with their value, the others commented out with their default. */
export function settingsFile(chosen: ReadonlyMap<SettingKey, unknown>, head: readonly string[]): string {
  const lines = head.map(text => `# ${text}`);
  for (const [section, rows] of sections()) {
    const indent = section === '' ? '' : '  ';
    if (section !== '') lines.push('', `${section}:`);
    for (const [i, { key, name, setting }] of rows.entries()) {
      if (section === '' || i > 0) lines.push('');
      lines.push(...comment(`${setting.doc} Default: ${defaultText(setting)}.`, indent));
      const value = chosen.has(key) ? chosen.get(key) : exampleValue(name, setting);
      lines.push(
        ...stringify({ [name]: value }, { lineWidth: 0 })
          .trimEnd()
          .split('\n')
          .map(text => `${indent}${chosen.has(key) ? '' : '# '}${text}`),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Returns the default of the public profile, or an example where it depends on the machine. */
function exampleValue(name: string, setting: Setting<unknown>): unknown {
  if (name === 'dataDir') return '/var/lib/servent';
  if (name === 'folders') return ['/srv/files', '~/Public'];
  if (name === 'folder') return '~/Downloads';
  if (name === 'caches') return ['http://192.0.2.7/gwc/', 'uhc:192.0.2.7:6380'];
  if (name === 'hostsFiles') return ['~/.gtk-gnutella/ultras'];
  if (name === 'block') return ['198.51.100.0/24'];
  if (name === 'blockLists') return ['~/blocked.p2p'];
  if (name === 'hostNames') return ['nas.home'];
  if (name === 'corsOrigins') return ['https://dashboard.example'];
  if (name === 'tlsCert') return '/etc/servent/api.pem';
  if (name === 'tlsKey') return '/etc/servent/api-key.pem';
  if (name === 'connect') return ['192.0.2.7:6346'];
  if (name === 'userAgent') return 'servent';
  return defaultOf(setting, 'public');
}
