// Table of the endpoints, one row per operation. Routes, validation, client and docs/api.md are made from it.
import type { z } from 'zod';
import type { Answer, Control } from './control.ts';
import { dhtEndpoints } from './dht-endpoints.ts';
import { API, change, create, type Endpoint, get, listOf, remove } from './endpoint.ts';
import { natEndpoints } from './nat-endpoints.ts';
import { recordingEndpoints } from './recording-endpoints.ts';
import { savedEndpoints } from './saved-endpoints.ts';
import * as bans from './schemas/bans.ts';
import { byId, listQuery, pageOf } from './schemas/common.ts';
import * as explain from './schemas/explain.ts';
import * as hooks from './schemas/hooks.ts';
import * as keys from './schemas/keys.ts';
import * as library from './schemas/library.ts';
import * as limits from './schemas/limits.ts';
import * as monitor from './schemas/monitor.ts';
import * as overlay from './schemas/overlay.ts';
import * as searches from './schemas/searches.ts';
import * as service from './schemas/service.ts';
import * as transfers from './schemas/transfers.ts';

/** Endpoints that the HTTP layer answers itself. */
export type OwnName = 'openapi' | 'bulk' | 'caller';

export const endpoints = {
  status: get(`${API}/status`, {
    tag: 'status',
    doc: 'State of the servent: role, links, traffic, library.',
    output: overlay.status,
  }),

  peers: get(`${API}/peers`, {
    tag: 'peers',
    doc: 'Overlay connections.',
    ...listOf(overlay.peer),
  }),
  connect: create(`${API}/peers`, {
    tag: 'peers',
    doc: 'Connects to a servent and answers when the handshake is done.',
    body: overlay.connect,
    output: overlay.peer,
    problems: ['CONFLICT', 'UNREACHABLE', 'REFUSED', 'TOO_MANY'],
  }),
  disconnect: remove(`${API}/peers/:id`, {
    tag: 'peers',
    doc: 'Sends a Bye and closes the link.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  hosts: get(`${API}/hosts`, {
    tag: 'peers',
    doc: 'The host cache: addresses to connect to, best first.',
    ...listOf(overlay.host),
  }),
  addHost: create(`${API}/hosts`, {
    tag: 'peers',
    doc: 'Adds an address to the host cache.',
    body: overlay.addHost,
    output: overlay.host,
  }),
  removeHost: remove(`${API}/hosts/:id`, {
    tag: 'peers',
    doc: 'Removes an address from the host cache; its `id` is the address.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  ...dhtEndpoints,
  ...natEndpoints,
  ...recordingEndpoints,
  queries: get(`${API}/queries`, {
    tag: 'queries',
    doc: 'The latest queries received from neighbours, newest first.',
    ...listOf(overlay.query),
  }),
  queryStats: get(`${API}/queries/stats`, {
    tag: 'queries',
    doc: 'Counts of received queries by time, hops, TTL, word and neighbour.',
    query: monitor.statsQuery,
    output: monitor.queryStats,
  }),
  history: get(`${API}/history`, {
    tag: 'status',
    doc: 'Rates of the latest minute and hour since the start of the daemon, and of the latest day, month and year.',
    output: monitor.history,
  }),
  pastTransfers: get(`${API}/history/transfers`, {
    tag: 'history',
    doc: 'Finished uploads and downloads, newest first.',
    query: listQuery(transfers.pastTransfer).extend({
      direction: transfers.direction.optional().describe('only uploads, or only downloads'),
    }),
    output: pageOf(transfers.pastTransfer),
  }),
  pastSearches: get(`${API}/history/searches`, {
    tag: 'history',
    doc: 'Own searches that are over, newest first. Their results are not kept.',
    ...listOf(searches.pastSearch),
  }),
  totals: get(`${API}/history/totals`, {
    tag: 'history',
    doc: 'Bytes and numbers of all transfers since the data folder was made.',
    output: transfers.tally,
  }),
  addressTotals: get(`${API}/history/addresses`, {
    tag: 'history',
    doc: 'The same by address, the latest first; those of the last 10,000 addresses.',
    ...listOf(transfers.addressTally),
  }),
  fileTotals: get(`${API}/history/files`, {
    tag: 'history',
    doc: 'The same by content, the latest first; those of the last 10,000 contents.',
    ...listOf(transfers.fileTally),
  }),
  hooks: get(`${API}/hooks`, {
    tag: 'events',
    doc: 'Webhooks and commands with their position in the event log.',
    ...listOf(hooks.hook),
  }),
  deliveries: get(`${API}/hooks/:id/deliveries`, {
    tag: 'events',
    doc: 'The latest deliveries of a hook, newest first.',
    params: byId,
    ...listOf(hooks.delivery),
    problems: ['NOT_FOUND'],
  }),
  replay: change(`${API}/hooks/:id/replay`, {
    method: 'POST',
    tag: 'events',
    doc: 'Delivers kept events again.',
    params: byId,
    body: hooks.replay,
    output: hooks.hook,
    problems: ['NOT_FOUND'],
  }),

  startSearch: create(`${API}/searches`, {
    tag: 'searches',
    doc: 'Starts a search by words, by URN, or by browsing one servent.',
    body: searches.startSearch,
    output: searches.search,
    problems: ['TOO_MANY'],
  }),
  searches: get(`${API}/searches`, {
    tag: 'searches',
    doc: 'Searches of this servent, newest first.',
    ...listOf(searches.search),
  }),
  search: get(`${API}/searches/:id`, {
    tag: 'searches',
    doc: 'One search.',
    params: byId,
    output: searches.search,
    problems: ['NOT_FOUND'],
  }),
  removeSearch: remove(`${API}/searches/:id`, {
    tag: 'searches',
    doc: 'Stops a search and deletes its results.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  results: get(`${API}/searches/:id/results`, {
    tag: 'searches',
    doc: 'Results of a search, grouped by content, oldest first.',
    params: byId,
    query: listQuery(searches.result).extend({ spam: searches.spamShown.optional() }),
    output: pageOf(searches.result),
    problems: ['NOT_FOUND'],
  }),

  ...savedEndpoints,

  startDownload: create(`${API}/downloads`, {
    tag: 'downloads',
    doc: 'Queues a download of a search result, of several (`results`, `folder` or `filter`; their files go into one folder), a magnet link (its `xs` and `as` are sources), or a URN with sources, or those of a Metalink description. A content that is here or being fetched is not fetched again, unless `again` is set.',
    body: transfers.startDownload,
    output: transfers.startedDownload,
    problems: ['NOT_FOUND', 'CONFLICT', 'TOO_MANY'],
  }),
  downloads: get(`${API}/downloads`, {
    tag: 'downloads',
    doc: 'Downloads, in the order they were added.',
    ...listOf(transfers.download),
  }),
  download: get(`${API}/downloads/:id`, {
    tag: 'downloads',
    doc: 'One download.',
    params: byId,
    output: transfers.download,
    problems: ['NOT_FOUND'],
  }),
  downloadChunks: get(`${API}/downloads/:id/chunks`, {
    tag: 'downloads',
    doc: 'Which bytes of a download are missing, asked for, received and verified, and by whom.',
    params: byId,
    output: transfers.downloadChunks,
    problems: ['NOT_FOUND'],
  }),
  changeDownload: change(`${API}/downloads/:id`, {
    tag: 'downloads',
    doc: 'Pauses, resumes, renames or reorders a download.',
    params: byId,
    body: transfers.changeDownload,
    output: transfers.download,
    problems: ['NOT_FOUND', 'CONFLICT'],
  }),
  removeDownload: remove(`${API}/downloads/:id`, {
    tag: 'downloads',
    doc: 'Cancels a download and deletes its partial file; a completed file stays.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),

  verifyDownload: create(`${API}/downloads/:id/verify`, {
    tag: 'downloads',
    doc: 'Begins to look through the bytes of a download again, finished or not. What is wrong is fetched again.',
    params: byId,
    output: transfers.download,
    success: 202,
    problems: ['NOT_FOUND'],
  }),
  recoverDownloads: create(`${API}/downloads/recover`, {
    tag: 'downloads',
    doc: 'Makes downloads of partial files that have none, from the descriptions beside them. Nothing is deleted.',
    output: transfers.recoveredParts,
    success: 200,
    problems: ['STORAGE_FAILED'],
  }),
  clearDownloads: remove(`${API}/downloads`, {
    tag: 'downloads',
    doc: 'Forgets all downloads that are complete, or all that failed.',
    query: transfers.clearDownloads,
    output: transfers.clearedDownloads,
    success: 200,
  }),

  limits: get(`${API}/limits`, {
    tag: 'transfers',
    doc: 'Limits of bandwidth that hold now: value, origin, what is used; and the monthly budget.',
    output: limits.limits,
  }),
  uploads: get(`${API}/uploads`, {
    tag: 'uploads',
    doc: 'Running and queued uploads, also those that wait without a connection.',
    ...listOf(transfers.upload),
  }),
  bans: get(`${API}/bans`, {
    tag: 'uploads',
    doc: 'Addresses that are banned from uploads, newest first.',
    ...listOf(bans.ban),
  }),
  addBan: create(`${API}/bans`, {
    tag: 'uploads',
    doc: 'Bans an address from uploads and ends those that it has. Its links to other servents and its queries are not concerned.',
    body: bans.newBan,
    output: bans.ban,
    problems: ['TOO_MANY'],
  }),
  liftBan: remove(`${API}/bans/:id`, {
    tag: 'uploads',
    doc: 'Lifts a ban; its `id` is the address.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  cancelUpload: remove(`${API}/uploads/:id`, {
    tag: 'uploads',
    doc: 'Aborts an upload or removes it from the queue; one that waits without a connection is asked for by its queue id.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),

  files: get(`${API}/library/files`, {
    tag: 'library',
    doc: 'Shared files.',
    ...listOf(library.file),
  }),
  folders: get(`${API}/library/folders`, {
    tag: 'library',
    doc: 'Shared folders.',
    ...listOf(library.folder),
  }),
  shareFolder: create(`${API}/library/folders`, {
    tag: 'library',
    doc: 'Shares a folder of the machine the daemon runs on, with everything below it.',
    scope: 'admin',
    body: library.shareFolder,
    output: library.folder,
    problems: ['CONFLICT', 'TOO_MANY'],
  }),
  previewFolder: create(`${API}/library/preview`, {
    tag: 'library',
    doc: 'Preview of a shared folder: the files that would be shared, and those left out by rule.',
    scope: 'admin',
    success: 200,
    body: library.previewFolder,
    output: library.preview,
    problems: ['TOO_MANY'],
  }),
  changeFolder: change(`${API}/library/folders/:id`, {
    tag: 'library',
    doc: 'Changes what is left out of a shared folder and what strangers see of its place. What is left out now is gone at once.',
    scope: 'admin',
    params: byId,
    body: library.changeFolder,
    output: library.folder,
    problems: ['NOT_FOUND', 'CONFLICT'],
  }),
  unshareFolder: remove(`${API}/library/folders/:id`, {
    tag: 'library',
    doc: 'Stops sharing a folder; its files stay where they are.',
    scope: 'admin',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  rescan: create(`${API}/library/rescan`, {
    tag: 'library',
    doc: 'Scans the shared folders for changes.',
    success: 202,
    output: library.rescan,
  }),
  scrub: create(`${API}/library/scrub`, {
    tag: 'library',
    doc: 'Reads all shared files again in idle time, 4 MiB a second, to check that their content is that which was hashed. This happens by itself every 90 days. Folders with other content say so in `error`.',
    success: 202,
    output: library.scrub,
  }),
  rescanFolder: create(`${API}/library/folders/:id/rescan`, {
    tag: 'library',
    doc: 'Looks through one shared folder for what has changed.',
    success: 202,
    params: byId,
    output: library.folder,
    problems: ['NOT_FOUND'],
  }),
  hashing: get(`${API}/library/hashing`, {
    tag: 'library',
    doc: 'How far scanning and hashing have come.',
    output: library.hashing,
  }),
  cancelHashing: remove(`${API}/library/hashing`, {
    tag: 'library',
    doc: 'Ends scans and hashing until a rescan is asked for or the next start. What was hashed stays shared.',
  }),

  config: get(`${API}/config`, {
    tag: 'service',
    doc: 'The effective configuration, each value with its origin.',
    output: service.config,
  }),
  reloadConfig: create(`${API}/config/reload`, {
    tag: 'service',
    doc: 'Reads the configuration file and the block lists again, as SIGHUP does.',
    scope: 'admin',
    success: 200,
    output: service.configPlan,
  }),
  logLines: get(`${API}/log`, {
    tag: 'service',
    doc: 'The latest lines of the log, newest first. New lines are events of the topic `log`.',
    query: service.logQuery,
    output: pageOf(service.logLine),
  }),
  logLevels: get(`${API}/log/levels`, {
    tag: 'service',
    doc: 'Log levels: the general one and those of parts of the daemon.',
    output: service.logLevels,
  }),
  changeLogLevels: change(`${API}/log/levels`, {
    tag: 'service',
    doc: 'Sets log levels of parts (`mod` in the log) until the next start; null: the general level.',
    scope: 'admin',
    body: service.logLevelsPatch,
    output: service.logLevels,
  }),
  changeConfig: change(`${API}/config`, {
    tag: 'service',
    doc: 'Changes the configuration file by a JSON merge patch, keeps comments, and answers when each change takes effect.',
    scope: 'admin',
    query: service.changeConfigQuery,
    body: service.configPatch,
    output: service.configPlan,
    problems: ['STALE', 'CONFLICT'],
    ifMatch: 'config',
  }),
  bulk: change(`${API}/bulk`, {
    method: 'POST',
    tag: 'service',
    doc: 'Runs several operations in order and answers with the result of each.',
    scope: 'read',
    body: service.bulk,
    output: service.bulkAnswer,
  }),
  openapi: get(`${API}/openapi.json`, {
    tag: 'service',
    doc: 'This API as an OpenAPI 3.1 document.',
    output: service.openapi,
  }),
  caller: get(`${API}/caller`, {
    tag: 'keys',
    doc: 'Name and scopes of the key of this call.',
    output: keys.caller,
  }),
  keys: get(`${API}/keys`, {
    tag: 'keys',
    doc: 'The named keys, without their secrets.',
    scope: 'admin',
    ...listOf(keys.key),
  }),
  createKey: create(`${API}/keys`, {
    tag: 'keys',
    doc: 'Creates a key; only this answer has its secret.',
    scope: 'admin',
    body: keys.newKey,
    output: keys.keyWithSecret,
    problems: ['CONFLICT', 'TOO_MANY'],
  }),
  removeKey: remove(`${API}/keys/:id`, {
    tag: 'keys',
    doc: 'Revokes a key immediately.',
    scope: 'admin',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  explainSearch: get(`${API}/searches/:id/explanation`, {
    tag: 'explanations',
    doc: 'Explains the results of a search: tests with their values.',
    params: byId,
    output: explain.explanation,
    problems: ['NOT_FOUND'],
  }),
  explainDownload: get(`${API}/downloads/:id/explanation`, {
    tag: 'explanations',
    doc: 'Explains why a download waits or fails: tests with their values.',
    params: byId,
    output: explain.explanation,
    problems: ['NOT_FOUND'],
  }),
  explainPeer: get(`${API}/peers/:id/explanation`, {
    tag: 'explanations',
    doc: 'Query rate limits of a link, their origin, and the number of queries dropped.',
    params: byId,
    output: explain.explanation,
    problems: ['NOT_FOUND'],
  }),
  refusedPeers: get(`${API}/peers/refused`, {
    tag: 'explanations',
    doc: 'Failed handshakes: counts by reason, and the latest ones.',
    output: explain.refusedPeers,
  }),
  election: get(`${API}/election`, {
    tag: 'explanations',
    doc: 'Explains why this servent is a leaf or an ultrapeer.',
    output: explain.explanation,
  }),
  doctor: get(`${API}/doctor`, {
    tag: 'explanations',
    doc: 'Problems of configuration, network and disk, with remedies.',
    output: explain.doctor,
  }),
  live: get('/health/live', {
    tag: 'service',
    doc: 'Answers 200 while the process runs.',
    scope: 'open',
    output: service.live,
  }),
  ready: get('/health/ready', {
    tag: 'service',
    doc: 'Answers 200 when all parts listen and work, else 503, both with the state of each part.',
    scope: 'open',
    output: service.ready,
    statusFor: (output: z.output<typeof service.ready>) => (output.status === 'ok' ? 200 : 503),
  }),
} as const satisfies Record<keyof Control | OwnName, Endpoint>;

export type Endpoints = typeof endpoints;
export type EndpointName = keyof Endpoints;
export const endpointNames = Object.keys(endpoints) as EndpointName[];

type Read<S> = S extends z.ZodType ? z.output<S> : unknown;
type Written<S> = S extends z.ZodType ? z.input<S> : unknown;

/** Input of a Control method: path parameters, query and body in one object. */
export type InputOf<N extends EndpointName> = Read<Endpoints[N]['params']> &
  Read<Endpoints[N]['query']> &
  Read<Endpoints[N]['body']>;
/** Input of a client function. */
export type CallOf<N extends EndpointName> = Written<Endpoints[N]['params']> &
  Written<Endpoints[N]['query']> &
  Written<Endpoints[N]['body']>;
export type OutputOf<N extends EndpointName> = Endpoints[N]['output'] extends z.ZodType
  ? z.output<Endpoints[N]['output']>
  : undefined;

/** Control as derived from the table; an assignment checks that schemas and interface agree. */
export type Handlers = {
  [N in Exclude<EndpointName, OwnName>]: (
    input: InputOf<N>,
  ) => Endpoints[N]['output'] extends null ? unknown : Answer<OutputOf<N>>;
};
