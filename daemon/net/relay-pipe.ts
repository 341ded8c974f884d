// Passes bytes between two sockets in both directions, no faster than the slower one takes them, and within a limit of bytes a second.
import type { StreamSocket } from './stream-socket.ts';

/** How often what may pass is granted anew, while there is a limit. */
const GRANT_MS = 50;
/** After the end, what was written may take so long to go out: one that reads nothing would keep its connection for ever. */
const LINGER_MS = 5_000;

export interface RelayPipeOptions {
  /** Called with each piece before it goes on; false ends both connections. */
  readonly onBytes: (bytes: number) => boolean;
  /** Called once, when both connections are closed or closing. */
  readonly onEnd: () => void;
  /** Whether more may pass now; false: ask again in GRANT_MS. */
  readonly mayPass: () => boolean;
  readonly lingerMs?: number;
}

export class RelayPipe {
  readonly #a: StreamSocket;
  readonly #b: StreamSocket;
  readonly #options: RelayPipeOptions;
  /** Sockets that are not read until the limit allows it. */
  readonly #held = new Set<StreamSocket>();
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;

  constructor(a: StreamSocket, b: StreamSocket, options: RelayPipeOptions) {
    this.#a = a;
    this.#b = b;
    this.#options = options;
    this.#carry(a, b);
    this.#carry(b, a);
  }

  #carry(from: StreamSocket, to: StreamSocket): void {
    from.on('data', (chunk: Buffer) => {
      if (this.#isOver) return;
      if (!this.#options.onBytes(chunk.length)) return this.end();
      if (!to.write(chunk)) from.pause();
      if (!this.#options.mayPass()) this.#hold(from);
    });
    to.on('drain', () => {
      if (!this.#held.has(from)) from.resume();
    });
    from.on('close', () => this.end());
    from.on('error', () => this.end());
    from.resume();
  }

  #hold(socket: StreamSocket): void {
    socket.pause();
    this.#held.add(socket);
    this.#timer ??= setTimeout(this.#release, GRANT_MS);
  }

  readonly #release = (): void => {
    this.#timer = null;
    if (this.#isOver) return;
    if (!this.#options.mayPass()) {
      this.#timer = setTimeout(this.#release, GRANT_MS);
      return;
    }
    const held = [...this.#held];
    this.#held.clear();
    for (const socket of held) {
      const other = socket === this.#a ? this.#b : this.#a;
      if (!other.writableNeedDrain) socket.resume();
    }
  };

  /** Ends both once what was written is sent. Idempotent. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const socket of [this.#a, this.#b]) endSoon(socket, this.#options.lingerMs ?? LINGER_MS);
    this.#options.onEnd();
  }
}

function endSoon(socket: StreamSocket, lingerMs: number): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.destroySoon();
}
