// PROX values: the push proxies of a servent, told by itself. The key is serventKey() of its GUID.
import { ProtocolError } from '../errors.ts';
import { Cursor } from '../wire/cursor.ts';
import {
  type Endpoint,
  isIpv6,
  PACKED_IPV4_BYTES,
  PACKED_IPV6_BYTES,
  packIpv4,
  packIpv6,
  unpackIpv4,
  unpackIpv6,
} from '../wire/endpoint.ts';
import { type GgepItem, ggepPayload } from '../wire/ggep.ts';
import {
  encodeFields,
  guidField,
  numberField,
  portField,
  readFields,
  readGuid,
  readNumber,
  readPort,
} from './value-fields.ts';

/** Proxies in one value, as gtk-gnutella sends; further ones are not read. */
export const PROXIES_MAX = 8;
export const PROX_VERSION = 0;

export interface ProxyLocation {
  readonly endpoint: Endpoint;
  readonly tls: boolean;
}

export interface Prox {
  readonly serventGuid: Buffer;
  /** Bits of LimeWire; 0 from gtk-gnutella. */
  readonly features: number;
  /** Version of transfers by UDP between firewalled servents; 0: none. */
  readonly firewallTransferVersion: number;
  /** The servent's own. */
  readonly port: number;
  /** A servent that is not firewalled lists itself. */
  readonly proxies: readonly ProxyLocation[];
}

/** Throws DHT_MALFORMED, WIRE_TRUNCATED, GGEP_*. */
export function parseProx(data: Buffer): Prox {
  const items = readFields(data);
  return {
    serventGuid: readGuid(items, 'client-id'),
    features: readNumber(items, 'features') ?? 0,
    firewallTransferVersion: readNumber(items, 'fwt-version') ?? 0,
    port: readPort(items),
    proxies: readProxies(ggepPayload(items, 'proxies'), ggepPayload(items, 'tls')),
  };
}

/** Bit i of `tls`, from the most significant one of the first byte on, belongs to the i-th proxy. */
function readProxies(packed: Buffer | null, tls: Buffer | null): ProxyLocation[] {
  const proxies: ProxyLocation[] = [];
  if (packed === null) return proxies;
  const cursor = new Cursor(packed);
  while (cursor.left > 0 && proxies.length < PROXIES_MAX) {
    const length = cursor.u8();
    if (length !== PACKED_IPV4_BYTES && length !== PACKED_IPV6_BYTES) {
      throw new ProtocolError('DHT_MALFORMED', `a proxy of ${length} bytes`);
    }
    const address = cursor.take(length - 2);
    const host = length === PACKED_IPV4_BYTES ? unpackIpv4(address, 0) : unpackIpv6(address, 0);
    const bits = tls?.[proxies.length >> 3] ?? 0;
    proxies.push({
      endpoint: { host, port: cursor.u16be() },
      tls: (bits & (0x80 >> (proxies.length & 7))) !== 0,
    });
  }
  return proxies;
}

/** Fields in gtk-gnutella's order. Throws RangeError for more than PROXIES_MAX. */
export function encodeProx(prox: Prox): Buffer {
  const { proxies } = prox;
  if (proxies.length > PROXIES_MAX) throw new RangeError(`${proxies.length} push proxies`);
  const items: GgepItem[] = [
    guidField('client-id', prox.serventGuid),
    numberField('features', prox.features),
    numberField('fwt-version', prox.firewallTransferVersion),
    portField(prox.port),
  ];
  if (proxies.length > 0) {
    items.push({ id: 'proxies', payload: Buffer.concat(proxies.map(({ endpoint }) => packProxy(endpoint))) });
  }
  let bits = 0;
  for (const [i, { tls }] of proxies.entries()) if (tls) bits |= 0x80 >> i;
  if (bits !== 0) items.push({ id: 'tls', payload: Buffer.of(bits) });
  return encodeFields(items);
}

function packProxy({ host, port }: Endpoint): Buffer {
  const address = isIpv6(host) ? packIpv6(host) : packIpv4(host);
  return Buffer.of(address.length + 2, ...address, port >> 8, port & 0xff);
}
