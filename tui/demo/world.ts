// Simulates a network behind the client interface of the admin API. Deterministic by seed and clock.
import type { Client } from '../../api/client.ts';
import type {
  ConfigView,
  DownloadView,
  FileView,
  FolderView,
  HostView,
  NatView,
  PeerView,
  QueryView,
  ResultView,
  SearchView,
  StatsInput,
  StatusView,
  UploadView,
} from '../../api/control.ts';
import { parseMagnet } from '../../protocol/wire/magnet.ts';
import { BOOTSTRAP, besides, CRITERIA, NOTHING_HASHED, pages, refused, rowOf, withReasons } from './answers.ts';
import { demoConfig } from './config.ts';
import { DemoDownloads } from './downloads.ts';
import { limitsOf } from './limits.ts';
import { DemoLines } from './lines.ts';
import { Maker, mediaOf } from './maker.ts';
import { ARTISTS, ASKED, ENDINGS, HOSTILE, SERVENTS, TITLES } from './names.ts';
import { statsOf } from './query-stats.ts';
import { madeUpload } from './uploads.ts';

const NOT_MAPPED: NatView = {
  ...{ state: 'off', method: null, router: null, external: null, tcp: null, udp: null, trouble: null, againAt: null },
  ...{ announced: '203.0.113.7:6346', portFile: null, interface: null, proxy: null, relay: null },
};

export interface DemoOptions {
  readonly now: () => number;
  readonly seed?: number;
  /** Number of shared files. */
  readonly files?: number;
  readonly peers?: number;
  /** Queries per second. */
  readonly queryRate?: number;
}

const STEP_MS = 250;
/** Most steps simulated at once, after a long pause. */
const STEPS_MAX = 400;
const QUERIES_KEPT = 1000;
const SEARCH_MS = 30_000;
const PLAIN_FOLDER = { error: null, leftOut: [], exclude: [], force: false, label: null };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Running {
  view: Mutable<SearchView>;
  results: ResultView[];
  wanted: number;
}

export class DemoWorld {
  readonly #now: () => number;
  readonly #made: Maker;
  readonly #startedAt: number;
  readonly #queryRate: number;
  #at: number;
  #queryId = 0;
  #messagesIn = 2_841_220;
  #messagesOut = 9_120_417;
  #duplicates = 611_204;
  #owed = 0;
  readonly #peers: Mutable<PeerView>[] = [];
  readonly #hosts: HostView[] = [];
  readonly #queries: QueryView[] = [];
  readonly #searches: Running[] = [];
  readonly #downloads: DemoDownloads;
  readonly #uploads: Mutable<UploadView>[] = [];
  readonly #folders: Mutable<FolderView>[] = [];
  readonly #files: FileView[] = [];
  readonly #config: ConfigView = demoConfig();
  readonly #lines = new DemoLines(() => this.#at);

  constructor({ now, seed = 42, files = 240, peers = 34, queryRate = 46 }: DemoOptions) {
    this.#now = now;
    this.#made = new Maker(seed, () => this.#at);
    this.#queryRate = queryRate;
    this.#downloads = new DemoDownloads(this.#made, text => this.#lines.add('downloads', text));
    this.#at = now();
    this.#startedAt = this.#at - 273_840_000;
    this.#fill(files, peers);
  }

  /** The client of the API, answered by the simulation. */
  get client(): Client {
    const list = <T>(rows: () => readonly T[]) => pages(() => this.#live(), rows);
    const client = {
      status: async () => this.#status(),
      peers: list(() => this.#peers.map(withReasons)),
      connect: async (input: object) => this.#connect((input as { address: string }).address),
      disconnect: async (input: object) =>
        this.#lines.add('links', `${this.#remove(this.#peers, 'peer', input).address} disconnected`),
      hosts: list(() => this.#hosts),
      queries: list(() => this.#queries),
      queryStats: async ({ span, top }: StatsInput) => statsOf(this.#queries, span, top),
      caller: async () => ({ id: 'owner', name: 'owner', scopes: ['read', 'operate', 'admin'], expiresAt: null }),
      startSearch: async (input: object) => this.#startSearch(input),
      searches: list(() => this.#searches.map(({ view }) => ({ ...view }))),
      search: async (input: object) => ({ ...this.#searchOf(input).view }),
      removeSearch: async (input: object) => {
        this.#searches.splice(this.#searches.indexOf(this.#searchOf(input)), 1);
      },
      results: async (input: object) => list(() => this.#searchOf(input).results)(input),
      startDownload: async (input: object) => this.#startDownload(input),
      downloads: list(() => this.#downloads.rows.map(download => ({ ...download }))),
      download: async (input: object) => ({ ...rowOf(this.#downloads.rows, 'download', input) }),
      downloadChunks: async (input: object) => this.#downloads.chunks(input),
      changeDownload: async (input: object) => this.#downloads.change(input),
      clearDownloads: async () => this.#downloads.clear(),
      removeDownload: async (input: object) => this.#downloads.remove(input),
      pastTransfers: list(() => this.#downloads.past),
      uploads: list(() => this.#uploads.map(upload => ({ ...upload }))),
      cancelUpload: async (input: object) => void this.#remove(this.#uploads, 'upload', input),
      files: list(() => this.#files),
      folders: list(() => this.#folders.map(folder => ({ ...folder }))),
      shareFolder: async (input: object) => this.#share((input as { path: string }).path),
      unshareFolder: async (input: object) => void this.#remove(this.#folders, 'folder', input),
      rescan: async () => ({ folders: this.#folders.length }),
      config: async () => this.#config,
      logLines: list(() => this.#lines.newestFirst),
      history: async () => this.#made.rings(),
      live: async () => ({ status: 'ok' as const }),
      ready: async () => ({ status: 'ok' as const, checks: [] }),
    };
    // not all operations exist here; the dashboard checks before a call
    return { ...client, ...besides(client) } as unknown as Client;
  }

  #fill(files: number, peers: number): void {
    const folders = ['/home/ada/Music', '/srv/share/public-domain', '/home/ada/Recordings'];
    for (const [i, path] of folders.entries())
      this.#folders.push({
        id: `l${i + 1}`,
        path,
        state: i === 2 ? 'scanning' : 'ready',
        files: 0,
        bytes: 0,
        ...PLAIN_FOLDER,
        scannedAt: this.#made.ago(7200),
      });
    for (let i = 0; i < files; i++) {
      const folder = this.#made.pick(this.#folders);
      const size = Math.floor(400_000 * 10 ** (this.#made.random() * 3.4));
      const name = this.#made.fileName();
      const hashing = this.#made.random() < 0.02;
      folder.files++;
      folder.bytes += size;
      this.#files.push({
        id: String(i + 1),
        name,
        path: `${folder.path}/${name}`,
        folder: folder.id,
        size,
        modifiedAt: this.#made.ago(90_000_000),
        state: hashing ? 'hashing' : 'shared',
        ...{ urn: hashing ? null : this.#made.urn(), bitprint: null, seenFolder: null, ...mediaOf(name, size) },
        hits: Math.floor(this.#made.random() ** 4 * 900),
        uploads: Math.floor(this.#made.random() ** 6 * 40),
      });
    }
    for (let i = 0; i < peers; i++) this.#addPeer(i < 8 ? 'ultrapeer' : i === peers - 1 ? 'legacy' : 'leaf', 90_000);
    for (let i = 0; i < 180; i++)
      this.#hosts.push({
        address: this.#made.address(),
        ultrapeer: this.#made.random() < 0.1 ? null : this.#made.random() < 0.8,
        source: this.#made.pick(['pong', 'pong', 'handshake', 'GWebCache', 'UDP host cache', 'configuration']),
        seenAt: this.#made.ago(50_000),
        triedAt: this.#made.random() < 0.5 ? this.#made.ago(50_000) : null,
        connectedAt: this.#made.random() < 0.3 ? this.#made.ago(80_000) : null,
        failures: this.#made.random() < 0.25 ? Math.floor(this.#made.random() * 5) : 0,
      });
    for (let i = 0; i < 400; i++) this.#pass();
    this.#begin({ text: 'blue harbour' }, 26, 90_000);
    this.#begin({ text: 'moon over water flac' }, 14, 4_000);
    this.#begin({ text: 'zanzibar' }, 0, 60_000);
    const states = [
      'active',
      'active',
      'active',
      'queued',
      'paused',
      'verifying',
      'completed',
      'completed',
      'failed',
    ] as const;
    for (const state of states) this.#downloads.add(this.#made.fileName(), state, this.#at);
    for (let i = 0; i < 7; i++) this.#addUpload(i);
  }

  #addPeer(role: PeerView['role'], ageSeconds: number, address = this.#made.address()): Mutable<PeerView> {
    const busy = role === 'ultrapeer' ? 1 : 0.05;
    const deflate = role !== 'legacy' && this.#made.random() < 0.85;
    const peer: Mutable<PeerView> = {
      id: this.#made.id('p'),
      address,
      role,
      direction: role === 'leaf' || this.#made.random() < 0.5 ? 'incoming' : 'outgoing',
      userAgent: this.#made.random() < 0.04 ? null : this.#made.pick(SERVENTS),
      since: this.#made.ago(ageSeconds),
      deflate,
      compression: { in: deflate, out: deflate && this.#made.random() < 0.8 },
      messages: {
        in: Math.floor(this.#made.random() * 400_000 * busy),
        out: Math.floor(this.#made.random() * 900_000 * busy),
      },
      bytes: { in: Math.floor(this.#made.random() * 4e8 * busy), out: Math.floor(this.#made.random() * 9e8 * busy) },
      dropped: Math.floor(this.#made.random() ** 3 * 200_000 * busy),
      reasons: {},
      queued: this.#made.random() < 0.1 ? Math.floor(this.#made.random() * 60_000) : 0,
    };
    this.#peers.push(peer);
    return peer;
  }

  #addUpload(place: number): void {
    const file = this.#made.pick(this.#files);
    if (file !== undefined) this.#uploads.push(madeUpload(this.#made, file, place));
  }

  #pass(): void {
    const hostile = this.#made.random() < 0.02;
    const byUrn = this.#made.random() < 0.12;
    const query: QueryView = {
      id: String(++this.#queryId),
      at: new Date(this.#at).toISOString(),
      text: byUrn ? '' : hostile ? this.#made.pick(HOSTILE) : this.#made.pick(ASKED),
      urns: byUrn ? [this.#made.urn()] : [],
      from: this.#made.pick(this.#peers)?.address ?? '192.0.2.1:6346',
      ttl: 1 + Math.floor(this.#made.random() * 4),
      hops: Math.floor(this.#made.random() ** 1.5 * 5),
      hits: this.#made.random() < 0.12 ? 1 + Math.floor(this.#made.random() * 14) : 0,
    };
    this.#queries.unshift(query);
    if (this.#queries.length > QUERIES_KEPT) this.#queries.length = QUERIES_KEPT;
  }

  #live(): void {
    const now = this.#now();
    for (let steps = 0; this.#at + STEP_MS <= now && steps < STEPS_MAX; steps++) {
      this.#at += STEP_MS;
      this.#step(STEP_MS / 1000);
    }
    if (now - this.#at > STEP_MS) this.#at = now;
  }

  #step(seconds: number): void {
    // sine waves with noise
    const swell = 1 + 0.5 * Math.sin(this.#at / 9000) + 0.25 * Math.sin(this.#at / 2300);
    this.#owed += this.#queryRate * swell * seconds * (0.6 + 0.8 * this.#made.random());
    for (; this.#owed >= 1; this.#owed--) this.#pass();
    for (const peer of this.#peers) {
      const busy = (peer.role === 'ultrapeer' ? 1 : 0.06) * swell * this.#made.random();
      const [inward, outward] = [Math.floor(busy * 60 * seconds), Math.floor(busy * 90 * seconds)];
      peer.messages = { in: peer.messages.in + inward, out: peer.messages.out + outward };
      peer.bytes = { in: peer.bytes.in + inward * 110, out: peer.bytes.out + outward * 96 };
      peer.dropped += Math.floor(inward * 0.15);
      this.#messagesIn += inward;
      this.#messagesOut += outward;
      this.#duplicates += Math.floor(inward * 0.2);
    }
    this.#downloads.step(this.#at, seconds, swell);
    for (const upload of this.#uploads) {
      if (upload.state !== 'active') continue;
      upload.sent = Math.min(upload.end + 1, upload.sent + Math.floor(upload.rate * seconds));
      if (upload.sent > upload.end) upload.sent = 0;
    }
    for (const running of this.#searches) this.#find(running);
  }

  #find({ view, results, wanted }: Running): void {
    if (view.state !== 'running') return;
    if (this.#at >= Date.parse(view.endsAt)) view.state = 'finished';
    if (results.length >= wanted || this.#made.random() < 0.6) return;
    const words = (view.text ?? '').split(' ').filter(word => word !== '');
    const artist =
      words.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join(' ') || this.#made.pick(ARTISTS);
    const name =
      view.browse !== null || this.#made.random() < 0.1
        ? this.#made.fileName()
        : `${artist} - ${this.#made.pick(TITLES)}.${this.#made.pick(ENDINGS)}`;
    const sources = Array.from({ length: 1 + Math.floor(this.#made.random() ** 2 * 9) }, () => this.#made.source(name));
    const size = Math.floor(2_000_000 * 10 ** (this.#made.random() * 1.6));
    results.push({
      id: `r${results.length + 1}`,
      name,
      size,
      folder: null,
      ...mediaOf(name, size),
      urn: this.#made.random() < 0.9 ? this.#made.urn() : null,
      sources,
      spam: [],
      foundAt: new Date(this.#at).toISOString(),
    });
    view.results = results.length;
    view.hits += sources.length;
  }

  #begin(input: { text?: string; urn?: string; browse?: string }, wanted: number, ageMs: number): Mutable<SearchView> {
    const startedAt = this.#at - ageMs;
    const view: Mutable<SearchView> = {
      id: this.#made.id('s'),
      text: input.text ?? null,
      urn: input.urn ?? null,
      browse: input.browse ?? null,
      type: null,
      state: 'running',
      error: null,
      startedAt: new Date(startedAt).toISOString(),
      endsAt: new Date(startedAt + SEARCH_MS).toISOString(),
      askedBefore: null,
      askAgainAt: null,
      peers: this.#peers.filter(({ role }) => role === 'ultrapeer').length,
      results: 0,
      hits: 0,
      hidden: 0,
      cut: null,
    };
    const running: Running = { view, results: [], wanted };
    // results found before the start
    for (let i = 0; i < Math.min(wanted * 3, ageMs / STEP_MS); i++)
      this.#find({ ...running, view: Object.assign(view, { state: 'running' as const }) });
    if (this.#at >= startedAt + SEARCH_MS) view.state = 'finished';
    this.#searches.unshift(running);
    return view;
  }

  #startSearch(input: object): SearchView {
    this.#live();
    return { ...this.#begin(input, 4 + Math.floor(this.#made.random() * 30), 0) };
  }

  #startDownload(input: object): DownloadView {
    const { search, result, magnet, urn } = input as Record<'search' | 'result' | 'magnet' | 'urn', string | undefined>;
    const named = magnet === undefined ? null : parseMagnet(magnet).name;
    if (search === undefined) return { ...this.#downloads.add(named ?? urn ?? 'unnamed', 'queued', this.#at) };
    const found = rowOf(this.#searchOf({ id: search }).results, 'result', { id: result });
    const download = this.#downloads.add(found.name, 'active', this.#at);
    return { ...Object.assign(download, { size: found.size, done: 0, urn: found.urn }) };
  }

  #connect(address: string): PeerView {
    if (this.#peers.some(peer => peer.address === address))
      throw refused('CONFLICT', `already connected to ${address}`);
    this.#lines.add('links', `ultrapeer ${address} connected`);
    return { ...this.#addPeer('ultrapeer', 0, address), messages: { in: 0, out: 0 }, bytes: { in: 0, out: 0 } };
  }

  #share(path: string): FolderView {
    if (!path.startsWith('/')) throw refused('INVALID', `expected an absolute path, got ${path}`);
    const folder: Mutable<FolderView> = {
      id: this.#made.id('l'),
      path,
      state: 'scanning',
      files: 0,
      bytes: 0,
      ...PLAIN_FOLDER,
      scannedAt: null,
    };
    this.#folders.push(folder);
    return { ...folder };
  }

  #remove<T extends { id: string }>(rows: T[], what: string, input: object): T {
    const row = rowOf(rows, what, input);
    rows.splice(rows.indexOf(row), 1);
    return row;
  }

  #searchOf(input: object): Running {
    const { id } = input as { id?: string };
    const found = this.#searches.find(({ view }) => view.id === id);
    if (found === undefined) throw refused('NOT_FOUND', `no search ${id}`);
    return found;
  }

  #status(): StatusView {
    this.#live();
    const active = this.#downloads.rows.filter(({ state }) => state === 'active');
    const sending = this.#uploads.filter(({ state }) => state === 'active');
    const ultrapeers = this.#peers.filter(({ role }) => role !== 'leaf').length;
    const elected = { active: true, fit: true, needed: true, changesIn: null, criteria: CRITERIA };
    const startedAt = new Date(this.#startedAt).toISOString();
    const open = { state: 'open', since: startedAt, known: 'proof', provenAt: startedAt } as const;
    return {
      version: '0.1.0',
      servent: '5e2a9c0771b14fd0ff3c6d18a2b09700',
      mode: 'ultrapeer',
      profile: 'public',
      startedAt,
      uptime: Math.floor((this.#at - this.#startedAt) / 1000),
      gnutella: { host: '203.0.113.7', port: 6346 },
      api: { host: '127.0.0.1', port: 8346 },
      peers: { leaves: this.#peers.length - ultrapeers, ultrapeers },
      election: { mode: 'auto', role: 'ultrapeer', ...elected },
      reachability: { tcp: open, udp: open },
      nat: NOT_MAPPED,
      ...{ bootstrap: BOOTSTRAP, neighbours: [], hosts: this.#hosts.length },
      library: {
        ...{ files: this.#files.length, progress: NOTHING_HASHED },
        bytes: this.#files.reduce((sum, { size }) => sum + size, 0),
        hashing: this.#files.filter(({ state }) => state === 'hashing').length,
        ...{ trees: 0, media: { known: 160, pending: 0, failed: 0 } },
      },
      searches: this.#searches.filter(({ view }) => view.state === 'running').length,
      downloads: {
        active: active.length,
        queued: this.#downloads.rows.filter(({ state }) => state === 'queued').length,
        rate: active.reduce((sum, { rate }) => sum + rate, 0),
      },
      uploads: {
        active: sending.length,
        queued: this.#uploads.length - sending.length,
        rate: sending.reduce((sum, { rate }) => sum + rate, 0),
      },
      ...{ limits: limitsOf(sending), budget: null },
      messages: {
        in: this.#messagesIn,
        out: this.#messagesOut,
        dropped: this.#duplicates + 41_930,
        reasons: {
          duplicate: this.#duplicates,
          hit_no_route: 28_114,
          ttl_too_high: 7_021,
          ping_too_soon: 4_310,
          malformed: 1_904,
          hit_expired: 581,
        },
      },
      dht: { mode: 'active', state: 'ready', why: null, nodes: 214, values: 96, size: 11_800 },
      ...{ lostParts: { count: 0, bytes: 0, paths: [] }, attention: [] },
    };
  }
}
