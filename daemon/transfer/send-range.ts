// Sends a range of a file: reads the next buffer while the previous one is being sent.
import type { Socket } from 'node:net';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';
import type { RangeReader } from './range-reader.ts';
import { type Pace, writeAll, writePaced } from './socket-write.ts';

/** `cut`: the peer has closed. `shrunk`: the file ends before the range. */
export type Sent = 'whole' | 'cut' | 'shrunk';

/**
 * Sends `head`, then the range as `pace` allows, each buffer when the kernel has taken the one before. `lane` is free when this resolves.
 * Rejects only if the file cannot be read.
 */
export async function sendRange(
  socket: Socket,
  head: Buffer,
  file: RangeReader,
  range: ByteRange,
  lane: Buffer,
  pace: Pace,
  onSent: (bytes: number) => void,
): Promise<Sent> {
  const large = range.end - range.start > lane.length;
  const room = large ? lane.length >> 1 : lane.length;
  let offset = 0;
  let onTheWay = Promise.resolve(true);
  let first: Buffer | null = head;
  for (let at = range.start; at < range.end; ) {
    const want = Math.min(room, range.end - at);
    const buffer = lane.subarray(offset, offset + want);
    const got = await file.read(buffer, at, large && !pace.limited);
    if (!(await onTheWay)) return 'cut';
    if (got < want) return 'shrunk';
    if (pace.limited) {
      if (first !== null) socket.write(first);
      first = null;
      onTheWay = writePaced(socket, buffer, pace, onSent);
    } else if (first !== null) {
      // one system call for the head and the first bytes
      socket.cork();
      socket.write(first);
      onTheWay = writeAll(socket, buffer, onSent);
      socket.uncork();
      first = null;
    } else onTheWay = writeAll(socket, buffer, onSent);
    at += want;
    offset = room - offset;
  }
  if (first !== null) onTheWay = writeAll(socket, first);
  return (await onTheWay) ? 'whole' : 'cut';
}
