// Tokens that prove that the node that stores a value receives datagrams at its address: a keyed hash of address and port, so that no state
// is kept for each. They come with FOUND_NODE and go back with STORE.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../ports.ts';
import { type Endpoint, packIpv4 } from '../wire/endpoint.ts';

/** As in gtk-gnutella and LimeWire. */
export const TOKEN_BYTES = 4;
const SECRET_BYTES = 20;
/** gtk-gnutella's period: a token is valid for three to six hours. */
export const TOKEN_ROTATE_MS = 181 * 60_000;
/** In place of the port of a firewalled node, which changes with its router. */
const FIREWALLED_PORT = 65_535;

/** What tokens are made with, to be kept over a restart. */
export interface TokenSecrets {
  /** 20 bytes each. */
  readonly secret: Buffer;
  readonly previous: Buffer | null;
  /** When the secret was made. */
  readonly since: number;
}

export class Tokens {
  readonly #random: Random;
  #secret: Buffer;
  /** The secret before; its tokens are still valid. */
  #previous: Buffer | null = null;
  #since: number;

  /** `kept`: of an earlier run; secrets that are too old, or of the future, are replaced as usual. */
  constructor(random: Random, now: number, kept: TokenSecrets | null = null) {
    this.#random = random;
    const isUsable = kept !== null && isSecret(kept.secret) && kept.since <= now;
    this.#secret = isUsable ? kept.secret : this.#fresh();
    this.#since = isUsable ? kept.since : now;
    if (isUsable && kept.previous !== null && isSecret(kept.previous)) this.#previous = kept.previous;
    this.#rotate(now);
  }

  secrets(now: number): TokenSecrets {
    this.#rotate(now);
    return { secret: this.#secret, previous: this.#previous, since: this.#since };
  }

  /** `host` must be IPv4. */
  tokenOf(endpoint: Endpoint, firewalled: boolean, now: number): Buffer {
    this.#rotate(now);
    return tokenWith(this.#secret, endpoint, firewalled);
  }

  holds(endpoint: Endpoint, firewalled: boolean, token: Buffer, now: number): boolean {
    this.#rotate(now);
    if (token.length !== TOKEN_BYTES) return false;
    if (timingSafeEqual(token, tokenWith(this.#secret, endpoint, firewalled))) return true;
    return this.#previous !== null && timingSafeEqual(token, tokenWith(this.#previous, endpoint, firewalled));
  }

  #rotate(now: number): void {
    const age = now - this.#since;
    if (age < TOKEN_ROTATE_MS) return;
    this.#previous = age < 2 * TOKEN_ROTATE_MS ? this.#secret : null;
    this.#secret = this.#fresh();
    this.#since = now;
  }

  #fresh(): Buffer {
    const secret = Buffer.alloc(SECRET_BYTES);
    this.#random.fill(secret);
    return secret;
  }
}

function isSecret({ length }: Buffer): boolean {
  return length === SECRET_BYTES;
}

function tokenWith(secret: Buffer, { host, port }: Endpoint, firewalled: boolean): Buffer {
  const bytes = Buffer.concat([packIpv4(host), Buffer.alloc(2)]);
  bytes.writeUInt16BE(firewalled ? FIREWALLED_PORT : port, 4);
  return createHmac('sha1', secret).update(bytes).digest().subarray(0, TOKEN_BYTES);
}
