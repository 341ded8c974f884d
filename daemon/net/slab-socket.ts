// A connection of ours that reads into slabs: many bytes come at a time, and little of them becomes garbage.
import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { Slab } from './slab.ts';
import type { SocketInput } from './socket-reader.ts';

/** Least room of a slab to read into. */
const ROOM_BYTES_MIN = 64 << 10;

/** To be read by its `input` alone. */
export class SlabSocket extends Socket {
  readonly input: SocketInput;

  constructor() {
    const reader = new SlabReader();
    const options: SocketConstructorOpts & ConnectOpts = { onread: reader };
    super(options);
    reader.follow(this);
    this.input = reader;
  }
}

class SlabReader implements SocketInput {
  #socket: Socket | null = null;
  #slab = Slab.take();
  /** What came while nobody waited, and before: Node.js stops reading then, so that the rest stays in the kernel. */
  readonly #held: Buffer[] = [];
  #isPaused = false;
  #over = false;
  #wake: (() => void) | null = null;

  follow(socket: Socket): void {
    this.#socket = socket;
    socket.once('end', this.#onOver);
    socket.once('close', () => {
      this.#slab.close();
      this.#onOver();
    });
  }

  /** Where Node.js reads to next. */
  readonly buffer = (): Buffer => {
    if (this.#slab.bytesLeft < ROOM_BYTES_MIN) {
      this.#slab.close();
      this.#slab = Slab.take();
    }
    return this.#slab.room;
  };

  /** Node.js has read so many bytes there. False: no more for now. */
  readonly callback = (bytes: number): boolean => {
    this.#held.push(this.#slab.fill(bytes));
    this.#isPaused = this.#wake === null;
    this.#awaken();
    return !this.#isPaused;
  };

  now(): Buffer | null {
    const bytes = this.#held.shift() ?? null;
    // also when nobody waits for more, who closes shows
    if (this.#isPaused && this.#held.length === 0) this.#socket?.read(0);
    this.#isPaused &&= this.#held.length > 0;
    return bytes;
  }

  async next(): Promise<Buffer | null> {
    return (await this.ready()) === 0 ? null : this.now();
  }

  async ready(): Promise<number> {
    for (;;) {
      const [first] = this.#held;
      if (first !== undefined) return first.length;
      if (this.#over) return 0;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  take(most: number): Buffer | null {
    const bytes = this.now();
    if (bytes === null || bytes.length <= most) return bytes;
    this.#held.unshift(bytes.subarray(most));
    return bytes.subarray(0, most);
  }

  #awaken(): void {
    this.#wake?.();
    this.#wake = null;
  }

  readonly #onOver = (): void => {
    this.#over = true;
    this.#awaken();
  };
}
