// One step of asking a router, as the datagram or the call that carries it.
import { type Lease, LIFETIME_S } from './lease.ts';
import { encodeNatPmpAddressRequest, encodeNatPmpMap } from './nat-pmp-message.ts';
import { encodePcpMap } from './pcp-message.ts';
import type { UpnpCall } from './router-shell.ts';
import type { MappingMethod } from './router-words.ts';
import type { Transport } from './transport.ts';

export type Step =
  | { readonly kind: 'find' }
  | { readonly kind: 'address' }
  | { readonly kind: 'map'; readonly transport: Transport; readonly renewal: boolean }
  | { readonly kind: 'unmap'; readonly lease: Lease };

/** What an answer to this step is about. */
export function subjectOf(step: Step): Transport | 'address' {
  if (step.kind === 'unmap') return step.lease.transport;
  return step.kind === 'map' ? step.transport : 'address';
}

export interface Offer {
  readonly client: string;
  readonly nonce: Buffer;
  readonly internalPort: number;
  /** What we would like. */
  readonly externalPort: number;
  /** Null: anything. */
  readonly externalHost: string | null;
  /** By UPnP, seconds; 0: for good. */
  readonly lifetime: number;
}

export function datagram(method: MappingMethod | null, step: Step, offer: Offer): Buffer {
  if (step.kind === 'address' || step.kind === 'find') return encodeNatPmpAddressRequest();
  const { client, nonce, externalHost } = offer;
  const ends = step.kind === 'unmap';
  const { transport, internalPort } = ends ? step.lease : { transport: step.transport, ...offer };
  const externalPort = ends && method === 'nat-pmp' ? 0 : offer.externalPort;
  const request = { transport, internalPort, externalPort, lifetime: ends ? 0 : LIFETIME_S };
  if (method === 'nat-pmp') return encodeNatPmpMap(request);
  return encodePcpMap({ ...request, client, nonce, externalHost: ends ? null : externalHost });
}

export function upnpCall(step: Step, { internalPort, externalPort, lifetime }: Offer): UpnpCall {
  if (step.kind === 'find' || step.kind === 'address') return { kind: step.kind };
  if (step.kind === 'unmap')
    return { kind: 'remove', transport: step.lease.transport, externalPort: step.lease.externalPort };
  return { kind: 'add', transport: step.transport, internalPort, externalPort, lifetime };
}
