// Computes the next model from an event. Pure: no clock, document or network.
import type { QueryView, StatusView } from '../api/control.ts';
import type { OutputOf } from '../api/endpoints.ts';
import type { ServentEvent } from '../api/events.ts';
import { LiveReducer, mergedQueries } from '../api/live/reducer.ts';
import type { StreamState } from './live.ts';
import {
  type Listing,
  type ListName,
  type Model,
  type Notice,
  noticesWith,
  type Place,
  QUERIES_MAX,
  type Rows,
  type Span,
} from './model.ts';

export type Message =
  | { readonly type: 'went'; readonly place: Place }
  | { readonly type: 'signedIn'; readonly caller: OutputOf<'caller'> }
  | { readonly type: 'link'; readonly state: StreamState }
  | { readonly type: 'events'; readonly at: number; readonly events: readonly ServentEvent[] }
  | { readonly type: 'status'; readonly status: StatusView }
  | { readonly type: 'election'; readonly election: NonNullable<Model['election']> }
  | { readonly type: 'history'; readonly history: NonNullable<Model['history']> }
  | { readonly type: 'dht'; readonly dht: NonNullable<Model['dht']> }
  | { readonly type: 'dhtLookup'; readonly lookup: NonNullable<Model['dhtLookup']> }
  | { readonly type: 'analysis'; readonly asked: NonNullable<Model['analysis']> }
  | { readonly type: 'span'; readonly span: Span }
  | { readonly type: 'page'; readonly list: ListName; readonly rows: readonly unknown[]; readonly next: string | null }
  | { readonly type: 'noPage'; readonly list: ListName; readonly error: string }
  | { readonly type: 'turn'; readonly list: ListName; readonly to: 'next' | 'back' | 'first' }
  | { readonly type: 'sort'; readonly list: ListName; readonly by: string }
  | { readonly type: 'filter'; readonly list: ListName; readonly text: string }
  | { readonly type: 'queries'; readonly rows: readonly QueryView[] }
  | { readonly type: 'filterQueries'; readonly text: string }
  | { readonly type: 'pauseQueries'; readonly paused: boolean }
  | { readonly type: 'explained'; readonly id: string; readonly explanation: Model['explained'][string] }
  | { readonly type: 'chunks'; readonly chunks: Model['chunks'] }
  | { readonly type: 'fold'; readonly id: string }
  | { readonly type: 'notice'; readonly notice: Notice }
  | { readonly type: 'dismiss'; readonly id: number };

export function update(model: Model, message: Message): Model {
  switch (message.type) {
    case 'went':
      return went(model, message.place);
    case 'signedIn':
      return { ...model, scopes: message.caller.scopes };
    case 'link':
      return { ...model, link: message.state };
    case 'events':
      return told(model, message.events, message.at);
    case 'status':
      return { ...model, status: message.status };
    case 'election':
      return { ...model, election: message.election };
    case 'history':
      return { ...model, history: message.history };
    case 'dht':
      return { ...model, dht: message.dht };
    case 'dhtLookup':
      return { ...model, dhtLookup: message.lookup };
    case 'analysis':
      return { ...model, analysis: message.asked };
    case 'span':
      return { ...model, span: message.span };
    case 'page':
      return withList(model, message.list, {
        rows: message.rows as readonly Rows[ListName][],
        next: message.next,
        loaded: true,
        error: null,
      });
    case 'noPage':
      return withList(model, message.list, { error: message.error });
    case 'turn':
      return turned(model, message.list, message.to);
    case 'sort':
      return withList(model, message.list, {
        sort: message.by,
        trail: [],
        next: null,
      });
    case 'filter':
      return withList(model, message.list, { filter: message.text, trail: [], next: null });
    case 'queries':
      return passed(model, message.rows);
    case 'filterQueries':
      return withQueries(model, { filter: message.text });
    case 'pauseQueries':
      return paused(model, message.paused);
    case 'explained':
      return { ...model, explained: { ...model.explained, [message.id]: message.explanation } };
    case 'chunks':
      return { ...model, chunks: message.chunks };
    case 'fold':
      return folded(model, message.id);
    case 'notice':
      return { ...model, notices: noticesWith(model.notices, message.notice) };
    case 'dismiss':
      return { ...model, notices: model.notices.filter(({ id }) => id !== message.id) };
  }
}

function withList(model: Model, list: ListName, changes: Partial<Listing<Rows[ListName]>>): Model {
  return { ...model, lists: { ...model.lists, [list]: { ...model.lists[list], ...changes } } };
}

function withQueries(model: Model, changes: Partial<Model['queries']>): Model {
  return { ...model, queries: { ...model.queries, ...changes } };
}

function went(model: Model, { view, search }: Place): Model {
  const next = { ...model, view, search, unfolded: new Set<string>(), explained: {}, chunks: {} };
  if (search === model.search) return next;
  return withList(next, 'results', { rows: [], loaded: false, trail: [], next: null, filter: '', error: null });
}

function turned(model: Model, list: ListName, to: 'next' | 'back' | 'first'): Model {
  const { trail, next } = model.lists[list];
  if (to === 'first') return withList(model, list, { trail: [] });
  if (to === 'back') return withList(model, list, { trail: trail.slice(0, -1) });
  return next === null ? model : withList(model, list, { trail: [...trail, next] });
}

/** Cycles descending, ascending, default order. */
export function nextSort(sort: string, by: string): string {
  if (sort === `-${by}`) return by;
  return sort === by ? '' : `-${by}`;
}

function folded(model: Model, id: string): Model {
  const unfolded = new Set(model.unfolded);
  if (!unfolded.delete(id)) unfolded.add(id);
  return { ...model, unfolded };
}

function paused(model: Model, stop: boolean): Model {
  const { rows, held } = model.queries;
  return withQueries(model, {
    paused: stop,
    ...(stop ? {} : { rows: mergedQueries(rows, held, QUERIES_MAX), held: [] }),
  });
}

/** While paused, new queries are held back. */
function passed(model: Model, more: readonly QueryView[]): Model {
  const { paused, held, rows } = model.queries;
  if (!paused) return withQueries(model, { rows: mergedQueries(rows, more, QUERIES_MAX) });
  const shown = new Set(rows.map(({ id }) => id));
  return withQueries(model, {
    held: mergedQueries(
      held,
      more.filter(({ id }) => !shown.has(id)),
      QUERIES_MAX,
    ),
  });
}

const SHOWN_LIVE = ['peers', 'searches', 'results', 'downloads', 'uploads', 'folders'] as const;

/** New rows are not inserted into a page; the page is loaded again. */
function told(model: Model, events: readonly ServentEvent[], at: number): Model {
  const { lists, queries } = model;
  const waiting = queries.paused ? 'held' : 'rows';
  const rows = <L extends ListName>(list: L) => lists[list].rows as readonly Rows[L][];
  const reducer = new LiveReducer(
    {
      status: model.status,
      peers: rows('peers'),
      searches: rows('searches'),
      results: rows('results'),
      resultsOf: model.search,
      downloads: rows('downloads'),
      uploads: rows('uploads'),
      folders: rows('folders'),
      queries: queries[waiting],
      skipped: queries.skipped,
    },
    { whole: false, queriesMax: QUERIES_MAX },
  );
  for (const event of events) reducer.take(event, at);
  const { status, skipped, queries: passed, ...changed } = reducer.live();
  let next = withQueries({ ...model, status }, { [waiting]: passed, skipped });
  for (const list of SHOWN_LIVE)
    if (changed[list] !== lists[list].rows) next = withList(next, list, { rows: changed[list] });
  return next;
}
