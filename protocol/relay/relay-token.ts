// Tokens of a relay: an HMAC over both servents, the file and the time of expiry. Only the relay that issued one can check it.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RelayAsk } from './relay-line.ts';

const MAC_BYTES = 20;
export const NONCE_BYTES = 8;

export interface RelayPass extends RelayAsk {
  /** Milliseconds of the relay's clock. */
  readonly expiresAt: number;
  /** Tells passes of the same transfer apart; NONCE_BYTES. */
  readonly nonce: Buffer;
}

function macOf(key: Buffer, { asker, server, sha1, expiresAt, nonce }: RelayPass): Buffer {
  const expiry = Buffer.alloc(8);
  expiry.writeDoubleBE(expiresAt);
  return createHmac('sha256', key)
    .update(Buffer.concat([asker, server, sha1, expiry, nonce]))
    .digest()
    .subarray(0, MAC_BYTES);
}

export function encodeToken(key: Buffer, pass: RelayPass): string {
  return Buffer.concat([pass.nonce, macOf(key, pass)]).toString('base64url');
}

/** The nonce and MAC of a token; null: it is none. */
export function readToken(token: string): { readonly nonce: Buffer; readonly mac: Buffer } | null {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length !== NONCE_BYTES + MAC_BYTES) return null;
  return { nonce: bytes.subarray(0, NONCE_BYTES), mac: bytes.subarray(NONCE_BYTES) };
}

export function holds(key: Buffer, pass: RelayPass, mac: Buffer): boolean {
  return mac.length === MAC_BYTES && timingSafeEqual(macOf(key, pass), mac);
}
