// A raw HTTP client that says exactly what a test wants said, and reads replies one after another.
import type { Socket } from 'node:net';
import type { Test } from 'tap';
import { SocketReader } from '../../daemon/net/socket-reader.ts';
import { numberOf, parseResponseHead, type ResponseHead } from '../../protocol/transfer/http-head.ts';
import { dial } from './loopback.ts';

export interface HttpReply {
  status: number;
  head: ResponseHead;
  body: Buffer;
}

export class HttpClient {
  readonly socket: Socket;
  readonly #reader: SocketReader;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#reader = new SocketReader(socket);
  }

  static async open(t: Test, port: number): Promise<HttpClient> {
    return new HttpClient(await dial(t, port, true));
  }

  /** Adds Host and the empty line. */
  send(requestLine: string, ...headers: string[]): void {
    this.socket.write(`${[requestLine, 'Host: test', ...headers].join('\r\n')}\r\n\r\n`);
  }

  async ask(requestLine: string, ...headers: string[]): Promise<HttpReply> {
    this.send(requestLine, ...headers);
    return this.reply(!requestLine.startsWith('HEAD '));
  }

  /** With its body, if it has one: by Content-Length, or to the end. */
  async reply(hasBody = true): Promise<HttpReply> {
    const block = await this.#reader.nextHead();
    if (block === null) throw new Error('closed before a reply');
    const head = parseResponseHead(block);
    const length = hasBody ? (numberOf(head.headers.get('Content-Length')) ?? Number.POSITIVE_INFINITY) : 0;
    return { status: head.status, head, body: await this.bytes(length) };
  }

  /** So many bytes, or what comes until the end. */
  async bytes(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let left = length;
    while (left > 0) {
      const chunk = await this.#reader.next();
      if (chunk === null) break;
      parts.push(chunk.subarray(0, Math.min(left, chunk.length)));
      if (chunk.length > left) this.#reader.unread(chunk.subarray(left));
      left -= Math.min(left, chunk.length);
    }
    return Buffer.concat(parts);
  }

  /** True when the server closed and nothing more came. */
  async ended(): Promise<boolean> {
    return (await this.#reader.next()) === null;
  }
}
