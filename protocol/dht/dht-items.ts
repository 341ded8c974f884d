// What pings and pongs say of the DHT in GGEP: DHT, the sender's mode, and DHTIPP, addresses of nodes.
import { type Endpoint, isIpv6, PACKED_IPV4_BYTES, packEndpoint, unpackEndpoints } from '../wire/endpoint.ts';
import { type GgepItem, ggepPayload } from '../wire/ggep.ts';
import type { DhtMode } from './dht.ts';
import { CONTACT_VERSION } from './dht-contact.ts';

/** Nodes in one pong (gtk-gnutella). */
const CONTACTS_MAX = 10;
/** Low four bits of the third byte of DHT; 3 is a passive leaf of LimeWire. */
const MODES: readonly (DhtMode | undefined)[] = ['off', 'active', 'passive', 'passive'];

/** Empty in a ping that asks for it. */
export const CONTACTS_ID = 'DHTIPP';

/** None when the DHT is off. */
export function dhtModeItems(mode: DhtMode): GgepItem[] {
  if (mode === 'off') return [];
  return [{ id: 'DHT', payload: Buffer.of(CONTACT_VERSION >> 8, CONTACT_VERSION & 0xff, MODES.indexOf(mode)) }];
}

/** The sender's; `off` when it tells none. */
export function dhtModeIn(items: readonly GgepItem[]): DhtMode {
  const byte = ggepPayload(items, 'DHT')?.[2] ?? 0;
  return MODES[byte & 0x0f] ?? 'off';
}

/** The first ten; none without IPv4. */
export function dhtContactItems(contacts: readonly Endpoint[]): GgepItem[] {
  const packed = contacts.filter(({ host }) => !isIpv6(host)).slice(0, CONTACTS_MAX);
  return packed.length === 0 ? [] : [{ id: CONTACTS_ID, payload: Buffer.concat(packed.map(packEndpoint)) }];
}

export function dhtContactsIn(items: readonly GgepItem[]): Endpoint[] {
  const payload = ggepPayload(items, CONTACTS_ID);
  if (payload === null || payload.length % PACKED_IPV4_BYTES !== 0) return [];
  return unpackEndpoints(payload, 4, CONTACTS_MAX);
}
