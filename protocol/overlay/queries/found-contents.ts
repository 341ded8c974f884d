// What one search has found: hits grouped by content, each servent that has it once. Bounded; what is left out is remembered.
import { relaysIn } from '../../relay/relay-line.ts';
import { impossibleSize, isDisguised } from '../../search/fake-name.ts';
import { NO_PLAY_FACTS } from '../../wire/lime-xml.ts';
import { isOfMedia } from '../../wire/media-type.ts';
import type { Hit, QueryHit } from '../../wire/query-hit.ts';
import { takesStreams } from '../../wire/stream-item.ts';
import type { FoundContent, FoundSource } from './found-content.ts';
import { folderIn } from './hit-folder.ts';
import { playFactsIn } from './hit-play-facts.ts';
import { KnownSpam } from './known-spam.ts';
import { SpamClusters } from './spam-clusters.ts';
import type { SpamMark } from './spam-mark.ts';

const CONTENTS_MAX = 5_000;
const SOURCES_PER_CONTENT_MAX = 200;

export interface FoundContentsOptions {
  /** MediaBit bits of the types that are kept, as many servents ignore GGEP M; 0: all. */
  readonly media?: number;
  /** Canonical words searched for. */
  readonly words?: readonly string[];
  readonly known?: KnownSpam;
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

  /** Contents of which the DHT has named servents: it knows no names, and not every size. */
  readonly #bare = new WeakSet<FoundContent>();
  readonly #media: number;
  readonly #known: KnownSpam;
  readonly #clusters: SpamClusters;

  /** `takeRoom`: takes room for one more source; false when there is none. */
  constructor(takeRoom: () => boolean, { media = 0, words = [], known = new KnownSpam() }: FoundContentsOptions = {}) {
    this.#takeRoom = takeRoom;
    this.#media = media;
    this.#known = known;
    this.#clusters = new SpamClusters(words);
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
      if (known !== undefined && this.#merges(known, queryHit, serventGuid, hit, hops)) {
        onFound(known);
        continue;
      }
      const bare = isBare(hit.name);
      if (known?.sources.some(source => isOf(source, serventGuid, hit.index, bare)) === true) continue;
      if (isFull || !this.#takeRoom()) {
        this.leftOut[kind] = true;
        continue;
      }
      const content = known ?? this.#newContent(key, hit, now);
      if (bare) this.#bare.add(content);
      else if (this.#bare.has(content)) tell(content, hit);
      const { seconds, kbps } = playFacts[at] ?? NO_PLAY_FACTS;
      content.seconds ??= seconds;
      content.kbps ??= kbps;
      content.folder ??= folderIn(hit);
      this.#addSource(content, sourceOf(queryHit, serventGuid, hit, hops));
      onFound(content);
    }
  }

  /** A servent that the DHT named tells more of its file now: its source is replaced. False: nothing of that kind. */
  #merges(known: FoundContent, queryHit: QueryHit, serventGuid: Buffer, hit: Hit, hops: number | null): boolean {
    if (!this.#bare.has(known) || isBare(hit.name)) return false;
    const at = known.sources.findIndex(source => isBare(source.name) && source.serventGuid.equals(serventGuid));
    if (at < 0) return false;
    known.sources[at] = sourceOf(queryHit, serventGuid, hit, hops);
    tell(known, hit);
    return true;
  }

  /** Why it looks like spam or a fake; what is found later may add reasons. */
  marksOf(content: FoundContent): SpamMark[] {
    const marks = [...this.#known.marksOf(content), ...this.#clusters.marksOf(content)];
    const { name, size } = content;
    if (isDisguised(name)) marks.push({ reason: 'disguised', text: 'a program named as something else' });
    const why = impossibleSize(name, size, content);
    if (why !== null) marks.push({ reason: 'impossible_size', text: why });
    return marks;
  }

  /** Changes with everything that changes marks. */
  get revision(): string {
    return `${this.hits} ${this.sources} ${this.#known.revision}`;
  }

  #addSource(content: FoundContent, source: FoundSource): void {
    content.sources.push(source);
    this.sources++;
    this.#clusters.note(content, source);
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
        if (isBare(source.name)) this.#bare.add(kept);
        this.#addSource(kept, source);
      }
    }
  }

  #newContent(key: string, { name, size, sha1 }: Hit, now: number): FoundContent {
    const id = String(this.#contents.size + 1);
    const kept = sha1 === null ? null : Buffer.from(sha1);
    const content: FoundContent = {
      ...{ id, name, size, sha1: kept, foundAt: now },
      ...{ folder: null, seconds: null, kbps: null, sources: [] },
    };
    this.#contents.set(key, content);
    return content;
  }
}

/** The hash in place of a name. */
function isBare(name: string): boolean {
  return name.startsWith('urn:sha1:');
}

function tell(content: FoundContent, { name, size }: Hit): void {
  if (isBare(content.name)) content.name = name;
  if (content.size === 0) content.size = size;
}

/** The cheap question first: a flood asks this a million times. `bare`: the DHT knows no index. */
function isOf(source: FoundSource, serventGuid: Buffer, index: number, bare: boolean): boolean {
  return (bare || source.index === index) && source.serventGuid.equals(serventGuid);
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
    rudp: takesStreams(queryHit) ? queryHit.endpoint : null,
    relays: relaysIn(queryHit.ggep),
  };
}
