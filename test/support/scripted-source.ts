// A source for downloads whose every answer a test decides: it reads requests and leaves the rest to a script.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import { SocketReader } from '../../daemon/net/socket-reader.ts';
import { PLAIN_SOURCE, type Source } from '../../protocol/transfer/downloads/source.ts';
import { parseRequestHead, type RequestHead } from '../../protocol/transfer/http-head.ts';
import { parseRange } from '../../protocol/transfer/range.ts';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';

export interface Asked {
  head: RequestHead;
  socket: Socket;
  /** Of the whole source, from 0. */
  number: number;
  /** Of the connection, from 0. */
  connection: number;
}

/** Answers by writing to the socket; false closes it. */
export type Script = (asked: Asked) => Promise<boolean> | boolean;

export class ScriptedSource {
  readonly source: Source;
  readonly requests: RequestHead[] = [];
  connections = 0;

  private constructor(port: number) {
    this.source = { ...PLAIN_SOURCE, endpoint: { host: '127.0.0.1', port }, index: 1, name: 'x' };
  }

  static async open(t: Test, script: Script): Promise<ScriptedSource> {
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true });
    await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
    const scripted = new ScriptedSource((server.address() as AddressInfo).port);
    server.on('connection', socket => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
      scripted.#serve(socket, script).catch((error: Error) => {
        socket.destroy();
        t.error(error);
      });
    });
    t.teardown(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return scripted;
  }

  async #serve(socket: Socket, script: Script): Promise<void> {
    const connection = this.connections++;
    const reader = new SocketReader(socket);
    for (;;) {
      const block = await reader.nextHead();
      if (block === null) break;
      const head = parseRequestHead(block);
      this.requests.push(head);
      if (!(await script({ head, socket, number: this.requests.length - 1, connection }))) break;
    }
    socket.end();
  }
}

/** What a request for a range of `size` bytes asks for. */
export function rangeOf({ head }: Asked, size: number): ByteRange {
  const range = parseRange(head.headers.get('Range'), size);
  if (typeof range === 'string') throw new Error(range);
  return range ?? { start: 0, end: size };
}

/** A 206 as any servent would send it. */
export function partial(content: Buffer, { start, end }: ByteRange, extra = ''): Buffer {
  return Buffer.concat([
    Buffer.from(
      `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes ${start}-${end - 1}/${content.length}\r\nContent-Length: ${end - start}\r\n${extra}\r\n`,
    ),
    content.subarray(start, end),
  ]);
}

/** Serves the content as asked. */
export function honest(content: Buffer): Script {
  return asked => asked.socket.write(partial(content, rangeOf(asked, content.length))) || true;
}

/** Writes in pieces whose lengths `next` gives, each of which goes out by itself. */
export async function drip(socket: Socket, bytes: Buffer, next: () => number): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; ) {
    const length = Math.max(1, next());
    await new Promise<void>(written => socket.write(bytes.subarray(at, at + length), () => written()));
    await new Promise(turn => setImmediate(turn));
    at += length;
  }
}
