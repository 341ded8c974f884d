// State of the dashboard as plain data; only `update.ts` makes a new state.

import type {
  CallerView,
  ConfigView,
  DownloadChunksView,
  DownloadView,
  FileView,
  FolderView,
  HostView,
  LogLineView,
  PastTransferView,
  PeerView,
  QueryStatsView,
  QueryView,
  ResultView,
  SearchView,
  StatusView,
  UploadView,
} from '../api/control.ts';
import type { EndpointName } from '../api/endpoints.ts';
import type { EventGap, ServentEvent } from '../api/events.ts';
import { type Live, nothingSkipped } from '../api/live/reducer.ts';
import type { FleetRow } from './fleet.ts';
import { type History, noHistory } from './history.ts';
import type { ItemAnswer, Pane } from './pane.ts';
import type { Range } from './range.ts';
import type { Remembered } from './remembered.ts';

export const VIEW_IDS = [
  'overview',
  'peers',
  'queries',
  'searches',
  'downloads',
  'uploads',
  'library',
  'hosts',
  'log',
  'config',
] as const;
export type ViewId = (typeof VIEW_IDS)[number];

/** A list; a view has at most two, where the second shows the row of the first or is below it. */
export type ListId = Exclude<ViewId, 'overview' | 'library'> | 'results' | 'past' | 'folders' | 'files';

/** Most received queries kept, newest first. */
export const QUERIES_MAX = 5000;
export const LOG_MAX = 2000;
export const RESULTS_MAX = 10_000;
export const HISTORY_LINES_MAX = 100;

export type PeerRow = PeerView & { readonly rateIn: number; readonly rateOut: number };

export interface LogLine {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly from: string;
  readonly text: string;
  /** Identifies a line of the daemon's log; absent for lines of the dashboard. */
  readonly told?: string;
}

/** State of one daemon. */
export interface World extends Live {
  readonly peers: readonly PeerRow[];
  /** Queries per second, from the last two polls. */
  readonly queryRate: number;
  readonly stats: QueryStatsView | null;
  /** The key in use and its permissions. */
  readonly caller: CallerView | null;
  /** Lists of which only a part is loaded. */
  readonly partial: ReadonlySet<ListId>;
  /** Chunks of the download `chunksOf`. */
  readonly chunks: DownloadChunksView | null;
  readonly chunksOf: string | null;
  /** Finished transfers, newest first. */
  readonly past: readonly PastTransferView[];
  readonly files: readonly FileView[];
  readonly hosts: readonly HostView[];
  readonly config: ConfigView | null;
  readonly log: readonly LogLine[];
  readonly history: History;
  /** Time of the last peer list, for rates. */
  readonly peersAt: number;
  readonly queriesAt: number;
  readonly statusAt: number;
}

export const emptyWorld: World = {
  status: null,
  peers: [],
  queries: [],
  queryRate: 0,
  skipped: nothingSkipped,
  stats: null,
  caller: null,
  partial: new Set(),
  searches: [],
  results: [],
  resultsOf: null,
  downloads: [],
  uploads: [],
  chunks: null,
  chunksOf: null,
  past: [],
  folders: [],
  files: [],
  hosts: [],
  config: null,
  log: [],
  history: noHistory,
  peersAt: 0,
  queriesAt: 0,
  statusAt: 0,
};

export type DaemonConnection =
  | { readonly state: 'connecting' }
  | { readonly state: 'up' }
  /** `retryAt` in milliseconds since 1970. */
  | { readonly state: 'lost'; readonly reason: string; readonly since: number; readonly retryAt: number };

/** A daemon and the connection to it. */
export interface Context {
  readonly name: string;
  readonly url: string;
  readonly link: DaemonConnection;
  readonly world: World;
}

export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

export interface ListState {
  /** Key of the row under the cursor; null: stays on the first row. */
  readonly key: string | null;
  /** Last index of that row, used when it is removed. */
  readonly index: number;
  /** null: the order of the daemon. */
  readonly sort: Sort | null;
  readonly filter: string;
  readonly marks: ReadonlySet<string>;
  /** Ids of the columns shown; null: all that fit. */
  readonly columns: readonly string[] | null;
}

export interface Prompt {
  readonly kind: 'command' | 'filter';
  readonly text: string;
  /** Characters (code points) before the caret. */
  readonly caret: number;
  /** After Tab: candidates for the last word, the current one, and the text before it. */
  readonly completion: { readonly items: readonly string[]; readonly index: number; readonly stem: string } | null;
  /** Position in the history; 0 is the new line. */
  readonly back: number;
  /** Error of the filter; the previous filter stays in force. */
  readonly fault: string | null;
}

export interface Call {
  readonly type: 'call';
  readonly name: EndpointName;
  readonly input: object;
  /** Message on success. */
  readonly done: string;
  /** How the answer is shown. */
  readonly show?: 'explanation' | 'refused' | 'dht' | 'preview' | 'plan' | 'outcome';
  /** Title of the pane, or name in a list of answers. */
  readonly title?: string;
}

/** Result of a call. */
export interface Answer {
  readonly ok: boolean;
  readonly text: string;
  readonly call?: Call;
  readonly output?: unknown;
  /** Results of a bulk call. */
  readonly items?: readonly ItemAnswer[];
}

/** A side effect that the application carries out. */
export type Effect =
  | Call
  | {
      readonly type: 'bulk';
      readonly calls: readonly Call[];
      /** Message when all succeed. */
      readonly done: string;
    }
  /** Ask every daemon for its status. */
  | { readonly type: 'fleet' }
  | { readonly type: 'quit' }
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'mouse'; readonly on: boolean }
  | { readonly type: 'redraw' };

export interface Question {
  readonly text: string;
  /** Lines below the question. */
  readonly about: readonly string[];
  readonly effects: readonly Effect[];
  /** List whose marks are removed on consent. */
  readonly list: ListId | null;
}

export interface Toast {
  readonly text: string;
  readonly mood: 'info' | 'good' | 'bad';
  /** End of display, milliseconds since 1970. */
  readonly until: number;
}

export interface Model {
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  readonly view: ViewId;
  /** True if the second list of the view has the focus. */
  readonly second: boolean;
  readonly contexts: readonly Context[];
  readonly context: number;
  readonly lists: Readonly<Record<ListId, ListState>>;
  readonly prompt: Prompt | null;
  readonly question: Question | null;
  /** First line of the open help screen; null: closed. */
  readonly help: number | null;
  readonly pane: Pane | null;
  readonly toast: Toast | null;
  /** True: details are shown; null: depends on the size of the screen. */
  readonly details: boolean | null;
  /** Queries at the time of the freeze. */
  readonly paused: readonly QueryView[] | null;
  readonly range: Range;
  readonly mouse: boolean;
  /** Number of unanswered calls. */
  readonly waiting: number;
  /** History of command lines, newest first. */
  readonly said: readonly string[];
}

export type Message =
  | { readonly type: 'key'; readonly key: string; readonly text?: string }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }
  | { readonly type: 'tick'; readonly now: number }
  | { readonly type: 'data'; readonly context: number; readonly at: number; readonly data: News }
  /** Events of the daemon, oldest first. */
  | { readonly type: 'events'; readonly context: number; readonly at: number; readonly events: readonly ServentEvent[] }
  /** Missed events: `queries` for received queries, otherwise for all other topics, which are polled again. */
  | {
      readonly type: 'gap';
      readonly context: number;
      readonly at: number;
      readonly gap: EventGap;
      readonly queries: boolean;
    }
  | { readonly type: 'link'; readonly context: number; readonly at: number; readonly link: DaemonConnection }
  | ({ readonly type: 'answered' } & Answer)
  | { readonly type: 'fleet'; readonly rows: readonly FleetRow[] }
  /** A message about the dashboard itself. */
  | { readonly type: 'notice'; readonly text: string }
  /** Data saved by an earlier session. */
  | { readonly type: 'remembered'; readonly remembered: Remembered }
  | { readonly type: 'view'; readonly view: ViewId }
  | { readonly type: 'pick'; readonly list: ListId; readonly key: string; readonly mark: boolean }
  | { readonly type: 'sort'; readonly list: ListId; readonly column: string }
  | { readonly type: 'wheel'; readonly list: ListId; readonly by: number };

/** Answers of a daemon; any part may be absent. */
export interface News {
  readonly status?: StatusView;
  readonly peers?: readonly PeerView[];
  /** Newest first; may contain known ones. */
  readonly queries?: readonly QueryView[];
  /** True if the rate follows from their number; otherwise `queryRate` is set. */
  readonly counted?: boolean;
  readonly queryRate?: number;
  /** Hit counts that have changed. */
  readonly queryHits?: readonly Pick<QueryView, 'id' | 'hits'>[];
  readonly stats?: QueryStatsView;
  readonly caller?: CallerView;
  /** For each list: true if it is complete. */
  readonly whole?: Partial<Record<ListId, boolean>>;
  readonly searches?: readonly SearchView[];
  readonly results?: { readonly search: string; readonly items: readonly ResultView[] };
  readonly downloads?: readonly DownloadView[];
  readonly uploads?: readonly UploadView[];
  readonly chunks?: { readonly download: string; readonly map: DownloadChunksView };
  readonly past?: readonly PastTransferView[];
  readonly folders?: readonly FolderView[];
  readonly files?: readonly FileView[];
  readonly hosts?: readonly HostView[];
  readonly config?: ConfigView;
  readonly logLines?: readonly LogLineView[];
  /** Rings of the daemon, which replace our own. */
  readonly history?: History;
}

/** The next model and the effects to carry out. */
export interface Step {
  readonly model: Model;
  readonly effects: readonly Effect[];
}

export interface ModelOptions {
  readonly contexts: readonly { readonly name: string; readonly url: string }[];
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  readonly mouse?: boolean;
}

const noList: ListState = { key: null, index: 0, sort: null, filter: '', marks: new Set(), columns: null };

export function createModel({ contexts, now, columns, rows, mouse = true }: ModelOptions): Model {
  const list = (column?: string, descending = false): ListState =>
    column === undefined ? noList : { ...noList, sort: { column, descending } };
  return {
    now,
    columns,
    rows,
    view: 'overview',
    second: false,
    contexts: contexts.map(({ name, url }) => ({ name, url, link: { state: 'connecting' }, world: emptyWorld })),
    context: 0,
    lists: {
      peers: list('role', true),
      queries: list(),
      searches: list(),
      results: list('sources', true),
      downloads: list(),
      uploads: list(),
      past: list(),
      folders: list(),
      files: list('name'),
      hosts: list(),
      log: list(),
      config: list(),
    },
    prompt: null,
    question: null,
    help: null,
    pane: null,
    toast: null,
    details: null,
    paused: null,
    range: 'minute',
    mouse,
    waiting: 0,
    said: [],
  };
}

export function contextOf(model: Model): Context {
  return model.contexts[model.context] ?? { name: '', url: '', link: { state: 'connecting' }, world: emptyWorld };
}

export const isReadOnly = (scopes: readonly string[]): boolean => scopes.every(scope => scope === 'read');

export const worldOf = (model: Model): World => contextOf(model).world;

export const stay = (model: Model, ...effects: Effect[]): Step => ({ model, effects });
