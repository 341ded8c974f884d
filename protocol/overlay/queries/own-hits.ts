// Query hits for our own files, as all ways of answering send them.
import { Type } from '../../constants.ts';
import { relayItem } from '../../relay/relay-line.ts';
import type { Searchable, SharedFile } from '../../search/shared-file.ts';
import type { GgepItem } from '../../wire/ggep.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { type Query, wantsXml } from '../../wire/query.ts';
import { ALTERNATES_MAX, encodeQueryHit, HITS_MAX } from '../../wire/query-hit.ts';
import { streamItem } from '../../wire/stream-item.ts';
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
  xml: string | null = null,
): Buffer {
  const { serventGuid, vendor, speedKbps } = identity;
  const firewalled = identity.firewalled(now);
  const stream = identity.streamEndpoint?.(now) ?? null;
  const relays = firewalled ? (identity.relayEndpoints?.(now) ?? []) : [];
  const items = relays.length === 0 ? ggep : [...ggep, relayItem(relays)];
  return encodeQueryHit({
    endpoint: firewalled && stream !== null ? stream : identity.listen(),
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
    ggep: stream === null ? items : [...items, streamItem()],
    xml,
    malformed: 0,
    hits: files.map(({ index, name, size, sha1, tigerRoot, modifiedAt }) => ({
      index,
      name,
      size,
      sha1,
      tigerRoot,
      createdAt: secondsOrNull(modifiedAt),
      alternates: identity.alternatesOf?.(sha1, ALTERNATES_MAX, now) ?? [],
      ggep: [],
      note: null,
    })),
  });
}

/** Nothing for times that hits cannot say: before 1970, or beyond all calendars. */
function secondsOrNull(ms: number): number | null {
  const seconds = Math.floor(ms / 1000);
  return Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : null;
}

/** The XML of a hit with these files; null: none. */
export type XmlOf = (files: readonly SharedFile[]) => string | null;

/** What a query's hits carry: XML if it asks for it and the library has metadata. */
export function xmlFor(query: Pick<Query, 'flags' | 'xml'>, library: Searchable): XmlOf {
  return wantsXml(query) ? files => library.xmlOf?.(files) ?? null : () => null;
}

/**
 * Descriptors of TTL 1 for datagrams, with as many records each as fit; XML that does not fit beside one record is left out. A file
 * whose record fits none is left out.
 */
export function hitDatagrams(
  identity: Identity,
  files: readonly SharedFile[],
  guid: Buffer,
  ggep: readonly GgepItem[],
  now: number,
  xmlOf: XmlOf = () => null,
): Buffer[] {
  const datagrams: Buffer[] = [];
  const encode = (some: readonly SharedFile[], xml: string | null): Buffer =>
    encodeDescriptor(guid, Type.QueryHit, 1, 0, encodeOwnHits(identity, some, ggep, now, xml));
  const make = (some: readonly SharedFile[]): Buffer => {
    const xml = xmlOf(some);
    const hit = encode(some, xml);
    return xml !== null && some.length === 1 && hit.length > DATAGRAM_BYTES_MAX ? encode(some, null) : hit;
  };
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
