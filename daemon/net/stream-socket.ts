// What transfers need of a connection, over TCP or reliable UDP.
import type { Duplex } from 'node:stream';

export interface StreamSocket extends Duplex {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** After `ms` without bytes in either direction the event `timeout` comes; 0: never. */
  setTimeout(ms: number, onTimeout?: () => void): this;
  setNoDelay(noDelay?: boolean): this;
  /** Destroys it once everything written has been handed over. */
  destroySoon(): void;
}
