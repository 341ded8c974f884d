// A source that sends no more than so many bytes a second, on all its connections together: a relay before a quick one. The limit of nginx
// would not do, as it lets the first second of every answer pass at once.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { RelayPipe } from '../../daemon/net/relay-pipe.ts';

/** What may pass at once when nothing has passed for a while. Timers are late by less. */
const BURST_MS = 100;

export class SlowSource {
  readonly port: number;
  readonly #server: Server;
  readonly #pipes = new Set<RelayPipe>();
  readonly #bytesPerMs: number;
  /** When all that has passed should have passed. */
  #due = 0;

  private constructor(server: Server, quickPort: number, bytesPerSecond: number) {
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#bytesPerMs = bytesPerSecond / 1000;
    server.on('connection', socket => {
      const pipe = new RelayPipe(socket, connect({ port: quickPort, host: '127.0.0.1' }), {
        onBytes: bytes => {
          this.#due = Math.max(this.#due, performance.now() - BURST_MS) + bytes / this.#bytesPerMs;
          return true;
        },
        mayPass: () => this.#due <= performance.now(),
        onEnd: () => this.#pipes.delete(pipe),
      });
      this.#pipes.add(pipe);
    });
  }

  static async start(quickPort: number, bytesPerSecond: number): Promise<SlowSource> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SlowSource(server, quickPort, bytesPerSecond);
  }

  stop(): void {
    this.#server.close();
    for (const pipe of [...this.#pipes]) pipe.end();
  }
}
