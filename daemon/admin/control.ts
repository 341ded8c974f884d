// Implements the operations of the admin API on the daemon's parts. Holds no state of its own.
import { statfs } from 'node:fs/promises';
import type {
  AddHostInput,
  AddressTallyView,
  BanView,
  ById,
  ChangeDownloadInput,
  ChangeFolderInput,
  ConfigPatchInput,
  ConfigPlan,
  ConfigView,
  ConnectInput,
  Control,
  DeliveryView,
  DoctorView,
  DownloadView,
  Explanation,
  FileTallyView,
  FileView,
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
  ReadyView,
  RefusedPeersView,
  ReplayInput,
  RescanView,
  ResultView,
  ScrubView,
  SearchView,
  ShareFolderInput,
  StartDownloadInput,
  StartSearchInput,
  StatsInput,
  StatusView,
  TallyView,
  UploadView,
} from '../../api/control.ts';
import { ApiError, invalid, notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';
import { DEFAULT_PORT } from '../../protocol/constants.ts';
import { Drop } from '../../protocol/overlay/links/drops.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import { ByeCode } from '../../protocol/wire/bye.ts';
import { endpointOrNull, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { SettingsError } from '../../settings/faults.ts';
import { explainDownload, explainSearch } from '../explain/explain.ts';
import { explainPeer } from '../explain/explain-peer.ts';
import { explainRole } from '../explain/explain-role.ts';
import { QueryMonitor } from '../queries/query-monitor.ts';
import { deliveryView } from '../views/hooks.ts';
import { fileView, folderView, hashingView } from '../views/library.ts';
import { limitsView } from '../views/limits.ts';
import { hostView, keptView, peerView } from '../views/neighbours.ts';
import { queryStatsView, queryView } from '../views/queries.ts';
import { resultView, searchView } from '../views/searches.ts';
import { downloadView, uploadView } from '../views/transfers.ts';
import { Banned } from './banned.ts';
import type { ControlParts } from './control-parts.ts';
import { downloadRequest } from './download-request.ts';
import { FileCursors, fileList, hostFields } from './lists.ts';
import { Logs } from './logs.ts';
import { PastLists } from './past-lists.ts';
import { refusalOf } from './refusals.ts';
import { SharedFolders } from './shared-folders.ts';
import { statusView } from './status-view.ts';

export class DaemonControl implements Control {
  readonly #parts: ControlParts;
  readonly #files: ReturnType<typeof fileList>;
  readonly #shared: SharedFolders;
  readonly #past: PastLists;
  readonly #banned: Banned;
  readonly #logs: Logs;

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#files = fileList(parts.library);
    this.#shared = new SharedFolders(parts.library);
    this.#past = new PastLists(parts);
    this.#banned = new Banned(parts.bans);
    this.#logs = new Logs(parts.log);
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

  history(): HistoryView {
    return this.#parts.history.view();
  }

  pastTransfers(input: PastTransfersInput): Page<PastTransferView> {
    return this.#past.transfers(input);
  }

  pastSearches(input: ListRequest): Page<PastSearchView> {
    return this.#past.searches(input);
  }

  totals(): TallyView {
    return this.#past.totals();
  }

  addressTotals(input: ListRequest): Page<AddressTallyView> {
    return this.#past.addresses(input);
  }

  fileTotals(input: ListRequest): Page<FileTallyView> {
    return this.#past.files(input);
  }

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

  results({ id, ...page }: ById & ListRequest): Page<ResultView> {
    const found = this.#parts.searches.found(id);
    if (found === null) throw notFound('search', id);
    return pageOf(
      found.contents,
      page,
      content => content.id,
      content => resultView(content, found.foundAt(content)),
    );
  }

  async startDownload(input: StartDownloadInput): Promise<DownloadView> {
    return downloadView(await this.#parts.downloads.add(downloadRequest(input, this.#parts.searches)));
  }

  downloads(input: ListRequest): Page<DownloadView> {
    return pageOf(this.#parts.downloads.list(), input, ({ id }) => id, downloadView);
  }

  download({ id }: ById): DownloadView {
    const download = this.#parts.downloads.get(id);
    if (download === null) throw notFound('download', id);
    return downloadView(download);
  }

  async changeDownload({ id, state, priority }: ById & ChangeDownloadInput): Promise<DownloadView> {
    const { downloads } = this.#parts;
    if (downloads.get(id) === null) throw notFound('download', id);
    if (priority !== undefined) await downloads.setPriority(id, priority);
    if (state === 'paused') await downloads.pause(id);
    if (state === 'active') await downloads.resume(id);
    return this.download({ id });
  }

  async removeDownload({ id }: ById): Promise<void> {
    if (!(await this.#parts.downloads.cancel(id))) throw notFound('download', id);
  }

  limits(): LimitsView {
    return limitsView(this.#parts);
  }

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

  explainSearch({ id }: ById): Explanation {
    const { servent, clock, live } = this.#parts;
    return explainSearch({
      search: this.search({ id }),
      ...servent.overlay.counts,
      firewall: servent.firewall.status(clock.now()),
      outOfBand: live.settings.gnutella.outOfBand,
    });
  }

  async explainDownload({ id }: ById): Promise<Explanation> {
    const { downloads, servent, clock, live } = this.#parts;
    const { folder, maxActive } = live.settings.downloads;
    const download = this.download({ id });
    const space = await statfs(folder).catch(() => null); // the first download creates the folder
    const waiting = downloads.list().filter(({ state }) => state === 'queued');
    return explainDownload({
      download,
      active: downloads.load.active,
      activeMax: maxActive,
      ahead: Math.max(
        0,
        waiting.findIndex(row => row.id === id),
      ),
      firewalled: servent.firewall.firewalled(clock.now()),
      freeBytes: space === null ? null : space.bavail * space.bsize,
    });
  }

  explainPeer({ id }: ById): Explanation {
    const { servent, live } = this.#parts;
    const { queryRates } = servent.overlay;
    const link = this.#link(id);
    const { role, endpoint, drops } = link;
    return explainPeer({
      id,
      role,
      host: endpoint.host,
      origin: live.resolved.origins[role === 'leaf' ? 'gnutella.leafQueriesPerSecond' : 'gnutella.queriesPerSecond'],
      link: { ...queryRates.ofLink(link), dropped: drops?.of(Drop.QueryTooSoon) ?? 0 },
      ofAddress: { ...queryRates.ofAddress(), dropped: drops?.of(Drop.QueryTooSoonOfAddress) ?? 0 },
    });
  }

  refusedPeers(): RefusedPeersView {
    const { network, servent, clock } = this.#parts;
    const { refusals, handshaker } = network;
    return {
      configured: servent.kept.report().map(kept => keptView(kept, clock.now())),
      counts: { incoming: handshaker.countsIn.toRecord(), outgoing: handshaker.countsOut.toRecord() },
      items: refusals.newestFirst().map(({ at, remote, direction, end, detail }) => ({
        at: new Date(at).toISOString(),
        address: formatEndpoint(remote),
        direction: direction === 'in' ? 'incoming' : 'outgoing',
        reason: end,
        detail,
      })),
    };
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
