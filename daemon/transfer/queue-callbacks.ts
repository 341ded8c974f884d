// Connections of remote upload queues whose turn for us has come: each is kept until the download asks its source over it.
import type { Socket } from 'node:net';
import type { Source } from '../../protocol/transfer/downloads/source.ts';

const KEPT_MS = 15_000;
const KEPT_MAX = 64;

export class QueueCallbacks {
  readonly #kept = new Map<Source, { readonly socket: Socket; readonly timer: NodeJS.Timeout }>();

  /** Closes a connection that is kept for this source already; of all of them the oldest when there are too many. */
  keep(source: Source, socket: Socket): void {
    this.take(source)?.destroy();
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size >= KEPT_MAX) this.take(oldest)?.destroy();
    const timer = setTimeout(() => this.take(source)?.destroy(), KEPT_MS);
    this.#kept.set(source, { socket, timer });
  }

  /** Null: none, or it was closed meanwhile. */
  take(source: Source): Socket | null {
    const kept = this.#kept.get(source);
    if (kept === undefined) return null;
    this.#kept.delete(source);
    clearTimeout(kept.timer);
    return kept.socket.destroyed ? null : kept.socket;
  }

  close(): void {
    for (const source of [...this.#kept.keys()]) this.take(source)?.destroy();
  }
}
