// The beginning of a file, by which it is judged before it is hashed.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { bytesToJudge } from './first-bytes.ts';

/** As many bytes of a file of that size as judge it. Rejects with the system's error. */
export async function headOf(path: string, size: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const judged = Buffer.alloc(bytesToJudge(size));
    const { bytesRead } = await file.read(judged, 0, judged.length, 0);
    return judged.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
