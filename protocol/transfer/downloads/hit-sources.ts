// What a record of a query hit says of the file of a download: who has it, and what it is called.

import { relaysIn } from '../../relay/relay-line.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import type { Hit, QueryHit } from '../../wire/query-hit.ts';
import { takesStreams } from '../../wire/stream-item.ts';
import { PLAIN_SOURCE, type Source } from './source.ts';

/** What the network says of the content of one SHA-1. */
export interface SourceOffer {
  readonly sha1: Buffer;
  /** Servents that say of themselves that they have it. */
  readonly sources: readonly Source[];
  /** Those that they name: nobody vouches for them. */
  readonly hearsay: readonly Source[];
  readonly name: string | null;
  readonly size: number | null;
  readonly tigerRoot: Buffer | null;
}

/**
 * `mayReach`: whether an address is one that may be dialled because others name it. Null for a record without a SHA-1. The hit may be a
 * view of a larger buffer: what is kept is copied.
 */
export function offerOf(queryHit: QueryHit, hit: Hit, mayReach: (endpoint: Endpoint) => boolean): SourceOffer | null {
  const { sha1, tigerRoot, name, size, index, alternates } = hit;
  if (sha1 === null) return null;
  const { endpoint, serventGuid } = queryHit;
  const pushProxies = queryHit.pushProxies.filter(mayReach);
  const rudp = takesStreams(queryHit) && mayReach(endpoint) ? endpoint : null;
  const relays = relaysIn(queryHit.ggep).filter(mayReach);
  // an address that cannot be dialled from here may still be reached by a push along the way of the hit
  const push = queryHit.push === true || !mayReach(endpoint);
  return {
    sha1: Buffer.from(sha1),
    sources: [
      {
        ...PLAIN_SOURCE,
        endpoint,
        serventGuid: Buffer.from(serventGuid),
        push,
        pushProxies,
        rudp,
        relays,
        index,
        name,
      },
    ],
    hearsay: alternates.filter(mayReach).map(each => ({ ...PLAIN_SOURCE, endpoint: each })),
    name: name === '' ? null : name,
    size,
    tigerRoot: tigerRoot === null ? null : Buffer.from(tigerRoot),
  };
}
