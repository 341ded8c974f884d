// Downloads that do not run, and whose bytes are looked through again: held in the queue meanwhile.
import type { DownloadQueue } from '../../protocol/transfer/downloads/download-queue.ts';
import type { Download } from './download.ts';

export class SecondLooks {
  readonly #queue: DownloadQueue;
  readonly #runEnd: (id: string) => Promise<void>;
  readonly #onOver: (download: Download, goesOn: boolean) => void;
  readonly #looks = new Map<string, { readonly abort: AbortController; readonly over: Promise<void> }>();
  /** Those that the user wants to go on afterwards. */
  readonly #resumed = new Set<string>();

  /** `runEnd`: resolves when a download does not run. `onOver`: with whether it is to be fetched. */
  constructor(
    queue: DownloadQueue,
    runEnd: (id: string) => Promise<void>,
    onOver: (download: Download, goesOn: boolean) => void,
  ) {
    this.#queue = queue;
    this.#runEnd = runEnd;
    this.#onOver = onOver;
  }

  /** Does nothing when one goes on. */
  begin(download: Download): void {
    if (this.#looks.has(download.id)) return;
    const abort = new AbortController();
    this.#looks.set(download.id, { abort, over: this.#look(download, abort.signal) });
  }

  /** The download is to go on once it is looked through. False: it is not being looked through. */
  resume(id: string): boolean {
    if (!this.#looks.has(id)) return false;
    this.#resumed.add(id);
    return true;
  }

  async end(id: string): Promise<void> {
    const look = this.#looks.get(id);
    look?.abort.abort();
    this.#resumed.delete(id);
    await look?.over;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#looks.keys()].map(id => this.end(id)));
  }

  async #look(download: Download, signal: AbortSignal): Promise<void> {
    const { id } = download;
    await this.#runEnd(id); // the run that completed it may be just ending
    const wasHeld = this.#queue.isHeld(id);
    this.#queue.hold(id);
    await download.verify(signal);
    this.#looks.delete(id);
    this.#onOver(download, this.#resumed.delete(id) || (download.state === 'queued' && !wasHeld));
  }
}
