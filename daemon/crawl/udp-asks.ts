// Asks hosts for their neighbours by UDP: a crawler ping and a ping for hosts, which share a GUID.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Outcome } from '../../protocol/crawl/crawl.ts';
import { crawlerPing, type HostAnswer, hostsPing, joined, readDatagram } from '../../protocol/crawl/host-answer.ts';
import type { Random } from '../../protocol/ports.ts';
import { type Endpoint, isIpv6 } from '../../protocol/wire/endpoint.ts';

const ANSWER_MS = 5_000;
/** After the list, for the pong that may be behind it. */
const PONG_MS = 250;

interface Waiting {
  readonly endpoint: Endpoint;
  list: HostAnswer | null;
  pong: HostAnswer | null;
  readonly settle: () => void;
  readonly soon: () => void;
}

export class UdpAsks {
  readonly #socket: Socket;
  readonly #random: Random;
  readonly #answerMs: number;
  /** By GUID; bounded by the questions under way. */
  readonly #waiting = new Map<string, Waiting>();

  private constructor(socket: Socket, random: Random, answerMs: number) {
    this.#socket = socket;
    this.#random = random;
    this.#answerMs = answerMs;
    socket.on('error', () => undefined); // an unreachable host shows as silence
    socket.on('message', (bytes, from) => this.#receive(bytes, from));
  }

  /** `host`: the local address; null: the system chooses. IPv4 alone, since LIME/6 names nothing else. */
  static async open(host: string | null, random: Random, answerMs = ANSWER_MS): Promise<UdpAsks> {
    const socket = createSocket('udp4');
    socket.bind(0, host ?? '0.0.0.0');
    await once(socket, 'listening');
    return new UdpAsks(socket, random, answerMs);
  }

  /** Never rejects. */
  async ask(endpoint: Endpoint, signal: AbortSignal): Promise<Outcome> {
    if (isIpv6(endpoint.host)) return { kind: 'silent', why: 'crawler pings by UDP know IPv4 alone' };
    const guid = this.#random.guid();
    const key = guid.toString('hex');
    const waiting = await new Promise<Waiting>(resolve => {
      let timer: NodeJS.Timeout;
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', settle);
        this.#waiting.delete(key);
        resolve(question);
      };
      const soon = (): void => {
        clearTimeout(timer);
        timer = setTimeout(settle, PONG_MS);
      };
      const question: Waiting = { endpoint, list: null, pong: null, settle, soon };
      timer = setTimeout(settle, this.#answerMs);
      signal.addEventListener('abort', settle, { once: true });
      this.#waiting.set(key, question);
      for (const bytes of [crawlerPing(guid), hostsPing(guid)]) this.#socket.send(bytes, endpoint.port, endpoint.host);
    });
    const { list, pong } = waiting;
    if (list !== null) return { kind: 'answered', answer: joined(list, pong) };
    if (pong === null) return { kind: 'silent', why: 'no answer in time' };
    const why = 'it answers pings, but no crawler pings';
    return { kind: 'refused', why, optsOut: false, isFinal: false, others: pong.others };
  }

  close(): void {
    for (const { settle } of this.#waiting.values()) settle();
    this.#socket.close();
  }

  #receive(bytes: Buffer, { address, port }: RemoteInfo): void {
    const read = readDatagram(bytes);
    const waiting = read === null ? undefined : this.#waiting.get(read.guid);
    if (read === null || waiting === undefined) return;
    // who answers for another is not believed
    if (waiting.endpoint.host !== address || waiting.endpoint.port !== port) return;
    if (read.isList) waiting.list ??= read.answer;
    else waiting.pong ??= read.answer;
    if (waiting.list !== null && waiting.pong !== null) waiting.settle();
    else if (waiting.list !== null) waiting.soon();
  }
}
