// Downloads that were asked for together: a folder for each batch, and when all of a batch have ended.
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { v4 as uuid } from 'uuid';
import { type Batch, folderNames } from '../../protocol/transfer/downloads/batch.ts';
import type { DownloadSnapshot } from './download-snapshot.ts';

export interface BatchEnd {
  readonly id: string;
  readonly name: string;
  /** Where its files are; null: none is complete. */
  readonly path: string | null;
  readonly completed: number;
  readonly failed: number;
  /** Of the completed files. */
  readonly bytes: number;
}

export class Batches {
  readonly #downloads: () => readonly DownloadSnapshot[];
  readonly #onEnd: (end: BatchEnd) => void;

  constructor(downloads: () => readonly DownloadSnapshot[], onEnd: (end: BatchEnd) => void) {
    this.#downloads = downloads;
    this.#onEnd = onEnd;
  }

  /** Its folder in `parent` will be one that is not there, and that no other batch has. */
  async create(name: string, parent: string): Promise<Batch> {
    const taken = new Set(this.#downloads().map(({ batch }) => batch?.folder));
    for (const folder of folderNames(name))
      if (!taken.has(folder) && !(await exists(join(parent, folder)))) return { id: uuid(), name, folder };
    throw new Error('names of folders do not end');
  }

  /** A download is complete, has failed, or was removed before. */
  onEnded({ batch }: DownloadSnapshot): void {
    if (batch === null) return;
    const all = this.#downloads().filter(download => download.batch?.id === batch.id);
    const completed = all.filter(({ state }) => state === 'completed');
    const failed = all.filter(({ state }) => state === 'failed');
    if (all.length === 0 || completed.length + failed.length < all.length) return;
    const [latest] = completed.filter(({ path }) => path !== null).slice(-1);
    this.#onEnd({
      ...{ id: batch.id, name: batch.name, completed: completed.length, failed: failed.length },
      path: latest?.path == null ? null : dirname(latest.path),
      bytes: completed.reduce((sum, { size }) => sum + (size ?? 0), 0),
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
