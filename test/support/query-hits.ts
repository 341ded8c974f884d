// Query hits as others send them.
import { PLAIN_HIT, PLAIN_QUERY_HIT, type QueryHit } from '../../protocol/wire/query-hit.ts';

/** `records` files of one servent, with indexes from `first` on; `contents` different ones. */
export function hitOf(servent: number, first: number, records: number, contents = records): QueryHit {
  return {
    ...PLAIN_QUERY_HIT,
    endpoint: { host: '127.0.0.1', port: 6346 },
    speedKbps: 1,
    vendor: 'TEST',
    serventGuid: Buffer.alloc(16, servent),
    hits: Array.from({ length: records }, (_, i) => ({
      ...PLAIN_HIT,
      index: first + i,
      name: `file ${(first + i) % contents}`,
      size: 10,
    })),
  };
}
