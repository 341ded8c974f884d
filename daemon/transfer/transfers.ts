// Builds and starts the library, the uploads, the searches and the downloads.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { slotsInAll } from '../../protocol/transfer/uploads/queue/upload-limits.ts';
import { CONNECTIONS_MAX } from '../../protocol/transfer/uploads/upload-answerer.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Settings } from '../../settings/settings.ts';
import type { DaemonContext } from '../context.ts';
import { Library, type LibraryOptions } from '../library/library.ts';
import { OwnFolder } from '../library/own-folder.ts';
import type { Network } from '../network/network.ts';
import { SearchRegistry, type SearchRegistryOptions, type SearchSnapshot } from '../network/search-registry.ts';
import { DownloadStore } from '../store/downloads.ts';
import { FileStore } from '../store/files.ts';
import { Journal, type JournalLimits } from '../store/journal.ts';
import { MediaStore } from '../store/media.ts';
import { UploadQueueStore } from '../store/upload-queue.ts';
import { browseHost } from './browse-host.ts';
import type { DownloadSnapshot } from './download.ts';
import { Downloads, type DownloadsOptions } from './downloads.ts';
import { FileServer, type FileServerOptions } from './file-server.ts';
import { KeptBans, type KeptBansOptions } from './kept-bans.ts';
import { PastTransfers } from './past-transfers.ts';

/** Callbacks for changes of searches and transfers. */
export interface TransferReports {
  readonly searches: Pick<SearchRegistryOptions, 'onChange' | 'onResult'>;
  readonly uploads: Pick<FileServerOptions, 'onStarted' | 'onFinished'>;
  readonly bans: Pick<KeptBansOptions, 'onBanned' | 'onLifted'>;
  readonly downloads: Pick<DownloadsOptions, 'onAdded' | 'onChange' | 'onFailed' | 'onRemoved'>;
  onCompleted(download: DownloadSnapshot): void;
}

/** `onChange` is called when the set of shared files changes, `onScanned` after each scan of a folder. */
export function createLibrary(
  { settings, store, log }: DaemonContext,
  { onChange, onScanned }: Required<Pick<LibraryOptions, 'onChange' | 'onScanned'>>,
): Library {
  const libraryLog = log.child({ mod: 'library' });
  const library = new Library({
    folders: settings.library.folders,
    exclude: settings.library.exclude,
    watch: { enabled: settings.library.watch },
    own: new OwnFolder(settings.dataDir, () => [...settings.library.folders, settings.downloads.folder]),
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
  readonly #context: DaemonContext;
  readonly #queueStore: UploadQueueStore;

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
      browse: (endpoint, onHit, signal) => browseHost({ dial, userAgent: identity.userAgent }, endpoint, onHit, signal),
      ...reports.searches,
      onChange: search => {
        if (search.state !== 'running') pastSearches.add({ ...search, at: clock.wallTime() });
        reports.searches.onChange?.(search);
      },
    });
    this.uploads = new FileServer({
      files: library,
      queue: servent.uploads,
      conduct,
      identity,
      mesh: servent.mesh,
      browse: () => library.browsable(),
      browseChangedAt: () => library.changedAt,
      passPush: (target, node, remoteHost, now) => servent.relay.answer(target, node, remoteHost, now),
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
    this.downloads = new Downloads({
      folder: settings.downloads.folder,
      store: new DownloadStore(store.table('downloads')),
      dial,
      push: (source, signal) => network.fetch(source, signal),
      identity,
      mesh: servent.mesh,
      clock,
      bandwidth,
      random,
      activeMax: settings.downloads.maxActive,
      log: log.child({ mod: 'downloads' }),
      ...reports.downloads,
      onFetched: (download, host, bytes) => past.addReceived(download, host, bytes),
      onWrong: bytes => past.addWrong(bytes),
      onFailed: download => {
        past.addDownload(download, 'failed');
        reports.downloads.onFailed?.(download);
      },
      onCompleted: (download, path) => {
        past.addDownload(download, 'completed');
        reports.onCompleted(download);
        this.#share(download, path);
      },
    });
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
    shutdown.add('the downloads', () => this.downloads.stop());
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

function pastLimits({
  transfers,
  searches,
  days,
}: Settings['history']): Record<'transfers' | 'searches', JournalLimits> {
  return { transfers: { records: transfers, days }, searches: { records: searches, days } };
}
