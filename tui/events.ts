// What a daemon tells by itself, taken into what is known of it. Pure; events come in batches, in their order.
import type {
  ConfigPlan,
  DownloadView,
  FolderView,
  LogLineView,
  PeerView,
  QueryView,
  ResultView,
  SearchView,
  StatusView,
  UploadView,
} from '../api/control.ts';
import type { ServentEvent } from '../api/events.ts';
import { type Line, lineOf, withLines } from './daemon-log.ts';
import { type LogLine, QUERIES_MAX, RESULTS_MAX, type World } from './model.ts';
import { withStatus } from './news.ts';

/** Rows by id, copied when the first of them changes. */
class Rows<T extends { readonly id: string }> {
  readonly #before: readonly T[];
  #byId: Map<string, T> | null = null;

  constructor(before: readonly T[]) {
    this.#before = before;
  }

  get rows(): readonly T[] {
    return this.#byId === null ? this.#before : [...this.#byId.values()];
  }

  get(id: string): T | undefined {
    return this.#byId === null ? this.#before.find(row => row.id === id) : this.#byId.get(id);
  }

  put(row: T): void {
    this.#map().set(row.id, row);
  }

  /** Newest first: before all others. */
  putFirst(row: T): void {
    if (this.get(row.id) !== undefined) this.put(row);
    else this.#byId = new Map([[row.id, row], ...this.#map()]);
  }

  remove(id: string): T | undefined {
    const row = this.get(id);
    if (row !== undefined) this.#map().delete(id);
    return row;
  }

  #map(): Map<string, T> {
    this.#byId ??= new Map(this.#before.map(row => [row.id, row]));
    return this.#byId;
  }
}

export function withEvents(world: World, events: readonly ServentEvent[], at: number): World {
  const batch = new Batch(world, at);
  for (const event of events) batch.take(event);
  return batch.world();
}

class Batch {
  readonly #before: World;
  readonly #at: number;
  readonly #peers: Rows<World['peers'][number]>;
  readonly #searches: Rows<SearchView>;
  readonly #results: Rows<ResultView>;
  readonly #downloads: Rows<DownloadView>;
  readonly #uploads: Rows<UploadView>;
  readonly #folders: Rows<FolderView>;
  /** Oldest first. */
  readonly #queries: QueryView[] = [];
  readonly #lines: Line[] = [];
  #skipped: { count: number; at: number };
  #status: StatusView | null = null;

  constructor(world: World, at: number) {
    this.#before = world;
    this.#at = at;
    this.#peers = new Rows(world.peers);
    this.#searches = new Rows(world.searches);
    this.#results = new Rows(world.results);
    this.#downloads = new Rows(world.downloads);
    this.#uploads = new Rows(world.uploads);
    this.#folders = new Rows(world.folders);
    this.#skipped = { count: world.queriesSkipped, at: world.skippedAt };
  }

  take({ at, topic, type, data }: ServentEvent): void {
    const say = (text: string, level: LogLine['level'] = 'info', from: string = topic): void => {
      this.#lines.push({ at: Date.parse(at), level, from, text });
    };
    switch (type) {
      case 'query.passed':
        this.#query(data as QueryView);
        break;
      case 'query.skipped':
        this.#skipped = { count: (data as { queries: number }).queries, at: this.#at };
        break;
      case 'status.now':
      case 'status.started':
        this.#status = data as StatusView;
        if (type === 'status.started') say('the daemon has started');
        break;
      case 'status.stopping':
        say('the daemon is stopping', 'warn');
        break;
      case 'status.configured':
        for (const { key, to } of (data as ConfigPlan).changes) say(`${key} is ${JSON.stringify(to)} now`);
        break;
      case 'library.scanned':
        this.#scanned(data as FolderView, say);
        break;
      default:
        if (topic === 'peers') this.#peer(type, data, say);
        else if (topic === 'searches') this.#search(type, data, say);
        else if (topic === 'downloads') this.#download(type, data, say);
        else if (topic === 'uploads') this.#upload(type, data as UploadView, say);
        else if (type === 'log.skipped')
          say(`${(data as { lines: number }).lines} lines came too fast to be told`, 'warn');
        else if (topic === 'log') this.#lines.push(lineOf(data as LogLineView));
    }
  }

  world(): World {
    const { status, queries } = this.#before;
    let next: World = {
      ...this.#before,
      peers: this.#peers.rows,
      searches: this.#searches.rows,
      results: this.#results.rows.slice(0, RESULTS_MAX),
      downloads: this.#downloads.rows,
      uploads: this.#uploads.rows,
      folders: this.#folders.rows,
      queriesSkipped: this.#skipped.count,
      skippedAt: this.#skipped.at,
    };
    if (this.#results.rows === this.#before.results) next = { ...next, results: this.#before.results };
    if (this.#queries.length > 0)
      next = { ...next, queries: [...this.#queries.reverse(), ...queries].slice(0, QUERIES_MAX) };
    if (this.#status !== null) {
      if (status !== null && status.mode !== this.#status.mode)
        this.#lines.push({ at: this.#at, level: 'warn', from: 'peers', text: `we are ${nounOf(this.#status)} now` });
      next = withStatus(next, this.#status, this.#at);
    }
    return this.#lines.length === 0 ? next : withLines(next, this.#lines);
  }

  /** A list that was asked for meanwhile may have it already. Numbers begin anew with the daemon. */
  #query(query: QueryView): void {
    const newest = this.#queries.at(-1) ?? this.#before.queries[0];
    if (newest !== undefined && Number(query.id) <= Number(newest.id) && query.at <= newest.at) return;
    this.#queries.push(query);
  }

  #peer(type: string, data: unknown, say: Say): void {
    if (type === 'link.opened') {
      const peer = data as PeerView;
      const known = this.#peers.get(peer.id);
      this.#peers.put({ ...peer, rateIn: known?.rateIn ?? 0, rateOut: known?.rateOut ?? 0 });
      say(`${peer.role} ${peer.address} connected (${peer.userAgent ?? 'unnamed'})`);
    } else if (type === 'link.closed') {
      const { id, address, code, reason } = data as { id: string; address: string; code: number; reason: string };
      this.#peers.remove(id);
      const why = [code === 0 ? '' : String(code), reason].filter(text => text !== '').join(' ');
      say(`${address} is gone${why === '' ? '' : `: ${why}`}`);
    }
  }

  #search(type: string, data: unknown, say: Say): void {
    if (type === 'search.result') {
      const { search: id, result } = data as { search: string; result: ResultView };
      const search = this.#searches.get(id);
      if (this.#before.resultsOf === id) this.#results.put(result);
      if (search !== undefined) this.#searches.put({ ...search, results: search.results + 1 });
      return;
    }
    const search = data as SearchView;
    this.#searches.putFirst(search);
    const what = search.text ?? search.urn ?? `what ${search.browse} shares`;
    if (type === 'search.started') say(`searching for ${what}`);
    else if (type === 'search.finished') say(`found ${search.results} for ${what}`);
  }

  #download(type: string, data: unknown, say: Say): void {
    if (type === 'download.removed') {
      const gone = this.#downloads.remove((data as { id: string }).id);
      if (gone !== undefined) say(`${gone.name} was removed`);
      return;
    }
    const download = data as DownloadView;
    // Progress waits for its interval: what came to its end or was paused meanwhile stays so.
    if (type === 'download.progress' && !isMoving(this.#downloads.get(download.id))) return;
    this.#downloads.put(download);
    const { name, state, error } = download;
    if (type === 'download.failed') say(`${name} failed: ${error ?? 'no reason given'}`, 'error');
    else if (type === 'download.finished') say(`${name} is complete`);
    else if (type !== 'download.progress') say(`${name}: ${state}`);
  }

  #upload(type: string, upload: UploadView, say: Say): void {
    if (type === 'upload.finished') {
      this.#uploads.remove(upload.id);
      say(`sent ${upload.name} to ${upload.address}`);
    } else if (type !== 'upload.progress' || this.#uploads.get(upload.id) !== undefined) {
      this.#uploads.put(upload);
      if (type === 'upload.started') say(`${upload.address} takes ${upload.name}`);
    }
  }

  #scanned(folder: FolderView, say: Say): void {
    this.#folders.put(folder);
    if (folder.state === 'failed') say(`${folder.path}: ${folder.error ?? 'could not be read'}`, 'error');
    else say(`${folder.path} has ${folder.files} files`);
  }
}

type Say = (text: string, level?: LogLine['level'], from?: string) => void;
const isMoving = (download: DownloadView | undefined): boolean =>
  download?.state === 'active' || download?.state === 'verifying';
const nounOf = ({ mode }: StatusView): string => (mode === 'leaf' ? 'a leaf' : 'an ultrapeer');
