// Rules of downloads: what is complete is the file, nothing is written beside it, each ends or says what it waits for, and one that an
// honest source could serve all the time completes.

import type { Host, Medium } from '../servents/medium.ts';
import type { VirtualDownload } from '../transfer/virtual-download.ts';
import type { Findings } from './findings.ts';

/** Without a new byte, while it neither waits nor is in a queue: three times the silence after which a source is left. */
const QUIET_MS_MAX = 180_000;
/** With an honest source that is there, has a free slot and nobody in its queue: for retries after failures, and for what liars brought ... */
const SERVED_MS_MAX = 240_000;
/** ... and so many times what its bytes take on one connection. */
const TRANSFERS_MAX = 8;
const SECOND_MS = 1_000;

/** A download of a host, from what its search found. */
export interface WatchedDownload {
  readonly host: Host;
  /** What the file is. */
  readonly content: { readonly size: number; readonly bytes: Buffer };
  readonly download: VirtualDownload;
}

interface Source {
  readonly host: Host;
  /** Another one after a restart. */
  readonly servent: Host['servent'];
}

interface Watch {
  /** Honest, named by hits, and there all the time since. */
  readonly steady: Map<Host, Source>;
  /** While one of those had a free slot for it. */
  servedMs: number;
  doneBytes: number;
  movedAt: number;
  readonly told: Set<string>;
}

export class DownloadRules {
  readonly #medium: Medium;
  readonly #findings: Findings;
  readonly #watched = new Map<WatchedDownload, Watch>();

  constructor(medium: Medium, findings: Findings) {
    this.#medium = medium;
    this.#findings = findings;
  }

  begun(download: WatchedDownload): void {
    this.#watched.set(download, {
      ...{ steady: new Map(), servedMs: 0, doneBytes: 0, told: new Set() },
      movedAt: this.#medium.clock.ms,
    });
  }

  /** A hit names this host, which does not lie. */
  named(download: WatchedDownload, source: Host): void {
    const steady = this.#watched.get(download)?.steady;
    if (steady?.has(source) === false) steady.set(source, { host: source, servent: source.servent });
  }

  onSecond(): void {
    for (const [watched, watch] of this.#watched) {
      this.#keepSteady(watched, watch);
      this.#checkBytes(watched, watch);
      if (watched.download.end === null) this.#checkProgress(watched, watch);
    }
  }

  ended(watched: WatchedDownload): void {
    const { host, content, download } = watched;
    const watch = this.#watched.get(watched);
    const { end } = download;
    if (watch === undefined || end === null) return;
    this.#keepSteady(watched, watch);
    this.#checkBytes(watched, watch);
    if (end.kind === 'complete') {
      if (!download.disk.equals(content.bytes))
        this.#findings.add('complete with other bytes', host.number, differenceOf(download.disk, content.bytes));
    } else if ((end.reason ?? '') === '')
      this.#findings.add('download without an end', host.number, `${end.kind} without a reason`);
    const [source] = watch.steady.keys();
    if (end.kind === 'failed' && source !== undefined)
      this.#tell(
        watched,
        watch,
        'honest source in vain',
        `host ${source.number} was there all the time: ${end.reason}`,
      );
    // one that failed goes on when another source is found
    if (end.kind !== 'failed') this.#watched.delete(watched);
  }

  #keepSteady({ host }: WatchedDownload, { steady }: Watch): void {
    const { conditions } = this.#medium;
    for (const { host: source, servent } of steady.values())
      if (!source.up || source.servent !== servent || !conditions.reaches(host.number, source.number))
        steady.delete(source);
  }

  #checkBytes(watched: WatchedDownload, watch: Watch): void {
    const { download, content } = watched;
    if (download.writtenEnd > content.size)
      this.#tell(watched, watch, 'byte outside the file', `at ${download.writtenEnd - 1} of ${content.size} bytes`);
  }

  #checkProgress(watched: WatchedDownload, watch: Watch): void {
    const { clock, conditions } = this.#medium;
    const { swarm, waitsUntil } = watched.download;
    const { doneBytes, planner } = swarm;
    const isQueued = [...planner].some(({ state }) => state === 'queued');
    if (doneBytes !== watch.doneBytes || isQueued || (waitsUntil !== null && waitsUntil >= clock.ms))
      watch.movedAt = clock.ms;
    watch.doneBytes = doneBytes;
    const quietMs = clock.ms - watch.movedAt;
    if (quietMs > QUIET_MS_MAX)
      this.#tell(watched, watch, 'download without an end', `${doneBytes} bytes for ${quietMs} ms`);
    for (const source of watch.steady.keys()) {
      const { uploads } = source.servent;
      if (uploads.busy(clock.ms) || uploads.waiting > 0) continue;
      watch.servedMs += SECOND_MS;
      break;
    }
    const transferMs = (1000 * watched.content.size) / conditions.bytesPerSecond;
    const [source] = watch.steady.keys();
    if (source !== undefined && watch.servedMs > SERVED_MS_MAX + TRANSFERS_MAX * transferMs)
      this.#tell(watched, watch, 'honest source in vain', `${doneBytes} bytes with host ${source.number} there`);
  }

  /** Once a download. */
  #tell({ host }: WatchedDownload, { told }: Watch, rule: string, text: string): void {
    if (told.has(rule)) return;
    told.add(rule);
    this.#findings.add(rule, host.number, text);
  }
}

function differenceOf(disk: Buffer, bytes: Buffer): string {
  if (disk.length !== bytes.length) return `${disk.length} bytes, not ${bytes.length}`;
  return `byte ${bytes.findIndex((byte, at) => byte !== disk[at])} is another`;
}
