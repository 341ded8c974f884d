// Gives shared media files their metadata: from the store, else read in idle time, one file after the other, at a low pace.
import { setTimeout as pause } from 'node:timers/promises';
import { IndexSet } from '../../protocol/search/index-set.ts';
import { MediaShelf } from '../../protocol/search/media-shelf.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import { isOfMedia, wantedMedia } from '../../protocol/wire/media-type.ts';
import type { Query } from '../../protocol/wire/query.ts';
import { base32OrNull, formatBase32 } from '../../protocol/wire/urn.ts';
import type { Log } from '../log.ts';
import type { FileStore } from '../store/files.ts';
import type { MediaStore, StoredMedia } from '../store/media.ts';
import type { Catalog } from './catalog.ts';
import { MediaReader } from './media-reader.ts';

/** Extensions that the parser knows. */
const PARSED = new Set(
  '3gp aac aif aifc aiff ape asf dff dsf flac m2a m4a m4b m4r m4v mka mkv mov mp2 mp3 mp4 mpc oga ogg ogv opus spx wav webm wma wmv wv'.split(
    ' ',
  ),
);
const LOOKUPS = 64;
/** Reading takes at most a quarter of the time: queries wait while the thread parses on a busy machine. */
const READ_SHARE = 4;
const PAUSE_MS_MAX = 200;

export interface MediaStatus {
  /** Shared files with metadata. */
  readonly known: number;
  /** Media files whose metadata is looked up or read later. */
  readonly pending: number;
  /** Media files that could not be read; they are shared without metadata. */
  readonly failed: number;
}

export interface MediaIntakeOptions {
  readonly catalog: Catalog;
  readonly store: MediaStore;
  /** Knows the contents of files that are away. */
  readonly files: Pick<FileStore, 'eachContent'>;
  readonly log: Log;
  /** Files may be read now: nothing is hashed. */
  readonly isIdle: () => boolean;
  /** Metadata was added. */
  readonly onChange: () => void;
  readonly reader?: MediaReader | undefined;
}

export class MediaIntake {
  readonly shelf = new MediaShelf();
  readonly #options: MediaIntakeOptions;
  readonly #reader: MediaReader;
  /** Indices of files to look up, and of those that the store does not know; bounded by the files of the library. */
  readonly #unseen = new IndexSet();
  readonly #unread = new IndexSet();
  #running: Promise<void> | null = null;
  #swept = false;
  /** Indices of shared files that could not be read. */
  readonly #failed = new IndexSet();
  readonly #stopping = new AbortController();
  #waiters: (() => void)[] = [];
  #stopped = false;

  constructor(options: MediaIntakeOptions) {
    this.#options = options;
    this.#reader = options.reader ?? new MediaReader();
  }

  get status(): MediaStatus {
    return { known: this.shelf.files, pending: this.#unseen.size + this.#unread.size, failed: this.#failed.size };
  }

  /** Resolves when the files taken so far are looked up and, if nothing is hashed, read. */
  async settled(): Promise<void> {
    this.wake();
    while (this.#running !== null) await new Promise<void>(resolve => this.#waiters.push(resolve));
  }

  /** Takes a file that is shared from now on. */
  take(index: number, name: string): void {
    if (this.#stopped || !PARSED.has(name.slice(name.lastIndexOf('.') + 1).toLowerCase())) return;
    this.#unseen.add(index);
    this.wake();
  }

  /** Forgets a file that is not shared any more. */
  drop(index: number): void {
    this.shelf.delete(index);
    for (const set of [this.#unseen, this.#unread, this.#failed]) set.delete(index);
  }

  /** Adds shared files whose metadata matches the XML of the query to those found by name, up to `hitsMax`. */
  match({ xml, ggep }: Query, hitsMax: number, files: SharedFile[]): void {
    if (xml === null || files.length >= hitsMax) return;
    const wanted = wantedMedia(ggep);
    for (const index of this.shelf.match(xml, hitsMax)) {
      const file = this.#options.catalog.index.byIndex(index);
      if (files.length >= hitsMax) return;
      if (file !== null && isOfMedia(file.name, wanted) && !files.some(known => known.index === index))
        files.push(file);
    }
  }

  /** Goes on, if there is something to do and, for reading, nothing is hashed. */
  wake(): void {
    if (this.#stopped || this.#running !== null) return;
    const isDue = this.#unread.size > 0 || !this.#swept;
    if (this.#unseen.size === 0 && !(isDue && this.#options.isIdle())) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
      for (const resolve of this.#waiters.splice(0)) resolve();
      this.wake();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.abort();
    this.#unseen.clear();
    this.#unread.clear();
    await this.#reader.stop();
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // others of the same turn come into the first slice
    while (!this.#stopped) {
      if (this.#unseen.size > 0) await this.#lookUp(this.#unseen.take(LOOKUPS));
      else if (this.#unread.size > 0 && this.#options.isIdle()) await this.#readNext();
      else break;
    }
    await this.#sweep();
  }

  /** Once a run, when all files of the first scans are known. */
  async #sweep(): Promise<void> {
    const { catalog, store, files, isIdle } = this.#options;
    if (this.#swept || this.#stopped || !isIdle()) return;
    this.#swept = true;
    const isShared = (key: string): boolean => {
      const sha1 = base32OrNull(key);
      return sha1 !== null && catalog.index.bySha1(sha1) !== null;
    };
    await store.sweep(isShared, keys => files.eachContent(key => keys.delete(key)));
  }

  async #lookUp(indices: readonly number[]): Promise<void> {
    const { catalog, store } = this.#options;
    const files = indices.flatMap(index => catalog.index.byIndex(index) ?? []);
    const found = await store.lookUp(files.map(({ sha1 }) => formatBase32(sha1)));
    for (const [i, { index }] of files.entries()) {
      const stored = found[i];
      if (stored === undefined) this.#unread.add(index);
      else this.#keep(index, stored);
    }
  }

  async #readNext(): Promise<void> {
    const startedAt = performance.now();
    for (const index of this.#unread.take(1)) await this.#read(index);
    if (this.#unread.size === 0) return;
    const pauseMs = Math.min(PAUSE_MS_MAX, (READ_SHARE - 1) * (performance.now() - startedAt));
    await Promise.allSettled([pause(pauseMs, undefined, { signal: this.#stopping.signal })]);
  }

  async #read(index: number): Promise<void> {
    const { catalog, store, log } = this.#options;
    const entry = catalog.byIndex(index);
    const file = entry?.file ?? null;
    if (entry === null || file === null) return;
    const { path, size, mtimeMs } = entry;
    const key = formatBase32(file.sha1);
    const result = await this.#reader.read({ path, size, mtimeMs });
    if (result.kind === 'stopped' || result.kind === 'changed') return; // the next scan takes it anew
    const stored = result.kind === 'read' ? { media: result.record } : { media: null, failed: result.why };
    if (result.kind === 'failed')
      log.warn({ path, why: result.why }, `${path} is shared without metadata: it could not be read`);
    await store.remember(key, stored);
    this.#keep(index, stored);
  }

  #keep(index: number, { media, failed }: StoredMedia): void {
    const file = this.#options.catalog.index.byIndex(index);
    if (file === null) return;
    if (failed !== undefined) this.#failed.add(index);
    if (media === null) return;
    this.shelf.set(index, media);
    this.#options.onChange();
  }
}
