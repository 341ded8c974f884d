// The SHA-1 of a part file, read back from the disk in slices so that the event loop has its turns.
import { createHash } from 'node:crypto';
import type { PartFile } from './part-file.ts';

/** About 0.3 ms of hashing. */
const SLICE_BYTES = 1 << 19;

/** Of its first `size` bytes; null when stopped. Rejects with what reading threw. */
export async function sha1OfPart(part: PartFile, size: number, signal: AbortSignal): Promise<Buffer | null> {
  const hash = createHash('sha1');
  const slices = [Buffer.allocUnsafe(SLICE_BYTES), Buffer.allocUnsafe(SLICE_BYTES)] as const;
  let turn = 0;
  const readAt = (at: number, slice: Buffer) => part.read(slice.subarray(0, Math.min(SLICE_BYTES, size - at)), at);
  // one slice is read by the thread pool while the other is hashed here
  let next = size > 0 ? readAt(0, slices[0]) : null;
  for (let at = 0; next !== null; turn = 1 - turn) {
    const { bytesRead } = await next;
    if (signal.aborted) return null;
    const slice = turn === 0 ? slices[0] : slices[1];
    at += bytesRead;
    next = bytesRead > 0 && at < size ? readAt(at, turn === 0 ? slices[1] : slices[0]) : null;
    hash.update(slice.subarray(0, bytesRead));
  }
  return hash.digest();
}
