// What is shown of a download, and how a run of it ends.
import type { Batch } from '../../protocol/transfer/downloads/batch.ts';
import type { Swarm } from '../../protocol/transfer/downloads/swarm.ts';
import type { SwarmSource } from '../../protocol/transfer/downloads/swarm-source.ts';
import type { DownloadRecord } from '../store/downloads.ts';
import type { DiskError } from './disk-error.ts';
import type { ReadAlong } from './read-along.ts';
import type { SourceHunt } from './source-hunt.ts';

/** How a run ended. `waiting`: for a source, until the time given (null: until a new source). `disk`: a disk error, see `error`. */
export type RunEnd =
  | { readonly kind: 'completed' | 'failed' | 'stopped' }
  | { readonly kind: 'waiting'; readonly until: number | null }
  | { readonly kind: 'disk'; readonly error: DiskError };

/** `rate`: bytes a second. `bytes`: of the file, that nobody brought before; `wasted`: the others. */
export type SourceSnapshot = Pick<SwarmSource, 'source' | 'state' | 'bytes' | 'wasted' | 'queue' | 'error' | 'way'> & {
  readonly rate: number;
};

export type DownloadState = DownloadRecord['state'] | 'active' | 'verifying';

export interface DownloadSnapshot {
  readonly id: string;
  readonly name: string;
  /** By which sources are searched for; null: by the name. */
  readonly words: string | null;
  readonly sha1: Buffer | null;
  readonly size: number | null;
  readonly done: number;
  /** Bytes that fitted the hash tree, and are those of the file for certain. */
  readonly verified: number;
  /** Bytes that came twice, or were wrong. */
  readonly wasted: number;
  /** Root of the hash tree that is believed. */
  readonly root: Buffer | null;
  /** Fetched from the start to the end. */
  readonly sequential: boolean;
  readonly state: DownloadState;
  readonly bytesPerSecond: number;
  readonly priority: number;
  /** In our queue, from 1; null: it is finished. */
  readonly position: number | null;
  readonly category: string | null;
  readonly batch: Batch | null;
  readonly sources: readonly SourceSnapshot[];
  /** The finished file. */
  readonly path: string | null;
  readonly error: string | null;
  /** How the network is asked for sources; null: it is not. */
  readonly hunt: SourceHunt | null;
  /** Milliseconds since 1970, like the next. */
  readonly addedAt: number;
  readonly finishedAt: number | null;
}

/** What a download tells of itself. */
type Shown = Omit<DownloadSnapshot, 'position' | 'hunt' | 'verified' | 'wasted' | 'root' | 'sequential' | 'sources'> & {
  readonly swarm: Swarm;
  readonly reading: ReadAlong;
};

export function snapshotOf(download: Shown, position: number | null, now: number): Omit<DownloadSnapshot, 'hunt'> {
  const { id, name, words, sha1, size, done, state, bytesPerSecond, priority, category, batch, path, error } = download;
  const { addedAt, finishedAt } = download;
  const { map, planner, verification } = download.swarm;
  const isComplete = state === 'completed';
  return {
    ...{ id, name, words, sha1, size, done, state, bytesPerSecond, priority, category, batch, position, error },
    ...{ addedAt, finishedAt },
    verified: isComplete ? done : map.bytes('verified'),
    wasted: planner.wasted,
    root: verification.quest.root,
    sequential: download.reading.sequential,
    sources: [...planner].map(({ source, state, way, rate, bytes, wasted, queue, error }) => ({
      ...{ source, state, way, bytes, wasted, queue, error },
      rate: state === 'asking' ? rate.at(now) : 0,
    })),
    // one that is fetched again will be put there
    path: isComplete ? path : null,
  };
}

/** Downloads that run and that wait; bytes per second of all. */
export interface DownloadsLoad {
  readonly active: number;
  readonly queued: number;
  readonly rate: number;
}

export function loadOf(downloads: Iterable<Pick<DownloadSnapshot, 'state' | 'bytesPerSecond'>>): DownloadsLoad {
  const load = { active: 0, queued: 0, rate: 0 };
  for (const { state, bytesPerSecond } of downloads) {
    if (state === 'active' || state === 'verifying') load.active++;
    else if (state === 'queued') load.queued++;
    load.rate += bytesPerSecond;
  }
  return load;
}
