// Who we are to those who fetch from us, and to those whom we fetch from.
import type { Endpoint } from '../wire/endpoint.ts';

/** Read at each use: what it says may change. */
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
