// Sends a range of a file: reads the next buffer while the previous one is being sent.
import type { FileHandle } from 'node:fs/promises';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';
import type { StreamSocket } from '../net/stream-socket.ts';
import { type Pace, writeAll, writePaced } from './socket-write.ts';

/** `cut`: the peer has closed. `shrunk`: the file ends before the range. */
export type Sent = 'whole' | 'cut' | 'shrunk';

/**
 * Sends `head`, then the range as `pace` allows, each buffer when the kernel has taken the one before. `lane` is free when this resolves.
 * Rejects only if the file cannot be read.
 */
export async function sendRange(
  socket: StreamSocket,
  head: Buffer,
  file: FileHandle,
  range: ByteRange,
  lane: Buffer,
  pace: Pace,
  onSent: (bytes: number) => void,
): Promise<Sent> {
  const room = range.end - range.start <= lane.length ? lane.length : lane.length >> 1;
  let offset = 0;
  let onTheWay = Promise.resolve(true);
  let first: Buffer | null = head;
  for (let at = range.start; at < range.end; ) {
    const want = Math.min(room, range.end - at);
    const buffer = lane.subarray(offset, offset + want);
    const got = await fill(file, buffer, at);
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

/** Reads until the buffer is full or the file ends; resolves with the bytes read. */
async function fill(file: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let got = 0;
  while (got < buffer.length) {
    const { bytesRead } = await file.read(buffer, got, buffer.length - got, position + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return got;
}
