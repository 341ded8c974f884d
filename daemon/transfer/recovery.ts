// Makes records of part files that have none, from the descriptions beside them: after the store was lost or restored from a backup.
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import type { DownloadRecord } from '../store/downloads.ts';
import { diskError } from './disk-error.ts';
import { lostPartsIn } from './lost-parts.ts';
import { DescriptionError, readDescription } from './part-description.ts';
import { PART_SUFFIX } from './part-file.ts';

export interface RecoveredPart {
  readonly path: string;
  /** `recovered`: it has a record again. `joined`: another download fetches the same. */
  readonly outcome: 'recovered' | 'joined' | 'undescribed' | 'unreadable' | 'failed';
  /** Of the download. */
  readonly id: string | null;
  readonly name: string | null;
  /** Bytes of it that are kept. */
  readonly done: number;
  /** What was done, or why nothing was. */
  readonly note: string;
}

/** The list of downloads, as far as recovery goes. */
export interface RecoveryList {
  isKnown(id: string): boolean;
  /** A download that fetches the same content. */
  sameAs(sha1: Buffer | null): string | null;
  /** Resolves when the record is stored. */
  take(record: DownloadRecord): Promise<void>;
}

/** Files looked at in one call. */
const PARTS_MAX = 10_000;

/** Goes through the part files in `folder`; nothing is deleted. Rejects with DiskError when the folder cannot be read. */
export async function recoverParts(folder: string, list: RecoveryList): Promise<RecoveredPart[]> {
  const recovered: RecoveredPart[] = [];
  const paths = await lostPartsIn(folder, id => list.isKnown(id)).catch(error => {
    throw diskError(error, folder);
  });
  for (const path of paths.slice(0, PARTS_MAX)) recovered.push(await recover(path, list));
  return recovered;
}

async function recover(path: string, list: RecoveryList): Promise<RecoveredPart> {
  const id = basename(path, PART_SUFFIX);
  const nothing = { path, id: null, name: null, done: 0 };
  try {
    const described = await readDescription(path, id);
    const { size: bytesThere } = await stat(path);
    const { name, sha1 } = described;
    const same = list.sameAs(sha1);
    if (same !== null) {
      const note = `the download ${same} fetches the same: cancel that one first to go on with this part`;
      return { path, id: same, name, done: 0, outcome: 'joined', note };
    }
    const ranges = described.ranges.clone();
    ranges.remove(bytesThere, Number.MAX_SAFE_INTEGER);
    // a finished one has no part file: it was to be fetched again
    const state = described.state === 'paused' ? 'paused' : 'queued';
    // its tree judges all of it again: the part file may have changed since it was described
    const verified = RangeSet.of();
    await list.take({ ...described, ranges, verified, state, finishedAt: null, path: null, placed: null, error: null });
    const rest = state === 'paused' ? 'paused, as it was' : 'goes on';
    return { path, id, name, done: ranges.bytes, outcome: 'recovered', note: `${ranges.bytes} bytes kept; ${rest}` };
  } catch (error) {
    if (error instanceof DescriptionError) {
      const isMissing = error.code === 'DESCRIPTION_MISSING';
      return { ...nothing, outcome: isMissing ? 'undescribed' : 'unreadable', note: error.message };
    }
    const note = error instanceof Error ? error.message : String(error);
    return { ...nothing, outcome: 'failed', note: `could not be recovered: ${note}` };
  }
}
