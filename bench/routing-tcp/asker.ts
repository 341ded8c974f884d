// A neighbour that asks the servent under test one query after the other and times the hits.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { Type } from '../../protocol/constants.ts';
import { Frame, FrameReader, ReadResult } from '../../protocol/wire/frame-reader.ts';
import { markGuid } from '../../protocol/wire/guid.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { encodeQuery } from '../../protocol/wire/query.ts';
import { shakeHands } from '../process/shake-hands.ts';

const ANSWER_MS_MAX = 2000;

export interface Answers {
  asked: number;
  answered: number;
  p50Ms: number;
  p99Ms: number;
}

export class Asker {
  readonly #socket: Socket;
  readonly #reader = new FrameReader(65_536);
  readonly #frame = new Frame();
  #guid: Buffer = Buffer.alloc(0);
  #onHit: (() => void) | null = null;

  constructor(socket: Socket, rest: Buffer) {
    this.#socket = socket;
    socket.on('data', chunk => this.#onData(chunk));
    if (rest.length > 0) this.#onData(rest);
  }

  static async connect(port: number): Promise<Asker> {
    const { socket, rest } = await shakeHands({ port, from: '127.0.2.1', role: 'ultrapeer', deflate: false });
    return new Asker(socket, rest);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** TTL 1: nobody but the servent answers. A query without a hit in time is not counted as answered. */
  async ask(texts: readonly string[]): Promise<Answers> {
    const took: number[] = [];
    for (const text of texts) {
      this.#guid = markGuid(randomBytes(16));
      const query = encodeDescriptor(this.#guid, Type.Query, 1, 0, encodeQuery({ text }));
      const sentAt = performance.now();
      const answered = await new Promise<boolean>(resolve => {
        const timer = setTimeout(resolve, ANSWER_MS_MAX, false);
        this.#onHit = () => {
          clearTimeout(timer);
          resolve(true);
        };
        this.#socket.write(query);
      });
      if (answered) took.push(performance.now() - sentAt);
    }
    took.sort((a, b) => a - b);
    const quantile = (part: number): number => Number((took[Math.floor(part * took.length)] ?? 0).toFixed(3));
    return { asked: texts.length, answered: took.length, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
  }

  #onData(chunk: Buffer): void {
    this.#reader.push(chunk);
    while (this.#reader.next(this.#frame) === ReadResult.Frame) {
      if (this.#frame.type === Type.QueryHit && this.#frame.guid().equals(this.#guid)) this.#onHit?.();
    }
  }
}
