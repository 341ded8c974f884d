// What the parts report, as events: one change told once, however often a part says that something moved.
import type { LookupResult } from '../../protocol/dht/lookup-result.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import type { Find } from '../../protocol/overlay/queries/saved-finds.ts';
import type { DhtStanding } from '../../protocol/servent-dht-parts.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { EventLog } from '../events/event-log.ts';
import type { FolderStatus } from '../library/shared-folder.ts';
import type { FoundResult, HideRule, SearchSnapshot } from '../network/search-registry.ts';
import type { BatchEnd } from '../transfer/batches.ts';
import type { DownloadSnapshot } from '../transfer/download-snapshot.ts';
import type { BanSnapshot } from '../transfer/kept-bans.ts';
import type { SavedSearchSnapshot } from '../transfer/saved-searches.ts';
import type { UploadSnapshot } from '../transfer/upload.ts';
import { banView } from './bans.ts';
import { dhtSummary } from './dht.ts';
import { lookupEvent } from './dht-lookup.ts';
import { folderView } from './library.ts';
import { peerView } from './neighbours.ts';
import { accepted } from './result-rule.ts';
import { findView, savedSearchView } from './saved-searches.ts';
import { resultView, searchView } from './searches.ts';
import { downloadView, uploadView } from './transfers.ts';

/** Most result events of one search; the result list has all. */
const RESULTS_TOLD_MAX = 500;

export class EventReports {
  readonly #events: Pick<EventLog, 'tell'>;
  readonly #clock: Clock;
  /** What was last reported of each download, see lookOf(); bounded by the downloads. */
  readonly #downloads = new Map<string, string>();

  readonly hideRule: () => HideRule;
  readonly accepts = accepted;

  constructor(events: Pick<EventLog, 'tell'>, clock: Clock, hideRule: () => HideRule) {
    this.#events = events;
    this.#clock = clock;
    this.hideRule = hideRule;
  }

  onLinked(link: Link): void {
    this.#events.tell('link.opened', peerView(link, this.#clock));
  }

  onUnlinked({ id, endpoint, ended }: Link): void {
    const { code = 0, text = '' } = ended ?? {};
    this.#events.tell('link.closed', { id: String(id), address: formatEndpoint(endpoint), code, reason: text });
  }

  onDhtChanged(dht: DhtStanding): void {
    this.#events.tell('dht.changed', dhtSummary(dht, this.#clock.now()));
  }

  onDhtLookup(result: LookupResult): void {
    this.#events.tell('dht.lookup', lookupEvent(result));
  }

  readonly onScanned = (folder: FolderStatus): void => this.#events.tell('library.scanned', folderView(folder));

  readonly searches = {
    onChange: (search: SearchSnapshot): void =>
      this.#events.tell(search.state === 'running' ? 'search.started' : 'search.finished', searchView(search)),
    onResult: (search: string, results: number, result: FoundResult): void => {
      if (results <= RESULTS_TOLD_MAX && !this.hideRule().hides(result))
        this.#events.tell('search.result', { search, result: resultView(result) });
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

  readonly saved = {
    onChange: (saved: SavedSearchSnapshot): void => this.#events.tell('saved.changed', savedSearchView(saved)),
    onRemoved: (id: string): void => this.#events.tell('saved.removed', { id }),
    onFound: (saved: SavedSearchSnapshot, find: Find): void =>
      this.#events.tell('saved.found', { saved: savedSearchView(saved), find: findView(find) }),
  };

  onCompleted(download: DownloadSnapshot): void {
    this.#events.tell('download.finished', downloadView(download));
  }

  readonly onBatchEnded = (end: BatchEnd): void => this.#events.tell('batch.finished', { ...end });

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

/** What an event is told of when it changes; progress is not of it. */
const lookOf = ({ state, priority, position, category, name, error }: DownloadSnapshot): string =>
  JSON.stringify([state, priority, position, category, name, error]);
