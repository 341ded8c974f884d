// Browse host: all that we share, as query hits one after another.
import type { Socket } from 'node:net';
import { Type } from '../../protocol/constants.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { encodeQueryHit, HITS_MAX, PLAIN_HIT, PLAIN_QUERY_HIT } from '../../protocol/wire/query-hit.ts';
import { writeAll } from './socket-write.ts';
import type { TransferIdentity } from './upload-context.ts';

/** gtk-gnutella tells no more either. */
const FILES_MAX = 10_000;

export interface BrowseSource {
  files(): Iterable<SharedFile>;
  /** A turn, given back by the call of what it returns; null when too many browse already. */
  enter(): (() => void) | null;
}

/** Waits for the peer to take it; resolves early when the peer is gone. */
export async function answerBrowse(
  socket: Socket,
  files: Iterable<SharedFile>,
  identity: TransferIdentity,
): Promise<void> {
  let batch: SharedFile[] = [];
  let count = 0;
  for (const file of files) {
    batch.push(file);
    count++;
    if (batch.length < HITS_MAX && count < FILES_MAX) continue;
    if (!(await writeAll(socket, encodeHits(batch, identity)))) return;
    if (count >= FILES_MAX) return;
    batch = [];
  }
  if (batch.length > 0) await writeAll(socket, encodeHits(batch, identity));
}

/** One descriptor, hops 0 and TTL 1 as LimeWire's; nobody routes it, so its GUID is no query's. */
function encodeHits(files: readonly SharedFile[], identity: TransferIdentity): Buffer {
  const payload = encodeQueryHit({
    ...PLAIN_QUERY_HIT,
    endpoint: identity.listen(),
    speedKbps: identity.speedKbps,
    vendor: identity.vendor,
    push: identity.firewalled,
    browsable: true,
    serventGuid: identity.serventGuid,
    hits: files.map(({ index, size, name, sha1 }) => ({ ...PLAIN_HIT, index, size, name, sha1 })),
  });
  return encodeDescriptor(identity.serventGuid, Type.QueryHit, 1, 0, payload);
}
