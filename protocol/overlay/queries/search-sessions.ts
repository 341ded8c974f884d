// Search sessions: a search on the overlay, or a browse of one servent, with its results, for a limited time.
import { CodedError } from '../../errors.ts';
import { LazyMap } from '../../lazy-map.ts';
import { LazySet } from '../../lazy-set.ts';
import type { QueryHit } from '../../wire/query-hit.ts';
import { type FoundContent, FoundContents } from './found-contents.ts';
import type { SearchSpec } from './question.ts';
import type { Search } from './search.ts';

export const SESSIONS_MAX = 256;
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
  /** Throws RangeError when nothing can be found. */
  readonly search: (spec: SearchSpec, now: number) => Search;
  readonly cancel: (search: Search) => void;
  readonly sink: SessionSink;
  readonly limits?: Partial<SessionLimits> | undefined;
}

type Session = { -readonly [Key in keyof SearchSession]: SearchSession[Key] };

export class SearchSessions {
  readonly #parts: SessionsParts;
  readonly #limits: SessionLimits;
  /** Oldest first; at most SESSIONS_MAX, the oldest that is over gives way. */
  readonly #sessions = new LazySet<Session>();
  /** Those that run on the overlay, by what they ask: each takes the hits of all that ask the same. */
  readonly #running = new LazyMap<string, Set<Session>>();

  /** Sources kept by all of them. */
  #sources = 0;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#limits = { ...SESSION_LIMITS, ...parts.limits };
  }

  get running(): number {
    let running = 0;
    for (const { state } of this.#sessions) if (state === 'running') running++;
    return running;
  }

  /** Oldest first. */
  values(): SearchSession[] {
    return [...this.#sessions];
  }

  /** Asks the neighbours. Throws SearchError. */
  start(spec: SearchSpec, now: number, durationMs = SESSION_MS): SearchSession {
    this.#makeRoom();
    const search = this.#ask(spec, now);
    const session = this.#add(search, now, durationMs, search.media);
    const same = this.#running.get(search.question) ?? new Set();
    const earlier = this.#earlierOf(search);
    this.#running.set(search.question, same.add(session));
    if (earlier !== null) session.found.copy(earlier.found);
    return session;
  }

  /** Asks nobody: the shell asks one servent and calls add() and end(). `media`: MediaBit bits of the types that are kept; 0: all. Throws SearchError. */
  startBrowse(now: number, durationMs = SESSION_MS, media = 0): SearchSession {
    this.#makeRoom();
    return this.#add(null, now, durationMs, media);
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
    return next;
  }

  /** Ends all of them. */
  close(): void {
    for (const session of this.#sessions) this.end(session, null);
  }

  #ask(spec: SearchSpec, now: number): Search {
    try {
      return this.#parts.search(spec, now);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new SearchError('SEARCH_IMPOSSIBLE', error.message, { cause: error });
    }
  }

  #add(search: Search | null, now: number, durationMs: number, media: number): Session {
    const found: FoundContents = new FoundContents(() => this.#takeRoom(found), media);
    const session: Session = { search, found, startedAt: now, endsAt: now + durationMs, state: 'running', error: null };
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

  #makeRoom(): void {
    if (this.#sessions.size < SESSIONS_MAX) return;
    for (const session of this.#sessions) {
      if (session.state === 'running') continue;
      this.#forget(session);
      return;
    }
    throw new SearchError('SEARCHES_TOO_MANY', `${SESSIONS_MAX} searches are running: delete one first`);
  }
}
