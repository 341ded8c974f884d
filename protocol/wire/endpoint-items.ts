// Lists of endpoints in GGEP go by pairs of items: PUSH and PUSH6, ALT and ALT6, IPP and IPP6.
import { type Endpoint, isIpv6, packEndpoint, unpackEndpoints } from './endpoint.ts';
import type { GgepItem } from './ggep.ts';

/** `endpoints` with those of one more item after them, as far as there is room below `endpointsMax`. */
export function joinEndpoints(
  endpoints: Endpoint[],
  payload: Buffer,
  addressBytes: 4 | 16,
  endpointsMax: number,
): Endpoint[] {
  return endpoints.concat(unpackEndpoints(payload, addressBytes, endpointsMax - endpoints.length));
}

/** Appends the first `endpointsMax` as `<id>` and `<id>6`, leaving out what would be empty. */
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
