// What the parts report, as events: one change told once, however often a part says that something moved.
import type { DownloadView, ResultView, SearchView, UploadView } from '../../api/control.ts';
import type { Link } from '../../protocol/overlay/link.ts';
import type { Clock } from '../../protocol/ports.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { folderView, peerView } from '../admin/control-views.ts';
import type { FolderStatus } from '../library/shared-folder.ts';
import type { EventBus } from './events.ts';

/** Results of one search that are told; the list has them all. */
const RESULTS_TOLD_MAX = 500;

export class EventReports {
  readonly #bus: EventBus;
  readonly #clock: Clock;
  /** Last told state and priority by download; no more than there are downloads. */
  readonly #downloads = new Map<string, string>();

  constructor(bus: EventBus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  onLinked(link: Link): void {
    this.#bus.emit('link.opened', peerView(link, this.#clock));
  }

  onUnlinked({ id, endpoint, ended }: Link): void {
    const { code = 0, text = '' } = ended ?? {};
    this.#bus.emit('link.closed', { id: String(id), address: formatEndpoint(endpoint), code, reason: text });
  }

  readonly onScanned = (folder: FolderStatus): void => this.#bus.emit('library.scanned', folderView(folder));

  readonly searches = {
    onChange: (search: SearchView): void =>
      this.#bus.emit(search.state === 'running' ? 'search.started' : 'search.finished', search),
    onResult: (search: SearchView, result: ResultView): void => {
      if (search.results <= RESULTS_TOLD_MAX) this.#bus.emit('search.result', { search: search.id, result });
    },
  };

  readonly downloads = {
    onAdded: (download: DownloadView): void => {
      this.#downloads.set(download.id, lookOf(download));
      this.#bus.emit('download.added', download);
    },
    onChange: (download: DownloadView): void => {
      const look = lookOf(download);
      if (this.#downloads.get(download.id) === look) return;
      this.#downloads.set(download.id, look);
      // Their ends are told by name.
      if (download.state === 'completed' || download.state === 'failed') return;
      this.#bus.emit('download.changed', download);
    },
    onFailed: (download: DownloadView): void => this.#bus.emit('download.failed', download),
    onRemoved: (id: string): void => {
      this.#downloads.delete(id);
      this.#bus.emit('download.removed', { id });
    },
  };

  onCompleted(download: DownloadView): void {
    this.#bus.emit('download.finished', download);
  }

  readonly uploads = {
    onStarted: (upload: UploadView): void => this.#bus.emit('upload.started', upload),
    onFinished: (upload: UploadView, total: number): void => this.#bus.emit('upload.finished', { ...upload, total }),
  };
}

const lookOf = ({ state, priority }: DownloadView): string => `${state} ${priority}`;
