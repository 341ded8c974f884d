// Follows a file in which a VPN client writes the port that it forwards to us.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { forwardedPort, PORT_FILE_BYTES_MAX } from '../../protocol/nat/forwarded-port.ts';

/** Looked at so often: containers and network disks tell of no changes. */
const LOOK_MS = 1_000;

export interface PortFileOptions {
  readonly path: string;
  /** Called with each other port. A rejection is its own to tell. */
  readonly onPort: (port: number) => Promise<void>;
  /** Called once with each trouble, a sentence. */
  readonly onTrouble: (trouble: string) => void;
  readonly lookMs?: number;
}

export class PortFile {
  readonly path: string;
  readonly #options: PortFileOptions;
  #port: number | null = null;
  #trouble: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;

  constructor(options: PortFileOptions) {
    this.path = options.path;
    this.#options = options;
  }

  /** The last good port; null: there was none yet. */
  get port(): number | null {
    return this.#port;
  }

  /** What is wrong with the file now; null: nothing. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Reads the file, then follows it. Never rejects. */
  async start(): Promise<void> {
    const port = await this.#read();
    if (port !== null) this.#port = port;
    this.#timer = setInterval(() => void this.look(), this.#options.lookMs ?? LOOK_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const port = await this.#read();
    if (port !== null && port !== this.#port) {
      this.#port = port;
      await this.#options.onPort(port);
    }
    this.#looking = false;
  }

  async #read(): Promise<number | null> {
    const read = await this.#content();
    const trouble = typeof read === 'number' ? null : read;
    if (trouble !== null && trouble !== this.#trouble) this.#options.onTrouble(trouble);
    this.#trouble = trouble;
    return typeof read === 'number' ? read : null;
  }

  async #content(): Promise<number | string> {
    try {
      // without waiting: the opening of a named pipe would last until somebody writes into it
      const file = await open(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(PORT_FILE_BYTES_MAX), 0, PORT_FILE_BYTES_MAX, 0);
        const read = forwardedPort(buffer.toString('latin1', 0, bytesRead));
        return typeof read === 'number' ? read : `the file ${this.path} ${read}`;
      } finally {
        await file.close();
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const why = code === 'ENOENT' ? 'does not exist yet' : `cannot be read (${code ?? String(error)})`;
      return `the file ${this.path} ${why}`;
    }
  }
}
