// What the parts report, as events: one change told once, however often a part says that something moved.
import type { Link } from '../../protocol/overlay/links/link.ts';
import type { FoundContent } from '../../protocol/overlay/queries/found-contents.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { EventLog } from '../events/event-log.ts';
import type { FolderStatus } from '../library/shared-folder.ts';
import type { SearchSnapshot } from '../network/search-registry.ts';
import type { DownloadSnapshot } from '../transfer/download.ts';
import type { BanSnapshot } from '../transfer/kept-bans.ts';
import type { UploadSnapshot } from '../transfer/upload.ts';
import { banView } from './bans.ts';
import { folderView } from './library.ts';
import { peerView } from './neighbours.ts';
import { resultView, searchView } from './searches.ts';
import { downloadView, uploadView } from './transfers.ts';

/** Most result events of one search; the result list has all. */
const RESULTS_TOLD_MAX = 500;

export class EventReports {
  readonly #events: Pick<EventLog, 'tell'>;
  readonly #clock: Clock;
  /** Last reported state and priority by download; bounded by the downloads. */
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
    onChange: (search: SearchSnapshot): void =>
      this.#events.tell(search.state === 'running' ? 'search.started' : 'search.finished', searchView(search)),
    onResult: (search: SearchSnapshot, content: FoundContent, foundAt: number): void => {
      if (search.results <= RESULTS_TOLD_MAX)
        this.#events.tell('search.result', { search: search.id, result: resultView(content, foundAt) });
    },
  };

  readonly downloads = {
    onAdded: (download: DownloadSnapshot): void => {
      this.#downloads.set(download.id, lookOf(download));
      this.#events.tell('download.added', downloadView(download));
    },
    onChange: (download: DownloadSnapshot): void => {
      const look = lookOf(download);
      if (this.#downloads.get(download.id) === look) return;
      this.#downloads.set(download.id, look);
      // Reported as events of their own.
      if (download.state === 'completed' || download.state === 'failed') return;
      this.#events.tell('download.changed', downloadView(download));
    },
    onFailed: (download: DownloadSnapshot): void => this.#events.tell('download.failed', downloadView(download)),
    onRemoved: (id: string): void => {
      this.#downloads.delete(id);
      this.#events.tell('download.removed', { id });
    },
  };

  onCompleted(download: DownloadSnapshot): void {
    this.#events.tell('download.finished', downloadView(download));
  }

  readonly bans = {
    onBanned: (ban: BanSnapshot): void => this.#events.tell('ban.started', banView(ban)),
    onLifted: (ban: BanSnapshot): void => this.#events.tell('ban.lifted', banView(ban)),
  };

  readonly uploads = {
    onStarted: (upload: UploadSnapshot): void => this.#events.tell('upload.started', uploadView(upload)),
    onFinished: (upload: UploadSnapshot, total: number): void =>
      this.#events.tell('upload.finished', { ...uploadView(upload), total }),
  };
}

const lookOf = ({ state, priority }: DownloadSnapshot): string => `${state} ${priority}`;
