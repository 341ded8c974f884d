// A SOCKS5 proxy on 127.0.0.1 that notes who asked for what.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

export interface SocksServer {
  readonly port: number;
  /** `USER>HOST:PORT` of each request, in order. */
  readonly asked: string[];
  /** Ports of 127.0.0.1 from which the proxy has connected. */
  readonly from: Set<number>;
}

export interface SocksServerOptions {
  /** Code of the answer instead of a connection. */
  refuse?: number;
  /** Sent in place of any answer; empty: silence. */
  garbage?: Buffer;
  /** Wanted of those that connect; absent: nobody is asked, but may say who it is. */
  user?: { name: string; password: string };
  /** Address of a name; others are refused. */
  names?: Readonly<Record<string, string>>;
}

/** Reads exactly so many bytes at a time, until everything is passed on. */
class Input {
  #held = Buffer.alloc(0);
  #wake = (): void => {};
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#onData);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#held = Buffer.concat([this.#held, chunk]);
    this.#wake();
  };

  async read(bytes: number): Promise<Buffer> {
    while (this.#held.length < bytes)
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    const part = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    return part;
  }

  passTo(onward: Socket): void {
    this.#socket.removeListener('data', this.#onData);
    onward.write(this.#held);
    this.#socket.on('data', chunk => onward.write(chunk));
  }
}

async function serve(socket: Socket, server: SocksServer, options: SocksServerOptions): Promise<void> {
  const { refuse, garbage, user, names = {} } = options;
  const input = new Input(socket);
  const read = (bytes: number) => input.read(bytes);
  const [, methods = 0] = await read(2);
  const offered = await read(methods);
  if (garbage !== undefined) return void (garbage.length > 0 && socket.write(garbage));
  let name = '';
  const byName = offered.includes(2);
  socket.write(Buffer.of(5, byName ? 2 : 0));
  if (byName) {
    const [, length = 0] = await read(2);
    name = (await read(length)).toString();
    const [size = 0] = await read(1);
    const password = (await read(size)).toString();
    const known = user === undefined || (user.name === name && user.password === password);
    socket.write(Buffer.of(1, known ? 0 : 1));
    if (!known) return void socket.end();
  }
  const [, , , kind = 0] = await read(4);
  let host = '';
  if (kind === 1) host = (await read(4)).join('.');
  else if (kind === 3) host = (await read((await read(1))[0] ?? 0)).toString();
  else host = (await read(16)).toString('hex');
  const port = (await read(2)).readUInt16BE(0);
  server.asked.push(`${name}>${host}:${port}`);
  const at = kind === 3 ? names[host] : host;
  const answer = (code: number) => socket.write(Buffer.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0));
  if (refuse !== undefined || at === undefined) {
    answer(refuse ?? 4);
    return void socket.end();
  }
  const onward = connect({ host: at, port });
  onward.on('error', () => socket.destroy());
  onward.once('connect', () => {
    server.from.add(onward.localPort ?? 0);
    answer(0);
    input.passTo(onward);
    onward.on('data', chunk => socket.write(chunk));
  });
  socket.once('close', () => onward.destroy());
  onward.once('close', () => socket.destroy());
}

export async function startSocksServer(t: Test, options: SocksServerOptions = {}): Promise<SocksServer> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, socket => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
    serve(socket, seen, options).catch(() => socket.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const seen: SocksServer = { port: (server.address() as AddressInfo).port, asked: [], from: new Set() };
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return seen;
}
