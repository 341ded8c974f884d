// Browse host: encodes all shared files as query hits.
import { Type } from '../constants.ts';
import type { SharedFile } from '../search/shared-file.ts';
import { encodeDescriptor } from '../wire/header.ts';
import { encodeQueryHit, HITS_MAX, PLAIN_HIT, PLAIN_QUERY_HIT } from '../wire/query-hit.ts';
import type { TransferIdentity } from './transfer-identity.ts';

/** As in gtk-gnutella. */
const FILES_MAX = 10_000;

/** Descriptors of at most HITS_MAX files each, made when they are asked for. */
export function* browseHits(files: Iterable<SharedFile>, identity: TransferIdentity, now: number): Generator<Buffer> {
  let batch: SharedFile[] = [];
  let count = 0;
  for (const file of files) {
    batch.push(file);
    if (++count >= FILES_MAX) break;
    if (batch.length < HITS_MAX) continue;
    yield encodeHits(batch, identity, now);
    batch = [];
  }
  if (batch.length > 0) yield encodeHits(batch, identity, now);
}

/** One descriptor with hops 0 and TTL 1, as in LimeWire. It is not routed, so any GUID will do. */
function encodeHits(files: readonly SharedFile[], identity: TransferIdentity, now: number): Buffer {
  const payload = encodeQueryHit({
    ...PLAIN_QUERY_HIT,
    endpoint: identity.listen(),
    speedKbps: identity.speedKbps,
    vendor: identity.vendor,
    push: identity.firewalled(now),
    browsable: true,
    serventGuid: identity.serventGuid,
    hits: files.map(({ index, size, name, sha1 }) => ({ ...PLAIN_HIT, index, size, name, sha1 })),
  });
  return encodeDescriptor(identity.serventGuid, Type.QueryHit, 1, 0, payload);
}
