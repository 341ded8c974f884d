// Checks shared files whose change time is new while size and modification time are not: after a chmod, a restored copy, or a content that
// was replaced under the old date. Of each a sample is compared with its hash tree; a file without leaves is read as a whole. See
// docs/adr/0011-change-time-and-inode.md.
import { treeOf } from '../../protocol/digest/content-digest.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import { TIGER_BYTES } from '../../protocol/wire/urn.ts';
import type { FileStore } from '../store/files.ts';
import type { Catalog, CatalogEntry } from './catalog.ts';
import { HashPool } from './hash-pool.ts';
import type { HashResult } from './hash-worker.ts';

/** Most bytes read per second, so that a chmod of everything does not keep the disk busy. */
const PACE = 64 * 2 ** 20;

export interface SuspectsOptions {
  readonly catalog: Catalog;
  readonly store: Pick<FileStore, 'leavesOf'>;
  /** A pool owned by the caller. Absent: an own one, so that suspects do not wait for all new files. */
  readonly hashPool?: Pick<HashPool, 'submit'> | undefined;
  /** Takes the result. */
  readonly onRead: (entry: CatalogEntry, result: HashResult) => void;
  /** Called when no suspect is left. */
  readonly onDone: () => void;
}

export class Suspects {
  readonly #options: SuspectsOptions;
  readonly #pool: Pick<HashPool, 'submit'>;
  readonly #closePool: () => Promise<void>;
  #running = false;
  #stopped = false;

  constructor(options: SuspectsOptions) {
    this.#options = options;
    const own = new HashPool(1); // starts no thread before its first job
    this.#pool = options.hashPool ?? own;
    this.#closePool = () => own.close();
  }

  get isBusy(): boolean {
    return !this.#stopped && (this.#running || this.#options.catalog.suspects > 0);
  }

  /** Begins with the suspects, if there are any; one is read at a time. */
  wake(): void {
    if (this.#running || !this.isBusy) return;
    this.#running = true;
    void this.#run();
  }

  /** Abandons a running read; the next start finds the suspects again. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#closePool();
  }

  async #run(): Promise<void> {
    const { catalog, onRead, onDone } = this.#options;
    for (let entry = catalog.takeSuspect(); entry !== null && !this.#stopped; entry = catalog.takeSuspect()) {
      const { file } = entry;
      if (file === null) continue;
      const result = await this.#read(entry, await this.#leavesOf(entry.path, file));
      if (!this.#stopped) onRead(entry, result);
    }
    this.#running = false;
    if (!this.#stopped) onDone();
  }

  /** Null: the tree has no leaves below its root, or they are unknown. */
  async #leavesOf(path: string, { tigerRoot, size }: SharedFile): Promise<Uint8Array | null> {
    const leaves = tigerRoot === null ? null : await this.#options.store.leavesOf(path);
    if (tigerRoot === null || leaves === null || leaves.length === TIGER_BYTES) return null;
    return treeOf({ tigerRoot, leaves }, size) === null ? null : leaves;
  }

  async #read({ path, size, mtimeMs }: CatalogEntry, leaves: Uint8Array | null): Promise<HashResult> {
    return await new Promise(done => {
      this.#pool.submit({ path, size, mtimeMs, isHashed: false, leaves, pace: PACE, cancelled: false, done });
    });
  }
}
