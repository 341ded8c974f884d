// One of each thing that the API shows, for the tests of API, command line and dashboard.
import type {
  AddressTallyView,
  BadContentView,
  BanView,
  DeliveryView,
  DhtContactView,
  DhtLookupView,
  DhtView,
  DownloadChunksView,
  DownloadView,
  Explanation,
  FileTallyView,
  FileView,
  FindView,
  FolderView,
  HistoryView,
  HookView,
  HostView,
  KeyView,
  LimitsView,
  LogLineView,
  NatView,
  PastSearchView,
  PastTransferView,
  PeerView,
  PreviewView,
  QueryView,
  RecoveredParts,
  ResultView,
  SavedSearchView,
  SearchView,
  StatusView,
  TallyView,
  UploadView,
} from '../../api/control.ts';

export const AT = '2026-11-21T10:00:00.000Z';
export const SHA1 = 'urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';
export const GUID = '0123456789abcdef0123456789abcdef';

export const aPeer: PeerView = {
  id: 'p1',
  address: '127.0.0.1:6347',
  role: 'ultrapeer',
  direction: 'outgoing',
  userAgent: 'servent/0.1.0',
  since: AT,
  deflate: true,
  compression: { in: true, out: false },
  messages: { in: 1200, out: 34 },
  bytes: { in: 120_000, out: 3_400 },
  dropped: 2,
  reasons: { duplicate: 2 },
  queued: 0,
};

export const aHost: HostView = {
  address: '127.0.0.1:6348',
  ultrapeer: true,
  source: 'pong',
  seenAt: AT,
  triedAt: null,
  connectedAt: null,
  failures: 0,
};

export const aQuery: QueryView = {
  id: 'q1',
  at: AT,
  text: 'blue moon',
  urns: [SHA1],
  from: '127.0.0.1:6347',
  ttl: 3,
  hops: 2,
  hits: 1,
};

export const aSearch: SearchView = {
  id: 's1',
  text: 'blue moon',
  urn: null,
  browse: null,
  type: null,
  state: 'running',
  error: null,
  startedAt: AT,
  endsAt: AT,
  askedBefore: null,
  askAgainAt: null,
  peers: 3,
  results: 1,
  hits: 2,
  hidden: 0,
  cut: null,
};

/** Asked 40 s before it was started again. */
export const aRepeat: SearchView = {
  ...aSearch,
  askedBefore: new Date(Date.parse(AT) - 40_000).toISOString(),
  askAgainAt: new Date(Date.parse(AT) + 1_700_000).toISOString(),
};

export const aResult: ResultView = {
  id: 'r1',
  name: 'blue moon.ogg',
  size: 4_200_000,
  folder: null,
  type: 'audio',
  length: 205,
  bitrate: 160,
  urn: SHA1,
  foundAt: AT,
  spam: [],
  sources: [
    {
      address: '127.0.0.1:6349',
      servent: GUID,
      push: false,
      busy: false,
      index: 7,
      name: 'blue moon.ogg',
      vendor: 'SERV',
      speed: 1000,
      hops: 2,
    },
  ],
};

export const aDownload: DownloadView = {
  id: 'd1',
  name: 'blue moon.ogg',
  size: 4_200_000,
  done: 1_050_000,
  state: 'active',
  rate: 105_000,
  eta: 30,
  urn: SHA1,
  priority: 0,
  position: 1,
  category: null,
  batch: null,
  verified: 1_000_000,
  wasted: 2048,
  tree: null,
  order: 'any',
  sources: [
    {
      ...{ address: '127.0.0.1:6349', servent: GUID, push: false, way: 'direct', state: 'active', error: null },
      ...{ rate: 105_000, bytes: 1_050_000, wasted: 2048, queue: null },
    },
    {
      ...{ address: '127.0.0.1:6350', servent: null, push: true, way: 'proxy', state: 'queued', error: null },
      ...{ rate: 0, bytes: 0, wasted: 0, queue: { position: 3, length: 10, eta: 300, id: null } },
    },
  ],
  search: null,
  path: null,
  error: null,
  addedAt: AT,
  finishedAt: null,
};

export const aRecoveredPart: RecoveredParts['items'][number] = {
  path: '/srv/downloads/.incomplete/d9.part',
  outcome: 'recovered',
  id: 'd9',
  name: 'green hills.ogg',
  done: 1_000,
  note: '1000 bytes kept; goes on',
};

export const someChunks: DownloadChunksView = {
  size: 4_200_000,
  states: [
    { start: 0, end: 1_000_000, state: 'verified', source: null },
    { start: 1_000_000, end: 1_050_000, state: 'received', source: '127.0.0.1:6349' },
    { start: 1_050_000, end: 1_310_720, state: 'assigned', source: '127.0.0.1:6349' },
    { start: 1_310_720, end: 4_200_000, state: 'missing', source: null },
  ],
};

export const anUpload: UploadView = {
  id: 'u1',
  address: '127.0.0.1:40000',
  userAgent: 'gtk-gnutella/1.2',
  state: 'active',
  position: null,
  queue: null,
  group: null,
  name: 'red sun.ogg',
  urn: SHA1,
  size: 1_000,
  start: 0,
  end: 999,
  sent: 500,
  rate: 250,
  since: AT,
};

export const aFile: FileView = {
  id: 'f1',
  name: 'red sun.ogg',
  path: '/srv/files/red sun.ogg',
  folder: 'l1',
  size: 1_000,
  modifiedAt: AT,
  state: 'shared',
  urn: SHA1,
  bitprint: `urn:bitprint:${SHA1.slice(9)}.${'A'.repeat(39)}`,
  seenFolder: null,
  type: 'audio',
  length: 205,
  bitrate: 160,
  hits: 3,
  uploads: 1,
};

export const aFolder: FolderView = {
  id: 'l1',
  path: '/srv/files',
  state: 'ready',
  files: 1,
  bytes: 1_000,
  error: null,
  leftOut: [],
  scannedAt: AT,
  exclude: [],
  force: false,
  label: null,
};

export const aPreview: PreviewView = {
  path: '/srv/more',
  files: 3,
  bytes: 1_200_000,
  seen: [
    { name: 'song.ogg', size: 1_000_000, folder: 'music' },
    { name: 'notes.txt', size: 100_000, folder: null },
  ],
  seenMore: 1,
  leftOut: [{ path: '/srv/more/id_rsa', kind: 'file', rule: 'private-key', why: 'a private key' }],
  leftOutMore: 1,
  byRule: [{ rule: 'private-key', why: 'a private key', files: 2, folders: 0, first: '/srv/more/id_rsa' }],
  cut: null,
};

export const aKey: KeyView = {
  id: 'k1',
  name: 'prometheus',
  scopes: ['read'],
  cidrs: ['127.0.0.0/8'],
  createdAt: AT,
  expiresAt: null,
  expired: false,
  usedAt: null,
  usedFrom: null,
};

/** Its id is that of the other things, so that one path serves them all. */
export const aLogLine: LogLineView = {
  id: '1',
  at: AT,
  level: 'warn',
  mod: 'library',
  message: 'a file is gone',
  data: { path: '/srv/files/gone' },
};

export const aHook: HookView = {
  id: 's1',
  url: 'http://127.0.0.1:9000',
  command: null,
  topics: ['downloads'],
  types: [],
  cursor: 7,
  behind: 0,
  error: null,
};

export const aDelivery: DeliveryView = {
  event: 7,
  type: 'download.finished',
  at: AT,
  attempt: 1,
  seconds: 0.02,
  state: 'done',
  error: null,
};

/** Parts of the status. */
export const someNat: NatView = {
  ...{ state: 'mapped', method: 'pcp', router: '192.168.1.1', external: '5.5.5.5' },
  tcp: { internal: 6346, external: 40_001, until: AT },
  udp: { internal: 6346, external: 40_001, until: AT },
  ...{
    trouble: null,
    againAt: null,
    announced: '5.5.5.5:40001',
    portFile: null,
    interface: null,
    proxy: null,
    relay: null,
  },
};

export const itsNetwork: Pick<StatusView, 'election' | 'reachability' | 'bootstrap' | 'nat'> = {
  nat: someNat,
  election: {
    mode: 'auto',
    active: true,
    role: 'ultrapeer',
    fit: true,
    needed: true,
    changesIn: null,
    criteria: [{ name: 'cpu', value: 0.05, wanted: 0.7, met: true, why: 'share of a core in use, at most' }],
  },
  reachability: {
    tcp: { state: 'open', since: AT, known: 'proof', provenAt: AT },
    udp: { state: 'unknown', since: AT, known: null, provenAt: null },
  },
  bootstrap: {
    state: 'linked',
    detail: 'there are neighbours enough; no cache is asked',
    asking: null,
    round: 0,
    nextIn: null,
    caches: { udp: { known: 9, asked: 0, answered: 0 }, web: { known: 0, asked: 0, answered: 0 } },
  },
};

export const aSavedSearch: SavedSearchView = {
  ...{ id: 'w1', text: 'blue moon', urn: null, filter: 'type=audio', action: 'notify', every: 'auto', state: 'active' },
  ...{ new: 1, running: false, search: null, runs: 2, addedAt: AT, ranAt: AT, dueAt: AT, error: null },
};

export const aFind: FindView = {
  ...{
    name: 'blue moon.ogg',
    size: 4_200_000,
    urn: SHA1,
    sources: 2,
    at: AT,
    outcome: 'told',
    download: null,
    error: null,
  },
};

export const aBadContent: BadContentView = {
  ...{ id: SHA1.slice('urn:sha1:'.length), urn: SHA1, note: 'a siren', addedAt: AT },
};

export const aBan: BanView = {
  id: '192.0.2.9',
  address: '192.0.2.9',
  reason: 'early_polls',
  text: 'asked for its place in the queue again and again before the time it was given',
  since: AT,
  until: '2026-11-21T10:05:00.000Z',
  ...{ times: 1, turnedAway: 2 },
};

export const aDht: DhtView = {
  mode: 'active',
  kuid: 'a1b2c3d4e5f60718293a4b5c6d7e8f9001122334',
  state: 'ready',
  why: null,
  contacts: { good: 31, stale: 2, pending: 4 },
  buckets: [
    { bits: 0, buckets: 2, good: 20, stale: 2, pending: 4 },
    { bits: 1, buckets: 1, good: 11, stale: 0, pending: 0 },
  ],
  values: 5,
  publishing: 1,
  size: 1_200,
  traffic: { in: 120_000, out: 90_000 },
};

export const aDhtContact: DhtContactView = {
  kuid: 'a1b2c3d4e5f60718293a4b5c6d7e8f9001122335',
  address: '127.0.0.1:6347',
  vendor: 'GTKG',
  state: 'good',
  rtt: 0.042,
  seenAt: AT,
};

export const aDhtLookup: DhtLookupView = {
  id: 's1',
  target: 'a1b2c3d4e5f60718293a4b5c6d7e8f9001122330',
  state: 'found',
  error: null,
  asked: 3,
  path: [
    {
      kuid: aDhtContact.kuid,
      address: '127.0.0.1:6347',
      distance: '0000000000000000000000000000000000000005',
      ms: 42,
    },
  ],
  values: [
    {
      type: 'ALOC',
      creator: aDhtContact.kuid,
      address: '127.0.0.1:6348',
      version: '0.1',
      servent: GUID,
      firewalled: false,
      size: 1_000,
      proxies: [],
    },
  ],
};

export const someLimits: LimitsView = {
  items: [
    {
      ...{ name: 'upload', value: 100_000, stopped: false, origin: 'schedule', used: 98_000 },
      ...{ why: 'limits.schedule, entry 1: daily 00:00 to 24:00', changesAt: null },
    },
  ],
  budget: { state: 'none', bytes: 0, used: 3, in: 1, out: 2, month: '2026-11', resetsAt: AT },
};

export const aPastTransfer: PastTransferView = {
  id: 'u0',
  direction: 'upload',
  result: 'whole',
  name: 'blue moon.ogg',
  urn: SHA1,
  size: 4_200_000,
  bytes: 4_200_000,
  rate: 420_000,
  address: '127.0.0.1:6347',
  userAgent: 'gtk-gnutella/1.2.3',
  error: null,
  startedAt: '2026-11-21T09:59:50.000Z',
  finishedAt: AT,
};

export const aPastSearch: PastSearchView = {
  ...{ id: 's0', text: 'blue moon', urn: null, browse: null, type: null, error: null },
  ...{ startedAt: AT, finishedAt: AT, peers: 3, results: 2, hits: 5 },
};

export const aTally: TallyView = {
  ...{ uploaded: 4_200_000, downloaded: 2_100_000, ratio: 2, uploads: 1, downloads: 1 },
  since: AT,
};
const { downloads: _, ...ofAddress } = aTally;
export const anAddressTally: AddressTallyView = { ...ofAddress, address: '127.0.0.1', at: AT };
export const aFileTally: FileTallyView = { ...aTally, urn: SHA1, name: 'blue moon.ogg', at: AT };

const aRing = (step: number) => ({
  step,
  until: AT,
  messagesIn: [20],
  messagesOut: [4],
  bytesIn: [2_000],
  bytesOut: [400],
  queries: [10],
  download: [105_000],
  upload: [250],
  peers: [1],
});
export const aHistory: HistoryView = {
  minute: aRing(1),
  hour: aRing(30),
  day: aRing(600),
  month: aRing(3600),
  year: aRing(86_400),
};

export const anExplanation: Explanation = {
  verdict: 'words: 0 words that can match',
  tests: [{ name: 'words', ok: false, value: '0 words that can match', mend: 'use longer words' }],
};
