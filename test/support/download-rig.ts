// Downloads over a real database and real sockets, with waits that a test can bear.
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import tap, { type Test } from 'tap';
import { silentLog } from '../../daemon/log.ts';
import { SlabSocket } from '../../daemon/net/slab-socket.ts';
import { type DownloadRecord, DownloadStore } from '../../daemon/store/downloads.ts';
import { Store } from '../../daemon/store/store.ts';
import { SystemClock, SystemRandom } from '../../daemon/system.ts';
import type { DownloadSnapshot } from '../../daemon/transfer/download-snapshot.ts';
import { Downloads } from '../../daemon/transfer/downloads.ts';
import type { DownloadsOptions, DownloadTimes } from '../../daemon/transfer/downloads-options.ts';
import { PartVerifier } from '../../daemon/transfer/part-verifier.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { testIdentity, testMesh } from './shared-files.ts';

/** Sources that say nothing are waited for: a busy machine keeps an honest one silent for long. A test of silence sets `stallMs`. */
export const FAST: DownloadTimes = {
  firstMs: 10,
  maxMs: 40,
  cutMs: 5,
  busyMs: 10,
  forbiddenMs: 10,
  unavailableMs: 10,
  failuresMax: 4,
  stallMs: 60_000,
  pollMarginMs: 5,
  spacingMs: 5,
  diskMs: 50,
};

/** Of all rigs of a process: threads take longer to start than to hash what tests fetch. */
const verifier = new PartVerifier();
tap.teardown(() => verifier.close());

export function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest();
}

/** Rejects when nobody is there. */
export function dialPlain(endpoint: Endpoint, signal: AbortSignal): Promise<Socket> {
  return new Promise((connected, failed) => {
    const socket = new SlabSocket().setNoDelay(true).connect(endpoint);
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
    socket.once('connect', () => connected(socket));
    socket.once('error', failed);
    socket.once('close', () => failed(new Error('closed')));
  });
}

/** `before`: a record is about to be saved. */
export type SaveMoment = 'before' | 'after';

class ToldStore extends DownloadStore {
  onSave: (moment: SaveMoment, record: DownloadRecord) => void = () => undefined;

  override async save(record: DownloadRecord, durable: boolean): Promise<void> {
    this.onSave('before', record);
    await super.save(record, durable);
    this.onSave('after', record);
  }
}

export class DownloadRig {
  readonly downloads: Downloads;
  readonly folder: string;
  /** In order, one a change of state. */
  readonly states: string[] = [];
  readonly completed: string[] = [];
  readonly store: Store;
  readonly records: ToldStore;
  #watchers = new Set<(view: DownloadSnapshot) => void>();
  #stopped: Promise<void> | null = null;

  private constructor(home: string, store: Store, options: Partial<DownloadsOptions>) {
    this.folder = join(home, 'downloads');
    this.store = store;
    this.records = new ToldStore(store.table('downloads'));
    this.downloads = new Downloads({
      folder: this.folder,
      store: this.records,
      dial: dialPlain,
      identity: testIdentity,
      mesh: testMesh(),
      clock: new SystemClock(),
      random: new SystemRandom(),
      log: silentLog,
      hosts: null,
      times: FAST,
      verifier,
      onChange: download => this.#onChange(download),
      onCompleted: (_, path) => this.completed.push(path),
      ...options,
    });
  }

  /** In `home`, where another rig may have been before. Started, and stopped at the end of the test. */
  static async open(t: Test, home: string, options: Partial<DownloadsOptions> = {}): Promise<DownloadRig> {
    const store = await Store.open(join(home, 'store'), silentLog);
    const rig = new DownloadRig(home, store, options);
    t.teardown(() => rig.stop());
    await rig.downloads.start();
    return rig;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.downloads.stop().then(() => this.store.close());
    return this.#stopped;
  }

  /** Resolves with the first view that fits, now or later. */
  until(id: string, fits: (view: DownloadSnapshot) => boolean): Promise<DownloadSnapshot> {
    return new Promise(found => {
      const look = (view: DownloadSnapshot) => {
        if (view.id !== id || !fits(view)) return;
        this.#watchers.delete(look);
        found(view);
      };
      this.#watchers.add(look);
      const now = this.downloads.get(id);
      if (now !== null) look(now);
    });
  }

  ended(id: string): Promise<DownloadSnapshot> {
    return this.until(id, ({ state }) => state === 'completed' || state === 'failed');
  }

  #onChange(view: DownloadSnapshot): void {
    if (this.states.at(-1) !== view.state) this.states.push(view.state);
    for (const watcher of [...this.#watchers]) watcher(view);
  }
}
