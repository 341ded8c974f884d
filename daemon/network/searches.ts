// Our own searches: started on the overlay (or as a browse of one servent), their hits grouped by content.
import { v4 as uuid } from 'uuid'; // its beginning tells it from others
import type { ResultView, SearchView, SourceView, StartSearchInput } from '../../api/control.ts';
import { ApiError, invalid } from '../../api/errors.ts';
import { askAgainAt } from '../../protocol/overlay/queries/past-searches.ts';
import type { Search, SearchSpec } from '../../protocol/overlay/queries/search.ts';
import type { Clock } from '../../protocol/ports.ts';
import type { Servent } from '../../protocol/servent.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../protocol/wire/endpoint.ts';
import { formatGuid } from '../../protocol/wire/guid.ts';
import type { Hit, QueryHit } from '../../protocol/wire/query-hit.ts';
import { formatSha1Urn, urnOrNull } from '../../protocol/wire/urn.ts';

const SEARCHES_MAX = 256;
const RESULTS_MAX = 5_000;
const SOURCES_PER_RESULT_MAX = 200;
/** Some 300 bytes each: a neighbour can make up a million of them in seconds. */
const SOURCES_PER_SEARCH_MAX = 20_000;
/** Of all searches; those that are over are forgotten for a new one's. */
const SOURCES_MAX = 200_000;
const DURATION_MS = 180_000;

/** One servent that has the content. */
export interface FoundSource {
  readonly endpoint: Endpoint;
  readonly serventGuid: Buffer;
  readonly push: boolean;
  readonly busy: boolean | null;
  readonly index: number;
  readonly name: string;
  readonly vendor: string;
  readonly speedKbps: number;
  readonly hops: number | null;
  readonly pushProxies: readonly Endpoint[];
}

/** One content: the same SHA-1, or without one the same name and size. */
export interface FoundContent {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly sha1: Buffer | null;
  readonly foundAt: number;
  readonly sources: FoundSource[];
}

interface RunningSearch {
  readonly id: string;
  readonly input: StartSearchInput;
  readonly startedAt: number;
  readonly endsAt: number;
  /** Null for a browse. */
  readonly onOverlay: Search | null;
  /** Stops a browse. */
  readonly abort: AbortController;
  /** In the order of their finding; capacity RESULTS_MAX. */
  readonly contents: Map<string, FoundContent>;
  /** Over all contents. */
  sources: number;
  hits: number;
  /** What was left out: results, or sources of results. */
  readonly leftOut: { results: boolean; sources: boolean };
  /** Why a browse did not get all. */
  browseCut: string | null;
  state: 'running' | 'finished' | 'failed';
  error: string | null;
}

/** Resolves to how much came, when that is not all. */
export type Browse = (
  endpoint: Endpoint,
  onHit: (hit: QueryHit) => void,
  signal: AbortSignal,
) => Promise<string | null>;

export interface SearchesOptions {
  servent: Pick<Servent, 'search' | 'cancelSearch'>;
  clock: Clock;
  /** All that a servent shares, asked of it directly. */
  browse: Browse;
  onChange?: (search: SearchView) => void;
  onResult?: (search: SearchView, result: ResultView) => void;
  sourcesPerSearchMax?: number;
  sourcesMax?: number;
}

export class Searches {
  readonly #options: SearchesOptions;
  // Oldest first; capacity SEARCHES_MAX, the oldest finished one gives way.
  readonly #searches = new Map<string, RunningSearch>();
  /** Those that run on the overlay, by what they ask: each takes the hits of all that ask the same. */
  readonly #running = new Map<string, Set<RunningSearch>>();
  /** Kept by all of them. */
  #sources = 0;

  constructor(options: SearchesOptions) {
    this.#options = options;
  }

  get running(): number {
    let running = 0;
    for (const search of this.#searches.values()) if (search.state === 'running') running++;
    return running;
  }

  start(given: StartSearchInput): SearchView {
    this.#makeRoom();
    const input = withUrn(given);
    const { clock, servent } = this.#options;
    const urn = input.urn === undefined ? null : urnOrNull(input.urn);
    if (input.urn !== undefined && urn?.sha1 == null)
      throw invalid(given.urn === undefined ? 'text' : 'urn', 'only a urn:sha1: or urn:bitprint: can be searched for');
    const browsed = input.browse === undefined ? null : this.#browseEndpoint(input.browse);
    const startedAt = clock.wallTime();
    const search: RunningSearch = {
      id: uuid(),
      input,
      startedAt,
      endsAt: startedAt + (input.duration === undefined ? DURATION_MS : input.duration * 1000),
      onOverlay: browsed
        ? null
        : ask(servent, { text: input.text ?? '', urns: urn?.sha1 ? [urn.sha1] : [], ttl: input.ttl }, clock.now()),
      abort: new AbortController(),
      contents: new Map(),
      sources: 0,
      hits: 0,
      leftOut: { results: false, sources: false },
      browseCut: null,
      state: 'running',
      error: null,
    };
    this.#searches.set(search.id, search);
    if (search.onOverlay !== null) this.#listen(search, search.onOverlay);
    if (browsed) this.#browse(search, browsed);
    const view = this.#view(search);
    this.#options.onChange?.(view);
    return view;
  }

  /** The overlay found something for a search of ours. */
  onHit({ question }: Search, hit: QueryHit, hops: number | null): void {
    for (const search of this.#running.get(question) ?? []) this.#add(search, hit, hops);
  }

  /** Takes hits from now on, and begins with what the search found that it repeats, as far as there is room. */
  #listen(search: RunningSearch, { question, earlierGuids }: Search): void {
    const same = this.#running.get(question) ?? new Set();
    this.#running.set(question, same.add(search));
    const earlier = [...this.#searches.values()].findLast(
      ({ onOverlay }) => onOverlay !== null && earlierGuids.some(guid => guid.equals(onOverlay.guid)),
    );
    Object.assign(search.leftOut, earlier?.leftOut);
    for (const [key, { sources, ...content }] of earlier?.contents ?? []) {
      for (const source of sources) {
        if (!this.#hasRoom(search)) {
          search.leftOut.results = true;
          return;
        }
        const kept = search.contents.get(key) ?? { ...content, sources: [] };
        search.contents.set(key, kept);
        kept.sources.push(source);
        search.sources++;
        this.#sources++;
      }
    }
  }

  /** Ends searches whose time is up; when the next one ends, in wall-clock milliseconds. */
  expire(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const search of this.#searches.values()) {
      if (search.state !== 'running') continue;
      if (search.endsAt <= now) this.#end(search, null);
      else next = Math.min(next, search.endsAt);
    }
    return next;
  }

  list(): SearchView[] {
    this.expire(this.#options.clock.wallTime());
    return [...this.#searches.values()].map(search => this.#view(search));
  }

  get(id: string): SearchView | null {
    this.expire(this.#options.clock.wallTime());
    const search = this.#searches.get(id);
    return search === undefined ? null : this.#view(search);
  }

  contents(id: string): FoundContent[] | null {
    const search = this.#searches.get(id);
    return search === undefined ? null : [...search.contents.values()];
  }

  remove(id: string): boolean {
    const search = this.#searches.get(id);
    if (search === undefined) return false;
    this.#end(search, null);
    this.#forget(search);
    return true;
  }

  stop(): void {
    for (const search of this.#searches.values()) this.#end(search, null);
  }

  static resultView(content: FoundContent): ResultView {
    return {
      id: content.id,
      name: content.name,
      size: content.size,
      urn: content.sha1 === null ? null : formatSha1Urn(content.sha1),
      sources: content.sources.map(sourceView),
      foundAt: new Date(content.foundAt).toISOString(),
    };
  }

  #browseEndpoint(text: string): Endpoint {
    try {
      return parseEndpoint(text);
    } catch (error) {
      throw invalid('browse', 'expected an address such as 5.5.1.1:6346, not a name', error);
    }
  }

  #browse(search: RunningSearch, endpoint: Endpoint): void {
    this.#options
      .browse(endpoint, hit => this.#add(search, hit, null), search.abort.signal)
      .then(
        cut => {
          search.browseCut = cut;
          this.#end(search, null);
        },
        (error: Error) => this.#end(search, error.message),
      );
  }

  #add(search: RunningSearch, queryHit: QueryHit, hops: number | null): void {
    if (search.state !== 'running') return;
    const serventGuid = Buffer.from(queryHit.serventGuid); // one for all sources of the hit
    for (const hit of queryHit.hits) {
      search.hits++;
      const key = hit.sha1 === null ? `${hit.size} ${hit.name}` : hit.sha1.toString('latin1');
      const known = search.contents.get(key);
      const isFull = (known?.sources.length ?? 0) >= SOURCES_PER_RESULT_MAX;
      if (isFull && search.leftOut.sources) continue;
      if (known?.sources.some(source => isOf(source, serventGuid, hit.index)) === true) continue;
      const content = isFull || !this.#hasRoom(search) ? null : (known ?? this.#newContent(search, key, hit));
      if (content === null) {
        search.leftOut[known === undefined ? 'results' : 'sources'] = true;
        continue;
      }
      content.sources.push(sourceOf(queryHit, serventGuid, hit, hops));
      search.sources++;
      this.#sources++;
      this.#options.onResult?.(this.#view(search), Searches.resultView(content));
    }
  }

  /** For one more source; makes it if need be. */
  #hasRoom(search: RunningSearch): boolean {
    const { sourcesPerSearchMax = SOURCES_PER_SEARCH_MAX, sourcesMax = SOURCES_MAX } = this.#options;
    if (search.sources >= sourcesPerSearchMax) return false;
    for (const other of this.#searches.values()) {
      if (this.#sources < sourcesMax) break;
      if (other.state !== 'running' && other.sources > 0) this.#forget(other);
    }
    return this.#sources < sourcesMax;
  }

  #forget(search: RunningSearch): void {
    if (this.#searches.delete(search.id)) this.#sources -= search.sources;
  }

  #newContent(search: RunningSearch, key: string, hit: Hit): FoundContent | null {
    if (search.contents.size >= RESULTS_MAX) return null;
    const content: FoundContent = {
      id: String(search.contents.size + 1),
      name: hit.name,
      size: hit.size,
      sha1: hit.sha1 === null ? null : Buffer.from(hit.sha1),
      foundAt: this.#options.clock.wallTime(),
      sources: [],
    };
    search.contents.set(key, content);
    return content;
  }

  #end(search: RunningSearch, error: string | null): void {
    if (search.state !== 'running') return;
    search.state = error === null ? 'finished' : 'failed';
    search.error = error;
    search.abort.abort();
    if (search.onOverlay !== null) {
      const { question } = search.onOverlay;
      const same = this.#running.get(question);
      same?.delete(search);
      if (same?.size === 0) this.#running.delete(question);
      this.#options.servent.cancelSearch(search.onOverlay);
    }
    this.#options.onChange?.(this.#view(search));
  }

  #makeRoom(): void {
    if (this.#searches.size < SEARCHES_MAX) return;
    for (const search of this.#searches.values()) {
      if (search.state !== 'running') {
        this.#forget(search);
        return;
      }
    }
    throw new ApiError('TOO_MANY', `${SEARCHES_MAX} searches are running: delete one first`);
  }

  /** A time of the overlay's clock as wall-clock time. */
  #date(at: number | null): string | null {
    const { clock } = this.#options;
    return at === null ? null : new Date(clock.wallTime() - clock.now() + at).toISOString();
  }

  #view(search: RunningSearch): SearchView {
    const { onOverlay } = search;
    return {
      id: search.id,
      text: search.input.text ?? null,
      urn: search.input.urn ?? null,
      browse: search.input.browse ?? null,
      state: search.state,
      error: search.error,
      startedAt: new Date(search.startedAt).toISOString(),
      endsAt: new Date(search.endsAt).toISOString(),
      askedBefore: this.#date(onOverlay?.askedBefore ?? null),
      askAgainAt: this.#date(onOverlay === null ? null : askAgainAt(onOverlay)),
      peers: onOverlay?.linksAsked ?? 1,
      results: search.contents.size,
      hits: search.hits,
      cut: cutOf(search),
    };
  }
}

/** A text that is a URN is meant as one. */
function withUrn(input: StartSearchInput): StartSearchInput {
  const { text, ...others } = input;
  return text !== undefined && input.urn === undefined && /^urn:\S+$/i.test(text) ? { ...others, urn: text } : input;
}

/** Of words that no file can match no query is sent. */
function ask(servent: Pick<Servent, 'search'>, spec: SearchSpec, now: number): Search {
  try {
    return servent.search(spec, now);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalid('text', error.message, error);
  }
}

/** The cheap question first: a flood asks this a million times. */
function isOf(source: FoundSource, serventGuid: Buffer, index: number): boolean {
  return source.index === index && source.serventGuid.equals(serventGuid);
}

/** What a person should know of a list that is not whole. */
function cutOf({ leftOut, browseCut, contents }: RunningSearch): string | null {
  if (leftOut.results) return `the first ${contents.size} of more results`;
  if (browseCut !== null) return browseCut;
  return leftOut.sources ? 'more sources than are kept: some are left out' : null;
}

function sourceOf(queryHit: QueryHit, serventGuid: Buffer, hit: Hit, hops: number | null): FoundSource {
  return {
    endpoint: queryHit.endpoint,
    serventGuid,
    push: queryHit.push ?? false,
    busy: queryHit.busy,
    index: hit.index,
    name: hit.name,
    vendor: queryHit.vendor,
    speedKbps: queryHit.speedKbps,
    hops,
    pushProxies: queryHit.pushProxies,
  };
}

function sourceView(source: FoundSource): SourceView {
  return {
    address: formatEndpoint(source.endpoint),
    servent: formatGuid(source.serventGuid),
    push: source.push,
    busy: source.busy,
    index: source.index,
    name: source.name,
    vendor: source.vendor === '' ? null : source.vendor,
    speed: source.speedKbps,
    hops: source.hops,
  };
}
