// Browse host: encodes all shared files as query hits.
import { Type } from '../../constants.ts';
import type { SharedFile } from '../../search/shared-file.ts';
import type { GgepItem } from '../../wire/ggep.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { encodeQueryHit, HITS_MAX, PLAIN_HIT, PLAIN_QUERY_HIT } from '../../wire/query-hit.ts';
import type { TransferIdentity } from '../transfer-identity.ts';

/** A file with the folder shown to those who browse, `/` between names. Absent: none is shown. Never a local path. */
export interface BrowsableFile extends SharedFile {
  readonly seenFolder?: string;
}

/** Most bytes of GGEP PATH, in UTF-8. The deepest folders are left out of a longer one. */
const PATH_BYTES_MAX = 255;

/** Files that one browse lists, as in gtk-gnutella. */
export const BROWSE_FILES_MAX = 10_000;

/** Descriptors of at most HITS_MAX files each, made when they are asked for. */
export function* browseHits(
  files: Iterable<BrowsableFile>,
  identity: TransferIdentity,
  now: number,
): Generator<Buffer> {
  let batch: BrowsableFile[] = [];
  let count = 0;
  for (const file of files) {
    batch.push(file);
    if (++count >= BROWSE_FILES_MAX) break;
    if (batch.length < HITS_MAX) continue;
    yield encodeHits(batch, identity, now);
    batch = [];
  }
  if (batch.length > 0) yield encodeHits(batch, identity, now);
}

/** One descriptor with hops 0 and TTL 1, as in LimeWire. It is not routed, so any GUID will do. */
function encodeHits(files: readonly BrowsableFile[], identity: TransferIdentity, now: number): Buffer {
  const payload = encodeQueryHit({
    ...PLAIN_QUERY_HIT,
    endpoint: identity.listen(),
    speedKbps: identity.speedKbps,
    vendor: identity.vendor,
    push: identity.firewalled(now),
    browsable: true,
    serventGuid: identity.serventGuid,
    hits: files.map(({ index, size, name, sha1, tigerRoot, seenFolder }) => ({
      ...PLAIN_HIT,
      index,
      size,
      name,
      sha1,
      tigerRoot,
      ggep: pathItems(seenFolder),
    })),
  });
  return encodeDescriptor(identity.serventGuid, Type.QueryHit, 1, 0, payload);
}

/** gtk-gnutella's PATH: relative, in Unicode's form C. */
function pathItems(folder = ''): GgepItem[] {
  let path = folder.normalize('NFC');
  while (Buffer.byteLength(path) > PATH_BYTES_MAX) path = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  return path === '' ? [] : [{ id: 'PATH', payload: Buffer.from(path) }];
}
