// Opens connections through a SOCKS5 proxy, which looks names up as well; each address may have a user name of its own.
import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import { CodedError } from '../../protocol/errors.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { SocksProxy } from '../../settings/socks-proxy.ts';

/** Tor makes a new circuit for a connection at worst. */
const CONNECT_MS = 30_000;

export type SocksErrorCode = 'SOCKS_UNREACHABLE' | 'SOCKS_REFUSED';

class SocksError extends CodedError<SocksErrorCode> {}

export interface SocksWayOptions {
  readonly proxy: SocksProxy;
  /** Another user name for each address that is connected to. Without effect when the proxy has a user. */
  readonly isolate: boolean;
  readonly connectMs?: number;
}

export class SocksWay {
  readonly proxy: SocksProxy;
  readonly isolates: boolean;
  readonly connectMs: number;
  /** Of this run: two runs share no circuit. */
  readonly #secret = randomBytes(12).toString('hex');
  /** Why the proxy cannot be used, as the last attempt found; null: it could. */
  trouble: string | null = null;
  connected = 0;
  /** The proxy would not or could not connect. */
  refused = 0;
  /** The proxy itself did not answer. */
  unreachable = 0;

  constructor({ proxy, isolate, connectMs = CONNECT_MS }: SocksWayOptions) {
    this.proxy = proxy;
    this.isolates = isolate && proxy.user === null;
    this.connectMs = connectMs;
  }

  /** Without a password. */
  get name(): string {
    return `socks5://${formatEndpoint(this.proxy)}`;
  }

  /** `host` may be a name. `socket` is not connected yet; its maker ends it, also to give up. Rejects with SocksError. */
  async connect({ host, port }: Endpoint, socket: Socket): Promise<void> {
    await this.#reach(socket);
    const { SocksClient } = await import('socks');
    const who = this.#userFor(host);
    try {
      await SocksClient.createConnection({
        command: 'connect',
        existing_socket: socket,
        timeout: this.connectMs,
        destination: { host, port },
        proxy: {
          host: this.proxy.host,
          port: this.proxy.port,
          type: 5,
          ...(who === null ? {} : { userId: who.user, password: who.password }),
        },
      });
    } catch (cause) {
      socket.destroy();
      this.refused++;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SocksError('SOCKS_REFUSED', `the proxy ${this.name} did not connect: ${why}`, { cause });
    }
    this.connected++;
  }

  #userFor(host: string): { user: string; password: string } | null {
    const { user, password } = this.proxy;
    if (user !== null) return { user, password: password ?? '' };
    return this.isolates ? { user: host.slice(0, 255), password: this.#secret } : null;
  }

  #reach(socket: Socket): Promise<void> {
    const { host, port } = this.proxy;
    return new Promise((connected, failed) => {
      const onError = (cause: Error) => {
        this.unreachable++;
        this.trouble = `the proxy ${this.name} cannot be connected to: ${cause.message}`;
        failed(new SocksError('SOCKS_UNREACHABLE', this.trouble, { cause }));
      };
      const onClose = () => failed(new SocksError('SOCKS_UNREACHABLE', 'given up'));
      socket.once('error', onError);
      socket.once('close', onClose);
      socket.connect({ host, port }, () => {
        socket.removeListener('error', onError);
        socket.removeListener('close', onClose);
        this.trouble = null;
        connected();
      });
    });
  }
}

/** A socket to HOST:PORT through the proxy, for a program that takes any stream. */
export async function socketThrough(
  way: SocksWay,
  to: Endpoint,
  made: (socket: Socket) => void,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = new Socket();
  socket.on('error', () => {}); // shows as 'close'
  made(socket);
  const giveUp = () => socket.destroy();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    await way.connect(to, socket);
    return socket;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
