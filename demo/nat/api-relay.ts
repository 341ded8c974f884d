// A port of loopback that leads to the API of a servent in another network namespace, over the Unix socket that it has there.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath, pathToFileURL } from 'node:url';

const inside = fileURLToPath(new URL('api-relay-inside.js', import.meta.url));

/** Words for Node and variables of a process whose API at `port` is to be lent to the socket at `path`. */
export function lendApi(path: string, port: number): { nodeArgs: string[]; env: Record<string, string> } {
  return {
    nodeArgs: ['--import', pathToFileURL(inside).href],
    env: { API_RELAY_SOCKET: path, API_RELAY_PORT: String(port) },
  };
}

export class ApiRelay {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the relay has no port');
    this.url = `http://127.0.0.1:${address.port}`;
    this.#server = server;
    this.#sockets = sockets;
  }

  /** `path`: of the Unix socket. */
  static async start(path: string): Promise<ApiRelay> {
    const sockets = new Set<Socket>();
    const server = createServer(outer => {
      const inner = connect(path);
      sockets.add(outer);
      outer.pipe(inner).pipe(outer);
      outer.on('error', () => inner.destroy());
      inner.on('error', () => outer.destroy());
      outer.once('close', () => {
        sockets.delete(outer);
        inner.destroy();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ApiRelay(server, sockets);
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
