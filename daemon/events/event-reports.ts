// What the parts report, as events: one change told once, however often a part says that something moved.
import type { DownloadView, ResultView, SearchView, UploadView } from '../../api/control.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { FolderStatus } from '../library/shared-folder.ts';
import type { EventLog } from './event-log.ts';
import { folderView, peerView } from './views.ts';

/** Results of one search that are told; the list has them all. */
const RESULTS_TOLD_MAX = 500;

export class EventReports {
  readonly #events: Pick<EventLog, 'tell'>;
  readonly #clock: Clock;
  /** Last told state and priority by download; no more than there are downloads. */
  readonly #downloads = new Map<string, string>();

  constructor(events: Pick<EventLog, 'tell'>, clock: Clock) {
    this.#events = events;
    this.#clock = clock;
  }

  onLinked(link: Link): void {
    this.#events.tell('link.opened', peerView(link, this.#clock));
  }

  onUnlinked({ id, endpoint, ended }: Link): void {
    const { code = 0, text = '' } = ended ?? {};
    this.#events.tell('link.closed', { id: String(id), address: formatEndpoint(endpoint), code, reason: text });
  }

  readonly onScanned = (folder: FolderStatus): void => this.#events.tell('library.scanned', folderView(folder));

  readonly searches = {
    onChange: (search: SearchView): void =>
      this.#events.tell(search.state === 'running' ? 'search.started' : 'search.finished', search),
    onResult: (search: SearchView, result: ResultView): void => {
      if (search.results <= RESULTS_TOLD_MAX) this.#events.tell('search.result', { search: search.id, result });
    },
  };

  readonly downloads = {
    onAdded: (download: DownloadView): void => {
      this.#downloads.set(download.id, lookOf(download));
      this.#events.tell('download.added', download);
    },
    onChange: (download: DownloadView): void => {
      const look = lookOf(download);
      if (this.#downloads.get(download.id) === look) return;
      this.#downloads.set(download.id, look);
      // Their ends are told by name.
      if (download.state === 'completed' || download.state === 'failed') return;
      this.#events.tell('download.changed', download);
    },
    onFailed: (download: DownloadView): void => this.#events.tell('download.failed', download),
    onRemoved: (id: string): void => {
      this.#downloads.delete(id);
      this.#events.tell('download.removed', { id });
    },
  };

  onCompleted(download: DownloadView): void {
    this.#events.tell('download.finished', download);
  }

  readonly uploads = {
    onStarted: (upload: UploadView): void => this.#events.tell('upload.started', upload),
    onFinished: (upload: UploadView, total: number): void => this.#events.tell('upload.finished', { ...upload, total }),
  };
}

const lookOf = ({ state, priority }: DownloadView): string => `${state} ${priority}`;
