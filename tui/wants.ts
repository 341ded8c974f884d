// Chooses what to poll for the open view, and how often. Pure.
import { detailsShown } from './draw-list.ts';
import { rowUnder } from './listing.ts';
import { filterText } from './match.ts';
import { type Model, worldOf } from './model.ts';
import type { Range } from './range.ts';
import { lists } from './views/all.ts';
import { downloadList } from './views/downloads.ts';
import { openSearch } from './views/searches.ts';

export const TOPICS = [
  'status',
  'caller',
  'peers',
  'queries',
  'queryHits',
  'queryStats',
  'searches',
  'results',
  'downloads',
  'uploads',
  'chunks',
  'past',
  'folders',
  'files',
  'hosts',
  'config',
  'history',
  'logLines',
] as const;
export type Topic = (typeof TOPICS)[number];

/** Poll intervals in milliseconds; missing topics are not polled. */
export type Needs = Partial<Record<Topic, number>>;

/** Polled once after each connection; events update it. */
const ONCE = Number.POSITIVE_INFINITY;

/** Topics that events keep up to date. */
export const STREAMED: ReadonlySet<Topic> = new Set(['status', 'caller', 'downloads', 'queries']);

/** Polled in every view, for bar, tabs and log. */
const ALWAYS: Record<'polled' | 'told', Needs> = {
  polled: {
    status: 1000,
    caller: 60_000,
    peers: 2000,
    searches: 5000,
    downloads: 2000,
    uploads: 5000,
    queries: 1000,
    history: 60_000,
  },
  told: {
    status: ONCE,
    caller: ONCE,
    peers: ONCE,
    searches: ONCE,
    downloads: ONCE,
    uploads: 10_000,
    folders: ONCE,
    config: ONCE,
    history: 5000,
  },
};

const IN_VIEW: Record<'polled' | 'told', Partial<Record<Model['view'], Needs>>> = {
  polled: {
    peers: { peers: 1000, config: 60_000 },
    queries: { queries: 250, queryStats: 2000 },
    searches: { searches: 500, results: 500 },
    downloads: { downloads: 500 },
    uploads: { uploads: 500 },
    library: { folders: 2000, files: 5000 },
    hosts: { hosts: 5000, config: 60_000 },
    log: { logLines: 2000 },
    config: { config: 10_000 },
  },
  // with events: only counters of peers and searches, hits of queries and queue positions
  told: {
    overview: { history: 2000 },
    peers: { peers: 1000 },
    queries: { queries: ONCE, queryHits: 2000, queryStats: 2000, history: 2000 },
    searches: { results: ONCE },
    uploads: { uploads: 2000 },
    library: { folders: 2000, files: 10_000 },
    hosts: { hosts: 5000 },
    log: { logLines: ONCE },
  },
};
const WHILE_SEARCHING: Needs = { searches: 1000, results: 2000 };

/** While the details of a download are shown. */
const CHUNKS_MS = 1000;
/** While finished transfers are shown. */
const PAST_MS = 5000;

/** Filter and order as query strings, for lists that may be loaded in part. */
export type Asked = { readonly [L in 'results' | 'files' | 'hosts']?: string };

export interface Wanted {
  readonly needs: Needs;
  /** Id of the search whose results are shown. */
  readonly search: string | null;
  /** Id of the download whose chunks are shown. */
  readonly chunks: string | null;
  /** True if the stream of queries is needed. */
  readonly queries: boolean;
  /** Period of the query statistics. */
  readonly range: Range;
  readonly asked: Asked;
}

/** Filter and order of a list that is loaded in part. */
function askedBy(model: Model): Asked {
  const id = { searches: 'results', library: 'files', hosts: 'hosts' }[model.view as string] as keyof Asked | undefined;
  if (id === undefined || !worldOf(model).partial.has(id)) return {};
  const { filter, sort } = model.lists[id];
  const { fields } = lists[id];
  const query = new URLSearchParams();
  if (filter !== '') query.set('filter', filterText(filter, fields));
  if (sort !== null && fields.has(sort.column)) query.set('sort', `${sort.descending ? '-' : ''}${sort.column}`);
  return { [id]: query.toString() };
}

/** The download under the cursor, if its details are shown and it is not complete. */
function chunksShown(model: Model): string | null {
  if (model.view !== 'downloads' || model.second || !detailsShown(model)) return null;
  const row = rowUnder(model, downloadList);
  return row === undefined || row.state === 'completed' ? null : row.id;
}

/** `live`: the event stream is open. */
export function wantedBy(model: Model, live: boolean): Wanted {
  const { view, range } = model;
  const how = live ? 'told' : 'polled';
  const search = view === 'searches' ? openSearch(model) : undefined;
  const chunks = chunksShown(model);
  const past: Needs = view === 'downloads' && model.second ? { past: PAST_MS } : {};
  const searching = live && search?.state === 'running' ? WHILE_SEARCHING : {};
  return {
    needs: {
      ...ALWAYS[how],
      ...IN_VIEW[how][view],
      ...past,
      ...(chunks === null ? {} : { chunks: CHUNKS_MS }),
      ...searching,
    },
    search: search?.id ?? null,
    chunks,
    queries: view === 'queries',
    range,
    asked: askedBy(model),
  };
}
