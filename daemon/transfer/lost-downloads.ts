// The part files that no download continues: found at the start and when asked, and made downloads again.
import type { Log } from '../log.ts';
import { findLostParts, type LostParts, NO_LOST_PARTS } from './lost-parts.ts';
import { type RecoveredPart, type RecoveryList, recoverParts } from './recovery.ts';

export class LostDownloads {
  readonly #folder: string;
  readonly #list: RecoveryList;
  readonly #log: Log;
  #parts = NO_LOST_PARTS;

  constructor(folder: string, list: RecoveryList, log: Log) {
    this.#folder = folder;
    this.#list = list;
    this.#log = log;
  }

  /** As of the latest look. */
  get parts(): LostParts {
    return this.#parts;
  }

  /** Finds none in an unreadable folder, which doctor reports separately. */
  async look(): Promise<LostParts> {
    try {
      this.#parts = await findLostParts(this.#folder, id => this.#list.isKnown(id));
    } catch (err) {
      this.#log.warn({ err, folder: this.#folder }, 'the folder of unfinished downloads cannot be read');
    }
    return this.#parts;
  }

  /** Makes downloads of those that have a description, and continues them. Rejects with DiskError when the folder cannot be read. */
  async recover(): Promise<RecoveredPart[]> {
    const recovered = await recoverParts(this.#folder, this.#list);
    await this.look();
    return recovered;
  }
}
