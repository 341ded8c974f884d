// Query hits for our own files, as all ways of answering send them.
import { Type } from '../../constants.ts';
import type { SharedFile } from '../../search/shared-file.ts';
import type { GgepItem } from '../../wire/ggep.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { encodeQueryHit, HITS_MAX } from '../../wire/query-hit.ts';
import type { Identity } from '../identity.ts';

/** What gtk-gnutella sends in one datagram. */
const DATAGRAM_BYTES = 645;
/** One record may need more; beyond this a datagram would come in pieces. */
const DATAGRAM_BYTES_MAX = 1_400;

/** Payload with at most HITS_MAX records; `ggep` goes into the trailer. Hot, so no field comes by spreading: that took a third of the time. */
export function encodeOwnHits(
  identity: Identity,
  files: readonly SharedFile[],
  ggep: readonly GgepItem[],
  now: number,
): Buffer {
  const { serventGuid, vendor, speedKbps } = identity;
  const firewalled = identity.firewalled(now);
  return encodeQueryHit({
    endpoint: identity.listen(),
    ipv6: identity.ipv6?.() ?? null,
    speedKbps,
    vendor,
    push: firewalled,
    busy: identity.busy(now),
    uploaded: null,
    measured: null,
    browsable: true,
    tls: identity.tls ?? false,
    pushProxies: firewalled ? (identity.pushProxies?.() ?? []) : [],
    serventGuid,
    ggep,
    xml: null,
    malformed: 0,
    hits: files.map(({ index, name, size, sha1, tigerRoot, modifiedAt }) => ({
      index,
      name,
      size,
      sha1,
      tigerRoot,
      createdAt: secondsOrNull(modifiedAt),
      alternates: [],
      ggep: [],
    })),
  });
}

/** Nothing for times that hits cannot say: before 1970, or beyond all calendars. */
function secondsOrNull(ms: number): number | null {
  const seconds = Math.floor(ms / 1000);
  return Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : null;
}

/** Descriptors of TTL 1 for datagrams, with as many records each as fit. A file whose record fits none is left out. */
export function hitDatagrams(
  identity: Identity,
  files: readonly SharedFile[],
  guid: Buffer,
  ggep: readonly GgepItem[],
  now: number,
): Buffer[] {
  const datagrams: Buffer[] = [];
  const make = (some: readonly SharedFile[]) =>
    encodeDescriptor(guid, Type.QueryHit, 1, 0, encodeOwnHits(identity, some, ggep, now));
  let taken: SharedFile[] = [];
  let made: Buffer | null = null;
  for (const file of files) {
    const more: Buffer = make([...taken, file]);
    if (made === null || (taken.length < HITS_MAX && more.length <= DATAGRAM_BYTES)) {
      taken.push(file);
      made = more;
    } else {
      datagrams.push(made);
      taken = [file];
      made = make(taken);
    }
  }
  if (made !== null) datagrams.push(made);
  return datagrams.filter(({ length }) => length <= DATAGRAM_BYTES_MAX);
}
