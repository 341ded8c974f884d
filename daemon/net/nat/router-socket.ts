// The UDP socket from which a router is asked by PCP and NAT-PMP. It is connected: the system drops what others send.
import { createSocket, type Socket } from 'node:dgram';
import { PCP_BYTES_MAX } from '../../../protocol/nat/pcp-message.ts';
import { canonicalHost, type Endpoint } from '../../../protocol/wire/endpoint.ts';

export interface RouterSocketOptions {
  readonly router: Endpoint;
  /** Source address; null: the system chooses. */
  readonly localAddress: string | null;
  readonly onDatagram: (bytes: Buffer, from: Endpoint) => void;
  /** The system says that nobody listens there. */
  readonly onUnreachable: () => void;
}

export class RouterSocket {
  readonly #socket: Socket;
  /** Our address in the router's network. */
  readonly client: string;

  private constructor(socket: Socket, client: string) {
    this.#socket = socket;
    this.client = client;
  }

  /** Sends nothing. Rejects when there is no way to the router. */
  static async open({ router, localAddress, onDatagram, onUnreachable }: RouterSocketOptions): Promise<RouterSocket> {
    const socket = createSocket('udp4');
    try {
      await new Promise<void>((connected, failed) => {
        socket.once('error', failed);
        socket.bind({ port: 0, ...(localAddress === null ? {} : { address: localAddress }) }, () => {
          socket.connect(router.port, router.host, connected);
        });
      });
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.removeAllListeners('error');
    socket.on('error', onUnreachable);
    socket.on('message', (bytes, { address, port }) => {
      const host = canonicalHost(address);
      if (host !== null && bytes.length <= PCP_BYTES_MAX) onDatagram(bytes, { host, port });
    });
    return new RouterSocket(socket, socket.address().address);
  }

  send(bytes: Buffer): void {
    // an error of the router's port comes with the answer as well
    this.#socket.send(bytes, error => {
      if (error !== null) this.#socket.emit('error', error);
    });
  }

  close(): void {
    this.#socket.removeAllListeners('error');
    this.#socket.on('error', () => {});
    this.#socket.close();
  }
}
