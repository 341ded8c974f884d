// Files and where they go: what is shared, what others fetch of it, what we search for and fetch. The network is the overlay side's.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DownloadView } from '../../api/control.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { urnOrNull } from '../../protocol/wire/urn.ts';
import type { Ground } from '../ground.ts';
import { Library } from '../library/library.ts';
import { OwnFolder } from '../library/own-folder.ts';
import type { Network } from '../network/network.ts';
import { Searches } from '../network/searches.ts';
import { DownloadStore } from '../store/downloads.ts';
import { FileStore } from '../store/files.ts';
import { browseHost } from './browse-host.ts';
import { Downloads } from './downloads.ts';
import { FileServer } from './file-server.ts';

/** `onChange`: other files are shared than before. */
export function libraryOf({ settings, store, log, observation }: Ground, onChange: () => void): Library {
  const libraryLog = log.child({ mod: 'library' });
  return new Library({
    folders: settings.library.folders,
    own: new OwnFolder(settings.dataDir, () => [...settings.library.folders, settings.downloads.folder]),
    store: new FileStore(store.table('files'), store.table('folders'), libraryLog),
    log: libraryLog,
    onChange,
    onScanned: observation.reports.onScanned,
  });
}

export class TransferSide {
  readonly library: Library;
  readonly uploads: FileServer;
  readonly searches: Searches;
  readonly downloads: Downloads;
  readonly #ground: Ground;

  constructor(ground: Ground, library: Library, network: Network) {
    const { settings, clock, random, log, store, observation } = ground;
    const { reports } = observation;
    const { servent } = network;
    const { identity } = servent;
    const dial = (endpoint: Endpoint, signal: AbortSignal) => network.dialer.dial(endpoint, signal);
    this.#ground = ground;
    this.library = library;
    this.searches = new Searches({
      servent,
      clock,
      browse: (endpoint, onHit, signal) => browseHost({ dial, userAgent: identity.userAgent }, endpoint, onHit, signal),
      ...reports.searches,
    });
    this.uploads = new FileServer({
      files: library,
      queue: servent.uploads,
      identity,
      browse: () => library.shared(),
      passPush: (target, node, remoteHost, now) => servent.relay.answer(target, node, remoteHost, now),
      clock,
      log: log.child({ mod: 'uploads' }),
      ...reports.uploads,
    });
    this.downloads = new Downloads({
      folder: settings.downloads.folder,
      store: new DownloadStore(store.table('downloads')),
      dial,
      push: (source, signal) => network.fetch(source, signal),
      identity,
      clock,
      random,
      activeMax: settings.downloads.maxActive,
      log: log.child({ mod: 'downloads' }),
      ...reports.downloads,
      onCompleted: (download, path) => {
        reports.onCompleted(download);
        this.#share(download, path);
      },
    });
  }

  /** Knows its folders when this resolves; their files come in afterwards. */
  async share(): Promise<void> {
    const { settings, running } = this.#ground;
    const [ownShare] = settings.library.folders;
    if (ownShare === join(settings.dataDir, 'shared')) await mkdir(ownShare, { recursive: true });
    await this.library.start();
    running.add('the library', () => this.library.stop());
  }

  /** Goes on with what the last run left. The network must be there. */
  async resume(): Promise<void> {
    const { running } = this.#ground;
    running.add('the uploads', () => this.uploads.stop());
    await this.downloads.start();
    running.add('the downloads', () => this.downloads.stop());
  }

  /** Folders shared by hand through the API, and not in the configuration, stay until it names others. */
  async shareThese(wanted: readonly string[]): Promise<void> {
    const shared = this.library.folders();
    for (const { id, path } of shared) if (!wanted.includes(path)) await this.library.removeFolder(id);
    for (const path of wanted) if (!shared.some(folder => folder.path === path)) await this.library.addFolder(path);
  }

  /** A download that lies in a shared folder is shared without being read again. */
  #share({ urn }: DownloadView, path: string): void {
    const sha1 = urn === null ? null : (urnOrNull(urn)?.sha1 ?? null);
    if (sha1 !== null) void this.library.addFile(path, sha1);
  }
}
