// Records of downloads as they are stored.
import type { DownloadRecord } from '../../daemon/store/downloads.ts';
import { PLAIN_SOURCE } from '../../protocol/transfer/downloads/source.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';

export function storedRecord(changes: Partial<DownloadRecord>): DownloadRecord {
  return {
    id: 'id',
    name: 'name',
    words: null,
    sha1: Buffer.alloc(20, 1),
    size: 1000,
    sizeTold: null,
    state: 'queued',
    priority: 0,
    place: 0,
    category: null,
    batch: null,
    sources: [{ ...PLAIN_SOURCE, endpoint: { host: '10.0.0.1', port: 6346 } }],
    ranges: RangeSet.of(),
    verified: RangeSet.of(),
    root: null,
    tree: null,
    corrupt: [],
    mismatches: 0,
    sequential: false,
    addedAt: 1000,
    finishedAt: null,
    path: null,
    placed: null,
    error: null,
    ...changes,
  };
}
