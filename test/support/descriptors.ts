// Whole descriptors as a peer would send them, for tests of the overlay. GUIDs come from a fixed seed.
import { Type } from '../../protocol/constants.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { encodePush, type Push } from '../../protocol/wire/push.ts';
import { encodeQuery } from '../../protocol/wire/query.ts';
import { encodeQueryHit, PLAIN_HIT, PLAIN_QUERY_HIT } from '../../protocol/wire/query-hit.ts';
import { SeededRandom } from './virtual-network.ts';

export const random = new SeededRandom(99);

export function query(ttl: number, hops: number, text = 'some words', guid = random.guid()): Buffer {
  return encodeDescriptor(guid, Type.Query, ttl, hops, encodeQuery({ text }));
}

export function hitPayload(serventGuid = random.guid(), records = 1): Buffer {
  const hits = Array.from({ length: records }, (_, index) => ({ ...PLAIN_HIT, index, size: 5, name: `song ${index}` }));
  return encodeQueryHit({
    ...PLAIN_QUERY_HIT,
    endpoint: { host: '80.1.1.1', port: 6346 },
    speedKbps: 1,
    vendor: 'TEST',
    hits,
    serventGuid,
  });
}

/** A hit for the query whose descriptor or GUID is given. */
export function hitFor(asked: Buffer, ttl: number, hops: number, payload = hitPayload()): Buffer {
  return encodeDescriptor(asked.subarray(0, 16), Type.QueryHit, ttl, hops, payload);
}

export function pushTo(serventGuid: Buffer): Push {
  return { serventGuid, fileIndex: 3, endpoint: { host: '80.1.1.1', port: 6346 }, ipv6: null, tls: false, ggep: [] };
}

export function push(serventGuid: Buffer, ttl: number, hops: number): Buffer {
  return encodeDescriptor(random.guid(), Type.Push, ttl, hops, encodePush(pushTo(serventGuid)));
}
