// What is to be asked of a daemon for the view that is open, and how often. Pure.
import { filterText } from './match.ts';
import { type Model, worldOf } from './model.ts';
import type { Range } from './range.ts';
import { lists } from './views/all.ts';
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
  'folders',
  'files',
  'hosts',
  'config',
  'history',
  'logLines',
] as const;
export type Topic = (typeof TOPICS)[number];

/** Milliseconds between two looks; a topic that is missing is not looked at. */
export type Needs = Partial<Record<Topic, number>>;

/** Once after each connection: events tell the rest. */
const ONCE = Number.POSITIVE_INFINITY;

/** Lists that events keep up to date: nobody has to look again after a change. */
export const STREAMED: ReadonlySet<Topic> = new Set(['status', 'caller', 'downloads', 'queries']);

/** Looked at in any view: the bar, the tabs and the log need it. */
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
  // Of what is told, only what no event tells: counters of peers and searches, hits of queries, places in the queue.
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

/** Lists that may be too long to be had whole, with the query string that says which part. */
export type Asked = { readonly [L in 'results' | 'files' | 'hosts']?: string };

export interface Wanted {
  readonly needs: Needs;
  /** Whose results. */
  readonly search: string | null;
  /** The passing queries one by one. */
  readonly queries: boolean;
  /** What the query statistics are about. */
  readonly range: Range;
  readonly asked: Asked;
}

/** Of a list that is too long to be here whole, what the filter and the order say. */
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

/** `live`: the daemon tells what happens by itself. */
export function wantedBy(model: Model, live: boolean): Wanted {
  const { view, range } = model;
  const how = live ? 'told' : 'polled';
  const search = view === 'searches' ? openSearch(model) : undefined;
  const searching = live && search?.state === 'running' ? WHILE_SEARCHING : {};
  return {
    needs: { ...ALWAYS[how], ...IN_VIEW[how][view], ...searching },
    search: search?.id ?? null,
    queries: view === 'queries',
    range,
    asked: askedBy(model),
  };
}
