// Writes to a socket and reports whether the kernel has taken the bytes.
import type { StreamSocket } from '../net/stream-socket.ts';

/** What may hold back the bytes of a transfer; see Usage. */
export interface Pace {
  readonly limited: boolean;
  /** Resolves with how many of `bytes` may be sent now; 0: the transfer is over. */
  ask(bytes: number): Promise<number>;
}

/** As writeAll, in pieces as `pace` allows them. */
export async function writePaced(
  socket: StreamSocket,
  bytes: Buffer,
  pace: Pace,
  onSent?: (bytes: number) => void,
): Promise<boolean> {
  for (let at = 0; at < bytes.length; ) {
    const left = bytes.length - at;
    const some = pace.limited ? await pace.ask(left) : left;
    if (some === 0 || !(await writeAll(socket, bytes.subarray(at, at + some), onSent))) return false;
    at += some;
  }
  return true;
}

/** Resolves with false when the socket is closed; never rejects. `bytes` may be reused when it resolves. */
export function writeAll(socket: StreamSocket, bytes: Buffer, onSent?: (bytes: number) => void): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(false);
  const note = (error: Error | null | undefined): boolean => {
    // Node.js reports no error for a write pending when the socket is destroyed
    const whole = !error && !socket.destroyed;
    if (whole) onSent?.(bytes.length);
    return whole;
  };
  return new Promise<boolean>(taken => {
    socket.write(bytes, error => taken(note(error)));
  });
}
