// Writes to a socket and reports whether the kernel has taken the bytes.
import type { Socket } from 'node:net';

/** Resolves with false when the socket is closed; never rejects. `bytes` may be reused when it resolves. */
export function writeAll(socket: Socket, bytes: Buffer, onSent?: (bytes: number) => void): Promise<boolean> {
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
