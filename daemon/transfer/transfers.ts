// Builds and starts the library, the uploads, the searches and the downloads.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PublishedFile } from '../../protocol/dht/file-publications.ts';
import { HostLimits } from '../../protocol/transfer/downloads/host-limits.ts';
import { slotsInAll } from '../../protocol/transfer/uploads/queue/upload-limits.ts';
import { CONNECTIONS_MAX } from '../../protocol/transfer/uploads/upload-answerer.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import type { Settings } from '../../settings/settings.ts';
import type { DaemonContext } from '../context.ts';
import { Library, type LibraryOptions } from '../library/library.ts';
import { OwnFolder } from '../library/own-folder.ts';
import { SlabSocket } from '../net/slab-socket.ts';
import type { Network } from '../network/network.ts';
import {
  type HideRule,
  SearchRegistry,
  type SearchRegistryOptions,
  type SearchSnapshot,
} from '../network/search-registry.ts';
import { DownloadStore } from '../store/downloads.ts';
import { FileStore } from '../store/files.ts';
import { Journal, type JournalLimits } from '../store/journal.ts';
import { MediaStore } from '../store/media.ts';
import { UploadQueueStore } from '../store/upload-queue.ts';
import { BadContents } from './bad-contents.ts';
import { type BatchEnd, Batches } from './batches.ts';
import { browseHost } from './browse-host.ts';
import type { DownloadSnapshot } from './download-snapshot.ts';
import { Downloads } from './downloads.ts';
import type { DownloadsOptions } from './downloads-options.ts';
import { FileServer, type FileServerOptions } from './file-server.ts';
import { KeptBans, type KeptBansOptions } from './kept-bans.ts';
import { PartialDownloads } from './partial-downloads.ts';
import { PastTransfers } from './past-transfers.ts';
import { SavedSearches, type SavedSearchesOptions } from './saved-searches.ts';
import { SourceFinder } from './source-finder.ts';

/** Callbacks for changes of searches and transfers. */
export interface TransferReports {
  readonly searches: Pick<SearchRegistryOptions, 'onChange' | 'onResult'>;
  readonly uploads: Pick<FileServerOptions, 'onStarted' | 'onFinished'>;
  readonly bans: Pick<KeptBansOptions, 'onBanned' | 'onLifted'>;
  readonly downloads: Pick<DownloadsOptions, 'onAdded' | 'onChange' | 'onFailed'> & { onRemoved(id: string): void };
  readonly saved: Pick<SavedSearchesOptions, 'onChange' | 'onRemoved' | 'onFound'>;
  onBatchEnded(end: BatchEnd): void;
  readonly hideRule: () => HideRule;
  readonly accepts: SavedSearchesOptions['accepts'];
  onCompleted(download: DownloadSnapshot): void;
}

/** `onChange` is called when the set of shared files changes, `onScanned` after each scan of a folder. */
export function createLibrary(
  { settings, store, log }: DaemonContext,
  { onChange, onScanned }: Required<Pick<LibraryOptions, 'onChange' | 'onScanned'>>,
): Library {
  const libraryLog = log.child({ mod: 'library' });
  const library = new Library({
    folders: sharedFolders(settings),
    exclude: settings.library.exclude,
    watch: { enabled: settings.library.watch },
    own: new OwnFolder(settings.dataDir, () => [...sharedFolders(settings), settings.downloads.folder]),
    store: new FileStore(store, libraryLog),
    media: { store: new MediaStore(store.table('media'), libraryLog) },
    log: libraryLog,
    onChange,
    onScanned,
  });
  library.hashSpeed = settings.library.hashSpeed;
  return library;
}

/** A search of ours that is over. */
export interface PastSearch extends SearchSnapshot {
  /** When it ended, milliseconds since 1970. */
  readonly at: number;
}

export class Transfers {
  readonly past: PastTransfers;
  readonly pastSearches: Journal<PastSearch>;
  readonly library: Library;
  readonly uploads: FileServer;
  readonly bans: KeptBans;
  readonly searches: SearchRegistry;
  readonly downloads: Downloads;
  readonly batches: Batches;
  readonly saved: SavedSearches;
  readonly spam: BadContents;
  readonly finder: SourceFinder;
  readonly #context: DaemonContext;
  readonly #queueStore: UploadQueueStore;
  readonly #partials: PartialDownloads;

  constructor(context: DaemonContext, library: Library, network: Network, reports: TransferReports) {
    const { settings, clock, random, log, store } = context;
    const { servent, bandwidth, conduct } = network;
    const { identity } = servent;
    const dial = (endpoint: Endpoint, signal: AbortSignal) => network.dialer.dial(endpoint, signal);
    this.#context = context;
    const { transfers, searches } = pastLimits(settings.history);
    const pastLog = log.child({ mod: 'history' });
    const past = new PastTransfers(store, clock, pastLog, transfers);
    const pastSearches = new Journal<PastSearch>(store.table('searches'), clock, pastLog, searches);
    this.past = past;
    this.pastSearches = pastSearches;
    this.library = library;
    this.#queueStore = new UploadQueueStore(
      store.table('upload-queue'),
      servent.uploads,
      clock,
      log.child({ mod: 'uploads' }),
    );
    this.searches = new SearchRegistry({
      servent,
      clock,
      browse: (endpoint, onHit, signal) => {
        const take = (hit: QueryHit) => {
          onHit(hit);
          this.finder.onHit(hit);
        };
        return browseHost({ dial, userAgent: identity.userAgent }, endpoint, take, signal);
      },
      ...reports.searches,
      hideRule: reports.hideRule,
      onChange: search => {
        const isSaved = this.saved.onSearch(search);
        if (search.state !== 'running' && !isSaved) pastSearches.add({ ...search, at: clock.wallTime() });
        reports.searches.onChange?.(search);
      },
    });
    this.#partials = new PartialDownloads(
      sha1 => this.downloads.ofContent(sha1),
      () => clock.wallTime(),
    );
    this.uploads = new FileServer({
      files: library,
      partials: this.#partials,
      queue: servent.uploads,
      conduct,
      identity,
      mesh: servent.mesh,
      browse: () => library.browsable(),
      browseChangedAt: () => library.changedAt,
      passPush: (target, nodes, remoteHost, now) => servent.relay.answer(target, nodes, remoteHost, now),
      get connectionsMax() {
        return Math.max(CONNECTIONS_MAX, 2 * (slotsInAll(settings.uploads) + settings.uploads.queue));
      },
      clock,
      bandwidth,
      log: log.child({ mod: 'uploads' }),
      ...reports.uploads,
      onFinished: (upload, bytes, result) => {
        past.addUpload(upload, bytes, result);
        reports.uploads.onFinished?.(upload, bytes, result);
      },
    });
    this.bans = new KeptBans({
      ...{ conduct, clock, log: log.child({ mod: 'uploads' }) },
      table: store.table('bans'),
      ...reports.bans,
      onBanned: ban => {
        this.uploads.endOf(ban.subject);
        reports.bans.onBanned(ban);
      },
    });
    const { mesh } = servent;
    this.finder = new SourceFinder({
      clock,
      random,
      times: network.rules.sourceSearch,
      locators: [servent.contents.locator],
      mayReach: endpoint => mesh.believed({ ...endpoint, tls: false }) !== null,
      onOffer: (id, offer) => void this.downloads.offer(id, offer),
    });
    this.downloads = new Downloads({
      folder: settings.downloads.folder,
      store: new DownloadStore(store.table('downloads')),
      dial: (endpoint, signal) => network.dialer.dial(endpoint, signal, () => new SlabSocket()),
      reach: (source, dial, signal) => network.reach(source, dial, signal),
      identity,
      mesh,
      hosts: mesh.sharedAddress ? null : new HostLimits(),
      clock,
      bandwidth,
      random,
      sharedAt: sha1 => {
        const file = library.bySha1(sha1);
        const path = file === null ? null : library.pathOf(file);
        return file === null || path === null ? null : { path, size: file.size };
      },
      activeMax: settings.downloads.maxActive,
      reserve: settings.downloads.reserve,
      categories: settings.downloads.categories,
      log: log.child({ mod: 'downloads' }),
      huntOf: id => this.finder.huntOf(id),
      onSearch: id => this.finder.hurry(id),
      ...reports.downloads,
      onAdded: download => {
        this.finder.note(download);
        reports.downloads.onAdded?.(download);
      },
      onChange: download => {
        this.finder.note(download);
        reports.downloads.onChange?.(download);
      },
      onFetched: (download, host, bytes) => past.addReceived(download, host, bytes),
      onWrong: bytes => past.addWrong(bytes),
      onCharge: ({ endpoint }, isCharged) => {
        const { knownSpam } = servent.searches;
        if (isCharged) knownSpam.charge(endpoint);
        else knownSpam.pardon(endpoint);
      },
      onRemoved: download => {
        this.finder.forget(download.id);
        if (download.sha1 !== null) this.saved.decline(download.sha1);
        reports.downloads.onRemoved(download.id);
        if (download.state !== 'completed' && download.state !== 'failed') this.batches.onEnded(download);
      },
      onFailed: download => {
        past.addDownload(download, 'failed');
        reports.downloads.onFailed?.(download);
        this.batches.onEnded(download);
      },
      onCompleted: (download, path) => {
        past.addDownload(download, 'completed');
        reports.onCompleted(download);
        this.batches.onEnded(download);
        this.#share(download, path);
      },
    });
    this.batches = new Batches(() => this.downloads.list(), reports.onBatchEnded);
    this.saved = new SavedSearches({
      ...{ clock, random, log: log.child({ mod: 'searches' }) },
      searches: this.searches,
      downloads: this.downloads,
      isShared: sha1 => library.bySha1(sha1) !== null,
      isLinked: () => servent.overlay.counts.ultrapeers + servent.overlay.counts.leaves > 0,
      table: store.table('saved-searches'),
      findsTable: store.table('saved-finds'),
      declinedTable: store.table('declined'),
      accepts: reports.accepts,
      ...reports.saved,
    });
    this.spam = new BadContents(servent.searches.knownSpam, store.table('bad-contents'), clock, pastLog);
  }

  /** Starts the library. Its folders are known when this resolves; their files are scanned afterwards. */
  async startLibrary(): Promise<void> {
    const { settings, shutdown } = this.#context;
    const [ownShare] = settings.library.folders;
    if (ownShare === join(settings.dataDir, 'shared')) await mkdir(ownShare, { recursive: true });
    await this.library.start();
    shutdown.add('the library', () => this.library.stop());
  }

  /** Takes in the transfers, the bans and the upload queue of the last run. The network must not listen yet. */
  async restore(): Promise<void> {
    await this.past.start();
    await this.pastSearches.start();
    this.#context.shutdown.add('the history', async () => {
      await this.past.stop();
      await this.pastSearches.stop();
    });
    await this.bans.start();
    this.#context.shutdown.add('the bans', () => this.bans.stop());
    await this.#queueStore.start();
  }

  /** Starts uploads, and continues the downloads of the last run. The network must listen. */
  async startServing(): Promise<void> {
    const { shutdown } = this.#context;
    shutdown.add('the uploads', () => this.uploads.stop());
    shutdown.add('the upload queue', () => this.#queueStore.stop());
    await this.downloads.start();
    for (const download of this.downloads.list()) this.finder.note(download);
    shutdown.add('the downloads', () => this.downloads.stop());
    await this.spam.start();
    await this.saved.start();
    shutdown.add('the saved searches', async () => {
      await this.saved.stop();
      await this.spam.stop();
    });
  }

  /** Files of downloads that run, with the bytes that others can have of them. */
  *partialFiles(): Generator<PublishedFile> {
    for (const { sha1 } of this.downloads.active()) {
      const file = sha1 === null ? null : this.#partials.partialOf(sha1);
      if (file?.growing === true) yield { ...file, available: file.verified.bytes };
    }
  }

  /** Others can have a part of the file of this SHA-1 from us. */
  sharesPart(sha1: Buffer): boolean {
    return (this.#partials.partialOf(sha1)?.verified.bytes ?? 0) > 0;
  }

  keepPast(settings: Settings['history']): void {
    const { transfers, searches } = pastLimits(settings);
    this.past.limits = transfers;
    this.pastSearches.limits = searches;
  }

  /** Makes `wanted` the shared folders: adds the missing ones and removes all others, those added over the API too. */
  async syncFolders(wanted: readonly string[]): Promise<void> {
    const shared = this.library.folders();
    for (const { id, path } of shared) if (!wanted.includes(path)) await this.library.removeFolder(id);
    for (const path of wanted) if (!shared.some(folder => folder.path === path)) await this.library.addFolder(path);
  }

  /** Shares a completed download that lies in a shared folder. Its known hash saves reading it again. */
  #share({ sha1 }: DownloadSnapshot, path: string): void {
    if (sha1 !== null) void this.library.addFile(path, sha1);
  }
}

/** Those of the library and of categories that are shared. */
export function sharedFolders({ library, downloads }: Settings): string[] {
  const ofCategories = downloads.categories.flatMap(({ share, folder }) =>
    share === true && folder !== undefined ? [folder] : [],
  );
  return [...new Set([...library.folders, ...ofCategories])];
}

function pastLimits({
  transfers,
  searches,
  days,
}: Settings['history']): Record<'transfers' | 'searches', JournalLimits> {
  return { transfers: { records: transfers, days }, searches: { records: searches, days } };
}
