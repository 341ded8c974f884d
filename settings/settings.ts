// Every setting, declared once: types, file check, environment, flags, profiles, API and documentation all come from here.
import { join } from 'node:path';
import { version } from '../api/version.ts';
import { usualDataDir } from './data-dir.ts';
import { excludePattern } from './exclusion.ts';
import { hookList } from './hook-config.ts';
import {
  addressBlock,
  cacheAddress,
  file,
  fileOrNone,
  folder,
  headerText,
  hostAndPort,
  hostName,
  integer,
  type Kind,
  listenAddress,
  listOf,
  oneOf,
  pathSeparator,
  webOrigin,
  yesOrNo,
} from './kinds.ts';

export type Profile = 'local' | 'lan' | 'public';

/** Values that a default may depend on. */
export interface DefaultContext {
  profile: Profile;
  dataDir: string;
}

/** When a change takes effect: at once, for new connections, or at the next start. */
export type Change = 'hot' | 'reconnect' | 'restart';

export interface Setting<T> extends Kind<T> {
  /** Commander's notation; a list's flag may be given again and again. */
  readonly flag: string;
  readonly doc: string;
  readonly defaultFor: (context: DefaultContext) => T;
  /** The default in words, where its value would tell less or differ from machine to machine. */
  readonly defaultText?: string;
  readonly change: Change;
}

interface Meta<T> {
  flag: string;
  doc: string;
  /** One for all, or one for each profile. */
  default: NoInfer<T | Record<Profile, T> | ((context: DefaultContext) => T)>;
  defaultText?: string;
  /** `restart` unless said otherwise. */
  change?: Change;
}

function setting<T>(kind: Kind<T>, meta: Meta<T>): Setting<T> {
  const given = meta.default;
  let defaultFor: (context: DefaultContext) => T;
  if (typeof given === 'function') defaultFor = given as (context: DefaultContext) => T;
  else if (isPerProfile(given)) defaultFor = ({ profile }) => given[profile];
  else defaultFor = () => given;
  const { defaultText } = meta;
  return {
    ...kind,
    flag: meta.flag,
    doc: meta.doc,
    defaultFor,
    ...(defaultText === undefined ? {} : { defaultText }),
    change: meta.change ?? 'restart',
  };
}

function isPerProfile<T>(given: T | Record<Profile, T>): given is Record<Profile, T> {
  return typeof given === 'object' && given !== null && 'local' in given;
}

/** In the order of the documentation. */
export const declaration = {
  profile: setting<Profile>(oneOf('local', 'lan', 'public'), {
    flag: '--profile <name>',
    default: 'public',
    doc: '`local` never sends a packet outside loopback and puts no limit on connections from one address; `lan` stays inside private address ranges; `public` bootstraps from the real network and drops private addresses.',
  }),
  dataDir: setting(folder, {
    flag: '--data-dir <dir>',
    default: () => usualDataDir(),
    defaultText: "the platform's data folder, `servent` in it",
    doc: 'Where the servent keeps its state: database, API token, and by default shared files and downloads.',
  }),
  gnutella: {
    host: setting(listenAddress, {
      flag: '--host <addr>',
      default: { local: '127.0.0.1', lan: '0.0.0.0', public: '0.0.0.0' },
      doc: 'Address to listen on for Gnutella; `0.0.0.0` is all of IPv4, `::` all of IPv4 and IPv6.',
    }),
    port: setting(integer(0, 65535), {
      flag: '--port <n>',
      default: 6346,
      doc: 'Port to listen on for Gnutella. 0: any free port.',
    }),
    mode: setting(oneOf('auto', 'leaf', 'ultrapeer'), {
      flag: '--mode <mode>',
      default: 'auto',
      doc: 'What to be in the overlay: a `leaf` hangs on ultrapeers, an `ultrapeer` routes for others, `auto` decides by itself.',
    }),
    maxLeaves: setting(integer(0, 10_000), {
      flag: '--max-leaves <n>',
      change: 'hot',
      default: 200,
      doc: 'Most leaves to take on as an ultrapeer.',
    }),
    maxUltrapeers: setting(integer(0, 1_000), {
      flag: '--max-ultrapeers <n>',
      change: 'hot',
      default: 32,
      doc: 'Most ultrapeers to be connected to.',
    }),
    seek: setting(integer(0, 1_000), {
      flag: '--seek <n>',
      change: 'hot',
      default: { local: 0, lan: 8, public: 32 },
      doc: 'Ultrapeers to look for among the hosts heard of; a leaf looks for no more than 4. 0: stay with those of `connect`.',
    }),
    maxPerAddress: setting(integer(0, 10_000), {
      flag: '--max-per-address <n>',
      change: 'hot',
      default: { local: 0, lan: 16, public: 3 },
      doc: 'Most Gnutella connections from one address. 0: no limit.',
    }),
    // 200 are more than a deployed ultrapeer relays to one neighbour
    queriesPerSecond: setting(integer(0, 100_000), {
      flag: '--queries-per-second <n>',
      change: 'hot',
      default: { local: 0, lan: 200, public: 200 },
      doc: 'Most queries a second to take from one ultrapeer, after 10 s worth of them at once; duplicates do not count. Further ones are dropped (`query_too_soon`), and a link that sends little else is closed. 0: no limit.',
    }),
    // a person types slowly, and scripts of a leaf need no more
    leafQueriesPerSecond: setting(integer(0, 100_000), {
      flag: '--leaf-queries-per-second <n>',
      change: 'hot',
      default: { local: 0, lan: 1, public: 1 },
      doc: 'Most queries a second to take from one leaf, after 20 s worth of them at once. Outside `local` all leaves at one address may send 4 times as many together (`query_too_soon_of_address`). 0: no limit for either.',
    }),
    udp: setting(yesOrNo, {
      flag: '--no-udp',
      default: true,
      doc: 'Speak UDP on the same port number: pings, host lists, hits past the links, pushes.',
    }),
    reachable: setting(oneOf('auto', 'yes', 'no'), {
      flag: '--reachable <how>',
      change: 'hot',
      default: { local: 'yes', lan: 'yes', public: 'auto' },
      doc: 'Whether others can connect to us. `auto` finds out with the help of neighbours; `no` has files pushed.',
    }),
    outOfBand: setting(yesOrNo, {
      flag: '--no-out-of-band',
      change: 'hot',
      default: { local: false, lan: true, public: true },
      doc: 'Ask for hits of our searches by UDP, straight from who has them, when UDP reaches us.',
    }),
    connect: setting(listOf(hostAndPort, ','), {
      flag: '--connect <host[:port]>',
      change: 'hot',
      default: () => [],
      doc: 'Servents to connect to at the start and to stay connected to. A missing port is 6346.',
    }),
    block: setting(listOf(addressBlock, ','), {
      flag: '--block <address>',
      change: 'hot',
      default: () => [],
      doc: 'Addresses, or blocks of them as ADDRESS/BITS, to have nothing to do with.',
    }),
    blockLists: setting(listOf(file, pathSeparator), {
      flag: '--block-list <file>',
      change: 'hot',
      default: () => [],
      doc: 'Files of blocked addresses: a block a line, or the formats of PeerGuardian (P2P) and eMule (DAT); plain or packed with gzip.',
    }),
    deflate: setting(yesOrNo, {
      flag: '--no-deflate',
      change: 'reconnect',
      default: true,
      doc: 'Offer and accept compressed connections.',
    }),
    tls: setting(yesOrNo, {
      flag: '--no-tls',
      default: { local: false, lan: true, public: true },
      doc: 'Offer and accept encrypted connections. Nobody checks certificates: it keeps onlookers out, and proves nothing.',
    }),
    userAgent: setting(headerText, {
      flag: '--user-agent <text>',
      change: 'reconnect',
      default: () => `servent/${version}`,
      defaultText: '`servent/` and the version',
      doc: 'What to call ourselves to other servents.',
    }),
  },
  library: {
    folders: setting(listOf(folder, pathSeparator), {
      flag: '--share <dir>',
      change: 'hot',
      default: ({ dataDir }) => [join(dataDir, 'shared')],
      defaultText: '`shared` in the data folder',
      doc: 'Folders to share, with everything below them.',
    }),
    exclude: setting(listOf(excludePattern, ','), {
      flag: '--exclude <pattern>',
      change: 'hot',
      default: () => [],
      doc: 'gitignore patterns of files and folders to leave out of all shared folders; capitals do not matter, and a later pattern wins. Patterns of one folder come after these. Secrets are left out in any case.',
    }),
    watch: setting(yesOrNo, {
      flag: '--no-watch',
      change: 'hot',
      default: true,
      doc: 'Notice changes in shared folders within seconds. Off: only by the scans every 15 minutes, and by `servent rescan`.',
    }),
    hashSpeed: setting(integer(0, 1_000_000_000_000), {
      flag: '--hash-speed <n>',
      change: 'hot',
      default: 0,
      doc: 'Most bytes read per second for hashing. 0: no limit.',
    }),
  },
  downloads: {
    folder: setting(folder, {
      flag: '--download-dir <dir>',
      default: ({ dataDir }) => join(dataDir, 'downloads'),
      defaultText: '`downloads` in the data folder',
      doc: 'Where finished downloads go.',
    }),
    maxActive: setting(integer(1, 1_000), {
      flag: '--max-downloads <n>',
      change: 'hot',
      default: 4,
      doc: 'Downloads that run at the same time; the others wait.',
    }),
  },
  uploads: {
    slots: setting(integer(0, 10_000), {
      flag: '--upload-slots <n>',
      change: 'hot',
      default: 10,
      doc: 'Uploads that run at the same time. 0: upload nothing.',
    }),
    maxPerAddress: setting(integer(0, 10_000), {
      flag: '--uploads-per-address <n>',
      change: 'hot',
      default: { local: 0, lan: 4, public: 2 },
      doc: 'Uploads that run at the same time to one address. 0: no limit.',
    }),
    queue: setting(integer(0, 10_000), {
      flag: '--upload-queue <n>',
      change: 'hot',
      default: 50,
      doc: 'Requests that may wait for an upload slot; further ones are told to come back later.',
    }),
    speed: setting(integer(0, 100_000_000_000), {
      flag: '--upload-speed <bytes>',
      change: 'hot',
      default: 0,
      doc: 'Bytes a second that the line can send, told to others with every hit; it limits nothing. 0: the most that was measured.',
    }),
  },
  api: {
    host: setting(listenAddress, {
      flag: '--api-host <addr>',
      default: '127.0.0.1',
      doc: 'Address to listen on for the admin API. Callers still need the token.',
    }),
    port: setting(integer(0, 65535), {
      flag: '--api-port <n>',
      default: 8346,
      doc: 'Port to listen on for the admin API. 0: any free port.',
    }),
    socket: setting(yesOrNo, {
      flag: '--no-api-socket',
      default: true,
      doc: 'Answer on the Unix socket `api.sock` of the data folder too. Who may open that file, its owner, needs no token there.',
    }),
    web: setting(yesOrNo, {
      flag: '--no-web',
      change: 'hot',
      default: true,
      doc: 'Show a web page at the address of the admin API. It asks for the token.',
    }),
    hostNames: setting(listOf(hostName, ','), {
      flag: '--api-host-name <name>',
      default: () => [],
      doc: 'Names the admin API may be called by besides addresses and `localhost`: of a container, of a reverse proxy. Others are refused, so that no web page can pretend to be here.',
    }),
    corsOrigins: setting(listOf(webOrigin, ','), {
      flag: '--api-cors-origin <origin>',
      default: () => [],
      doc: 'Web pages of other origins that may call the admin API; they still need a token.',
    }),
    tlsCert: setting(fileOrNone, {
      flag: '--api-tls-cert <file>',
      default: '',
      defaultText: 'none',
      doc: 'Certificate chain (PEM) for HTTPS on the admin API; together with `api.tlsKey`.',
    }),
    tlsKey: setting(fileOrNone, {
      flag: '--api-tls-key <file>',
      default: '',
      defaultText: 'none',
      doc: 'Private key (PEM) of `api.tlsCert`.',
    }),
  },
  bootstrap: {
    enabled: setting(yesOrNo, {
      flag: '--no-bootstrap',
      default: { local: false, lan: false, public: true },
      doc: 'Ask well-known caches for first addresses when none are known. Those of `caches` are asked unless this is switched off by hand.',
    }),
    caches: setting(listOf(cacheAddress, ','), {
      flag: '--cache <address>',
      default: () => [],
      doc: 'Caches of your own to ask for first addresses: `http://HOST/PATH` of a GWebCache, `uhc:HOST:PORT` of a UDP host cache.',
    }),
    hostsFiles: setting(listOf(file, pathSeparator), {
      flag: '--hosts-file <file>',
      default: () => [],
      doc: 'Files with a HOST:PORT a line to know hosts from at the start; those of gtk-gnutella and LimeWire will do.',
    }),
  },
  queries: {
    privacy: setting(oneOf('off', 'counts', 'hashed', 'full'), {
      flag: '--query-privacy <what>',
      change: 'hot',
      default: 'full',
      doc: 'What to remember of the queries that pass: nothing, only numbers, words as hashes that change with each start, or everything. In memory only.',
    }),
  },
  hooks: setting(hookList, {
    flag: '--hooks <json>',
    change: 'hot',
    default: () => [],
    doc: 'Web addresses and commands that are told of events: a list of `name`, `topics` (of `peers`, `searches`, `downloads`, `uploads`, `library`, `status`), perhaps `types` such as `download.finished`, and either `url` with `secretFile` to sign with, or `command` as a list of words. Not to be changed through the API.',
  }),
  log: {
    level: setting(oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), {
      flag: '--log-level <level>',
      change: 'hot',
      default: 'info',
      doc: 'Least important messages to log.',
    }),
    format: setting(oneOf('auto', 'json', 'pretty'), {
      flag: '--log-format <format>',
      default: 'auto',
      doc: '`auto` is `pretty` on a terminal and `json` otherwise. Logs go to standard error.',
    }),
  },
} as const;

type ValuesOf<D> = D extends Setting<infer T> ? T : { readonly [K in keyof D]: ValuesOf<D[K]> };

/** What the rest of the daemon is given: every value present, checked and absolute. */
export type Settings = ValuesOf<typeof declaration>;

type KeysOf<D> = { [K in keyof D & string]: D[K] extends Setting<infer _> ? K : `${K}.${KeysOf<D[K]>}` }[keyof D &
  string];

/** `profile`, `gnutella.port` … */
export type SettingKey = KeysOf<typeof declaration>;

export interface Origin {
  kind: 'flag' | 'environment' | 'file' | 'profile' | 'default';
  /** The flag, the variable, the profile, or the file with line and column. */
  where: string | null;
}

export interface SettingSources {
  /** By key; texts are read like a variable's, a list's flag gives one item per text. */
  flags?: Partial<Record<SettingKey, unknown>>;
  /** `--config`. */
  configFile?: string;
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
}

/** Settings, and where each value comes from. */
export interface ResolvedSettings {
  settings: Settings;
  origins: Readonly<Record<SettingKey, Origin>>;
  /** The configuration file that was read. */
  file: string | null;
  /** Where all of it was looked for, to look there again. */
  sources: SettingSources;
  /** Worth a line in the log; nothing that stops a start. */
  warnings: readonly string[];
}

/** The declaration as a flat list. */
export const settingsList: readonly { key: SettingKey; setting: Setting<unknown> }[] = Object.entries(
  declaration,
).flatMap(([key, entry]) =>
  'check' in entry
    ? [{ key: key as SettingKey, setting: entry as Setting<unknown> }]
    : Object.entries(entry).map(([name, inner]) => ({
        key: `${key}.${name}` as SettingKey,
        setting: inner as Setting<unknown>,
      })),
);

/** `gnutella.maxLeaves` → `SERVENT_GNUTELLA_MAX_LEAVES`. */
export function variableOf(key: SettingKey): string {
  return `SERVENT_${key
    .replaceAll('.', '_')
    .replace(/[A-Z]/g, letter => `_${letter}`)
    .toUpperCase()}`;
}
