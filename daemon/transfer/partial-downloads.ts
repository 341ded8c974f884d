// What the file server shares of downloads: their verified bytes, read from the part file, their tree, and for a while the finished file, as
// who fetches from us would lose us at the moment in which we have all of it.
import { type FileHandle, open } from 'node:fs/promises';
import type { TigerTree } from '../../protocol/digest/tiger-tree.ts';
import type { Swarm } from '../../protocol/transfer/downloads/swarm.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import type { PartialFile } from '../../protocol/transfer/uploads/partial-file.ts';
import type { Download } from './download.ts';
import type { ServablePartials } from './upload-session.ts';

/** Times are milliseconds since 1970. */
export type SharedDownload = Pick<Download, 'name' | 'state' | 'partPath' | 'addedAt' | 'finishedAt'> & {
  readonly file: Pick<Download['file'], 'openUnchanged'>;
  readonly swarm: Pick<Swarm, 'map'> & {
    readonly verification: { readonly quest: Pick<Swarm['verification']['quest'], 'tree' | 'isFirm'> };
  };
};

/** From the end of a download on. gtk-gnutella comes back after 3 minutes when it has all that a partial source had, LimeWire after 5. */
const SHARED_AFTER_MS = 3_600_000;

export class PartialDownloads implements ServablePartials {
  readonly #downloadsOf: (sha1: Buffer) => Iterable<SharedDownload>;
  readonly #wallTime: () => number;

  constructor(downloadsOf: (sha1: Buffer) => Iterable<SharedDownload>, wallTime: () => number) {
    this.#downloadsOf = downloadsOf;
    this.#wallTime = wallTime;
  }

  partialOf(sha1: Buffer): PartialFile | null {
    const download = this.#sharedOf(sha1);
    const size = download?.swarm.map.size ?? null;
    if (download === null || size === null) return null;
    const { name, addedAt, finishedAt, state, swarm } = download;
    const file = { index: 0, name, size, sha1, tigerRoot: treeIn(download)?.root ?? null };
    if (finishedAt !== null)
      return { ...file, modifiedAt: finishedAt, verified: RangeSet.of([{ start: 0, end: size }]), growing: false };
    const verified = swarm.map.rangesOf('verified');
    return { ...file, modifiedAt: addedAt, verified, growing: state === 'active' || state === 'verifying' };
  }

  async openPartial({ sha1 }: PartialFile): Promise<FileHandle | null> {
    const download = this.#sharedOf(sha1);
    if (download === null) return null;
    const { partPath, file, finishedAt } = download;
    return finishedAt === null ? await open(partPath, 'r').catch(() => null) : await file.openUnchanged();
  }

  treeOf({ sha1 }: PartialFile): TigerTree | null {
    const download = this.#sharedOf(sha1);
    return download === null ? null : treeIn(download);
  }

  #sharedOf(sha1: Buffer): SharedDownload | null {
    for (const each of this.#downloadsOf(sha1)) if (this.#isShared(each)) return each;
    return null;
  }

  #isShared({ state, finishedAt, swarm: { map } }: SharedDownload): boolean {
    if (map.size === null) return false;
    if (state === 'completed') return finishedAt !== null && this.#wallTime() - finishedAt < SHARED_AFTER_MS;
    return state !== 'failed' && finishedAt === null && map.bytes('verified') > 0;
  }
}

/** A tree that nobody's bytes but its giver's fit may be a lie: it is not passed on. */
function treeIn({ swarm: { verification } }: SharedDownload): TigerTree | null {
  const { tree, isFirm } = verification.quest;
  return isFirm ? tree : null;
}
