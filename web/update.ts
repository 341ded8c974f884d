// What happened, and the next model. Pure: no clock, no document, no network.
import type { DownloadView, QueryView, SearchView, StatusView, UploadView } from '../api/control.ts';
import type { OutputOf } from '../api/endpoints.ts';
import type { EventFrame } from '../api/event-frames.ts';
import type { ServentEvent } from '../api/events.ts';
import type { LinkState } from './live.ts';
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
  | { readonly type: 'link'; readonly state: LinkState }
  | { readonly type: 'events'; readonly events: readonly EventFrame[] }
  | { readonly type: 'status'; readonly status: StatusView }
  | { readonly type: 'election'; readonly election: NonNullable<Model['election']> }
  | { readonly type: 'history'; readonly history: NonNullable<Model['history']> }
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
      return told(model, message.events);
    case 'status':
      return { ...model, status: message.status };
    case 'election':
      return { ...model, election: message.election };
    case 'history':
      return { ...model, history: message.history };
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
  const next = { ...model, view, search, unfolded: new Set<string>(), explained: {} };
  if (search === model.search) return next;
  return withList(next, 'results', { rows: [], loaded: false, trail: [], next: null, filter: '', error: null });
}

function turned(model: Model, list: ListName, to: 'next' | 'back' | 'first'): Model {
  const { trail, next } = model.lists[list];
  if (to === 'first') return withList(model, list, { trail: [] });
  if (to === 'back') return withList(model, list, { trail: trail.slice(0, -1) });
  return next === null ? model : withList(model, list, { trail: [...trail, next] });
}

/** Up, down, and back to the list's own order. */
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
  return withQueries(model, { paused: stop, ...(stop ? {} : { rows: newest(rows, held), held: [] }) });
}

/** While the table stands still, what is new waits. */
function passed(model: Model, more: readonly QueryView[]): Model {
  const { paused, held, rows } = model.queries;
  if (!paused) return withQueries(model, { rows: newest(rows, more) });
  const shown = new Set(rows.map(({ id }) => id));
  return withQueries(model, {
    held: newest(
      held,
      more.filter(({ id }) => !shown.has(id)),
    ),
  });
}

/** Newest first, each query once, as it was told last. */
function newest(old: readonly QueryView[], more: readonly QueryView[]): QueryView[] {
  const byId = new Map<string, QueryView>();
  for (const row of [...more, ...old]) if (!byId.has(row.id)) byId.set(row.id, row);
  return [...byId.values()].toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, QUERIES_MAX);
}

/** Ids of what is new in a list are not put into a page by hand: the page is asked for again. */
function told(model: Model, events: readonly EventFrame[]): Model {
  let next = model;
  const queries: QueryView[] = [];
  let skipped = 0;
  for (const { event: type, data } of events) {
    const about = dataOf(data);
    if (about === null) continue;
    if (type === 'query.passed') queries.push(about as QueryView);
    else if (type === 'query.skipped') skipped += (about as { queries: number }).queries;
    else next = one(next, type, about);
  }
  if (queries.length === 0 && skipped === 0) return next;
  queries.reverse();
  return passed(withQueries(next, { skipped: next.queries.skipped + skipped }), queries);
}

function one(model: Model, type: string, about: object): Model {
  if (type === 'status.now' || type === 'status.started') return { ...model, status: about as StatusView };
  if (type === 'download.removed') return without(model, 'downloads', (about as { id: string }).id);
  if (type === 'link.closed') return without(model, 'peers', (about as { id: string }).id);
  if (type === 'upload.finished') return without(model, 'uploads', (about as UploadView).id);
  // Progress waits for its interval: what was paused or came to its end meanwhile stays so.
  if (type === 'download.progress' && !isMoving(model, (about as DownloadView).id)) return model;
  if (type.startsWith('download.')) return renewed(model, 'downloads', about as DownloadView);
  if (type.startsWith('upload.')) return renewed(model, 'uploads', about as UploadView);
  if (type === 'search.finished') return renewed(model, 'searches', about as SearchView);
  return model;
}

function renewed<L extends 'downloads' | 'uploads' | 'searches'>(model: Model, list: L, row: Rows[L]): Model {
  const { rows } = model.lists[list];
  if (!rows.some(({ id }) => id === row.id)) return model;
  return withList(model, list, { rows: (rows as readonly Rows[L][]).map(old => (old.id === row.id ? row : old)) });
}

function isMoving(model: Model, id: string): boolean {
  const state = model.lists.downloads.rows.find(row => row.id === id)?.state;
  return state === 'queued' || state === 'active' || state === 'verifying';
}

function without(model: Model, list: ListName, id: string): Model {
  const rows: readonly Rows[ListName][] = model.lists[list].rows;
  return withList(model, list, { rows: rows.filter(row => row.id !== id) });
}

function dataOf(text: string): object | null {
  const { data } = JSON.parse(text) as Partial<ServentEvent>;
  return typeof data === 'object' ? data : null;
}

/** Lists whose page may be another one after this event. */
const CHANGES: Readonly<Record<string, ListName>> = {
  'link.opened': 'peers',
  'link.closed': 'peers',
  'search.started': 'searches',
  'search.finished': 'searches',
  'download.added': 'downloads',
  'download.changed': 'downloads',
  'download.finished': 'downloads',
  'download.failed': 'downloads',
  'download.removed': 'downloads',
  'upload.started': 'uploads',
  'upload.finished': 'uploads',
  'library.scanned': 'folders',
};

export function staleAfter({ search }: Pick<Model, 'search'>, { event: type, data }: EventFrame): readonly ListName[] {
  if (type === 'gap') return ['peers', 'searches', 'results', 'downloads', 'uploads', 'files', 'folders'];
  if (type === 'search.result') {
    const about = dataOf(data) as { search?: string } | null;
    return about?.search === search ? ['results', 'searches'] : ['searches'];
  }
  const list = CHANGES[type];
  if (list === undefined) return [];
  return list === 'folders' ? ['folders', 'files'] : [list];
}
