// Encrypts sockets, in place: against onlookers only, as no servent checks another's certificate.
import type { Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { makeCertificate } from './certificate.ts';

/**
 * For both roles. LimeWire knows one suite, anonymous and of 2006, which wants security level 0; gtk-gnutella takes
 * certificates and refuses anonymous clients. With `DEFAULT` in the place of `HIGH` the anonymous suite would be gone.
 */
const CIPHERS = 'HIGH:ADH-AES128-SHA:@SECLEVEL=0';
const OLDEST = 'TLSv1';
/** From the first byte to keys on both sides; then the socket is destroyed. */
const HANDSHAKE_MS = 15_000;

export class Tls {
  readonly #context: SecureContext;
  readonly #handshakeMs: number;

  constructor(handshakeMs = HANDSHAKE_MS) {
    this.#context = createSecureContext({ ...makeCertificate(), ciphers: CIPHERS, minVersion: OLDEST });
    this.#handshakeMs = handshakeMs;
  }

  /**
   * The socket's other end has begun, or will begin. `head`: bytes of it read already. What is written to the result
   * before the keys are there waits; whatever fails shows as 'close'.
   */
  accept(socket: Socket, head: Buffer): Socket {
    socket.pause();
    if (head.length > 0) socket.unshift(head);
    const secure = new TLSSocket(socket, { isServer: true, secureContext: this.#context });
    // emitted for what goes wrong after the handshake on sockets of no tls.Server; Node itself only swallows it
    secure.on('_tlsError', () => secure.destroy());
    return this.#watch(secure, 'secure');
  }

  /** We begin, at once. */
  connect(socket: Socket): Socket {
    socket.pause();
    const secure = connect({ socket, secureContext: this.#context, rejectUnauthorized: false, minVersion: OLDEST });
    return this.#watch(secure, 'secureConnect');
  }

  #watch(secure: TLSSocket, done: 'secure' | 'secureConnect'): TLSSocket {
    const timer = setTimeout(() => secure.destroy(), this.#handshakeMs);
    secure.on('error', () => {});
    secure.once(done, () => clearTimeout(timer));
    secure.once('close', () => clearTimeout(timer));
    return secure;
  }
}

export function isEncrypted(socket: Socket): boolean {
  return socket instanceof TLSSocket;
}
