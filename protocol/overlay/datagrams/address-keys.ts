// Keys that prove ownership of an address: GUESS query keys, tokens of out-of-band hits. A keyed hash of the address, so
// that no state is kept for each.
import { hash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../ports.ts';
import { type Endpoint, formatEndpoint } from '../../wire/endpoint.ts';

/** gtk-gnutella has 4 and takes up to 16. */
const KEY_BYTES = 8;
const SECRET_BYTES = 32;

export class AddressKeys {
  readonly #random: Random;
  readonly #rotateMs: number;
  /** Made when the first key is asked for. */
  #secret: Buffer | null = null;
  /** The secret before; its keys are still valid. */
  #previous: Buffer | null = null;
  #since: number;

  /** A key is good for `rotateMs` to twice that. */
  constructor(random: Random, rotateMs: number, now: number) {
    this.#random = random;
    this.#rotateMs = rotateMs;
    this.#since = now;
  }

  keyOf(endpoint: Endpoint, now: number): Buffer {
    return keyWith(this.#rotate(now), endpoint);
  }

  holds(endpoint: Endpoint, key: Buffer, now: number): boolean {
    const secret = this.#rotate(now);
    if (key.length !== KEY_BYTES) return false;
    if (timingSafeEqual(key, keyWith(secret, endpoint))) return true;
    return this.#previous !== null && timingSafeEqual(key, keyWith(this.#previous, endpoint));
  }

  /** The secret of now. */
  #rotate(now: number): Buffer {
    const age = now - this.#since;
    if (this.#secret !== null && age < this.#rotateMs) return this.#secret;
    this.#previous = age < 2 * this.#rotateMs ? this.#secret : null;
    this.#secret = this.#fresh();
    this.#since = now;
    return this.#secret;
  }

  #fresh(): Buffer {
    const secret = Buffer.alloc(SECRET_BYTES);
    this.#random.fill(secret);
    return secret;
  }
}

/** Only a quarter of the hash is told, so nobody can go on with it for a longer address: HMAC, which takes twice the time, is not needed. */
function keyWith(secret: Buffer, endpoint: Endpoint): Buffer {
  return hash('sha256', Buffer.concat([secret, Buffer.from(formatEndpoint(endpoint))]), 'buffer').subarray(
    0,
    KEY_BYTES,
  );
}
