// Searches of whole servents that become downloads: the servent's own engine fetches what its hits name, in the time of the network.

import type { Search } from '../../protocol/overlay/queries/search.ts';
import type { Servent } from '../../protocol/servent.ts';
import { ChunkMap } from '../../protocol/transfer/downloads/chunk-map.ts';
import { offerOf } from '../../protocol/transfer/downloads/hit-sources.ts';
import { HostLimits } from '../../protocol/transfer/downloads/host-limits.ts';
import { Swarm } from '../../protocol/transfer/downloads/swarm.ts';
import { SwarmPlanner } from '../../protocol/transfer/downloads/swarm-planner.ts';
import { VISIT_TIMES, type Visit } from '../../protocol/transfer/downloads/visit.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import type { PartialFile } from '../../protocol/transfer/uploads/partial-file.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import type { DownloadRules, WatchedDownload } from '../checkers/downloads.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { FileContent } from '../transfer/file-content.ts';
import type { Line } from '../transfer/line.ts';
import { type DownloadEnd, VirtualDownload } from '../transfer/virtual-download.ts';
import type { Host } from './medium.ts';
import { UploadLine } from './upload-line.ts';
import { Uploads } from './uploads.ts';
import type { VirtualHost } from './virtual-host.ts';
import type { VirtualInternet } from './virtual-internet.ts';

export interface DownloadsOptions {
  readonly random: SeededRandom;
  readonly rules: DownloadRules;
  readonly contentOf: (name: string) => FileContent | null;
  /** Such a host sends wrong bytes of every file. */
  readonly lies: (host: Host) => boolean;
  /** Makes a download do something wrong, before it begins. */
  readonly onNew?: (download: VirtualDownload) => void;
}

export interface DownloadCounts {
  readonly begun: number;
  readonly complete: number;
  readonly failed: number;
  /** Their hosts went down. */
  readonly stopped: number;
}

/** Milliseconds of a dial that nobody answers. */
const DIAL_MS = 3_000;
const ENDS: readonly DownloadEnd['kind'][] = ['complete', 'failed', 'stopped'];

/** A search whose result is wanted, and what became of it. */
interface Wish {
  readonly host: VirtualHost;
  readonly servent: Servent;
  readonly search: Search;
  readonly content: FileContent;
  /** Of the hits of the host, and of the calls of upload queues. */
  seen: number;
  called: number;
  watched: WatchedDownload | null;
}

export class Downloads {
  readonly #internet: VirtualInternet;
  readonly #options: DownloadsOptions;
  readonly #uploads: Uploads;
  readonly #wishes = new Set<Wish>();
  readonly #all: VirtualDownload[] = [];
  readonly #lines = new Set<UploadLine>();
  readonly #limits = new WeakMap<Servent, HostLimits>();
  readonly #byGuid: ReadonlyMap<string, VirtualHost>;

  constructor(internet: VirtualInternet, options: DownloadsOptions) {
    this.#internet = internet;
    this.#options = options;
    const { contentOf, lies } = options;
    this.#byGuid = new Map(internet.hosts.map(host => [host.serventGuid.toString('latin1'), host]));
    this.#uploads = new Uploads({ contentOf, lies, partOf: (host, sha1) => this.#partOf(host, sha1) });
  }

  get counts(): DownloadCounts {
    const [complete = 0, failed = 0, stopped = 0] = ENDS.map(
      kind => this.#all.filter(({ end }) => end?.kind === kind).length,
    );
    return { begun: this.#all.length, complete, failed, stopped };
  }

  /** What the search finds is downloaded. */
  want(host: VirtualHost, search: Search, content: FileContent): void {
    const [seen, called] = [host.hits.length, host.calledBy.length];
    this.#wishes.add({ host, servent: host.servent, search, content, seen, called, watched: null });
  }

  onSecond(): void {
    for (const line of this.#lines) {
      line.look();
      if (line.isClosed) this.#lines.delete(line);
    }
    for (const wish of this.#wishes) this.#look(wish);
  }

  #look(wish: Wish): void {
    const { host, servent, search, watched } = wish;
    if (!host.up || host.servent !== servent) {
      watched?.download.stop('its host went down');
      this.#wishes.delete(wish);
      return;
    }
    for (const found = host.hits; wish.seen < found.length; wish.seen++) {
      const one = found[wish.seen];
      if (one?.search === search) this.#onHit(wish, one.hit);
    }
    for (const calls = host.calledBy; wish.called < calls.length; wish.called++) {
      const id = calls[wish.called]?.id;
      if (id !== undefined) watched?.download.swarm.onCalled(id, this.#internet.clock.ms);
    }
  }

  #onHit(wish: Wish, hit: QueryHit): void {
    const { host, servent, content } = wish;
    for (const record of hit.hits) {
      const offer = offerOf(hit, record, endpoint => servent.reach.forbids(endpoint) === null);
      if (offer?.sha1.equals(content.sha1) !== true) continue;
      const isNew = wish.watched === null;
      wish.watched ??= this.#begin(host, content, offer.size);
      const { download } = wish.watched;
      if (download.end?.kind === 'complete') return;
      const source = this.#byGuid.get(hit.serventGuid.toString('latin1'));
      if (source !== undefined && source !== host && !this.#options.lies(source))
        this.#options.rules.named(wish.watched, source);
      download.offer(offer);
      if (isNew) download.start();
    }
  }

  #begin(host: VirtualHost, content: FileContent, size: number | null): WatchedDownload {
    const { random, rules, onNew } = this.#options;
    const { servent } = host;
    const { clock, events, trace } = this.#internet;
    const map = new ChunkMap(size);
    const planner = new SwarmPlanner({ map, random: random.fork(), hosts: this.#limitsOf(servent) });
    const swarm = new Swarm({
      ...{ sha1: content.sha1, root: null, map, isSizeGiven: false, planner },
      ...{ mesh: servent.mesh, identity: servent.identity, times: VISIT_TIMES },
    });
    const download = new VirtualDownload({
      ...{ clock, events, swarm },
      dial: (visit, opened) => this.#dial(host, visit, opened),
      onEnd: ({ kind }) => {
        trace.add(host.number);
        trace.add(ENDS.indexOf(kind));
        trace.addFloat(clock.ms);
        rules.ended(watched);
      },
    });
    const watched = { host, content, download };
    onNew?.(download);
    this.#all.push(download);
    rules.begun(watched);
    return watched;
  }

  #limitsOf(servent: Servent): HostLimits {
    const limits = this.#limits.get(servent) ?? new HostLimits();
    this.#limits.set(servent, limits);
    return limits;
  }

  #dial(from: VirtualHost, { source }: Visit, opened: (line: Line | null) => void): void {
    const internet = this.#internet;
    const { conditions, clock } = internet;
    const to = internet.at(source.source.endpoint);
    const canCall = to !== null && to !== from && !to.firewalled && conditions.reaches(from.number, to.number);
    const ms = canCall ? 2 * conditions.latencyMs(from.number, to.number) : DIAL_MS;
    internet.later(ms, () => {
      const upload = canCall && to.up ? this.#uploads.of(to).connect(from.endpoint.host, clock.ms) : null;
      if (to === null || upload === null) {
        opened(null);
        return;
      }
      to.servent.accepted(from.endpoint.host, clock.ms);
      const line = new UploadLine(internet, from, to, this.#uploads, upload);
      this.#lines.add(line);
      opened(line);
    });
  }

  /** Of a download of this host that has verified bytes. */
  #partOf(host: Host, sha1: Buffer): { readonly file: PartialFile; readonly bytes: Buffer } | null {
    for (const { host: owner, search, content, watched } of this.#wishes) {
      if (owner !== host || watched === null || !content.sha1.equals(sha1)) continue;
      const { swarm, end, disk } = watched.download;
      const { size } = swarm.map;
      if (size === null) continue;
      const isWhole = end?.kind === 'complete';
      const verified = isWhole ? RangeSet.of([{ start: 0, end: size }]) : swarm.verified;
      if (verified.bytes === 0) continue;
      const file = { ...{ index: 0, name: search.text, size, sha1, tigerRoot: null, verified }, growing: !isWhole };
      return { file: { ...file, modifiedAt: this.#internet.clock.wallTime() }, bytes: disk };
    }
    return null;
  }
}
