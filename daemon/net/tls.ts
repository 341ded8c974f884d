// Wraps sockets in TLS. It protects against passive listeners only, because servents do not check certificates.
import type { Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { makeCertificate } from './certificate.ts';

/**
 * Cipher suites for both roles. LimeWire supports one anonymous suite of 2006, which needs security level 0; gtk-gnutella uses
 * certificates and refuses anonymous clients. `DEFAULT` in place of `HIGH` would exclude the anonymous suite.
 */
const CIPHERS = 'HIGH:ADH-AES128-SHA:@SECLEVEL=0';
const OLDEST = 'TLSv1';
/** Time limit of the TLS handshake; then the socket is destroyed. */
const HANDSHAKE_MS = 15_000;

export class Tls {
  readonly #context: SecureContext;
  readonly #handshakeMs: number;

  constructor(handshakeMs = HANDSHAKE_MS) {
    this.#context = createSecureContext({ ...makeCertificate(), ciphers: CIPHERS, minVersion: OLDEST });
    this.#handshakeMs = handshakeMs;
  }

  /**
   * Accepts TLS as the server side. `head` holds bytes already read. Writes wait for the keys; any failure shows as 'close'.
   */
  accept(socket: Socket, head: Buffer): Socket {
    socket.pause();
    if (head.length > 0) socket.unshift(head);
    const secure = new TLSSocket(socket, { isServer: true, secureContext: this.#context });
    // Node.js emits _tlsError for errors after the handshake on sockets without a tls.Server, and ignores them.
    secure.on('_tlsError', () => secure.destroy());
    return this.#watch(secure, 'secure');
  }

  /** Starts TLS as the client side. */
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
