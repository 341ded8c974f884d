// A result of a search as a download.
import type { FoundContent, FoundSource } from '../../protocol/overlay/queries/found-content.ts';
import { PLAIN_SOURCE, type Source } from '../../protocol/transfer/downloads/source.ts';
import type { DownloadRequest } from './download-request.ts';

/** A hit may lie about the size, which sources tell. Without a hash it says, with the name, what the file is. */
export function requestOfFound({ sha1, size, name, sources }: FoundContent): DownloadRequest {
  const sizes = sha1 === null ? { size } : { size: null, sizeTold: size };
  return { ...sizes, sha1, name, sources: sources.map(sourceFound) };
}

function sourceFound({
  endpoint,
  serventGuid,
  push,
  index,
  name,
  pushProxies,
  rudp,
  relays = [],
}: FoundSource): Source {
  return { ...PLAIN_SOURCE, endpoint, serventGuid, push, index, name, pushProxies, rudp, relays };
}
