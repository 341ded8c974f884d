// Writes with an answer: has the kernel taken it, or is the peer gone?
import type { Socket } from 'node:net';

/** False when the socket is gone; never rejects. The bytes are nobody's business any more when it resolves. */
export function writeAll(socket: Socket, bytes: Buffer, onSent?: (bytes: number) => void): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(false);
  const note = (error: Error | null | undefined): boolean => {
    // a write under way when the socket is destroyed is told no error
    const whole = !error && !socket.destroyed;
    if (whole) onSent?.(bytes.length);
    return whole;
  };
  return new Promise<boolean>(taken => {
    socket.write(bytes, error => taken(note(error)));
  });
}
