// All downloads by id, oldest first, and by the SHA-1 of their content: requests of others name that.
import type { Log } from '../log.ts';
import type { Download } from './download.ts';
import { partIdsIn } from './lost-parts.ts';
import { isFileOf } from './place-file.ts';

export class DownloadList extends Map<string, Download> {
  readonly #ofContent = new Map<string, Set<Download>>();

  override set(id: string, download: Download): this {
    this.delete(id);
    const { sha1 } = download;
    if (sha1 !== null) {
      const same = this.#ofContent.get(keyOf(sha1)) ?? new Set();
      this.#ofContent.set(keyOf(sha1), same.add(download));
    }
    return super.set(id, download);
  }

  override delete(id: string): boolean {
    const sha1 = this.get(id)?.sha1 ?? null;
    const same = sha1 === null ? undefined : this.#ofContent.get(keyOf(sha1));
    for (const each of same ?? []) if (each.id === id) same?.delete(each);
    if (sha1 !== null && same?.size === 0) this.#ofContent.delete(keyOf(sha1));
    return super.delete(id);
  }

  override clear(): void {
    this.#ofContent.clear();
    super.clear();
  }

  /** Whether the finished file of another download is at this path. */
  hasOther(download: Download, path: string): boolean {
    for (const each of this.values()) if (each !== download && each.path === path) return true;
    return false;
  }

  /** Downloads of one content, oldest first. */
  *of(sha1: Buffer): Iterable<Download> {
    yield* this.#ofContent.get(keyOf(sha1)) ?? [];
  }

  unfinishedOf(sha1: Buffer): Download | null {
    for (const each of this.of(sha1)) if (each.state !== 'completed') return each;
    return null;
  }

  /** The finished download of a content, whose file exists. */
  async completeOf(sha1: Buffer): Promise<Download | null> {
    for (const each of [...this.of(sha1)]) if (await isComplete(each)) return each;
    return null;
  }

  /** Removes the part files of finished downloads whose files exist: a process that was killed right after it placed them left them. */
  async settleFinished(folder: string, log: Log): Promise<void> {
    try {
      for (const id of await partIdsIn(folder)) {
        const download = this.get(id);
        if (download !== undefined && (await isComplete(download))) await download.settle();
      }
    } catch (err) {
      log.warn({ err, folder }, 'part files of finished downloads could not be removed');
    }
  }
}

async function isComplete({ state, path, size }: Download): Promise<boolean> {
  return state === 'completed' && path !== null && (await isFileOf(path, size));
}

function keyOf(sha1: Buffer): string {
  return sha1.toString('latin1');
}
