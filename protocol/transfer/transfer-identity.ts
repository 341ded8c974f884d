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
  firewalled(now: number): boolean;
  /** Where we can be reached. */
  listen(): Endpoint;
}
