// Endpoint lists in GGEP: a pair of items for IPv4 and IPv6 (PUSH and PUSH6, ALT and ALT6, IPP and IPP6).
import { type Endpoint, isIpv6, packEndpoint, unpackEndpoints } from './endpoint.ts';
import type { GgepItem } from './ggep.ts';

/** Appends the endpoints of one item's payload to a copy of `endpoints`, up to `endpointsMax` in all. */
export function joinEndpoints(
  endpoints: Endpoint[],
  payload: Buffer,
  addressBytes: 4 | 16,
  endpointsMax: number,
): Endpoint[] {
  return endpoints.concat(unpackEndpoints(payload, addressBytes, endpointsMax - endpoints.length));
}

/** Appends the first `endpointsMax` endpoints as items `<id>` and `<id>6`; omits an empty item. */
export function pushEndpoints(
  items: GgepItem[],
  id: string,
  endpoints: readonly Endpoint[],
  endpointsMax: number,
): void {
  const sent = endpoints.slice(0, endpointsMax);
  const v4 = sent.filter(({ host }) => !isIpv6(host)).map(packEndpoint);
  const v6 = sent.filter(({ host }) => isIpv6(host)).map(packEndpoint);
  if (v4.length > 0) items.push({ id, payload: Buffer.concat(v4) });
  if (v6.length > 0) items.push({ id: `${id}6`, payload: Buffer.concat(v6) });
}
