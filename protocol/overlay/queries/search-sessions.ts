// Search sessions: a search on the overlay, or a browse of one servent, with its results, for a limited time.
import { CodedError } from '../../errors.ts';
import { LazyMap } from '../../lazy-map.ts';
import { LazySet } from '../../lazy-set.ts';
import { queryWords } from '../../search/tokenizer.ts';
import type { QueryHit } from '../../wire/query-hit.ts';
import type { FoundContent } from './found-content.ts';
import { FoundContents } from './found-contents.ts';
import { KnownSpam } from './known-spam.ts';
import type { SearchSpec } from './question.ts';
import type { Search } from './search.ts';

export const SESSIONS_MAX = 256;
/** Of them, those that no user asked for. */
export const HIDDEN_SESSIONS_MAX = 32;
export const SESSION_MS = 180_000;

export interface SessionLimits {
  /** Sources of one search; some 300 bytes each, and a neighbour can make up a million of them in seconds. */
  readonly sourcesPerSession: number;
  /** Sources of all searches; those that are over are forgotten for a new one's. */
  readonly sources: number;
}

export const SESSION_LIMITS: SessionLimits = { sourcesPerSession: 20_000, sources: 200_000 };

export type SearchErrorCode =
  /** Words that no file can match, and no hash. */
  | 'SEARCH_IMPOSSIBLE'
  /** Every session runs: one has to be removed first. */
  | 'SEARCHES_TOO_MANY';

export class SearchError extends CodedError<SearchErrorCode> {}

/** Times are milliseconds of the clock that `now` is of. */
export interface SearchSession {
  /** Null for a browse. */
  readonly search: Search | null;
  readonly startedAt: number;
  readonly endsAt: number;
  readonly found: FoundContents;
  /** The servent began it, as for the sources of a download: it gives way to those of users. */
  readonly hidden: boolean;
  readonly state: 'running' | 'finished' | 'failed';
  /** Why it failed. */
  readonly error: string | null;
}

export interface SessionSink {
  /** One more source of a content. */
  onFound(session: SearchSession, content: FoundContent): void;
  /** It takes no more hits. */
  onSearchEnded(session: SearchSession): void;
  /** It is gone with what it found: removed, or given up for a new one. */
  onSearchForgotten(session: SearchSession): void;
}

interface SessionsParts {
  /** `held`: no neighbour is asked before `release`. Throws RangeError when nothing can be found. */
  readonly search: (spec: SearchSpec, now: number, held: boolean) => Search;
  readonly cancel: (search: Search) => void;
  readonly release?: (search: Search, now: number) => void;
  /**
   * Looks a search by hash up in the DHT; what is found comes by onHit(), and `onEnd` is called with the number of servents. False: it cannot, and
   * `onEnd` is not called. Absent: there is none.
   */
  readonly lookUp?: (search: Search, now: number, onEnd: (found: number, now: number) => void) => boolean;
  /** Milliseconds for which the DHT has such a search to itself. */
  readonly headStartMs?: number;
  readonly sink: SessionSink;
  readonly limits?: Partial<SessionLimits> | undefined;
}

/** With so many servents found the neighbours are not asked. */
const FOUND_ENOUGH = 5;

type Session = { -readonly [Key in keyof SearchSession]: SearchSession[Key] };

export class SearchSessions {
  readonly #parts: SessionsParts;
  readonly #limits: SessionLimits;
  readonly knownSpam = new KnownSpam();
  /** Oldest first; at most SESSIONS_MAX, the oldest that is over gives way. */
  readonly #sessions = new LazySet<Session>();
  /** Those that run on the overlay, by what they ask: each takes the hits of all that ask the same. */
  readonly #running = new LazyMap<string, Set<Session>>();

  /** Searches that the DHT has to itself, and until when. */
  readonly #held = new LazyMap<Search, number>();
  /** Sources kept by all of them. */
  #sources = 0;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#limits = { ...SESSION_LIMITS, ...parts.limits };
  }

  /** Those of users that run. */
  get running(): number {
    let running = 0;
    for (const { state, hidden } of this.#sessions) if (state === 'running' && !hidden) running++;
    return running;
  }

  /** Oldest first. */
  values(): SearchSession[] {
    return [...this.#sessions];
  }

  /** Asks the neighbours. Throws SearchError. */
  start(spec: SearchSpec, now: number, durationMs = SESSION_MS, hidden = false): SearchSession {
    if (hidden) this.#makeHiddenRoom();
    this.#makeRoom();
    const byHash = !hidden && spec.text === '' && spec.urns?.length === 1 && this.#parts.lookUp !== undefined;
    const search = this.#ask(spec, now, byHash);
    const session = this.#add(search, now, durationMs, search.media, hidden);
    const same = this.#running.get(search.question) ?? new Set();
    const earlier = this.#earlierOf(search);
    this.#running.set(search.question, same.add(session));
    if (earlier !== null) session.found.copy(earlier.found);
    if (byHash) this.#lookUp(search, now);
    return session;
  }

  /** The DHT first, and the neighbours where it brings too little or takes too long. */
  #lookUp(search: Search, now: number): void {
    const { lookUp, release, headStartMs = 0 } = this.#parts;
    const isAsked = lookUp?.(search, now, (found, at) => {
      this.#held.delete(search);
      if (found < FOUND_ENOUGH) release?.(search, at);
    });
    if (isAsked !== true) release?.(search, now);
    else if (search.held) this.#held.set(search, now + headStartMs);
  }

  /** Asks nobody: the shell asks one servent and calls add() and end(). `media`: MediaBit bits of the types that are kept; 0: all. Throws SearchError. */
  startBrowse(now: number, durationMs = SESSION_MS, media = 0): SearchSession {
    this.#makeRoom();
    return this.#add(null, now, durationMs, media, false);
  }

  /** The overlay found something for a search of ours. */
  onHit({ question }: Search, hit: QueryHit, hops: number | null, now: number): void {
    for (const session of this.#running.get(question) ?? []) this.add(session, hit, hops, now);
  }

  /** Takes one query hit, while the session runs. */
  add(session: SearchSession, hit: QueryHit, hops: number | null, now: number): void {
    if (session.state !== 'running') return;
    session.found.add(hit, hops, now, content => this.#parts.sink.onFound(session, content));
  }

  /** `error`: why it failed, null when it did not. Once; later ends are nothing. */
  end(session: SearchSession, error: string | null): void {
    const ending: Session = session;
    if (ending.state !== 'running') return;
    ending.state = error === null ? 'finished' : 'failed';
    ending.error = error;
    if (ending.search !== null) {
      const { question } = ending.search;
      const same = this.#running.get(question);
      same?.delete(ending);
      if (same?.size === 0) this.#running.delete(question);
      this.#held.delete(ending.search);
      this.#parts.cancel(ending.search);
    }
    this.#parts.sink.onSearchEnded(ending);
  }

  /** Ends it and forgets what it found. */
  remove(session: SearchSession): void {
    this.end(session, null);
    this.#forget(session);
  }

  /** Ends those whose time is up; when the next one ends. */
  tick(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const session of this.#sessions) {
      if (session.state !== 'running') continue;
      if (session.endsAt <= now) this.end(session, null);
      else next = Math.min(next, session.endsAt);
    }
    for (const [search, at] of this.#held) {
      if (at > now) next = Math.min(next, at);
      else {
        this.#held.delete(search);
        this.#parts.release?.(search, now);
      }
    }
    return next;
  }

  /** Ends all of them. */
  close(): void {
    for (const session of this.#sessions) this.end(session, null);
  }

  #ask(spec: SearchSpec, now: number, held: boolean): Search {
    try {
      return this.#parts.search(spec, now, held);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new SearchError('SEARCH_IMPOSSIBLE', error.message, { cause: error });
    }
  }

  #add(search: Search | null, now: number, durationMs: number, media: number, hidden: boolean): Session {
    const words = search === null ? [] : queryWords(search.text);
    const found: FoundContents = new FoundContents(() => this.#takeRoom(found), {
      media,
      words,
      known: this.knownSpam,
    });
    const times = { startedAt: now, endsAt: now + durationMs };
    const session: Session = { search, found, hidden, ...times, state: 'running', error: null };
    this.#sessions.add(session);
    return session;
  }

  /** The latest of the searches that this one repeats, if it is still known. */
  #earlierOf({ earlierGuids }: Search): Session | null {
    let earlier: Session | null = null;
    for (const session of this.#sessions) {
      const { search } = session;
      if (search !== null && earlierGuids.some(guid => guid.equals(search.guid))) earlier = session;
    }
    return earlier;
  }

  /** For one more source; makes it if need be. */
  #takeRoom(found: FoundContents): boolean {
    const { sourcesPerSession, sources } = this.#limits;
    if (found.sources >= sourcesPerSession) return false;
    for (const other of this.#sessions) {
      if (this.#sources < sources) break;
      if (other.state !== 'running' && other.found.sources > 0) this.#forget(other);
    }
    if (this.#sources >= sources) return false;
    this.#sources++;
    return true;
  }

  #forget(session: SearchSession): void {
    if (!this.#sessions.delete(session)) return;
    this.#sources -= session.found.sources;
    this.#parts.sink.onSearchForgotten(session);
  }

  /** The oldest hidden one gives way, running or not. */
  #makeHiddenRoom(): void {
    const hidden = [...this.#sessions].filter(session => session.hidden);
    if (hidden.length < HIDDEN_SESSIONS_MAX) return;
    const [oldest] = hidden.toSorted((a, b) => Number(a.state === 'running') - Number(b.state === 'running'));
    if (oldest !== undefined) this.remove(oldest);
  }

  #makeRoom(): void {
    if (this.#sessions.size < SESSIONS_MAX) return;
    const over = [...this.#sessions].filter(({ state }) => state !== 'running');
    const oldest = over.find(({ hidden }) => hidden) ?? over[0];
    if (oldest === undefined)
      throw new SearchError('SEARCHES_TOO_MANY', `${SESSIONS_MAX} searches are running: delete one first`);
    this.#forget(oldest);
  }
}
