// State of the page. Plain data, changed only by update.ts.
import type {
  AnalysisView,
  DhtLookupView,
  DhtView,
  DownloadChunksView,
  DownloadView,
  Explanation,
  FileView,
  FolderView,
  HistoryView,
  KeyScope,
  PastTransferView,
  PeerView,
  QueryView,
  QuestionView,
  RecordingView,
  ResultView,
  SavedSearchView,
  SearchView,
  StatusView,
  UploadView,
} from '../api/control.ts';
import { nothingSkipped, type Skipped } from '../api/live/reducer.ts';
import type { StreamState } from './live.ts';

export const VIEWS = ['status', 'peers', 'queries', 'searches', 'downloads', 'uploads', 'library', 'measure'] as const;
export type View = (typeof VIEWS)[number];

/** Rows of a page. */
export const PAGE_ROWS = 100;
/** Most queries shown, and most held back while paused. */
export const QUERIES_MAX = 300;
const NOTICES_MAX = 4;
const CHUNKS_MAX = 8;

/** Lists of the API by name. */
export interface Rows {
  peers: PeerView;
  searches: SearchView;
  savedSearches: SavedSearchView;
  results: ResultView;
  downloads: DownloadView;
  uploads: UploadView;
  pastTransfers: PastTransferView;
  files: FileView;
  folders: FolderView;
  analyses: QuestionView;
  recordings: RecordingView;
}
export type ListName = keyof Rows;

/** One page of a list. */
export interface Listing<T> {
  readonly rows: readonly T[];
  readonly loaded: boolean;
  /** Cursors of the previous pages and of this one; empty for the first page. */
  readonly trail: readonly string[];
  /** Cursor of the next page. */
  readonly next: string | null;
  /** `sort` of the API; empty: default order. */
  readonly sort: string;
  /** Filter as typed. */
  readonly filter: string;
  /** Why loading failed. */
  readonly error: string | null;
}

export interface Queries {
  /** Newest first; at most QUERIES_MAX. */
  readonly rows: readonly QueryView[];
  readonly paused: boolean;
  /** Queries received while paused; the newest QUERIES_MAX. */
  readonly held: readonly QueryView[];
  readonly filter: string;
  readonly skipped: Skipped;
}

export interface Notice {
  readonly id: number;
  readonly kind: 'done' | 'failed';
  readonly text: string;
}

/** A question to the recording. Without answer and fault it is being answered. */
export interface Asked {
  readonly question: string;
  readonly answer: AnalysisView | null;
  readonly fault: string | null;
}

export type Span = keyof HistoryView;

export interface Model {
  readonly view: View;
  /** Id of the selected search. */
  readonly search: string | null;
  /** Scopes of the key. */
  readonly scopes: readonly KeyScope[];
  readonly link: StreamState;
  readonly status: StatusView | null;
  readonly election: Explanation | null;
  readonly history: HistoryView | null;
  readonly dht: DhtView | null;
  /** The latest that was started here. */
  readonly dhtLookup: DhtLookupView | null;
  /** Of the question that was asked last; null: none was. */
  readonly analysis: Asked | null;
  readonly span: Span;
  readonly lists: { readonly [L in ListName]: Listing<Rows[L]> };
  readonly queries: Queries;
  /** Explanations of unfolded searches and downloads, by id. */
  readonly explained: Readonly<Record<string, Explanation>>;
  /** Chunks of unfolded downloads, by id. */
  readonly chunks: Readonly<Record<string, DownloadChunksView>>;
  /** Ids of unfolded rows. */
  readonly unfolded: ReadonlySet<string>;
  /** Oldest first; at most NOTICES_MAX. */
  readonly notices: readonly Notice[];
}

const listing = { rows: [], loaded: false, trail: [], next: null, sort: '', filter: '', error: null };

export const START: Model = {
  view: 'status',
  search: null,
  scopes: [],
  link: { kind: 'connecting' },
  status: null,
  election: null,
  history: null,
  dht: null,
  dhtLookup: null,
  analysis: null,
  span: 'minute',
  lists: {
    peers: listing,
    searches: listing,
    savedSearches: listing,
    results: listing,
    downloads: listing,
    uploads: listing,
    pastTransfers: listing,
    files: listing,
    folders: listing,
    analyses: listing,
    recordings: listing,
  },
  queries: { rows: [], paused: false, held: [], filter: '', skipped: nothingSkipped },
  explained: {},
  chunks: {},
  unfolded: new Set(),
  notices: [],
};

/** Each scope includes the lower ones. */
const RANKS: readonly KeyScope[] = ['read', 'operate', 'admin'];

export function may({ scopes }: Pick<Model, 'scopes'>, scope: KeyScope): boolean {
  return scopes.some(held => RANKS.indexOf(held) >= RANKS.indexOf(scope));
}

/** Ids of the unfolded downloads whose chunks are shown; at most CHUNKS_MAX. */
export function chunksShown({ view, lists, unfolded }: Pick<Model, 'view' | 'lists' | 'unfolded'>): string[] {
  if (view !== 'downloads') return [];
  return lists.downloads.rows
    .filter(({ id, size, state }) => unfolded.has(id) && size !== null && size > 0 && state !== 'completed')
    .slice(0, CHUNKS_MAX)
    .map(({ id }) => id);
}

export function noticesWith(notices: readonly Notice[], notice: Notice): readonly Notice[] {
  return [...notices, notice].slice(-NOTICES_MAX);
}

export interface Place {
  readonly view: View;
  readonly search: string | null;
}

/** Parses the view of an address such as `#/searches/ID`. */
export function placeOf(hash: string): Place {
  const [name = '', id = ''] = hash.replace(/^#\/?/, '').split('/');
  const view = VIEWS.find(known => known === name) ?? 'status';
  return { view, search: view === 'searches' && id !== '' ? decoded(id) : null };
}

export function hashOf({ view, search }: Place): string {
  return `#/${view}${search === null ? '' : `/${encodeURIComponent(search)}`}`;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null; // an invalid address shows the list
  }
}
