// Everything the page knows and shows. Plain data, changed by update.ts alone.
import type {
  DownloadView,
  Explanation,
  FileView,
  FolderView,
  HistoryView,
  KeyScope,
  PeerView,
  QueryView,
  ResultView,
  SearchView,
  StatusView,
  UploadView,
} from '../api/control.ts';
import { nothingSkipped, type Skipped } from '../api/live/reducer.ts';
import type { StreamState } from './live.ts';

export const VIEWS = ['status', 'peers', 'queries', 'searches', 'downloads', 'uploads', 'library'] as const;
export type View = (typeof VIEWS)[number];

/** Rows of a page; what comes after them is a click away. */
export const PAGE_ROWS = 100;
/** Queries kept on the page, and held back while it stands still. */
export const QUERIES_MAX = 300;
const NOTICES_MAX = 4;

/** The lists of the API, by what is in them. */
export interface Rows {
  peers: PeerView;
  searches: SearchView;
  results: ResultView;
  downloads: DownloadView;
  uploads: UploadView;
  files: FileView;
  folders: FolderView;
}
export type ListName = keyof Rows;

/** One page of a list. */
export interface Listing<T> {
  readonly rows: readonly T[];
  readonly loaded: boolean;
  /** Cursors of the pages before this one, and of this one last; none: it is the first. */
  readonly trail: readonly string[];
  /** Of the page after this one. */
  readonly next: string | null;
  /** As the API takes it; empty: the list's own order. */
  readonly sort: string;
  /** As it was typed. */
  readonly filter: string;
  /** Why it could not be had. */
  readonly error: string | null;
}

export interface Queries {
  /** Newest first; at most QUERIES_MAX. */
  readonly rows: readonly QueryView[];
  readonly paused: boolean;
  /** What came since it was paused; the newest QUERIES_MAX. */
  readonly held: readonly QueryView[];
  readonly filter: string;
  readonly skipped: Skipped;
}

export interface Notice {
  readonly id: number;
  readonly kind: 'done' | 'failed';
  readonly text: string;
}

export type Span = keyof HistoryView;

export interface Model {
  readonly view: View;
  /** The search that is open. */
  readonly search: string | null;
  /** What the key may do. */
  readonly scopes: readonly KeyScope[];
  readonly link: StreamState;
  readonly status: StatusView | null;
  readonly election: Explanation | null;
  readonly history: HistoryView | null;
  readonly span: Span;
  readonly lists: { readonly [L in ListName]: Listing<Rows[L]> };
  readonly queries: Queries;
  /** Why a search or a download does what it does, by its id; of what is unfolded. */
  readonly explained: Readonly<Record<string, Explanation>>;
  /** Rows that show more, by id. */
  readonly unfolded: ReadonlySet<string>;
  /** The latest last; at most NOTICES_MAX. */
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
  span: 'minute',
  lists: {
    peers: listing,
    searches: listing,
    results: listing,
    downloads: listing,
    uploads: listing,
    files: listing,
    folders: listing,
  },
  queries: { rows: [], paused: false, held: [], filter: '', skipped: nothingSkipped },
  explained: {},
  unfolded: new Set(),
  notices: [],
};

/** Each includes what the ones before it may do. */
const RANKS: readonly KeyScope[] = ['read', 'operate', 'admin'];

export function may({ scopes }: Pick<Model, 'scopes'>, scope: KeyScope): boolean {
  return scopes.some(held => RANKS.indexOf(held) >= RANKS.indexOf(scope));
}

export function noticesWith(notices: readonly Notice[], notice: Notice): readonly Notice[] {
  return [...notices, notice].slice(-NOTICES_MAX);
}

export interface Place {
  readonly view: View;
  readonly search: string | null;
}

/** `#/searches/ID`: what the address says is to be seen. */
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
    return null; // a broken address shows the list
  }
}
