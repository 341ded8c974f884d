// Downloads of the demo network: how they advance, their order, and what is finished.
import type { DownloadChunksView, DownloadView, PastTransferView } from '../../api/control.ts';
import { refused, rowOf } from './answers.ts';
import type { Maker } from './maker.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type DemoDownload = Mutable<DownloadView>;

const FOLDER = '/home/ada/Downloads';
const BASE_RATE = 180_000;
/** Share of what is there that the hash tree has verified. */
const VERIFIED = 0.92;

interface Change {
  state?: 'paused' | 'active';
  priority?: number;
  position?: 'top' | 'up' | 'down' | 'bottom';
}

export class DemoDownloads {
  readonly rows: DemoDownload[] = [];
  /** Newest first. */
  readonly past: PastTransferView[] = [];
  readonly #made: Maker;
  readonly #say: (text: string) => void;

  constructor(made: Maker, say: (text: string) => void) {
    this.#made = made;
    this.#say = say;
  }

  add(name: string, state: DownloadView['state'], at: number): DemoDownload {
    const size = Math.floor(60_000_000 * 10 ** (this.#made.random() * 1.6));
    const share =
      state === 'completed' || state === 'verifying' ? 1 : state === 'queued' ? 0 : this.#made.random() * 0.9;
    const count = state === 'queued' ? 0 : 2 + Math.floor(this.#made.random() * 5);
    const sources = Array.from({ length: count }, () => this.#source(name, state, (size * share) / count));
    const download: DemoDownload = {
      id: this.#made.id('d'),
      name,
      size,
      done: Math.floor(size * share),
      verified: Math.floor(size * share * VERIFIED),
      wasted: sources.reduce((sum, { wasted }) => sum + wasted, 0),
      tree: null,
      order: 'any',
      state,
      rate: 0,
      eta: null,
      urn: this.#made.urn(),
      priority: 0,
      position: null,
      category: null,
      batch: null,
      sources,
      search: state === 'queued' ? { asked: 2, next: new Date(at + 240_000).toISOString() } : null,
      path: state === 'completed' ? `${FOLDER}/${name}` : null,
      error: state === 'failed' ? 'no source could give it' : null,
      addedAt: this.#made.ago(20_000),
      finishedAt: state === 'completed' ? this.#made.ago(3000) : null,
    };
    this.rows.push(download);
    if (state === 'completed') this.#note(download);
    this.#number();
    return download;
  }

  step(at: number, seconds: number, swell: number): void {
    for (const download of this.rows) {
      const { state } = download;
      this.#advance(download, at, seconds, swell);
      if (download.state !== state) this.#say(`${download.name}: ${state}, now ${download.state}`);
    }
  }

  change(input: object): DownloadView {
    const { state, priority, position } = input as Change;
    const download = rowOf(this.rows, 'download', input);
    if (state !== undefined && download.state === 'completed')
      throw refused('CONFLICT', `${download.name} is complete`);
    if (state !== undefined) Object.assign(download, { state, error: null, rate: 0, eta: null });
    if (priority !== undefined) download.priority = priority;
    if (position !== undefined) this.#move(download, position);
    return { ...download };
  }

  clear(): { items: { id: string; name: string }[] } {
    const done = this.rows.filter(({ state }) => state === 'completed');
    for (const row of done) this.rows.splice(this.rows.indexOf(row), 1);
    return { items: done.map(({ id, name }) => ({ id, name })) };
  }

  remove(input: object): void {
    this.rows.splice(this.rows.indexOf(rowOf(this.rows, 'download', input)), 1);
    this.#number();
  }

  #advance(download: DemoDownload, at: number, seconds: number, swell: number): void {
    const size = download.size ?? 0;
    if (download.state === 'active') {
      download.rate = Math.floor(BASE_RATE * swell * (0.8 + 0.4 * this.#made.random()));
      download.done = Math.min(size, download.done + Math.floor(download.rate * seconds));
      download.verified = Math.floor(download.done * VERIFIED);
      const senders = download.sources.filter(({ state }) => state === 'active');
      download.sources = download.sources.map(source =>
        source.state !== 'active'
          ? source
          : {
              ...source,
              rate: Math.floor(download.rate / senders.length),
              bytes: source.bytes + Math.floor((download.rate * seconds) / senders.length),
            },
      );
      download.eta = Math.ceil((size - download.done) / Math.max(1, download.rate));
      if (download.done >= size) Object.assign(download, { state: 'verifying', rate: 0, eta: null });
    } else if (download.state === 'verifying' && this.#made.random() < 0.02) {
      const finishedAt = new Date(at).toISOString();
      Object.assign(download, { state: 'completed', finishedAt, verified: size, path: `${FOLDER}/${download.name}` });
      this.#note(download);
      this.#number();
    } else download.rate = 0;
  }

  /** Regions of the file, each filled from its start: verified, a little that is not yet, and what is asked for. */
  chunks(input: object): DownloadChunksView {
    const { size, done, state, sources } = rowOf(this.rows, 'download', input);
    if (size === null) return { size, states: [] };
    const regions = Math.max(1, sources.length);
    const states: DownloadChunksView['states'] = [];
    const add = (
      from: number,
      to: number,
      of: DownloadChunksView['states'][number]['state'],
      source: string | null,
    ) => {
      const [start, end] = [Math.floor(from), Math.floor(to)];
      if (end > start) states.push({ start, end, state: of, source });
    };
    for (let i = 0; i < regions; i++) {
      const [start, end] = [(i * size) / regions, ((i + 1) * size) / regions];
      const filled = start + (end - start) * (done / Math.max(1, size));
      const verified = start + (filled - start) * VERIFIED;
      const address = sources[i]?.address ?? null;
      const asked = state === 'active' && sources[i]?.state === 'active' ? Math.min(end, filled + size / 50) : filled;
      add(start, verified, 'verified', null);
      add(verified, filled, 'received', address);
      add(filled, asked, 'assigned', address);
      add(asked, end, 'missing', null);
    }
    return { size, states };
  }

  #source(name: string, of: DownloadView['state'], bytes: number): DownloadView['sources'][number] {
    const { address, servent, push } = this.#made.source(name);
    const failed = of === 'failed' || this.#made.random() < 0.15;
    const corrupt = failed && of === 'active';
    const state = failed ? 'failed' : of === 'active' ? this.#made.pick(['active', 'active', 'queued']) : 'idle';
    const refusal = failed ? this.#made.pick(['connection refused', 'no answer in time', '404 Not Found']) : null;
    const position = 1 + (address.length % 5);
    return {
      way: failed ? null : push ? 'proxy' : 'direct',
      ...{ address, servent, push, state, rate: 0, error: corrupt ? 'corrupt: wrong bytes in 2 slices' : refusal },
      bytes: failed ? 0 : Math.floor(bytes),
      wasted: corrupt ? 2_097_152 : 0,
      queue: state === 'queued' ? { position, length: position + 6, eta: position * 95, id: null } : null,
    };
  }

  #move(download: DemoDownload, position: NonNullable<Change['position']>): void {
    const at = this.rows.indexOf(download);
    const last = this.rows.length - 1;
    const to = { top: 0, up: Math.max(0, at - 1), down: Math.min(last, at + 1), bottom: last }[position];
    this.rows.splice(to, 0, ...this.rows.splice(at, 1));
    this.#number();
  }

  #number(): void {
    let place = 0;
    for (const row of this.rows) row.position = row.state === 'completed' ? null : ++place;
  }

  #note({ id, name, urn, size, addedAt, finishedAt }: DownloadView): void {
    this.past.unshift({
      ...{ id: `t${id}`, direction: 'download', result: 'completed', name, urn, size, bytes: size ?? 0 },
      ...{ rate: BASE_RATE, address: null, userAgent: null, error: null },
      ...{ startedAt: addedAt, finishedAt: finishedAt ?? addedAt },
    });
  }
}
