// What one search has found: hits grouped by content, each servent that has it once. Bounded; what is left out is remembered.
import type { Endpoint } from '../../wire/endpoint.ts';
import { NO_PLAY_FACTS } from '../../wire/lime-xml.ts';
import { isOfMedia } from '../../wire/media-type.ts';
import type { Hit, QueryHit } from '../../wire/query-hit.ts';
import { playFactsIn } from './hit-play-facts.ts';

const CONTENTS_MAX = 5_000;
const SOURCES_PER_CONTENT_MAX = 200;

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
  /** Counted from 1 in the order of finding. */
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly sha1: Buffer | null;
  /** Milliseconds of the clock that `now` is of. */
  readonly foundAt: number;
  /** Playing time and bit rate, as the first servent says that tells them; null: none does. */
  seconds: number | null;
  kbps: number | null;
  readonly sources: FoundSource[];
}

export class FoundContents {
  /** By SHA-1, or name and size; in the order of finding, at most CONTENTS_MAX. */
  readonly #contents = new Map<string, FoundContent>();
  readonly #takeRoom: () => boolean;
  /** Over all contents. */
  sources = 0;
  /** Hit records, those left out as well. */
  hits = 0;
  /** Contents, or sources of contents, were left out. */
  readonly leftOut = { contents: false, sources: false };

  readonly #media: number;

  /**
   * `takeRoom`: takes room for one more source; false when there is none. `media`: MediaBit bits of the types that are kept,
   * as many servents ignore GGEP M; 0: all.
   */
  constructor(takeRoom: () => boolean, media = 0) {
    this.#takeRoom = takeRoom;
    this.#media = media;
  }

  get size(): number {
    return this.#contents.size;
  }

  values(): FoundContent[] {
    return [...this.#contents.values()];
  }

  /** `onFound`: for each source that is new, after it was added. */
  add(queryHit: QueryHit, hops: number | null, now: number, onFound: (content: FoundContent) => void): void {
    const serventGuid = Buffer.from(queryHit.serventGuid); // one for all sources of the hit
    const playFacts = playFactsIn(queryHit);
    for (const [at, hit] of queryHit.hits.entries()) {
      this.hits++;
      if (!isOfMedia(hit.name, this.#media)) continue;
      const key = hit.sha1 === null ? `${hit.size} ${hit.name}` : hit.sha1.toString('latin1');
      const known = this.#contents.get(key);
      const isFull = known === undefined ? this.size >= CONTENTS_MAX : known.sources.length >= SOURCES_PER_CONTENT_MAX;
      const kind = known === undefined ? 'contents' : 'sources';
      if (isFull && this.leftOut[kind]) continue;
      if (known?.sources.some(source => isOf(source, serventGuid, hit.index)) === true) continue;
      if (isFull || !this.#takeRoom()) {
        this.leftOut[kind] = true;
        continue;
      }
      const content = known ?? this.#newContent(key, hit, now);
      const { seconds, kbps } = playFacts[at] ?? NO_PLAY_FACTS;
      content.seconds ??= seconds;
      content.kbps ??= kbps;
      content.sources.push(sourceOf(queryHit, serventGuid, hit, hops));
      this.sources++;
      onFound(content);
    }
  }

  /** Begins with what an earlier search for the same found, as far as there is room. */
  copy(earlier: FoundContents): void {
    Object.assign(this.leftOut, earlier.leftOut);
    for (const [key, { sources, ...content }] of earlier.#contents) {
      for (const source of sources) {
        if (!this.#takeRoom()) {
          this.leftOut.contents = true;
          return;
        }
        const kept = this.#contents.get(key) ?? { ...content, sources: [] };
        this.#contents.set(key, kept);
        kept.sources.push(source);
        this.sources++;
      }
    }
  }

  #newContent(key: string, { name, size, sha1 }: Hit, now: number): FoundContent {
    const id = String(this.#contents.size + 1);
    const kept = sha1 === null ? null : Buffer.from(sha1);
    const content: FoundContent = { id, name, size, sha1: kept, foundAt: now, seconds: null, kbps: null, sources: [] };
    this.#contents.set(key, content);
    return content;
  }
}

/** The cheap question first: a flood asks this a million times. */
function isOf(source: FoundSource, serventGuid: Buffer, index: number): boolean {
  return source.index === index && source.serventGuid.equals(serventGuid);
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
