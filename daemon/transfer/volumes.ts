// How much room the volume of a folder has.
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VolumeRoom } from '../../protocol/transfer/downloads/download-queue.ts';

/** A volume that does not answer for so long counts as one whose room is unknown. */
const ANSWER_MS = 5000;

/** For a folder that is not there yet: of the nearest one above it. Never rejects. */
export async function roomOf(folder: string): Promise<VolumeRoom> {
  const over = new AbortController();
  const silent = sleep(ANSWER_MS, unknown(folder), { signal: over.signal }).catch(() => unknown(folder));
  try {
    return await Promise.race([lookUpwards(folder), silent]);
  } finally {
    over.abort();
  }
}

async function lookUpwards(folder: string): Promise<VolumeRoom> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      const [{ dev }, { bavail, bsize }] = await Promise.all([stat(path), statfs(path)]);
      return { volume: String(dev), free: bavail * bsize };
    } catch {
      if (dirname(path) === path) return unknown(folder);
    }
  }
}

const unknown = (folder: string): VolumeRoom => ({ volume: folder, free: null });
