// A source that lies: it relays a servent's uploads and changes one byte in each MiB of what it relays.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

const LIE_EVERY_BYTES = 1 << 20;
/** Heads and hash trees are shorter and stay as they are. */
const TRUE_BYTES = 256 << 10;

export class Liar {
  /** HOST:PORT. */
  readonly address: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, address: string) {
    this.#server = server;
    this.address = address;
  }

  /** `target`: HOST:PORT of the servent. */
  static async start(target: string): Promise<Liar> {
    const [host, port] = target.split(':');
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const own = server.address();
    if (own === null || typeof own === 'string') throw new Error('the liar has no port');
    const liar = new Liar(server, `127.0.0.1:${own.port}`);
    server.on('connection', client => liar.#relay(client, connect(Number(port), host)));
    return liar;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #relay(client: Socket, servent: Socket): void {
    let sent = 0;
    for (const [one, other] of [
      [client, servent],
      [servent, client],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    client.pipe(servent);
    servent.on('data', bytes => {
      // a lie whenever the stream passes another MiB
      const lie = nextLie(sent) - sent;
      if (lie < bytes.length) bytes.writeUInt8(bytes.readUInt8(lie) ^ 0xff, lie);
      sent += bytes.length;
      if (!client.write(bytes)) servent.pause();
    });
    client.on('drain', () => servent.resume());
  }
}

/** Offset in the stream of the first wrong byte at or after `from`. */
function nextLie(from: number): number {
  return from <= TRUE_BYTES
    ? TRUE_BYTES
    : TRUE_BYTES + Math.ceil((from - TRUE_BYTES) / LIE_EVERY_BYTES) * LIE_EVERY_BYTES;
}
