// Applies events to a client's copy of the lists. Pure; imports no schemas, as browsers load it too.
import type {
  DownloadView,
  FolderView,
  PeerView,
  QueryView,
  ResultView,
  SearchView,
  StatusView,
  UploadView,
} from '../control.ts';
import type { ServentEvent } from '../events.ts';

interface Lists {
  readonly peers: readonly PeerView[];
  readonly searches: readonly SearchView[];
  /** Results of the search `resultsOf`. */
  readonly results: readonly ResultView[];
  readonly downloads: readonly DownloadView[];
  readonly uploads: readonly UploadView[];
  readonly folders: readonly FolderView[];
}

export interface Live extends Lists {
  readonly status: StatusView | null;
  readonly resultsOf: string | null;
  /** Newest first. */
  readonly queries: readonly QueryView[];
  readonly skipped: Skipped;
}

/** Latest rate of queries that were not sent as events, and when it came, in milliseconds of the client's clock. */
export interface Skipped {
  readonly perSecond: number;
  readonly at: number;
}

export const nothingSkipped: Skipped = { perSecond: 0, at: 0 };
/** The daemon repeats it each second. */
const SKIPPED_MS = 2000;

export const skippedNow = ({ perSecond, at }: Skipped, now: number): number => (now - at < SKIPPED_MS ? perSecond : 0);

export interface Extent {
  /** Whether the lists are complete and get new rows. Else they are pages, whose rows are only updated. */
  readonly whole: boolean;
  readonly queriesMax: number;
}

/** Applies events, oldest first. Unchanged lists stay the same objects. */
export class LiveReducer {
  readonly #before: Live;
  readonly #extent: Extent;
  readonly #lists: { readonly [L in keyof Lists]: Rows<Lists[L][number]> };
  /** Oldest first. */
  readonly #queries: QueryView[] = [];
  #skipped: Skipped;
  #status: StatusView | null;

  constructor(before: Live, extent: Extent) {
    const { whole } = extent;
    this.#before = before;
    this.#extent = extent;
    this.#status = before.status;
    this.#skipped = before.skipped;
    this.#lists = {
      peers: new Rows(before.peers, whole),
      searches: new Rows(before.searches, whole),
      results: new Rows(before.results, whole),
      downloads: new Rows(before.downloads, whole),
      uploads: new Rows(before.uploads, whole),
      folders: new Rows(before.folders, whole),
    };
  }

  /** `now` in milliseconds. */
  take(event: ServentEvent, now: number): void {
    const { peers, searches, results, downloads, uploads, folders } = this.#lists;
    switch (event.type) {
      case 'link.opened':
        peers.put(event.data);
        break;
      case 'link.closed':
        peers.remove(event.data.id);
        break;
      case 'query.passed':
        this.#queries.push(event.data);
        break;
      case 'query.skipped':
        this.#skipped = { perSecond: event.data.queries / event.data.seconds, at: now };
        break;
      case 'search.started':
      case 'search.finished':
        searches.putFirst(event.data);
        break;
      case 'search.result': {
        const { search: id, result } = event.data;
        const search = searches.get(id);
        if (search !== undefined) searches.put({ ...search, results: search.results + 1 });
        if (id === this.#before.resultsOf) results.put(result);
        break;
      }
      case 'download.added':
      case 'download.changed':
      case 'download.finished':
      case 'download.failed':
        downloads.put(event.data);
        break;
      case 'download.progress': {
        // Progress is delayed: it must not undo a newer state.
        const state = downloads.get(event.data.id)?.state;
        if (state === 'active' || state === 'verifying') downloads.put(event.data);
        break;
      }
      case 'download.removed':
        downloads.remove(event.data.id);
        break;
      case 'batch.finished':
        break;
      case 'upload.started':
        uploads.put(event.data);
        break;
      case 'upload.progress':
        if (uploads.get(event.data.id) !== undefined) uploads.put(event.data);
        break;
      case 'upload.finished':
        uploads.remove(event.data.id);
        break;
      case 'library.scanned':
        folders.put(event.data);
        break;
      case 'status.started':
      case 'status.now':
        this.#status = event.data;
        break;
      case 'library.hashing':
      case 'saved.changed':
      case 'saved.removed':
      case 'saved.found':
      case 'ban.started':
      case 'ban.lifted':
      case 'dht.changed':
      case 'dht.lookup':
      case 'status.configured':
      case 'status.nat':
      case 'status.budget':
      case 'status.recording':
      case 'status.stopping':
      case 'log.line':
      case 'log.skipped':
        break;
      default:
        event satisfies never; // unknown event of a newer daemon
    }
  }

  /** The current row of a download. */
  download(id: string): DownloadView | undefined {
    return this.#lists.downloads.get(id);
  }

  live(): Live {
    const { peers, searches, results, downloads, uploads, folders } = this.#lists;
    return {
      status: this.#status,
      peers: peers.rows,
      searches: searches.rows,
      results: results.rows,
      resultsOf: this.#before.resultsOf,
      downloads: downloads.rows,
      uploads: uploads.rows,
      folders: folders.rows,
      queries: mergedQueries(this.#before.queries, this.#queries.toReversed(), this.#extent.queriesMax),
      skipped: this.#skipped,
    };
  }
}

/** Merges queries, newest first; `more` wins. A restarted daemon reuses ids, so times are compared too. */
export function mergedQueries(
  known: readonly QueryView[],
  more: readonly QueryView[],
  max: number,
): readonly QueryView[] {
  if (more.length === 0) return known;
  const oldest = more.reduce((first, { at }) => (at < first ? at : first), more[0]?.at ?? '');
  const before = known.findIndex(({ at }) => at < oldest);
  const [recent, rest] = before < 0 ? [known, []] : [known.slice(0, before), known.slice(before)];
  const byId = new Map<string, QueryView>();
  for (const query of [...more, ...recent]) {
    const key = `${query.id} ${query.at}`;
    if (!byId.has(key)) byId.set(key, query);
  }
  const newest = [...byId.values()].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
  return [...newest, ...rest].slice(0, max);
}

export type ListName = keyof Lists | 'savedSearches' | 'files';

/** Lists whose rows or order change with the event; their pages must be loaded again. */
export function listsChangedBy(event: ServentEvent, resultsOf: string | null): readonly ListName[] {
  switch (event.topic) {
    case 'peers':
      return ['peers'];
    case 'searches':
      if (event.type.startsWith('saved.')) return ['savedSearches'];
      return event.type === 'search.result' && event.data.search === resultsOf ? ['searches', 'results'] : ['searches'];
    case 'downloads':
      return event.type === 'download.progress' ? [] : ['downloads'];
    case 'uploads':
      return event.type === 'upload.progress' ? [] : ['uploads'];
    case 'library':
      if (event.type === 'library.hashing' && event.data.state !== 'idle') return [];
      return ['folders', 'files'];
    case 'queries':
    case 'dht':
    case 'status':
    case 'log':
      return [];
    default:
      event satisfies never; // unknown event of a newer daemon
      return [];
  }
}

/** Rows by id, copied at the first change. Fields added by the client stay. */
class Rows<T extends { readonly id: string }> {
  readonly #before: readonly T[];
  readonly #whole: boolean;
  #byId: Map<string, T> | null = null;

  constructor(before: readonly T[], whole: boolean) {
    this.#before = before;
    this.#whole = whole;
  }

  get rows(): readonly T[] {
    return this.#byId === null ? this.#before : [...this.#byId.values()];
  }

  get(id: string): T | undefined {
    return this.#byId === null ? this.#before.find(row => row.id === id) : this.#byId.get(id);
  }

  put(row: T): void {
    const known = this.get(row.id);
    if (known !== undefined) this.#map().set(row.id, { ...known, ...row });
    else if (this.#whole) this.#map().set(row.id, row);
  }

  /** Updates a row, or inserts it at the front. */
  putFirst(row: T): void {
    if (this.get(row.id) !== undefined || !this.#whole) this.put(row);
    else this.#byId = new Map([[row.id, row], ...this.#map()]);
  }

  remove(id: string): void {
    if (this.get(id) !== undefined) this.#map().delete(id);
  }

  #map(): Map<string, T> {
    this.#byId ??= new Map(this.#before.map(row => [row.id, row]));
    return this.#byId;
  }
}
