// Gives our searches and browses ids. The servent groups the results.
import { v4 as uuid } from 'uuid';
import { CodedError, ProtocolError } from '../../protocol/errors.ts';
import type { FoundContent } from '../../protocol/overlay/queries/found-content.ts';
import type { FoundContents } from '../../protocol/overlay/queries/found-contents.ts';
import { askAgainAt } from '../../protocol/overlay/queries/past-searches.ts';
import { SESSION_MS, type SearchSession, type SessionSink } from '../../protocol/overlay/queries/search-sessions.ts';
import type { SpamMark } from '../../protocol/overlay/queries/spam-mark.ts';
import type { Servent } from '../../protocol/servent.ts';
import { type Endpoint, endpointOrNull } from '../../protocol/wire/endpoint.ts';
import { searchIn } from '../../protocol/wire/magnet.ts';
import { type MediaType, mediaMask } from '../../protocol/wire/media-type.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import { urnOrNull } from '../../protocol/wire/urn.ts';
import type { Clock } from '../clock.ts';

/** A field of the search input is invalid. */
export class SearchInputError extends CodedError<'SEARCH_INPUT'> {
  readonly field: 'text' | 'urn' | 'browse';

  constructor(field: SearchInputError['field'], message: string) {
    super('SEARCH_INPUT', message);
    this.field = field;
  }
}

/** What is searched for: words, a URN, or everything that one servent shares. */
export interface SearchRequest {
  readonly text?: string | undefined;
  readonly urn?: string | undefined;
  /** IP address and port. */
  readonly browse?: string | undefined;
  /** Only files of this type. */
  readonly type?: MediaType | undefined;
  readonly ttl?: number | undefined;
  /** Seconds. */
  readonly duration?: number | undefined;
}

/** Times are milliseconds since 1970. */
export interface SearchSnapshot {
  readonly id: string;
  readonly text: string | null;
  readonly urn: string | null;
  readonly browse: string | null;
  readonly type: MediaType | null;
  readonly state: SearchSession['state'];
  readonly error: string | null;
  readonly startedAt: number;
  readonly endsAt: number;
  readonly askedBefore: number | null;
  readonly askAgainAt: number | null;
  /** Neighbours asked. */
  readonly peers: number;
  readonly results: number;
  readonly hits: number;
  /** Results that `searches.spam` hides. */
  readonly hidden: number;
  /** Why the results are incomplete; null: they are complete. */
  readonly cut: string | null;
}

/** One result as filters read it. */
export class FoundResult {
  readonly content: FoundContent;
  /** Milliseconds since 1970. */
  readonly foundAt: number;
  readonly #found: FoundContents;
  #marks: SpamMark[] | null = null;

  constructor(content: FoundContent, foundAt: number, found: FoundContents) {
    this.content = content;
    this.foundAt = foundAt;
    this.#found = found;
  }

  get marks(): readonly SpamMark[] {
    this.#marks ??= this.#found.marksOf(this.content);
    return this.#marks;
  }
}

/** Which results are hidden. */
export interface HideRule {
  readonly text: string;
  hides(result: FoundResult): boolean;
}

const HIDE_NONE: HideRule = { text: '', hides: () => false };

interface NamedSearch {
  readonly id: string;
  readonly input: SearchRequest;
  readonly session: SearchSession;
  /** Wall-clock milliseconds of `session.startedAt`; the other dates are computed from it. */
  readonly startedAt: number;
  readonly abort: AbortController;
  /** Why a browse is incomplete; null: it is complete. */
  browseCut: string | null;
  /** How many are hidden, of what was found and by which rule. */
  hidden: { readonly of: string; readonly count: number };
}

/** Fetches the file list of a servent. Resolves with a sentence when the list was cut, else with null. */
export type Browse = (
  endpoint: Endpoint,
  onHit: (hit: QueryHit) => void,
  signal: AbortSignal,
) => Promise<string | null>;

export interface SearchRegistryOptions {
  servent: Pick<Servent, 'searches'>;
  clock: Clock;
  browse: Browse;
  /** Default: none. */
  hideRule?: () => HideRule;
  onChange?: (search: SearchSnapshot) => void;
  /** `results`: how many the search has. */
  onResult?: (search: string, results: number, result: FoundResult) => void;
}

export class SearchRegistry implements SessionSink {
  readonly #options: SearchRegistryOptions;
  /** One for each session of the servent, which bounds them. */
  readonly #byId = new Map<string, NamedSearch>();
  readonly #bySession = new Map<SearchSession, NamedSearch>();

  constructor(options: SearchRegistryOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#options.servent.searches.running;
  }

  /** `onId`: called before anybody is told of the search. Throws SearchInputError and SearchError. */
  start(given: SearchRequest, onId?: (id: string) => void): SearchSnapshot {
    const input = withUrn(given);
    const { clock, servent } = this.#options;
    const { searches } = servent;
    const now = clock.now();
    const ms = input.duration === undefined ? SESSION_MS : input.duration * 1000;
    const urn = input.urn === undefined ? null : urnOrNull(input.urn);
    if (input.urn !== undefined && urn?.sha1 == null) {
      const field = given.urn === undefined ? 'text' : 'urn';
      throw new SearchInputError(field, 'only a urn:sha1: or urn:bitprint: can be searched for');
    }
    const browsed = input.browse === undefined ? null : browseEndpoint(input.browse);
    const media = input.type === undefined ? 0 : mediaMask([input.type]);
    const spec = { text: input.text ?? '', urns: urn?.sha1 ? [urn.sha1] : [], media, ttl: input.ttl };
    const session = browsed === null ? searches.start(spec, now, ms) : searches.startBrowse(now, ms, media);
    const search: NamedSearch = {
      ...{ id: uuid(), input, session, startedAt: clock.wallTime() },
      abort: new AbortController(),
      browseCut: null,
      hidden: { of: '', count: 0 },
    };
    onId?.(search.id);
    this.#byId.set(search.id, search);
    this.#bySession.set(session, search);
    if (browsed !== null) this.#browse(search, browsed);
    const snapshot = this.#snapshotOf(search);
    this.#options.onChange?.(snapshot);
    return snapshot;
  }

  // --- calls from the servent

  onFound(session: SearchSession, content: FoundContent): void {
    const search = this.#bySession.get(session);
    if (search !== undefined) this.#options.onResult?.(search.id, session.found.size, resultOf(search, content));
  }

  onSearchEnded(session: SearchSession): void {
    const search = this.#bySession.get(session);
    if (search === undefined) return;
    search.abort.abort();
    this.#options.onChange?.(this.#snapshotOf(search));
  }

  onSearchForgotten(session: SearchSession): void {
    const search = this.#bySession.get(session);
    if (search !== undefined) this.#byId.delete(search.id);
    this.#bySession.delete(session);
  }

  // --- calls from the API

  list(): SearchSnapshot[] {
    this.#tick();
    return Array.from(this.#byId.values(), search => this.#snapshotOf(search));
  }

  get(id: string): SearchSnapshot | null {
    this.#tick();
    const search = this.#byId.get(id);
    return search === undefined ? null : this.#snapshotOf(search);
  }

  contents(id: string): FoundContent[] | null {
    return this.#byId.get(id)?.session.found.values() ?? null;
  }

  /** Results, oldest first, without those that are hidden unless `hidden` says otherwise. Null: unknown search. */
  results(id: string, hidden: 'hide' | 'show' | 'only' = 'hide'): FoundResult[] | null {
    const search = this.#byId.get(id);
    if (search === undefined) return null;
    const all = search.session.found.values().map(content => resultOf(search, content));
    if (hidden === 'show') return all;
    const rule = this.#hideRule();
    return all.filter(result => rule.hides(result) === (hidden === 'only'));
  }

  remove(id: string): boolean {
    const search = this.#byId.get(id);
    if (search !== undefined) this.#options.servent.searches.remove(search.session);
    return search !== undefined;
  }

  /** Ends searches whose time is over, in case the tick is late. */
  #tick(): void {
    const { servent, clock } = this.#options;
    servent.searches.tick(clock.now());
  }

  #hideRule(): HideRule {
    return this.#options.hideRule?.() ?? HIDE_NONE;
  }

  /** Counts only when something changed that decides it. */
  #hiddenOf(search: NamedSearch): number {
    const rule = this.#hideRule();
    const { found } = search.session;
    const of = `${found.revision} ${rule.text}`;
    if (search.hidden.of !== of) {
      let count = 0;
      if (rule.text !== '') for (const content of found.values()) if (rule.hides(resultOf(search, content))) count++;
      search.hidden = { of, count };
    }
    return search.hidden.count;
  }

  #snapshotOf(search: NamedSearch): SearchSnapshot {
    return { ...snapshotOf(search), hidden: this.#hiddenOf(search) };
  }

  #browse(search: NamedSearch, endpoint: Endpoint): void {
    const { session, abort } = search;
    const { servent, clock } = this.#options;
    const { searches } = servent;
    this.#options
      .browse(endpoint, hit => searches.add(session, hit, null, clock.now()), abort.signal)
      .then(
        cut => {
          search.browseCut = cut;
          searches.end(session, null);
        },
        (error: Error) => searches.end(session, error.message),
      );
  }
}

function resultOf(search: NamedSearch, content: FoundContent): FoundResult {
  return new FoundResult(content, wallTimeOf(search, content.foundAt), search.session.found);
}

function snapshotOf(search: NamedSearch): Omit<SearchSnapshot, 'hidden'> {
  const { id, input, session, startedAt } = search;
  const onOverlay = session.search;
  const again = onOverlay === null ? null : askAgainAt(onOverlay);
  return {
    id,
    text: input.text ?? null,
    urn: input.urn ?? null,
    browse: input.browse ?? null,
    type: input.type ?? null,
    state: session.state,
    error: session.error,
    startedAt,
    endsAt: wallTimeOf(search, session.endsAt),
    askedBefore: onOverlay?.askedBefore == null ? null : wallTimeOf(search, onOverlay.askedBefore),
    askAgainAt: again === null ? null : wallTimeOf(search, again),
    peers: onOverlay?.linksAsked ?? 1,
    results: session.found.size,
    hits: session.found.hits,
    cut: cutOf(search),
  };
}

/** A time of the servent's clock in milliseconds since 1970. */
function wallTimeOf({ startedAt, session }: NamedSearch, at: number): number {
  return startedAt + Math.round(at - session.startedAt);
}

/** Takes the URN out of a text that holds a URN or a magnet link. */
function withUrn(input: SearchRequest): SearchRequest {
  const { text, ...others } = input;
  if (text === undefined || input.urn !== undefined) return input;
  try {
    return { ...others, ...(searchIn(text) ?? { text }) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new SearchInputError('text', error.message);
  }
}

function browseEndpoint(text: string): Endpoint {
  const endpoint = endpointOrNull(text);
  if (endpoint === null)
    throw new SearchInputError('browse', 'expected an IP address and port such as 5.5.1.1:6346, not a host name');
  return endpoint;
}

/** Why the result list is incomplete; null: it is complete. */
function cutOf({ session, browseCut }: NamedSearch): string | null {
  const { leftOut, size } = session.found;
  if (leftOut.contents) return `the first ${size} of more results`;
  if (browseCut !== null) return browseCut;
  return leftOut.sources ? 'more sources than are kept: some are left out' : null;
}
