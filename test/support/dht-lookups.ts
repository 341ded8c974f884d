// Results of lookups in the DHT for tests.
import { DOUBTS } from '../../protocol/dht/lookup.ts';
import type { LookupResult } from '../../protocol/dht/lookup-result.ts';
import { ReasonCounts } from '../../protocol/reason-counts.ts';

/** Of a lookup that nobody answered, unless said otherwise. */
export function endedLookup(target: Buffer, changes: Partial<LookupResult> = {}): LookupResult {
  return {
    target,
    kind: 'node',
    end: 'silent',
    values: [],
    nearest: [],
    hops: 0,
    path: [],
    asked: 0,
    asks: [],
    doubts: new ReasonCounts(DOUBTS),
    ms: 0,
    cutShort: false,
    ...changes,
  };
}
