// Decides which of our files are published in the DHT, as ALOC values: those that few others are known to have. More than there is room for take turns.
import { ReasonCounts } from '../reason-counts.ts';
import type { SharedFile } from '../search/shared-file.ts';
import { TimedKeys } from '../timed-keys.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { ALOC_WITH_LENGTH, encodeAloc } from './aloc.ts';
import { ValueType } from './dht-value.ts';
import type { Publishable, Publisher } from './publisher.ts';

/** A file that so many others have, as the mesh knows, does without the DHT (gtk-gnutella). */
export const ALTERNATES_MAX = 5;
/** The same of a file that we have in part. */
export const ALTERNATES_OF_PARTIAL_MAX = 1;
/** Then it is looked at again (gtk-gnutella). */
export const POPULAR_MS = 3 * 3_600_000;
const POPULAR_FILES_MAX = 16_384;
/** The rest of the publisher's room is for push proxies. */
export const FILES_MAX = 3_584;
/** Files that are looked at in one step, and the time between two steps while there is more to look at. */
const STEP_FILES = 256;
const STEP_MS = 1_000;
/** Between two steps otherwise. */
const REST_MS = 10_000;
/** Between two passes over a library that has not changed. */
const PASS_MS = 600_000;
/** Files of running downloads. */
const PARTIALS_MAX = 256;
/** What is true of us may change back and forth: all files are published anew because of it no more often than that. */
const HASTEN_MS = 60_000;

/** What of a file is published. */
export interface PublishedFile {
  readonly sha1: Buffer;
  readonly size: number;
  readonly tigerRoot: Buffer | null;
  /** Bytes that we have of it; null: all. */
  readonly available: number | null;
}

/** What is published of us with each file. */
export interface OwnLocation {
  /** 16 bytes. */
  readonly serventGuid: Buffer;
  readonly firewalled: boolean;
  readonly endpoint: Endpoint;
  readonly tls: boolean;
  /** Where a firewalled servent takes streams by UDP; null: nowhere. */
  readonly stream?: Endpoint | null;
}

export interface PublishedLibrary {
  /** In an order of its own, every file that is shared; it may change meanwhile. */
  shared(): Iterable<SharedFile>;
  bySha1(sha1: Buffer): SharedFile | null;
}

export interface FilePublicationsParts {
  readonly library: PublishedLibrary;
  /** Files of downloads that run. */
  readonly partials: () => Iterable<PublishedFile>;
  /** Other servents that are known to have a file. */
  readonly alternates: (sha1: Buffer, now: number) => number;
  readonly own: (now: number) => OwnLocation;
}

/** Why a file that was looked at is not published. */
export const UNPUBLISHED_FILES = ['popular', 'no_room'] as const;

export class FilePublications {
  readonly passedOver = new ReasonCounts(UNPUBLISHED_FILES);
  readonly #parts: FilePublicationsParts;
  #publisher: Publisher | null = null;
  /** By SHA-1; oldest first. */
  readonly #published = new Map<string, Publishable>();
  readonly #popular: TimedKeys;
  /** The pass under way. */
  #pass: Iterator<SharedFile> | null = null;
  #passAt = 0;
  /** Published files that may be shared no more, or be told otherwise. */
  #doubtful: string[] = [];
  #libraryChanged = false;
  /** Files wait for room: each gives its place up when its value would expire. */
  #crowded = false;
  #partials = new Map<string, PublishedFile>();
  #own = '';
  #hastenedAt = Number.NEGATIVE_INFINITY;
  #dueAt = 0;

  constructor(parts: FilePublicationsParts, now: number) {
    this.#parts = parts;
    this.#popular = new TimedKeys(POPULAR_MS, POPULAR_FILES_MAX, now);
  }

  get size(): number {
    return this.#published.size;
  }

  /** Other files are shared than before. */
  onLibraryChanged(): void {
    this.#passAt = 0;
    this.#dueAt = 0;
    this.#libraryChanged = true;
  }

  /** Does what is due; when to be called again. `publisher`: of the node as it is now; null: it is off. */
  tick(publisher: Publisher | null, now: number): number {
    if (publisher !== this.#publisher) this.#use(publisher);
    if (publisher === null) return Number.POSITIVE_INFINITY;
    if (now < this.#dueAt) return this.#dueAt;
    this.#takePartials(publisher, now);
    this.#review(publisher, now);
    this.#noteOwn(publisher, now);
    const more = this.#look(publisher, now) || this.#doubtful.length > 0;
    this.#dueAt = now + (more ? STEP_MS : REST_MS);
    return this.#dueAt;
  }

  /** Publications go on when a node changes between active and passive, and are gone after it was off. */
  #use(publisher: Publisher | null): void {
    this.#publisher = publisher;
    for (const [key, value] of this.#published)
      if (publisher?.has(value.key, value.type) !== true) this.#published.delete(key);
    this.#pass = null;
    this.#passAt = 0;
    this.#dueAt = 0;
  }

  #takePartials(publisher: Publisher, now: number): void {
    const before = this.#partials;
    this.#partials = new Map();
    for (const file of this.#parts.partials()) {
      if (this.#partials.size >= PARTIALS_MAX) break;
      this.#partials.set(keyOf(file.sha1), file);
    }
    for (const key of before.keys()) if (!this.#partials.has(key)) this.#doubtful.push(key);
    this.#offer([...this.#partials.values()], publisher, now);
  }

  /** Removes what is shared no more from the DHT, and publishes anew what a file has of late, such as its tree root. */
  #review(publisher: Publisher, now: number): void {
    if (this.#libraryChanged && this.#doubtful.length === 0) {
      this.#libraryChanged = false;
      this.#doubtful = [...this.#published.keys()];
    }
    for (const key of this.#doubtful.splice(0, STEP_FILES)) {
      const value = this.#published.get(key);
      if (value === undefined) continue;
      const file = this.#fileOf(key, value.key);
      if (file === null) {
        this.#published.delete(key);
        publisher.unpublish(value.key, value.type, now);
      } else if (file.available === null) publisher.publish({ ...value, data: this.#encode(file, now) }, now);
    }
  }

  /** What we have of it; a whole file rather than a part. */
  #fileOf(key: string, sha1: Buffer): PublishedFile | null {
    const file = this.#parts.library.bySha1(sha1);
    return file === null ? (this.#partials.get(key) ?? null) : { ...ofShared(file), sha1 };
  }

  #noteOwn(publisher: Publisher, now: number): void {
    const { firewalled, endpoint, tls } = this.#parts.own(now);
    const own = `${firewalled} ${endpoint.host} ${endpoint.port} ${tls}`;
    if (own === this.#own || now - this.#hastenedAt < HASTEN_MS) return;
    const isFirst = this.#own === '';
    this.#own = own;
    if (isFirst) return;
    this.#hastenedAt = now;
    for (const type of [ValueType.PushProxies, ValueType.PushProxy, ValueType.AltLocation]) publisher.hasten(type, now);
  }

  /** One step of a pass over the library. True: there is more to look at. */
  #look(publisher: Publisher, now: number): boolean {
    if (this.#pass === null) {
      if (now < this.#passAt) return false;
      this.#passAt = now + PASS_MS;
      this.#pass = this.#parts.library.shared()[Symbol.iterator]();
    }
    if (this.#crowded) this.#giveUpPopular(publisher, now);
    const room = Math.min(STEP_FILES, FILES_MAX - this.#published.size);
    this.#crowded = room <= 0;
    const files: PublishedFile[] = [];
    while (files.length < room) {
      const { value, done } = this.#pass.next();
      if (done === true) {
        this.#pass = null;
        break;
      }
      files.push(ofShared(value));
    }
    this.#offer(files, publisher, now);
    return !this.#crowded && (this.#pass !== null || now >= this.#passAt);
  }

  /** The rarest come first. */
  #offer(files: readonly PublishedFile[], publisher: Publisher, now: number): void {
    const fresh = files.flatMap(file => {
      const key = keyOf(file.sha1);
      if (this.#published.has(key) || this.#popular.has(key, now)) return [];
      return [{ key, file, others: this.#parts.alternates(file.sha1, now) }];
    });
    fresh.sort((a, b) => a.others - b.others);
    for (const { key, file, others } of fresh) {
      if (others > alternatesMax(file)) this.#passOver(key, now);
      else this.#publish(key, file, publisher, now);
    }
  }

  #passOver(key: string, now: number): void {
    this.passedOver.count('popular');
    this.#popular.add(key, now);
  }

  #publish(key: string, file: PublishedFile, publisher: Publisher, now: number): void {
    const sha1 = Buffer.from(file.sha1);
    let isFirst = true;
    const renew = (at: number): Buffer | null => {
      const data = this.#crowded && !isFirst ? null : this.#dataOf(key, sha1, at);
      isFirst = false;
      if (data === null) this.#published.delete(key);
      return data;
    };
    const data = this.#encode(file, now);
    const value = { key: sha1, type: ValueType.AltLocation, version: ALOC_WITH_LENGTH, data, renew };
    if (this.#published.size < FILES_MAX && publisher.publish(value, now)) this.#published.set(key, value);
    else this.passedOver.count('no_room');
  }

  /** Null: it is shared no more, or others have it too by now. */
  #dataOf(key: string, sha1: Buffer, now: number): Buffer | null {
    const file = this.#fileOf(key, sha1);
    if (file === null) return null;
    if (this.#parts.alternates(sha1, now) <= alternatesMax(file)) return this.#encode(file, now);
    this.#passOver(key, now);
    return null;
  }

  #encode({ size, tigerRoot, available }: PublishedFile, now: number): Buffer {
    const { serventGuid, firewalled, endpoint, tls } = this.#parts.own(now);
    const { port } = endpoint;
    return encodeAloc({ serventGuid, firewalled, port, length: size, available, tls, tigerRoot, hostName: null });
  }

  /** Those that nodes have no room for wait for hours; others may have their places. */
  #giveUpPopular(publisher: Publisher, now: number): void {
    for (const { key: sha1, type, popular } of publisher.views()) {
      if (type !== ValueType.AltLocation || !popular || !this.#published.delete(keyOf(sha1))) continue;
      publisher.forget(sha1, type);
      this.#passOver(keyOf(sha1), now);
    }
  }
}

const keyOf = (sha1: Buffer): string => sha1.toString('latin1');

function ofShared({ sha1, size, tigerRoot }: SharedFile): PublishedFile {
  return { sha1, size, tigerRoot, available: null };
}

function alternatesMax({ available }: PublishedFile): number {
  return available === null ? ALTERNATES_MAX : ALTERNATES_OF_PARTIAL_MAX;
}
