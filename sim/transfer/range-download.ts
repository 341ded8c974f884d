// A download in ranges from several sources at once: a source that brought a range is asked for the next. A source that is silent for too long
// is given up, and its range goes back to those that are wanted.
import type { Network } from '../network.ts';

export type RangeMessage =
  | { readonly kind: 'request'; readonly range: number }
  | { readonly kind: 'data'; readonly range: number };

export interface RangeDownloadOptions {
  readonly network: Network<RangeMessage>;
  readonly downloader: number;
  /** More than are used at once stand by. */
  readonly sources: readonly number[];
  readonly ranges: number;
  /** Milliseconds in which a source sends a range. */
  readonly rangeMs: (source: number) => number;
  /** Sources asked at once. */
  readonly parallel: number;
  /** Silence after which a source is given up; Infinity: never. */
  readonly patienceMs: number;
}

export class RangeDownload {
  /** When the last range came; null before. */
  doneAt: number | null = null;
  readonly had = new Set<number>();
  /** Ranges that came a second time. */
  repeated = 0;
  readonly #options: RangeDownloadOptions;
  readonly #wanted: number[];
  readonly #standby: number[];
  /** The range that each source was asked for and when. */
  readonly #asked = new Map<number, { readonly range: number; readonly at: number }>();
  readonly #idle: number[] = [];

  constructor(options: RangeDownloadOptions) {
    this.#options = options;
    this.#wanted = Array.from({ length: options.ranges }, (_, range) => range);
    this.#standby = [...options.sources];
    options.network.onMessage = (to, message, from) =>
      message.kind === 'request' ? this.#upload(to, message.range, from) : this.#onData(message.range, from);
  }

  get missing(): number {
    return this.#options.ranges - this.had.size;
  }

  start(): void {
    this.#idle.push(...this.#standby.splice(0, this.#options.parallel));
    this.#askIdle();
  }

  #askIdle(): void {
    const { network, downloader, patienceMs } = this.#options;
    while (this.#wanted.length > 0) {
      const source = this.#idle.shift();
      if (source === undefined) return;
      const range = this.#wanted.shift() ?? 0;
      const asked = { range, at: network.now };
      this.#asked.set(source, asked);
      network.send(downloader, source, { kind: 'request', range });
      if (Number.isFinite(patienceMs))
        network.after(patienceMs, () => {
          if (this.#asked.get(source) === asked) this.#giveUp(source, range);
        });
    }
  }

  #giveUp(source: number, range: number): void {
    this.#asked.delete(source);
    if (!this.had.has(range)) this.#wanted.push(range);
    const next = this.#standby.shift();
    if (next !== undefined) this.#idle.push(next);
    this.#askIdle();
  }

  #upload(source: number, range: number, downloader: number): void {
    const { network, rangeMs } = this.#options;
    network.after(rangeMs(source), () => network.send(source, downloader, { kind: 'data', range }));
  }

  /** Of a source that was given up too: its bytes are as good, but it is asked no more. */
  #onData(range: number, source: number): void {
    if (this.had.has(range)) this.repeated++;
    this.had.add(range);
    if (this.#asked.delete(source)) this.#idle.push(source);
    if (this.missing === 0) this.doneAt ??= this.#options.network.now;
    this.#askIdle();
  }
}
