// A daemon's answers without a daemon: a small world kept in arrays, for the tests of API, command line and dashboard.
import type {
  ById,
  ChangeFolderInput,
  ChangeSavedSearchInput,
  ConfigPatchInput,
  ConfigView,
  Control,
  DoctorView,
  FolderView,
  HashingView,
  HistoryView,
  KeyView,
  ListRequest,
  LogInput,
  LogLevelsView,
  NewBadContentInput,
  NewBanInput,
  NewKeyInput,
  PastTransfersInput,
  PreviewFolderInput,
  QueryStatsView,
  ReadyView,
  ReplayInput,
  RunSavedSearchInput,
  SaveSearchInput,
  SearchView,
  StartSearchInput,
  StatsInput,
} from '../../api/control.ts';
import { ApiError, notFound } from '../../api/errors.ts';
import { FakeDht } from './fake-dht.ts';
import { only, paged, without } from './rows.ts';
import {
  AT,
  aBadContent,
  aBan,
  aDelivery,
  aFile,
  aFileTally,
  aFind,
  aFolder,
  aHistory,
  aHook,
  aHost,
  aKey,
  aLogLine,
  anAddressTally,
  anExplanation,
  anUpload,
  aPastSearch,
  aPastTransfer,
  aPeer,
  aPreview,
  aQuery,
  aResult,
  aSavedSearch,
  aSearch,
  aTally,
  GUID,
  itsNetwork,
  someLimits,
} from './sample-views.ts';

const NOTHING_HASHED: HashingView = { state: 'idle', files: 0, hashed: 3, bytes: 0, rate: 0, eta: null, current: null };

export class FakeControl extends FakeDht implements Control {
  peerList = [aPeer];
  hostList = [aHost];
  queryList = [aQuery];
  /** What a new search looks like. */
  sample: SearchView = aSearch;
  searchList = [aSearch];
  resultList = [aResult];
  levels: LogLevelsView = { level: 'info', levels: {} };
  uploadList = [anUpload];
  banList = [aBan];
  savedList = [aSavedSearch];
  badList = [aBadContent];
  fileList = [aFile];
  folderList = [aFolder];
  keyList = [aKey];
  hookList = [aHook];
  logList = [aLogLine];
  findings: DoctorView['findings'] = [];
  readyView: ReadyView = { status: 'ok', checks: [{ name: 'gnutella', ok: true, detail: null }] };
  /** Answers to come, one a call; idle after that. */
  hashingNow: HashingView[] = [];

  status() {
    this.note('status');
    return {
      version: '0.1.0',
      servent: GUID,
      mode: 'ultrapeer' as const,
      profile: 'local' as const,
      startedAt: AT,
      uptime: 61.5,
      gnutella: { host: '127.0.0.1', port: 6346 },
      api: { host: '127.0.0.1', port: 8346 },
      peers: { leaves: 0, ultrapeers: this.peerList.length },
      ...itsNetwork,
      neighbours: [],
      hosts: this.hostList.length,
      library: {
        files: this.fileList.length,
        bytes: 1_000,
        hashing: 0,
        trees: 0,
        media: { known: 0, pending: 0, failed: 0 },
        progress: NOTHING_HASHED,
      },
      searches: this.searchList.length,
      downloads: { active: 1, queued: 0, rate: 105_000 },
      uploads: { active: 1, queued: 0, rate: 250 },
      limits: [],
      budget: null,
      messages: { in: 1200, out: 34, dropped: 2, reasons: { duplicate: 2 } },
      dht: { mode: 'active' as const, state: 'ready' as const, why: null, nodes: 31, values: 5, size: 1_200 },
      lostParts: { count: 0, bytes: 0, paths: [] },
      attention: this.findings.filter(({ state }) => state !== 'ok'),
    };
  }

  peers(input: ListRequest) {
    this.note('peers', input);
    return paged(this.peerList, input, row => row.id);
  }

  async connect(input: { address: string }) {
    this.note('connect', input);
    if (input.address.endsWith(':1')) throw new ApiError('UNREACHABLE', `${input.address}: connection refused`);
    const peer = { ...aPeer, id: `p${this.peerList.length + 1}`, address: input.address };
    this.peerList.push(peer);
    return peer;
  }

  disconnect(input: ById) {
    this.note('disconnect', input);
    this.peerList = without(this.peerList, 'peer', input.id);
  }

  hosts(input: ListRequest) {
    this.note('hosts', input);
    return paged(this.hostList, input, row => row.address);
  }

  addHost(input: { address: string }) {
    this.note('addHost', input);
    const host = { ...aHost, address: input.address, source: 'configured' };
    this.hostList.push(host);
    return host;
  }

  removeHost(input: ById) {
    this.note('removeHost', input);
    if (!this.hostList.some(({ address }) => address === input.id)) throw notFound('host', input.id);
    this.hostList = this.hostList.filter(({ address }) => address !== input.id);
  }

  queries(input: ListRequest) {
    this.note('queries', input);
    return paged(this.queryList, input, row => row.id);
  }

  queryStats(input: StatsInput): QueryStatsView {
    this.note('queryStats', input);
    return {
      privacy: 'full',
      span: input.span,
      seconds: 60,
      queries: 10,
      answered: 5,
      answerRate: 0.5,
      hits: 7,
      duplicates: 3,
      byHops: [10],
      byTtl: [0, 10],
      words: [{ key: 'blue', count: 4, error: 0 }],
      peers: [{ key: '127.0.0.1:6347', count: 10, error: 0 }],
      sampled: 1,
      series: [{ at: AT, queries: 10, answered: 5, hits: 7, duplicates: 3 }],
    };
  }

  history(): HistoryView {
    this.note('history');
    return aHistory;
  }

  pastTransfers(input: PastTransfersInput) {
    this.note('pastTransfers', input);
    return paged([aPastTransfer], input, row => row.id);
  }

  pastSearches(input: ListRequest) {
    this.note('pastSearches', input);
    return paged([aPastSearch], input, row => row.id);
  }

  totals() {
    this.note('totals');
    return aTally;
  }

  addressTotals(input: ListRequest) {
    this.note('addressTotals', input);
    return paged([anAddressTally], input, row => row.address);
  }

  fileTotals(input: ListRequest) {
    this.note('fileTotals', input);
    return paged([aFileTally], input, row => row.urn);
  }

  hooks(input: ListRequest) {
    this.note('hooks', input);
    return paged(this.hookList, input, row => row.id);
  }

  deliveries(input: ById & ListRequest) {
    this.note('deliveries', input);
    only(this.hookList, 'hook', input.id);
    return paged([aDelivery], input, row => String(row.event));
  }

  replay(input: ById & ReplayInput) {
    this.note('replay', input);
    return only(this.hookList, 'hook', input.id);
  }

  startSearch(input: StartSearchInput) {
    this.note('startSearch', input);
    const search: SearchView = {
      ...this.sample,
      id: `s${this.searchList.length + 1}`,
      text: input.text ?? null,
      urn: input.urn ?? null,
      browse: input.browse ?? null,
    };
    this.searchList.unshift(search);
    return search;
  }

  searches(input: ListRequest) {
    this.note('searches', input);
    return paged(this.searchList, input, row => row.id);
  }

  search(input: ById) {
    this.note('search', input);
    return only(this.searchList, 'search', input.id);
  }

  removeSearch(input: ById) {
    this.note('removeSearch', input);
    this.searchList = without(this.searchList, 'search', input.id);
  }

  results(input: ById & ListRequest) {
    this.note('results', input);
    only(this.searchList, 'search', input.id);
    return paged(this.resultList, input, row => row.id);
  }

  limits = () => this.noted('limits', someLimits);

  uploads(input: ListRequest) {
    this.note('uploads', input);
    return paged(this.uploadList, input, row => row.id);
  }

  cancelUpload(input: ById) {
    this.note('cancelUpload', input);
    this.uploadList = without(this.uploadList, 'upload', input.id);
  }

  savedSearches(input: ListRequest) {
    this.note('savedSearches', input);
    return paged(this.savedList, input, row => row.id);
  }

  saveSearch(input: SaveSearchInput) {
    this.note('saveSearch', input);
    return aSavedSearch;
  }

  #savedOf(name: string, input: ById) {
    this.note(name, input);
    return only(this.savedList, 'saved search', input.id);
  }

  changeSavedSearch = (input: ById & ChangeSavedSearchInput) => this.#savedOf('changeSavedSearch', input);

  removeSavedSearch(input: ById) {
    this.note('removeSavedSearch', input);
    this.savedList = without(this.savedList, 'saved search', input.id);
  }

  runSavedSearch = (input: ById & RunSavedSearchInput) => this.#savedOf('runSavedSearch', input);

  finds(input: ById & ListRequest) {
    this.#savedOf('finds', input);
    return paged([aFind], input, row => row.at);
  }

  badContents(input: ListRequest) {
    this.note('badContents', input);
    return paged(this.badList, input, row => row.id);
  }

  addBadContent(input: NewBadContentInput) {
    this.note('addBadContent', input);
    return aBadContent;
  }

  removeBadContent(input: ById) {
    this.note('removeBadContent', input);
    this.badList = without(this.badList, 'bad content', input.id);
  }

  bans(input: ListRequest) {
    this.note('bans', input);
    return paged(this.banList, input, row => row.id);
  }

  addBan(input: NewBanInput) {
    this.note('addBan', input);
    const { address, reason = 'banned by hand' } = input;
    return { ...aBan, id: address, address, reason: 'by_hand' as const, text: reason };
  }

  liftBan(input: ById) {
    this.note('liftBan', input);
    this.banList = without(this.banList, 'ban', input.id);
  }

  files(input: ListRequest) {
    this.note('files', input);
    return paged(this.fileList, input, row => row.id);
  }

  folders(input: ListRequest) {
    this.note('folders', input);
    return paged(this.folderList, input, row => row.id);
  }

  shareFolder(input: { path: string }) {
    this.note('shareFolder', input);
    const folder: FolderView = { ...aFolder, id: `l${this.folderList.length + 1}`, path: input.path };
    this.folderList.push(folder);
    return folder;
  }

  changeFolder({ id, ...input }: ById & ChangeFolderInput) {
    this.note('changeFolder', { id, ...input });
    const folder = this.folderList.find(folder => folder.id === id);
    if (folder === undefined) throw notFound('shared folder', id);
    const { exclude = folder.exclude, force = folder.force, label = folder.label } = input;
    return Object.assign(folder, { exclude, force, label });
  }

  previewFolder(input: PreviewFolderInput) {
    this.note('previewFolder', input);
    return { ...aPreview, path: input.path };
  }

  unshareFolder(input: ById) {
    this.note('unshareFolder', input);
    this.folderList = without(this.folderList, 'folder', input.id);
  }

  rescan() {
    this.note('rescan');
    return { folders: this.folderList.length };
  }

  scrub() {
    this.note('scrub');
    return { files: this.fileList.length, bytes: 1_000 };
  }

  rescanFolder(input: ById) {
    this.note('rescanFolder', input);
    const folder = this.folderList.find(({ id }) => id === input.id);
    if (folder === undefined) throw notFound('shared folder', input.id);
    return folder;
  }

  hashing(): HashingView {
    this.note('hashing');
    return this.hashingNow.shift() ?? NOTHING_HASHED;
  }

  cancelHashing() {
    this.note('cancelHashing');
  }

  config(): ConfigView {
    this.note('config');
    return {
      file: null,
      config: { profile: 'local', gnutella: { port: 6346 } },
      settings: [
        { key: 'profile', value: 'local', origin: 'flag', where: '--profile', restart: true },
        { key: 'gnutella.port', value: 6346, origin: 'default', where: null, restart: true },
      ],
    };
  }

  changeConfig(input: ConfigPatchInput) {
    this.note('changeConfig', input);
    return { file: null, dryRun: input.dryRun, changes: [], overruled: [], restart: false };
  }

  reloadConfig() {
    this.note('reloadConfig');
    return { file: null, dryRun: false, changes: [], overruled: [], restart: false };
  }

  logLines(input: LogInput) {
    this.note('logLines', input);
    return paged(this.logList, input, row => row.id);
  }

  logLevels() {
    this.note('logLevels');
    return this.levels;
  }

  changeLogLevels(levels: object) {
    this.note('changeLogLevels', levels);
    return this.levels;
  }

  keys(input: ListRequest) {
    this.note('keys', input);
    return paged(this.keyList, input, row => row.id);
  }

  createKey(input: NewKeyInput) {
    this.note('createKey', input);
    const { name, scopes, cidrs } = input;
    const key: KeyView = {
      ...aKey,
      id: `k${this.keyList.length + 1}`,
      name,
      scopes,
      cidrs,
      expiresAt: input.expiresAt ?? null,
    };
    this.keyList.push(key);
    return { ...key, secret: 'servent_secret' };
  }

  removeKey(input: ById) {
    this.note('removeKey', input);
    this.keyList = without(this.keyList, 'key', input.id);
  }

  explainSearch(input: ById) {
    this.note('explainSearch', input);
    only(this.searchList, 'search', input.id);
    return anExplanation;
  }

  explainPeer(input: ById) {
    this.note('explainPeer', input);
    only(this.peerList, 'peer', input.id);
    return anExplanation;
  }

  refusedPeers() {
    this.note('refusedPeers');
    return { counts: { incoming: { linked: 1 }, outgoing: {} }, configured: [], items: [] };
  }

  election() {
    this.note('election');
    return anExplanation;
  }

  doctor() {
    this.note('doctor');
    return { ok: true, findings: this.findings };
  }

  live = () => this.noted('live', { status: 'ok' as const });
  ready = () => this.noted('ready', this.readyView);
}
