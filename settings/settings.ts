// Declaration of all settings. Types, checks, environment, flags, profiles, API and documentation are derived from it.
import { join } from 'node:path';
import { version } from '../api/version.ts';
import { apiSettings } from './api-settings.ts';
import { categoryList } from './categories.ts';
import { usualDataDir } from './data-dir.ts';
import { excludePattern } from './exclusion.ts';
import { hookList } from './hook-config.ts';
import {
  addressBlock,
  cacheAddress,
  file,
  folder,
  headerText,
  hostAndPort,
  httpAddressOrNone,
  integer,
  listenAddress,
  listOf,
  oneOf,
  pathSeparator,
  yesOrNo,
} from './kinds.ts';
import { bindInterface, natSettings, proxySettings } from './reach-settings.ts';
import { resultFilter } from './result-filter.ts';
import { scheduleList } from './schedule.ts';
import { type Profile, type Setting, setting } from './setting.ts';
import { uploadGroupList } from './upload-groups.ts';

const RATE_MAX = 1_000_000_000_000;
/** A limit in bytes per second; 0: none. */
const rateLimit = (flag: string, of: string) =>
  setting(integer(0, RATE_MAX), {
    flag,
    change: 'hot',
    default: 0,
    doc: `${of}, in bytes per second. 0: no limit.`,
  });

/** All settings, in the order of the documentation. */
export const declaration = {
  profile: setting<Profile>(oneOf('local', 'lan', 'public'), {
    flag: '--profile <name>',
    default: 'public',
    doc: '`local` never sends a packet outside loopback and sets no limit on connections from one address; `lan` uses only private addresses; `public` bootstraps from the real network and drops private addresses.',
  }),
  dataDir: setting(folder, {
    flag: '--data-dir <dir>',
    default: () => usualDataDir(),
    defaultText: "`servent` in the platform's data folder",
    doc: 'Folder for the database, the API token and, by default, shared files and downloads.',
  }),
  gnutella: {
    host: setting(listenAddress, {
      flag: '--host <addr>',
      default: { local: '127.0.0.1', lan: '0.0.0.0', public: '0.0.0.0' },
      doc: 'Address to listen on for Gnutella; `0.0.0.0`: all IPv4 addresses; `::`: all IPv4 and IPv6 addresses.',
    }),
    port: setting(integer(0, 65535), {
      flag: '--port <n>',
      change: 'hot',
      default: 6346,
      doc: 'Port to listen on for Gnutella, TCP and UDP. 0: any free port. After a change the new port is opened, then the old one closed; connections stay.',
    }),
    interface: bindInterface,
    mode: setting(oneOf('auto', 'leaf', 'ultrapeer'), {
      flag: '--mode <mode>',
      default: 'auto',
      doc: 'Role in the overlay: a `leaf` connects to ultrapeers, an `ultrapeer` routes for others, `auto` chooses.',
    }),
    maxLeaves: setting(integer(0, 10_000), {
      flag: '--max-leaves <n>',
      change: 'hot',
      default: 200,
      doc: 'Maximum number of leaves as an ultrapeer.',
    }),
    maxUltrapeers: setting(integer(0, 1_000), {
      flag: '--max-ultrapeers <n>',
      change: 'hot',
      default: 32,
      doc: 'Maximum number of links to ultrapeers. Leaves of the public network refuse an ultrapeer with less than 16.',
    }),
    seek: setting(integer(0, 1_000), {
      flag: '--seek <n>',
      change: 'hot',
      default: { local: 0, lan: 8, public: 32 },
      doc: 'Number of links to known ultrapeers to keep; at most 4 for a leaf. 0: only those of `connect`.',
    }),
    maxPerAddress: setting(integer(0, 10_000), {
      flag: '--max-per-address <n>',
      change: 'hot',
      default: { local: 0, lan: 16, public: 3 },
      doc: 'Maximum number of Gnutella connections from one address. 0: no limit.',
    }),
    // more than a deployed ultrapeer sends to one neighbour
    queriesPerSecond: setting(integer(0, 100_000), {
      flag: '--queries-per-second <n>',
      change: 'hot',
      default: { local: 0, lan: 200, public: 200 },
      doc: 'Maximum rate of queries from one ultrapeer, per second, with bursts of 10 s worth; duplicates do not count. Further queries are dropped (`query_too_soon`), and a link that sends mostly such queries is closed. 0: no limit.',
    }),
    // enough for a user and for scripts
    leafQueriesPerSecond: setting(integer(0, 100_000), {
      flag: '--leaf-queries-per-second <n>',
      change: 'hot',
      default: { local: 0, lan: 1, public: 1 },
      doc: 'Maximum rate of queries from one leaf, per second, with bursts of 20 s worth. Outside `local` all leaves at one address together may send 4 times as many (`query_too_soon_of_address`). 0: no limit for either.',
    }),
    udp: setting(yesOrNo, {
      flag: '--no-udp',
      default: true,
      doc: 'Use UDP on the same port number for pings, host lists, out-of-band hits and pushes.',
    }),
    reachable: setting(oneOf('auto', 'yes', 'no'), {
      flag: '--reachable <how>',
      change: 'hot',
      default: { local: 'yes', lan: 'yes', public: 'auto' },
      doc: 'Whether others can connect to this servent. `auto` tests it with the help of neighbours; with `no` others send pushes.',
    }),
    outOfBand: setting(yesOrNo, {
      flag: '--no-out-of-band',
      change: 'hot',
      default: { local: false, lan: true, public: true },
      doc: 'Request hits of own searches directly by UDP when UDP reaches this servent.',
    }),
    connect: setting(listOf(hostAndPort, ','), {
      flag: '--connect <host[:port]>',
      change: 'hot',
      default: () => [],
      doc: 'Servents to connect to at the start and to stay connected to. Default port: 6346.',
    }),
    block: setting(listOf(addressBlock, ','), {
      flag: '--block <address>',
      change: 'hot',
      default: () => [],
      doc: 'Addresses, or blocks as ADDRESS/BITS, with which no traffic is exchanged.',
    }),
    blockLists: setting(listOf(file, pathSeparator), {
      flag: '--block-list <file>',
      change: 'hot',
      default: () => [],
      doc: 'Files of blocked addresses: one block per line, or in the formats of PeerGuardian (P2P) and eMule (DAT); plain or gzip.',
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
      doc: 'Offer and accept TLS connections. Certificates are not checked: this prevents passive eavesdropping but authenticates no one.',
    }),
    userAgent: setting(headerText, {
      flag: '--user-agent <text>',
      change: 'reconnect',
      default: () => `servent/${version}`,
      defaultText: '`servent/` and the version',
      doc: 'User agent sent to other servents.',
    }),
  },
  dht: {
    mode: setting(oneOf('off', 'auto', 'passive', 'active'), {
      flag: '--dht <mode>',
      change: 'hot',
      default: 'auto',
      doc: 'Whether this servent is a node of the DHT (Mojito), which needs UDP. `passive`: it asks others and answers nobody. `active`: it answers requests from the start, unless datagrams are known not to reach it. `auto`: it is active once datagrams are known to reach it and it has been up for an hour (`lan`: a minute, `local`: at once), and passive before.',
    }),
  },
  nat: natSettings,
  proxy: proxySettings,
  library: {
    folders: setting(listOf(folder, pathSeparator), {
      flag: '--share <dir>',
      change: 'hot',
      default: ({ dataDir }) => [join(dataDir, 'shared')],
      defaultText: '`shared` in the data folder',
      doc: 'Folders to share, with all subfolders.',
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
      doc: 'Folder for finished downloads.',
    }),
    maxActive: setting(integer(1, 1_000), {
      flag: '--max-downloads <n>',
      change: 'hot',
      default: 4,
      doc: 'Maximum number of running downloads; further ones wait.',
    }),
    reserve: setting(integer(0, Number.MAX_SAFE_INTEGER), {
      flag: '--download-reserve <bytes>',
      change: 'hot',
      default: 2 ** 30,
      doc: 'Bytes that downloads leave free on a volume. With less free, downloads to it pause and say so, and go on by themselves when there is room again.',
    }),
    categories: setting(categoryList, {
      flag: '--download-categories <json>',
      change: 'hot',
      default: () => [],
      doc: 'Downloads of one kind: a list of `name`, and any of `folder` of the finished files, `maxActive`, `limit` (bytes per second of the category, 0: no limit), `rules` (a download that fits one belongs to the category by itself: `names` with `*`, `extensions`, `types`, `minSize`, `maxSize`; all conditions of a rule have to be met, and the first category that fits holds), `share` (its folder is shared) and `nameTemplate` (fields {name}, {stem}, {ext}, {type}, {category}, {artist}, {title}; the last two are read from names such as `Artist - Title.mp3`; a field that is not known leaves the name as it is).',
    }),
  },
  uploads: {
    slots: setting(integer(0, 10_000), {
      flag: '--upload-slots <n>',
      change: 'hot',
      default: 10,
      doc: 'Maximum number of running uploads. 0: no uploads.',
    }),
    maxPerAddress: setting(integer(0, 10_000), {
      flag: '--uploads-per-address <n>',
      change: 'hot',
      default: { local: 0, lan: 4, public: 2 },
      doc: 'Maximum number of running uploads to one address. 0: no limit.',
    }),
    queue: setting(integer(0, 10_000), {
      flag: '--upload-queue <n>',
      change: 'hot',
      default: 50,
      doc: 'Maximum number of requests that wait for an upload slot; further ones get the answer busy.',
    }),
    groups: setting(uploadGroupList, {
      flag: '--upload-groups <json>',
      change: 'hot',
      default: () => [],
      doc: 'Slots of their own for some clients, besides `uploads.slots`: a list of `name`, `slots`, and at least one of `addresses` (IP addresses and ADDRESS/BITS), `agents` (patterns of the User-Agent with `*`, which any client can pretend) and `gave` (bytes that an address has given us, at least); optionally `maxPerAddress` and `limit` (bytes per second of the group, 0: no limit). All conditions of an entry have to be met, and the first entry that fits holds; who fits none has the common slots.',
    }),
    credit: setting(yesOrNo, {
      flag: '--upload-credit',
      change: 'hot',
      default: false,
      doc: 'An address that has given us bytes moves up in the upload queue: by a minute for each 100 MB, at most by ten minutes.',
    }),
    neverBan: setting(listOf(addressBlock, ','), {
      flag: '--never-ban <address>',
      change: 'hot',
      default: () => ['127.0.0.0/8', '::1'],
      defaultText: 'this machine: `127.0.0.0/8` and `::1`',
      doc: 'Addresses, or blocks as ADDRESS/BITS, that are not banned from uploads for what they do there. By hand they can be. Profile `local` bans nobody by itself.',
    }),
    speed: setting(integer(0, 100_000_000_000), {
      flag: '--upload-speed <bytes>',
      change: 'hot',
      default: 0,
      doc: 'Upstream capacity in bytes per second, sent with every hit; not a limit. 0: the highest measured rate.',
    }),
  },
  limits: {
    upload: rateLimit('--limit-upload <n>', 'Most that all uploads together send'),
    download: rateLimit('--limit-download <n>', 'Most that all downloads together receive'),
    overlay: rateLimit(
      '--limit-overlay <n>',
      'Most that is sent on Gnutella connections; pings that keep them up, routing tables and other control messages are sent in any case and count',
    ),
    udp: rateLimit(
      '--limit-udp <n>',
      'Most that is sent in datagrams; what waits longer than 3 s is dropped, pings first',
    ),
    out: rateLimit('--limit-out <n>', 'Most that is sent, by all of these together'),
    in: rateLimit('--limit-in <n>', 'Most that downloads receive, as `limits.download`'),
    total: rateLimit('--limit-total <n>', 'Most of both directions together'),
    slot: rateLimit('--limit-slot <n>', 'Most that one upload sends'),
    schedule: setting(scheduleList, {
      flag: '--limits-schedule <json>',
      change: 'hot',
      default: () => [],
      doc: 'A weekly timetable in local time: entries with `days` (`daily`, `weekdays`, `weekend`, or a list of `mon` to `sun` on which it begins), `from`, `to` (of the next day if it is not after `from`) and limits `upload`, `download`, `overlay` in bytes per second, 0: no limit, which hold in place of those above. The first entry that fits holds.',
    }),
    monthlyBytes: setting(integer(0, Number.MAX_SAFE_INTEGER), {
      flag: '--monthly-bytes <n>',
      change: 'hot',
      default: 0,
      doc: 'Most bytes of a calendar month, sent and received together. From nine tenths on what is left is spread over the rest of the month; once it is used up uploads and downloads stop until the next month and the servent is a leaf. 0: no budget.',
    }),
  },
  api: apiSettings,
  bootstrap: {
    enabled: setting(yesOrNo, {
      flag: '--no-bootstrap',
      default: { local: false, lan: false, public: true },
      doc: 'Request first addresses from well-known caches when none are known. Those of `caches` are used unless this is explicitly off.',
    }),
    caches: setting(listOf(cacheAddress, ','), {
      flag: '--cache <address>',
      default: () => [],
      doc: 'Additional caches for first addresses: `http://HOST/PATH` of a GWebCache, `uhc:HOST:PORT` of a UDP host cache.',
    }),
    hostsFiles: setting(listOf(file, pathSeparator), {
      flag: '--hosts-file <file>',
      default: () => [],
      doc: 'Files with one HOST:PORT per line to load hosts from at the start; those of gtk-gnutella and LimeWire work.',
    }),
  },
  queries: {
    privacy: setting(oneOf('off', 'counts', 'hashed', 'full'), {
      flag: '--query-privacy <what>',
      change: 'hot',
      default: 'full',
      doc: 'Data of received queries to store in memory: nothing, only counts, words as hashes with a salt of this start, or everything.',
    }),
  },
  recording: {
    mode: setting(oneOf('off', 'files', 'clickhouse'), {
      flag: '--recording-mode <mode>',
      default: 'off',
      doc: 'Record queries, hits, pongs, connections and roles for `servent analyse`: `files` in `recording.folder`, or sent to the ClickHouse server at `recording.url`. What is recorded of queries follows `queries.privacy`.',
    }),
    folder: setting(folder, {
      flag: '--recording-folder <dir>',
      default: ({ dataDir }) => join(dataDir, 'recordings'),
      defaultText: '`recordings` in the data folder',
      doc: 'Folder for recordings, and for rows that ClickHouse has not acknowledged yet.',
    }),
    url: setting(httpAddressOrNone, {
      flag: '--recording-url <url>',
      default: '',
      defaultText: 'none',
      doc: 'ClickHouse server for mode `clickhouse`: `http://HOST:8123`, with `USER:PASSWORD@` before the host and `/DATABASE` after it if need be (default database: `servent`). A server that is one shard of several gets its rows directly.',
    }),
    maxBytes: setting(integer(2 ** 20, Number.MAX_SAFE_INTEGER), {
      flag: '--recording-max-bytes <n>',
      change: 'hot',
      default: 2 ** 30,
      doc: 'Most bytes of recordings on the disk; the oldest segments are removed.',
    }),
  },
  searches: {
    spam: setting(resultFilter, {
      flag: '--spam-filter <expression>',
      change: 'hot',
      default: 'spam>0',
      doc: 'Filter of search results that are hidden: they are counted, and shown when they are asked for. `spam` has the reasons why a result looks like spam or a fake; `spam.reason in (known_bad, disguised)` hides less, `spam>0 or name~"word"` more. Saved searches neither tell nor fetch what is hidden. Empty: nothing is hidden.',
    }),
  },
  history: {
    transfers: setting(integer(0, 100_000), {
      flag: '--history-transfers <n>',
      change: 'hot',
      default: 10_000,
      doc: 'Maximum number of finished transfers to keep; the oldest go first. Each takes about 400 bytes of memory. 0: none.',
    }),
    searches: setting(integer(0, 100_000), {
      flag: '--history-searches <n>',
      change: 'hot',
      default: 1_000,
      doc: 'Maximum number of own searches to keep, with their words. 0: none.',
    }),
    days: setting(integer(1, 36_500), {
      flag: '--history-days <n>',
      change: 'hot',
      default: 365,
      doc: 'Number of days to keep finished transfers and searches.',
    }),
  },
  hooks: setting(hookList, {
    flag: '--hooks <json>',
    change: 'hot',
    default: () => [],
    doc: 'URLs and commands that get events: a list of `name`, `topics` (of `peers`, `searches`, `downloads`, `uploads`, `library`, `status`), optionally `types` such as `download.finished`, and either `url` with `secretFile` to sign with, or `command` as a list of words. Cannot be changed through the API.',
  }),
  log: {
    level: setting(oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), {
      flag: '--log-level <level>',
      change: 'hot',
      default: 'info',
      doc: 'Lowest level of messages to log.',
    }),
    format: setting(oneOf('auto', 'json', 'pretty'), {
      flag: '--log-format <format>',
      default: 'auto',
      doc: '`auto` is `pretty` on a terminal and `json` otherwise. Logs go to standard error.',
    }),
  },
} as const;

type ValuesOf<D> = D extends Setting<infer T> ? T : { readonly [K in keyof D]: ValuesOf<D[K]> };

/** Complete, checked settings with absolute paths. */
export type Settings = ValuesOf<typeof declaration>;

type KeysOf<D> = { [K in keyof D & string]: D[K] extends Setting<infer _> ? K : `${K}.${KeysOf<D[K]>}` }[keyof D &
  string];

/** `profile`, `gnutella.port` … */
export type SettingKey = KeysOf<typeof declaration>;

export interface Origin {
  kind: 'flag' | 'environment' | 'file' | 'profile' | 'default';
  /** Flag, variable, profile, or file with line and column. */
  where: string | null;
}

export interface SettingSources {
  /** Flags by key; texts are parsed like variables, a list has one text per item. */
  flags?: Partial<Record<SettingKey, unknown>>;
  /** `--config`. */
  configFile?: string;
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
}

/** Settings with the source of each value. */
export interface ResolvedSettings {
  settings: Settings;
  origins: Readonly<Record<SettingKey, Origin>>;
  /** The configuration file that was read. */
  file: string | null;
  /** Sources, for reading them again. */
  sources: SettingSources;
  /** Messages for the log. */
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
