// Everything the dashboard knows and shows, as plain data. `update.ts` makes the next one from a message; nothing else changes it.

import type {
  CallerView,
  ConfigView,
  DownloadView,
  FileView,
  FolderView,
  HostView,
  LogLineView,
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

/** A view may hold two lists: the one that leads, and the one that follows its cursor or lies below it. */
export type ListId = Exclude<ViewId, 'overview' | 'library'> | 'results' | 'folders' | 'files';

/** Kept of the queries that passed, newest first. */
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
  /** Which line of the daemon's log it is; none of them without it. */
  readonly told?: string;
}

/** What is known of one daemon. */
export interface World extends Live {
  readonly peers: readonly PeerRow[];
  /** Passed a second, by the last two looks. */
  readonly queryRate: number;
  /** What the daemon has counted. */
  readonly stats: QueryStatsView | null;
  /** Who we are to the daemon. */
  readonly caller: CallerView | null;
  /** Lists that are too long: only a part of them is here. */
  readonly partial: ReadonlySet<ListId>;
  readonly files: readonly FileView[];
  readonly hosts: readonly HostView[];
  readonly config: ConfigView | null;
  readonly log: readonly LogLine[];
  readonly history: History;
  /** When peers were last seen, for their rates. */
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

/** One daemon that can be looked at. */
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
  /** The row under the cursor; null stays on the first row, whatever it is. */
  readonly key: string | null;
  /** Where it was last, should it vanish. */
  readonly index: number;
  /** null: the order in which rows come. */
  readonly sort: Sort | null;
  readonly filter: string;
  readonly marks: ReadonlySet<string>;
  /** Columns that are shown, by id; null: all that there is room for. */
  readonly columns: readonly string[] | null;
}

export interface Prompt {
  readonly kind: 'command' | 'filter';
  readonly text: string;
  /** Characters (code points) before the caret. */
  readonly caret: number;
  /** Tab was pressed: what the last word may become, which one is in place, and the text before it. */
  readonly completion: { readonly items: readonly string[]; readonly index: number; readonly stem: string } | null;
  /** Lines back in the history; 0 is the new one. */
  readonly back: number;
  /** Why a filter cannot be understood; the one before it counts meanwhile. */
  readonly fault: string | null;
}

export interface Call {
  readonly type: 'call';
  readonly name: EndpointName;
  readonly input: object;
  /** Said when it worked. */
  readonly done: string;
  /** What is done with the answer, besides. */
  readonly show?: 'explanation' | 'refused' | 'preview' | 'plan' | 'outcome';
  /** What it is about: the title of what is shown, or the name among several. */
  readonly title?: string;
}

/** What came of a call. */
export interface Answer {
  readonly ok: boolean;
  readonly text: string;
  readonly call?: Call;
  readonly output?: unknown;
  /** Of several calls at once. */
  readonly items?: readonly ItemAnswer[];
}

/** Something asked of the outside world: done by the application, never by the model. */
export type Effect =
  | Call
  | {
      readonly type: 'bulk';
      readonly calls: readonly Call[];
      /** Said when all of them worked. */
      readonly done: string;
    }
  | { readonly type: 'quit' }
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'mouse'; readonly on: boolean }
  | { readonly type: 'redraw' };

export interface Question {
  readonly text: string;
  /** What it is about, a line each. */
  readonly about: readonly string[];
  readonly effects: readonly Effect[];
  /** Marks of this list are taken off when it is done. */
  readonly list: ListId | null;
}

export interface Toast {
  readonly text: string;
  readonly mood: 'info' | 'good' | 'bad';
  /** Gone after; milliseconds since 1970. */
  readonly until: number;
}

export interface Model {
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  readonly view: ViewId;
  /** Which of a view's two lists has the keys. */
  readonly second: boolean;
  readonly contexts: readonly Context[];
  readonly context: number;
  readonly lists: Readonly<Record<ListId, ListState>>;
  readonly prompt: Prompt | null;
  readonly question: Question | null;
  /** First line shown of the help screen; null when it is closed. */
  readonly help: number | null;
  readonly pane: Pane | null;
  readonly toast: Toast | null;
  /** Whether details are shown; null leaves it to the size of the screen. */
  readonly details: boolean | null;
  /** Queries as they were when they were frozen. */
  readonly paused: readonly QueryView[] | null;
  readonly range: Range;
  readonly mouse: boolean;
  /** Calls that have not been answered. */
  readonly waiting: number;
  /** Command lines given, newest first. */
  readonly said: readonly string[];
}

/** What may happen. */
export type Message =
  | { readonly type: 'key'; readonly key: string; readonly text?: string }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }
  | { readonly type: 'tick'; readonly now: number }
  | { readonly type: 'data'; readonly context: number; readonly at: number; readonly data: News }
  /** Told by the daemon, oldest first. */
  | { readonly type: 'events'; readonly context: number; readonly at: number; readonly events: readonly ServentEvent[] }
  /** `queries`: of the passing queries; otherwise of everything else, which has been asked for anew. */
  | {
      readonly type: 'gap';
      readonly context: number;
      readonly at: number;
      readonly gap: EventGap;
      readonly queries: boolean;
    }
  | { readonly type: 'link'; readonly context: number; readonly at: number; readonly link: DaemonConnection }
  | ({ readonly type: 'answered' } & Answer)
  /** A word about the dashboard itself. */
  | { readonly type: 'notice'; readonly text: string }
  /** As an earlier session left it. */
  | { readonly type: 'remembered'; readonly remembered: Remembered }
  | { readonly type: 'view'; readonly view: ViewId }
  | { readonly type: 'pick'; readonly list: ListId; readonly key: string; readonly mark: boolean }
  | { readonly type: 'sort'; readonly list: ListId; readonly column: string }
  | { readonly type: 'wheel'; readonly list: ListId; readonly by: number };

/** What a daemon said: any part of the whole. */
export interface News {
  readonly status?: StatusView;
  readonly peers?: readonly PeerView[];
  /** Newest first; those known already are left out by the receiver. */
  readonly queries?: readonly QueryView[];
  /** Their number is what passed since the last look; otherwise `queryRate` says it. */
  readonly counted?: boolean;
  readonly queryRate?: number;
  /** Hits that have grown since the query was told. */
  readonly queryHits?: readonly Pick<QueryView, 'id' | 'hits'>[];
  readonly stats?: QueryStatsView;
  readonly caller?: CallerView;
  /** Whether a list is here whole. */
  readonly whole?: Partial<Record<ListId, boolean>>;
  readonly searches?: readonly SearchView[];
  readonly results?: { readonly search: string; readonly items: readonly ResultView[] };
  readonly downloads?: readonly DownloadView[];
  readonly uploads?: readonly UploadView[];
  readonly folders?: readonly FolderView[];
  readonly files?: readonly FileView[];
  readonly hosts?: readonly HostView[];
  readonly config?: ConfigView;
  readonly logLines?: readonly LogLineView[];
  /** The daemon's own rings, in place of what we counted. */
  readonly history?: History;
}

/** A model, and what is to be done about it. */
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
