// Our identity in transfers.
import type { Endpoint } from '../wire/endpoint.ts';

/** Values may change: read at each use. */
export interface TransferIdentity {
  readonly userAgent: string;
  /** 16 bytes. */
  readonly serventGuid: Buffer;
  /** Four characters. */
  readonly vendor: string;
  readonly speedKbps: number;
  /** Our port speaks TLS too. */
  readonly tls: boolean;
  firewalled(now: number): boolean;
  /** Where we can be reached. */
  listen(): Endpoint;
  /** Our IPv6 address when `listen()` is IPv4. */
  ipv6(): string | null;
  /** Through these we are asked to connect, when firewalled. */
  pushProxies(): readonly Endpoint[];
}
