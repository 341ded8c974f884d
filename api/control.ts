// Interface of the admin operations, with plain data. The daemon implements it; the HTTP layer calls it.
import type { z } from 'zod';
import type { Filter } from './filter.ts';
import type * as bans from './schemas/bans.ts';
import type { pageRequest } from './schemas/common.ts';
import type * as dht from './schemas/dht.ts';
import type * as explain from './schemas/explain.ts';
import type * as hooks from './schemas/hooks.ts';
import type * as keys from './schemas/keys.ts';
import type * as library from './schemas/library.ts';
import type * as limits from './schemas/limits.ts';
import type * as monitor from './schemas/monitor.ts';
import type * as nat from './schemas/nat.ts';
import type * as overlay from './schemas/overlay.ts';
import type * as recordings from './schemas/recordings.ts';
import type * as saved from './schemas/saved-searches.ts';
import type * as searches from './schemas/searches.ts';
import type * as service from './schemas/service.ts';
import type * as transfers from './schemas/transfers.ts';
import type { Sort } from './sort.ts';

export type KeptNeighbourView = z.infer<typeof explain.keptNeighbour>;
export type StatusView = z.infer<typeof overlay.status>;
export type PeerView = z.infer<typeof overlay.peer>;
export type HostView = z.infer<typeof overlay.host>;
export type QueryView = z.infer<typeof overlay.query>;
export type SearchView = z.infer<typeof searches.search>;
export type SourceView = z.infer<typeof searches.source>;
export type ResultView = z.infer<typeof searches.result>;
export type StartedDownload = z.infer<typeof transfers.startedDownload>;
export type DownloadView = z.infer<typeof transfers.download>;
export type DownloadChunksView = z.infer<typeof transfers.downloadChunks>;
export type DownloadState = z.infer<typeof transfers.downloadState>;
export type UploadView = z.infer<typeof transfers.upload>;
export type BanView = z.infer<typeof bans.ban>;
export type PastTransferView = z.infer<typeof transfers.pastTransfer>;
export type PastSearchView = z.infer<typeof searches.pastSearch>;
export type TallyView = z.infer<typeof transfers.tally>;
export type AddressTallyView = z.infer<typeof transfers.addressTally>;
export type FileTallyView = z.infer<typeof transfers.fileTally>;
export type FileView = z.infer<typeof library.file>;
export type FolderView = z.infer<typeof library.folder>;
export type PreviewView = z.infer<typeof library.preview>;
export type HashingView = z.infer<typeof library.hashing>;
export type RescanView = z.infer<typeof library.rescan>;
export type ScrubView = z.infer<typeof library.scrub>;
export type NatView = z.infer<typeof nat.nat>;
export type DhtView = z.infer<typeof dht.dht>;
export type DhtSummary = z.infer<typeof dht.dhtSummary>;
export type DhtLookupEvent = z.infer<typeof dht.dhtLookupEnded>;
export type DhtLookupView = z.infer<typeof dht.dhtLookup>;
export type StartDhtLookupInput = z.output<typeof dht.startLookup>;
export type RecordingView = z.infer<typeof recordings.recording>;
export type AnalysisInput = recordings.AnalysisInput;
export type QuestionView = z.infer<typeof recordings.question>;
export type AnalysisView = z.infer<typeof recordings.analysis>;
export type DhtContactView = z.infer<typeof dht.dhtContact>;
export type LimitView = z.infer<typeof limits.limit>;
export type LimitsView = z.infer<typeof limits.limits>;
export type BudgetView = z.infer<typeof limits.budget>;
export type LiveView = z.infer<typeof service.live>;
export type ReadyView = z.infer<typeof service.ready>;
export type SettingView = z.infer<typeof service.setting>;
export type ConfigView = z.infer<typeof service.config>;
export type Explanation = z.infer<typeof explain.explanation>;
export type RefusedPeersView = z.infer<typeof explain.refusedPeers>;
export type Finding = z.infer<typeof explain.finding>;
export type DoctorView = z.infer<typeof explain.doctor>;
export type ConfigChangeView = z.infer<typeof service.configChange>;
export type ConfigPlan = z.infer<typeof service.configPlan>;
export type LogLevel = z.infer<typeof service.logLevel>;
export type LogLineView = z.infer<typeof service.logLine>;
export type LogLevelsView = z.infer<typeof service.logLevels>;
export type LogLevelsPatch = z.output<typeof service.logLevelsPatch>;

export type QueryStatsView = z.infer<typeof monitor.queryStats>;
export type HistoryView = z.infer<typeof monitor.history>;
export type StatsInput = z.output<typeof monitor.statsQuery>;
export type HookView = z.infer<typeof hooks.hook>;
export type DeliveryView = z.infer<typeof hooks.delivery>;
export type ReplayInput = z.output<typeof hooks.replay>;

export type KeyView = z.infer<typeof keys.key>;
export type KeyWithSecret = z.infer<typeof keys.keyWithSecret>;
export type CallerView = z.infer<typeof keys.caller>;
export type KeyScope = z.infer<typeof keys.keyScope>;

export type PageRequest = z.output<typeof pageRequest>;
/** Page, filter and order of a list. The HTTP layer applies `fields` afterwards. */
export interface ListRequest extends PageRequest {
  filter?: Filter | undefined;
  sort?: Sort | undefined;
  fields?: readonly string[] | undefined;
}
export interface Page<T> {
  items: T[];
  /** Cursor of the next page, opaque; null on the last page. */
  next: string | null;
}

export interface LogInput extends ListRequest {
  level: LogLevel;
}

export interface ResultsInput extends ListRequest {
  spam?: z.infer<typeof searches.spamShown> | undefined;
}

export interface PastTransfersInput extends ListRequest {
  direction?: z.infer<typeof transfers.direction> | undefined;
}

export interface ById {
  id: string;
}
export type ConnectInput = z.output<typeof overlay.connect>;
export type AddHostInput = z.output<typeof overlay.addHost>;
export type StartSearchInput = z.output<typeof searches.startSearch>;
export type SavedSearchView = z.infer<typeof saved.savedSearch>;
export type SaveSearchInput = z.output<typeof saved.saveSearch>;
export type ChangeSavedSearchInput = z.output<typeof saved.changeSavedSearch>;
export type RunSavedSearchInput = z.output<typeof saved.runSavedSearch>;
export type FindView = z.infer<typeof saved.find>;
export type BadContentView = z.infer<typeof saved.badContent>;
export type NewBadContentInput = z.output<typeof saved.newBadContent>;
/** One of {search, result}, {magnet}, {urn, sources, name, size}. */
export type StartDownloadInput = z.output<typeof transfers.startDownload>;
export type DownloadSourceInput = z.output<typeof transfers.downloadSource>;
export type ClearDownloadsInput = z.output<typeof transfers.clearDownloads>;
export type RecoveredParts = z.output<typeof transfers.recoveredParts>;
export type ClearedDownloads = z.output<typeof transfers.clearedDownloads>;
export type ChangeDownloadInput = z.output<typeof transfers.changeDownload>;
export type NewBanInput = z.output<typeof bans.newBan>;
export type NewKeyInput = z.output<typeof keys.newKey>;
/** A merge patch in the shape of the configuration file. */
export interface ConfigPatchInput {
  patch: Record<string, unknown>;
  dryRun: boolean;
}
export type ShareFolderInput = z.output<typeof library.shareFolder>;
export type ChangeFolderInput = z.output<typeof library.changeFolder>;
export type PreviewFolderInput = z.output<typeof library.previewFolder>;

export type Answer<T> = T | Promise<T>;

/**
 * Inputs are already validated. Methods throw `ApiError` (errors.ts); any other exception becomes a 500.
 * Lists use `pageOf` in page.ts.
 */
export interface Control {
  status(): Answer<StatusView>;

  peers(input: ListRequest): Answer<Page<PeerView>>;
  /** Resolves when the handshake is done; `UNREACHABLE` or `REFUSED` otherwise. */
  connect(input: ConnectInput): Answer<PeerView>;
  disconnect(input: ById): Answer<void>;
  hosts(input: ListRequest): Answer<Page<HostView>>;
  addHost(input: AddHostInput): Answer<HostView>;
  /** Its id is its address. */
  removeHost(input: ById): Answer<void>;
  /** Newest first. */
  queries(input: ListRequest): Answer<Page<QueryView>>;
  queryStats(input: StatsInput): Answer<QueryStatsView>;
  history(): Answer<HistoryView>;
  /** Newest first, like the lists that follow. */
  pastTransfers(input: PastTransfersInput): Answer<Page<PastTransferView>>;
  pastSearches(input: ListRequest): Answer<Page<PastSearchView>>;
  totals(): Answer<TallyView>;
  addressTotals(input: ListRequest): Answer<Page<AddressTallyView>>;
  fileTotals(input: ListRequest): Answer<Page<FileTallyView>>;

  hooks(input: ListRequest): Answer<Page<HookView>>;
  deliveries(input: ById & ListRequest): Answer<Page<DeliveryView>>;
  replay(input: ById & ReplayInput): Answer<HookView>;

  startSearch(input: StartSearchInput): Answer<SearchView>;
  searches(input: ListRequest): Answer<Page<SearchView>>;
  search(input: ById): Answer<SearchView>;
  /** Stops a search and deletes its results. */
  removeSearch(input: ById): Answer<void>;
  /** Oldest first. */
  results(input: ById & ResultsInput): Answer<Page<ResultView>>;

  savedSearches(input: ListRequest): Answer<Page<SavedSearchView>>;
  saveSearch(input: SaveSearchInput): Answer<SavedSearchView>;
  changeSavedSearch(input: ById & ChangeSavedSearchInput): Answer<SavedSearchView>;
  removeSavedSearch(input: ById): Answer<void>;
  runSavedSearch(input: ById & RunSavedSearchInput): Answer<SavedSearchView>;
  /** Newest first. */
  finds(input: ById & ListRequest): Answer<Page<FindView>>;
  badContents(input: ListRequest): Answer<Page<BadContentView>>;
  addBadContent(input: NewBadContentInput): Answer<BadContentView>;
  /** Its id is its SHA-1 in base 32. */
  removeBadContent(input: ById): Answer<void>;

  startDownload(input: StartDownloadInput): Answer<StartedDownload>;
  downloads(input: ListRequest): Answer<Page<DownloadView>>;
  download(input: ById): Answer<DownloadView>;
  downloadChunks(input: ById): Answer<DownloadChunksView>;
  changeDownload(input: ById & ChangeDownloadInput): Answer<DownloadView>;
  /** Cancels a download and deletes its partial file; a completed file stays. */
  removeDownload(input: ById): Answer<void>;
  /** Begins to look through its bytes again. */
  verifyDownload(input: ById): Answer<DownloadView>;
  recoverDownloads(): Answer<RecoveredParts>;
  clearDownloads(input: ClearDownloadsInput): Answer<ClearedDownloads>;

  nat(): Answer<NatView>;
  dht(): Answer<DhtView>;
  /** Nearest to the own KUID first. */
  dhtContacts(input: ListRequest): Answer<Page<DhtContactView>>;
  startDhtLookup(input: StartDhtLookupInput): Answer<DhtLookupView>;
  dhtLookup(input: ById): Answer<DhtLookupView>;
  /** Segments of the recording, oldest first. */
  recordings(input: ListRequest): Answer<Page<RecordingView>>;
  analyses(input: ListRequest): Answer<Page<QuestionView>>;
  analysis(input: AnalysisInput): Answer<AnalysisView>;
  explainDhtLookup(input: ById): Answer<Explanation>;
  /** Which limits of bandwidth hold now, and why. */
  limits(): Answer<LimitsView>;

  uploads(input: ListRequest): Answer<Page<UploadView>>;
  cancelUpload(input: ById): Answer<void>;

  /** Addresses banned from uploads, newest first. */
  bans(input: ListRequest): Answer<Page<BanView>>;
  addBan(input: NewBanInput): Answer<BanView>;
  /** Its id is its address. */
  liftBan(input: ById): Answer<void>;

  files(input: ListRequest): Answer<Page<FileView>>;
  folders(input: ListRequest): Answer<Page<FolderView>>;
  shareFolder(input: ShareFolderInput): Answer<FolderView>;
  changeFolder(input: ById & ChangeFolderInput): Answer<FolderView>;
  previewFolder(input: PreviewFolderInput): Answer<PreviewView>;
  unshareFolder(input: ById): Answer<void>;
  rescan(): Answer<RescanView>;
  scrub(): Answer<ScrubView>;
  rescanFolder(input: ById): Answer<FolderView>;
  hashing(): Answer<HashingView>;
  cancelHashing(): Answer<void>;

  config(): Answer<ConfigView>;
  /** Writes the configuration file and applies settings that need no restart; `INVALID` names the first wrong key. */
  changeConfig(input: ConfigPatchInput): Answer<ConfigPlan>;
  keys(input: ListRequest): Answer<Page<KeyView>>;
  /** Creates a key; only this answer has the secret. */
  createKey(input: NewKeyInput): Answer<KeyWithSecret>;
  /** Revokes a key before it answers. */
  removeKey(input: ById): Answer<void>;
  reloadConfig(): Answer<ConfigPlan>;
  /** Newest first. */
  logLines(input: LogInput): Answer<Page<LogLineView>>;
  logLevels(): Answer<LogLevelsView>;
  changeLogLevels(levels: LogLevelsPatch): Answer<LogLevelsView>;
  /** Explains the results of a search. */
  explainSearch(input: ById): Answer<Explanation>;
  explainDownload(input: ById): Answer<Explanation>;
  /** Returns the query rate limits of a neighbour and the number of dropped queries. */
  explainPeer(input: ById): Answer<Explanation>;
  refusedPeers(): Answer<RefusedPeersView>;
  /** Explains the role of this servent. */
  election(): Answer<Explanation>;
  doctor(): Answer<DoctorView>;
  live(): Answer<LiveView>;
  /** Answered with 503 unless its status is `ok`. */
  ready(): Answer<ReadyView>;
}
