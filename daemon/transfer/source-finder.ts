// Finds sources for the downloads: asks the overlay when it is time to, and takes what any search or browse of ours finds of their files.
import type { Random } from '../../protocol/ports.ts';
import type { ContentLocator } from '../../protocol/transfer/downloads/content-locator.ts';
import { offerOf, type SourceOffer } from '../../protocol/transfer/downloads/hit-sources.ts';
import { SourceSearch, type SourceSearchTimes } from '../../protocol/transfer/downloads/source-search.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import type { Clock } from '../clock.ts';
import { placeholderName } from './download-request.ts';
import type { DownloadSnapshot } from './download-snapshot.ts';
import { isWithoutSource, type SourceHunt } from './source-hunt.ts';

export interface SourceFinderOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly times: SourceSearchTimes;
  /** Those that can be asked; the overlay, and a DHT. */
  readonly locators: readonly ContentLocator[];
  /** Whether an address may be dialled because a peer names it. */
  readonly mayReach: (endpoint: Endpoint) => boolean;
  /** A servent that has the file of this download. */
  readonly onOffer: (id: string, offer: SourceOffer) => void;
}

/** Without a neighbour the next look is so much later. */
const NOBODY_MS = 1_000;

export class SourceFinder {
  readonly #options: SourceFinderOptions;
  readonly #search: SourceSearch;
  /** Ids by SHA-1 of the downloads that are not over; two of one content when a copy was asked for. */
  readonly #wanted = new Map<string, Set<string>>();
  /** SHA-1 by id. */
  readonly #keys = new Map<string, string>();
  /** By id what is known of the content: as many as in `#keys`. */
  readonly #known = new Map<string, { readonly size: number | null; readonly tigerRoot: Buffer | null }>();
  /** By id what ends the questions under way: at most two for each locator. */
  readonly #asking = new Map<string, (() => void)[]>();
  /** When tick() has something to do. */
  #dueAt = 0;

  constructor(options: SourceFinderOptions) {
    this.#options = options;
    this.#search = new SourceSearch(options.random, options.times);
  }

  /** A download is new or has changed. */
  note(download: DownloadSnapshot): void {
    const { id, sha1, state, error } = download;
    if (sha1 === null) return;
    const isFailed = state === 'failed' && !isWithoutSource(error);
    if (state === 'completed' || isFailed) {
      this.forget(id);
      return;
    }
    this.#remember(id, sha1.toString('latin1'));
    this.#known.set(id, { size: download.size, tigerRoot: download.root });
    if (state === 'paused' || state === 'verifying') this.#search.rest(id);
    else {
      const usable = download.sources.filter(source => source.state !== 'dropped').length;
      const name = download.words ?? (download.name === placeholderName(sha1) ? null : download.name);
      this.#search.want({ id, sha1, name, usable }, this.#options.clock.now());
    }
    const nextAt = this.#search.stateOf(id)?.nextAt ?? null;
    if (nextAt === null) this.#endQuestions(id);
    else this.#dueAt = Math.min(this.#dueAt, nextAt);
  }

  /** A running download could use more sources. */
  hurry(id: string): void {
    this.#search.hurry(id, this.#options.clock.now());
    this.#dueAt = Math.min(this.#dueAt, this.#search.nextAt());
  }

  /** A download is over. */
  forget(id: string): void {
    const key = this.#keys.get(id);
    if (key === undefined) return;
    this.#keys.delete(id);
    this.#known.delete(id);
    const ids = this.#wanted.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#wanted.delete(key);
    this.#search.forget(id);
    this.#endQuestions(id);
  }

  /** Null: it is not looked for. */
  huntOf(id: string): SourceHunt | null {
    const state = this.#search.stateOf(id);
    if (state === null) return null;
    const { clock } = this.#options;
    const { asked, nextAt } = state;
    const now = clock.now();
    return { asked, nextAt: nextAt === null ? null : clock.wallTime() + Math.max(0, Math.round(nextAt - now)) };
  }

  /** A search or a browse of ours found something. */
  onHit(queryHit: QueryHit): void {
    if (this.#wanted.size === 0) return;
    for (const hit of queryHit.hits) {
      const ids = hit.sha1 === null ? undefined : this.#wanted.get(hit.sha1.toString('latin1'));
      const offer = ids === undefined ? null : offerOf(queryHit, hit, this.#options.mayReach);
      if (offer !== null) for (const id of [...(ids ?? [])]) this.#options.onOffer(id, offer);
    }
  }

  /** A locator names servents that have this content. */
  onOffer(offer: SourceOffer): void {
    for (const id of [...(this.#wanted.get(offer.sha1.toString('latin1')) ?? [])]) this.#options.onOffer(id, offer);
  }

  /** Asks what is due; when it is to be called again. */
  tick(now: number): number {
    if (now < this.#dueAt) return this.#dueAt;
    const locators = this.#options.locators.filter(({ ready }) => ready);
    if (locators.length === 0) this.#dueAt = this.#search.size === 0 ? Number.POSITIVE_INFINITY : now + NOBODY_MS;
    else {
      for (let question = this.#search.next(now); question !== null; question = this.#search.next(now)) {
        const { id, sha1, words, isFirst } = question;
        const wanted = { sha1, words, ...(this.#known.get(id) ?? { size: null, tigerRoot: null }) };
        const ends = locators.flatMap(locator => locator.locate(wanted, now) ?? []);
        if (isFirst) this.#endQuestions(id); // those of the round before
        this.#asking.set(id, [...(this.#asking.get(id) ?? []), ...ends]);
      }
      this.#dueAt = this.#search.nextAt();
    }
    return this.#dueAt;
  }

  #remember(id: string, key: string): void {
    if (this.#keys.has(id)) return;
    this.#keys.set(id, key);
    this.#wanted.set(key, (this.#wanted.get(key) ?? new Set()).add(id));
  }

  #endQuestions(id: string): void {
    const ends = this.#asking.get(id);
    this.#asking.delete(id);
    for (const end of ends ?? []) end();
  }
}
