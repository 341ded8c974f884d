// A connection of a leaf to a servent, over which recorded queries are asked and their hits counted.
import type { Socket } from 'node:net';
import { Type } from '../../protocol/constants.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { Handshake, type LocalHello } from '../../protocol/handshake/handshake.ts';
import type { Random } from '../../protocol/ports.ts';
import { parseBye } from '../../protocol/wire/bye.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { Frame, FrameReader, ReadResult } from '../../protocol/wire/frame-reader.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { encodePong, PLAIN_PONG } from '../../protocol/wire/pong.ts';
import { encodeQuery } from '../../protocol/wire/query.ts';
import type { Dialer } from '../net/dialer.ts';
import { ReplayError } from './recorded-queries.ts';

const HANDSHAKE_MS = 10_000;
const PAYLOAD_BYTES_MAX = 65_536;
/** Bytes that wait to be written: more, and queries are left out until the servent reads. */
const WRITABLE_BYTES_MAX = 1 << 20;
const TTL = 4;

export class ReplayLink {
  readonly #socket: Socket;
  readonly #random: Random;
  readonly #reader = new FrameReader(PAYLOAD_BYTES_MAX);
  readonly #frame = new Frame();
  /** Hits by GUID of the query; bounded by the workload. */
  readonly #hits = new Map<string, number>();
  /** Why it ended; null: it is open. */
  ended: string | null = null;
  onEnded: () => void = () => undefined;

  private constructor(socket: Socket, random: Random, rest: Buffer) {
    this.#socket = socket;
    this.#random = random;
    socket.on('data', chunk => this.#receive(chunk));
    socket.once('close', () => this.#end('the servent closed the connection'));
    if (rest.length > 0) this.#receive(rest);
  }

  /** Rejects with ReplayError, DialError. */
  static async open(dialer: Dialer, endpoint: Endpoint, userAgent: string, random: Random): Promise<ReplayLink> {
    const socket = await dialer.dial(endpoint);
    const hello: LocalHello = {
      ...{ userAgent, role: 'leaf', listen: null, guid: random.guid(), degree: 32, maxTtl: TTL, deflate: false },
      ...{ features: [], liveSince: null, guess: null, locale: null },
    };
    const handshake = new Handshake({
      ...{ direction: 'out', local: hello, remoteAddress: endpoint.host },
      admit: ({ role }) => ({ kind: 'accept', peerRole: role, ourRole: 'leaf', ultrapeerNeeded: null }),
      tryUltrapeers: () => [],
      crawl: () => null,
    });
    const rest = await shake(socket, handshake, formatEndpoint(endpoint));
    return new ReplayLink(socket, random, rest);
  }

  /** False when it cannot be sent. */
  ask(text: string): boolean {
    if (this.ended !== null || this.#socket.writableLength > WRITABLE_BYTES_MAX) return false;
    const guid = this.#random.guid();
    this.#hits.set(guid.toString('hex'), 0);
    this.#socket.write(encodeDescriptor(guid, Type.Query, TTL, 0, encodeQuery({ text })));
    return true;
  }

  get answered(): number {
    return [...this.#hits.values()].filter(hits => hits > 0).length;
  }

  /** Files in all hits. */
  get files(): number {
    return [...this.#hits.values()].reduce((sum, hits) => sum + hits, 0);
  }

  close(): void {
    this.#end('closed');
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #end(why: string): void {
    if (this.ended !== null) return;
    this.ended = why;
    this.onEnded();
  }

  #receive(chunk: Buffer): void {
    this.#reader.push(chunk);
    for (;;) {
      const result = this.#reader.next(this.#frame);
      if (result === ReadResult.Wait) return;
      if (result === ReadResult.TooLong) {
        this.#end('it sent a descriptor that is too long');
        this.#socket.destroy();
        return;
      }
      this.#take(this.#frame);
    }
  }

  #take(frame: Frame): void {
    switch (frame.type) {
      case Type.Ping:
        // one that is alone on the way asks whether we live
        if (frame.ttl <= 1) this.#pong(Buffer.from(frame.guid()));
        return;
      case Type.QueryHit: {
        const key = frame.guid().toString('hex');
        const hits = this.#hits.get(key);
        if (hits !== undefined) this.#hits.set(key, hits + (frame.payload()[0] ?? 0));
        return;
      }
      case Type.Bye:
        this.#end(`the servent said goodbye: ${byeText(frame.payload())}`);
        return;
    }
  }

  #pong(guid: Buffer): void {
    const { localAddress = '127.0.0.1', localPort = 0 } = this.#socket;
    const endpoint = { host: localAddress, port: localPort };
    const payload = encodePong({ ...PLAIN_PONG, endpoint, files: 0, kibibytes: 0, ultrapeer: false });
    this.#socket.write(encodeDescriptor(guid, Type.Pong, 1, 0, payload));
  }
}

function byeText(payload: Buffer): string {
  try {
    const { code, text } = parseBye(payload);
    return `${code} ${text}`;
  } catch (error) {
    if (error instanceof ProtocolError) return 'in words that cannot be read';
    throw error;
  }
}

/** Resolves with the bytes after the handshake. */
function shake(socket: Socket, handshake: Handshake, address: string): Promise<Buffer> {
  return new Promise((accepted, failed) => {
    const timer = setTimeout(() => fail('did not answer in time'), HANDSHAKE_MS);
    const settle = (): void => {
      clearTimeout(timer);
      socket.removeListener('data', onData);
      socket.removeListener('close', onClose);
    };
    const fail = (why: string): void => {
      settle();
      socket.destroy();
      failed(new ReplayError(`${address} ${why}: name an ultrapeer that takes leaves, with --to HOST:PORT`));
    };
    const onClose = (): void => fail('closed the connection during the handshake');
    const step = (): void => {
      const bytes = handshake.take();
      if (bytes.length > 0) socket.write(bytes);
      const { outcome } = handshake;
      if (outcome === null) return;
      if (outcome.kind === 'accepted') {
        settle();
        accepted(outcome.rest);
      } else fail(outcome.kind === 'refused' ? `refused: ${outcome.code} ${outcome.text}` : 'is crawled');
    };
    const onData = (chunk: Buffer): void => {
      handshake.feed(chunk);
      step();
    };
    socket.on('data', onData);
    socket.once('close', onClose);
    step();
  });
}
