// Implements the operations of the admin API on the daemon's parts. Holds no state of its own.
import type {
  AddHostInput,
  AddressTallyView,
  AnalysisInput,
  AnalysisView,
  BadContentView,
  BanView,
  ById,
  ChangeDownloadInput,
  ChangeFolderInput,
  ChangeSavedSearchInput,
  ClearDownloadsInput,
  ClearedDownloads,
  ConfigPatchInput,
  ConfigPlan,
  ConfigView,
  ConnectInput,
  Control,
  DeliveryView,
  DhtContactView,
  DhtLookupView,
  DhtView,
  DoctorView,
  DownloadChunksView,
  DownloadView,
  Explanation,
  FileTallyView,
  FileView,
  FindView,
  FolderView,
  HashingView,
  HistoryView,
  HookView,
  HostView,
  KeyView,
  KeyWithSecret,
  LimitsView,
  ListRequest,
  LiveView,
  LogInput,
  LogLevelsPatch,
  LogLevelsView,
  LogLineView,
  NewBadContentInput,
  NewBanInput,
  NewKeyInput,
  Page,
  PastSearchView,
  PastTransfersInput,
  PastTransferView,
  PeerView,
  PreviewFolderInput,
  PreviewView,
  QueryStatsView,
  QueryView,
  QuestionView,
  ReadyView,
  RecordingView,
  RecoveredParts,
  RefusedPeersView,
  ReplayInput,
  RescanView,
  ResultsInput,
  ResultView,
  RunSavedSearchInput,
  SavedSearchView,
  SaveSearchInput,
  ScrubView,
  SearchView,
  ShareFolderInput,
  StartDhtLookupInput,
  StartDownloadInput,
  StartedDownload,
  StartSearchInput,
  StatsInput,
  StatusView,
  TallyView,
  UploadView,
} from '../../api/control.ts';
import { ApiError, invalid, notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';
import { DEFAULT_PORT } from '../../protocol/constants.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import { ByeCode } from '../../protocol/wire/bye.ts';
import { endpointOrNull, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { SettingsError } from '../../settings/faults.ts';
import { explainRole } from '../explain/explain-role.ts';
import { QueryMonitor } from '../queries/query-monitor.ts';
import { deliveryView } from '../views/hooks.ts';
import { fileView, folderView, hashingView } from '../views/library.ts';
import { limitsView } from '../views/limits.ts';
import { hostView, peerView } from '../views/neighbours.ts';
import { queryStatsView, queryView } from '../views/queries.ts';
import { resultFields } from '../views/result-rule.ts';
import { resultView, searchView } from '../views/searches.ts';
import { uploadView } from '../views/transfers.ts';
import { Banned } from './banned.ts';
import type { ControlParts } from './control-parts.ts';
import { DhtOrders } from './dht-orders.ts';
import { DownloadOrders } from './download-orders.ts';
import { peerExplanation, searchExplanation } from './explanations.ts';
import { FileCursors, fileList, hostFields } from './lists.ts';
import { Logs } from './logs.ts';
import { PastLists } from './past-lists.ts';
import { refusalOf } from './refusals.ts';
import { refusedPeersView } from './refused-peers.ts';
import { SavedOrders } from './saved-orders.ts';
import { SharedFolders } from './shared-folders.ts';
import { natNow, statusView } from './status-view.ts';

export class DaemonControl implements Control {
  readonly #parts: ControlParts;
  readonly #files: ReturnType<typeof fileList>;
  readonly #shared: SharedFolders;
  readonly #orders: DownloadOrders;
  readonly #dht: DhtOrders;
  readonly #past: PastLists;
  readonly #banned: Banned;
  readonly #logs: Logs;
  readonly #saved: SavedOrders;

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#files = fileList(parts.library);
    this.#shared = new SharedFolders(parts.library);
    this.#orders = new DownloadOrders(parts);
    this.#dht = new DhtOrders(parts);
    this.#past = new PastLists(parts);
    this.#banned = new Banned(parts.bans);
    this.#logs = new Logs(parts.log);
    this.#saved = new SavedOrders(parts);
  }

  status(): StatusView {
    return statusView(this.#parts);
  }

  peers(input: ListRequest): Page<PeerView> {
    return pageOf(
      [...this.#parts.servent.overlay.links.values()],
      input,
      ({ id }) => String(id),
      link => peerView(link, this.#parts.clock),
    );
  }

  async connect({ address }: ConnectInput): Promise<PeerView> {
    const attempt = await this.#parts.network.connectTo(address);
    if (attempt.kind === 'linked') return peerView(attempt.link, this.#parts.clock);
    if (attempt.kind === 'refused') {
      const { code, text, by } = attempt.refusal;
      throw new ApiError('REFUSED', `${by === 'us' ? 'this servent refused' : address}: ${code} ${text}`);
    }
    throw new ApiError('UNREACHABLE', attempt.text);
  }

  disconnect({ id }: ById): void {
    this.#parts.servent.overlay.bye(this.#link(id), ByeCode.UserRemoval, 'User disconnected');
  }

  #link(id: string): Link {
    const link = this.#parts.servent.overlay.links.get(Number(id));
    if (link === undefined) throw notFound('peer', id);
    return link;
  }

  hosts(input: ListRequest): Page<HostView> {
    return pageOf(this.#parts.servent.hosts.toRecords(), input, formatEndpoint, hostView, hostFields);
  }

  addHost({ address }: AddHostInput): HostView {
    const { servent, clock } = this.#parts;
    const { hosts } = servent;
    const endpoint = endpointOrNull(address);
    if (endpoint === null)
      throw invalid(
        'address',
        'expected an IP address such as 192.0.2.7 or [2001:db8::7]:6346; host names are not accepted',
      );
    const sighting = { endpoint, source: 'configured', ultrapeer: null, dailyUptimeSeconds: null } as const;
    const record = hosts.add(sighting, clock.wallTime()) ? hosts.get(endpoint) : null;
    if (record === null) throw invalid('address', 'the profile does not allow this address');
    return hostView(record);
  }

  removeHost({ id }: ById): void {
    const endpoint = endpointOrNull(id, DEFAULT_PORT);
    if (endpoint === null || !this.#parts.servent.hosts.remove(endpoint)) throw notFound('host', id);
  }

  queries(input: ListRequest): Page<QueryView> {
    return pageOf(this.#parts.monitor.latest(), input, QueryMonitor.keyOf, query =>
      queryView(this.#parts.monitor.seen(query)),
    );
  }

  queryStats({ span, top }: StatsInput): QueryStatsView {
    return queryStatsView(this.#parts.monitor.stats.report(span, top));
  }

  readonly history = (): HistoryView => this.#parts.history.view();
  readonly pastTransfers = (input: PastTransfersInput): Page<PastTransferView> => this.#past.transfers(input);
  readonly pastSearches = (input: ListRequest): Page<PastSearchView> => this.#past.searches(input);
  readonly recordings = (input: ListRequest): Promise<Page<RecordingView>> => this.#past.recordings(input);
  readonly analyses = (input: ListRequest): Page<QuestionView> => this.#past.analyses.questions(input);
  readonly analysis = (input: AnalysisInput): Promise<AnalysisView> => this.#past.analyses.answer(input);
  readonly totals = (): TallyView => this.#past.totals();
  readonly addressTotals = (input: ListRequest): Page<AddressTallyView> => this.#past.addresses(input);
  readonly fileTotals = (input: ListRequest): Page<FileTallyView> => this.#past.files(input);

  hooks(input: ListRequest): Page<HookView> {
    return pageOf(this.#parts.hooks.list(), input, idOf, asItIs);
  }

  deliveries({ id, ...page }: ById & ListRequest): Page<DeliveryView> {
    const deliveries = this.#parts.hooks.deliveries(id);
    if (deliveries === null) throw notFound('hook', id);
    return pageOf(deliveries, page, ({ event, attempt, at }) => `${event}-${attempt}-${at}`, deliveryView);
  }

  async replay({ id, since }: ById & ReplayInput): Promise<HookView> {
    const hook = await this.#parts.hooks.replay(id, since);
    if (hook === null) throw notFound('hook', id);
    return hook;
  }

  startSearch(input: StartSearchInput): SearchView {
    return searchView(this.#parts.searches.start(input));
  }

  searches(input: ListRequest): Page<SearchView> {
    const newestFirst = this.#parts.searches.list().reverse();
    return pageOf(newestFirst, input, ({ id }) => id, searchView);
  }

  search({ id }: ById): SearchView {
    const search = this.#parts.searches.get(id);
    if (search === null) throw notFound('search', id);
    return searchView(search);
  }

  removeSearch({ id }: ById): void {
    if (!this.#parts.searches.remove(id)) throw notFound('search', id);
  }

  results({ id, spam, ...page }: ById & ResultsInput): Page<ResultView> {
    // who filters by marks wants to see what they mark
    const asked = page.filter?.paths.some(path => path.split('.')[0] === 'spam') === true ? 'show' : 'hide';
    const results = this.#parts.searches.results(id, spam ?? asked);
    if (results === null) throw notFound('search', id);
    return pageOf(results, page, ({ content }) => content.id, resultView, resultFields);
  }

  savedSearches(input: ListRequest): Page<SavedSearchView> {
    return this.#saved.list(input);
  }

  saveSearch(input: SaveSearchInput): SavedSearchView {
    return this.#saved.add(input);
  }

  changeSavedSearch(input: ById & ChangeSavedSearchInput): SavedSearchView {
    return this.#saved.change(input);
  }

  removeSavedSearch(input: ById): void {
    this.#saved.remove(input);
  }

  runSavedSearch(input: ById & RunSavedSearchInput): SavedSearchView {
    return this.#saved.run(input);
  }

  finds(input: ById & ListRequest): Page<FindView> {
    return this.#saved.finds(input);
  }

  badContents(input: ListRequest): Page<BadContentView> {
    return this.#saved.badContents(input);
  }

  addBadContent(input: NewBadContentInput): BadContentView {
    return this.#saved.addBadContent(input);
  }

  removeBadContent(input: ById): void {
    this.#saved.removeBadContent(input);
  }

  startDownload(input: StartDownloadInput): Promise<StartedDownload> {
    return this.#orders.start(input);
  }

  downloads(input: ListRequest): Page<DownloadView> {
    return this.#orders.list(input);
  }

  download(input: ById): DownloadView {
    return this.#orders.get(input);
  }

  changeDownload(input: ById & ChangeDownloadInput): Promise<DownloadView> {
    return this.#orders.change(input);
  }

  removeDownload(input: ById): Promise<void> {
    return this.#orders.remove(input);
  }

  readonly verifyDownload = (input: ById): DownloadView => this.#orders.verify(input);
  readonly recoverDownloads = (): Promise<RecoveredParts> => this.#orders.recover();
  readonly clearDownloads = (input: ClearDownloadsInput): Promise<ClearedDownloads> => this.#orders.clear(input);
  readonly downloadChunks = (input: ById): DownloadChunksView => this.#orders.chunks(input);
  readonly limits = (): LimitsView => limitsView(this.#parts);
  readonly nat = () => natNow(this.#parts);
  readonly dht = (): DhtView => this.#dht.view();
  readonly dhtContacts = (input: ListRequest): Page<DhtContactView> => this.#dht.contacts(input);
  readonly startDhtLookup = (input: StartDhtLookupInput): DhtLookupView => this.#dht.lookups.start(input);
  readonly dhtLookup = ({ id }: ById): DhtLookupView => this.#dht.lookups.get(id);
  readonly explainDhtLookup = ({ id }: ById): Explanation => this.#dht.lookups.explain(id);

  uploads(input: ListRequest): Page<UploadView> {
    return pageOf(this.#parts.fileServer.list(), input, ({ id }) => id, uploadView);
  }

  cancelUpload({ id }: ById): void {
    if (!this.#parts.fileServer.cancel(id)) throw notFound('upload', id);
  }

  bans(input: ListRequest): Page<BanView> {
    return this.#banned.list(input);
  }

  addBan(input: NewBanInput): BanView {
    return this.#banned.add(input);
  }

  liftBan({ id }: ById): void {
    this.#banned.lift(id);
  }

  files(input: ListRequest): Page<FileView> | Promise<Page<FileView>> {
    const { library } = this.#parts;
    const { limit, cursor, filter, sort } = input;
    if (filter !== undefined || sort !== undefined) return this.#files.page(input);
    const cursors = new FileCursors(this.#parts.startedAt);
    const after = cursor === undefined ? -1 : cursors.indexOf(cursor);
    const entries = library.list(after, limit);
    const last = entries.at(-1);
    const more = last !== undefined && library.list(last.index, 1).length > 0;
    return {
      items: entries.map(entry => fileView(entry, library.playFactsOf(entry.index))),
      next: more ? cursors.after(last.index) : null,
    };
  }

  folders(input: ListRequest): Page<FolderView> {
    return pageOf(this.#parts.library.folders(), input, ({ id }) => id, folderView);
  }

  shareFolder(input: ShareFolderInput): Promise<FolderView> {
    return this.#shared.share(input);
  }

  changeFolder(input: ById & ChangeFolderInput): Promise<FolderView> {
    return this.#shared.change(input);
  }

  previewFolder(input: PreviewFolderInput): Promise<PreviewView> {
    return this.#shared.preview(input);
  }

  unshareFolder(input: ById): Promise<void> {
    return this.#shared.unshare(input);
  }

  rescan(): RescanView {
    const { library, log } = this.#parts;
    library.rescan().catch((err: unknown) => log.error({ err }, 'the rescan failed'));
    return { folders: library.folders().length };
  }

  scrub(): ScrubView {
    const { library } = this.#parts;
    library.scrub();
    return { files: library.files, bytes: library.bytes };
  }

  rescanFolder({ id }: ById): FolderView {
    const { library, log } = this.#parts;
    const isIt = (folder: { id: string }): boolean => folder.id === id;
    if (!library.folders().some(isIt)) throw notFound('shared folder', id);
    library.rescan(id).catch((err: unknown) => log.error({ err }, 'the rescan failed'));
    const folder = library.folders().find(isIt);
    if (folder === undefined) throw notFound('shared folder', id);
    return folderView(folder);
  }

  hashing(): HashingView {
    return hashingView(this.#parts.library);
  }

  cancelHashing(): void {
    this.#parts.library.cancel();
  }

  config(): ConfigView {
    return this.#parts.live.view();
  }

  changeConfig({ patch, dryRun }: ConfigPatchInput): Promise<ConfigPlan> {
    // A hook runs a program: a stolen API key must not be able to add one.
    if (Object.hasOwn(patch, 'hooks'))
      throw new ApiError(
        'FORBIDDEN',
        'hooks cannot be changed over the API: edit the configuration file and run "servent config reload"',
      );
    return validated(this.#parts.live.change(patch, { dryRun }));
  }

  reloadConfig(): Promise<ConfigPlan> {
    return validated(this.#parts.reload());
  }

  logLines(input: LogInput): Page<LogLineView> {
    return this.#logs.lines(input);
  }

  logLevels(): LogLevelsView {
    return this.#logs.levels();
  }

  changeLogLevels(levels: LogLevelsPatch): LogLevelsView {
    return this.#logs.change(levels);
  }

  keys(input: ListRequest): Page<KeyView> {
    return pageOf(this.#parts.keys.list(), input, idOf, asItIs);
  }

  createKey(input: NewKeyInput): Promise<KeyWithSecret> {
    return this.#parts.keys.create(input);
  }

  async removeKey({ id }: ById): Promise<void> {
    if (!(await this.#parts.keys.remove(id))) throw notFound('key', id);
  }

  explainSearch(input: ById): Explanation {
    return searchExplanation(this.#parts, this.search(input));
  }

  explainDownload(input: ById): Promise<Explanation> {
    return this.#orders.explain(input);
  }

  explainPeer({ id }: ById): Explanation {
    return peerExplanation(this.#parts, this.#link(id));
  }

  refusedPeers(): RefusedPeersView {
    return refusedPeersView(this.#parts);
  }

  election(): Explanation {
    return explainRole(this.#parts.servent.roleReport(this.#parts.clock.now()));
  }

  doctor(): Promise<DoctorView> {
    return this.#parts.health.doctor();
  }

  live(): LiveView {
    return { status: 'ok' };
  }

  ready(): ReadyView {
    return this.#parts.health.ready();
  }
}

const idOf = ({ id }: ById): string => id;
const asItIs = <T>(row: T): T => row;

/** Turns a settings error into INVALID, and a configuration file that cannot be written into CONFLICT. */
async function validated(plan: Promise<ConfigPlan>): Promise<ConfigPlan> {
  try {
    return await plan;
  } catch (cause) {
    if (cause instanceof SettingsError) {
      const faults = cause.faults.map(({ key, text }) => ({ in: 'body' as const, field: key, detail: text }));
      throw new ApiError('INVALID', cause.message, { faults, cause });
    }
    const { code, path } = cause as NodeJS.ErrnoException;
    if (code === undefined || refusalOf(cause) !== null) throw cause;
    throw new ApiError('CONFLICT', `the configuration file cannot be written (${code} ${path ?? ''})`, { cause });
  }
}
