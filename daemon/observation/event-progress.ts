// What moves all the time, looked at while somebody listens: progress of transfers, and the servent at a glance.
import type { StatusView } from '../../api/control.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Library } from '../library/library.ts';
import type { DownloadSnapshot } from '../transfer/download-snapshot.ts';
import type { UploadSnapshot } from '../transfer/upload.ts';
import { hashingView } from '../views/library.ts';
import { downloadView, uploadView } from '../views/transfers.ts';

const LOOK_MS = 500;

export interface EventProgressParts {
  events: EventLog;
  downloads: { readonly load: { active: number }; list(): DownloadSnapshot[] };
  uploads: { connected(): UploadSnapshot[] };
  library: Pick<Library, 'hashing' | 'isScanning' | 'isCancelled' | 'revisions'>;
  status: () => StatusView;
}

export class EventProgress {
  readonly #parts: EventProgressParts;
  #hashing = 'idle';
  /** Of the list of files. */
  #revision = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(parts: EventProgressParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  look(): void {
    const { events, downloads, uploads, library, status } = this.#parts;
    if (events.hears('downloads') && downloads.load.active > 0) {
      for (const download of downloads.list())
        if (download.state === 'active' || download.state === 'verifying')
          events.tell('download.progress', downloadView(download));
    }
    if (events.hears('uploads')) {
      for (const upload of uploads.connected()) events.tell('upload.progress', uploadView(upload));
    }
    if (events.hears('library')) {
      const hashing = hashingView(library);
      const { files: revision } = library.revisions;
      if (hashing.state !== this.#hashing || hashing.files > 0 || revision !== this.#revision)
        events.tell('library.hashing', hashing);
      this.#hashing = hashing.state;
      this.#revision = revision;
    }
    if (events.hears('status')) events.tell('status.now', status());
  }
}
