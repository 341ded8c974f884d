// What a port mapper needs of the system to speak to a router, and what it is told to have forwarded.
import type { Endpoint } from '../wire/endpoint.ts';
import type { Transport } from './transport.ts';

export type UpnpCall =
  | { readonly kind: 'find' }
  | { readonly kind: 'address' }
  | {
      readonly kind: 'add';
      readonly transport: Transport;
      readonly internalPort: number;
      readonly externalPort: number;
      /** Seconds; 0: for good. */
      readonly lifetime: number;
    }
  | { readonly kind: 'remove'; readonly transport: Transport; readonly externalPort: number };

export type UpnpAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'address'; readonly host: string }
  | { readonly kind: 'added'; readonly externalPort: number }
  | { readonly kind: 'refused'; readonly code: number; readonly text: string }
  /** `text`: a sentence without its end. */
  | { readonly kind: 'failed'; readonly text: string };

export interface RouterShell {
  /** A datagram to the router's port of PCP and NAT-PMP. */
  send(bytes: Buffer): void;
  /** A call by UPnP; `answered` is called with the same number. */
  call(id: number, call: UpnpCall): void;
}

export interface MappingWish {
  /** The router, and its port of PCP and NAT-PMP. */
  readonly router: Endpoint;
  /** Our address as the router sees it. */
  readonly client: string;
  readonly tcp: number | null;
  readonly udp: number | null;
}
