// A whole download without a socket, a disk or a clock: a swarm, its visits, and sources that answer from scripts. Time passes as they wait.
import { ChunkMap } from '../../protocol/transfer/downloads/chunk-map.ts';
import { PLAIN_SOURCE } from '../../protocol/transfer/downloads/source.ts';
import type { ExchangeEvent } from '../../protocol/transfer/downloads/source-exchange.ts';
import { Swarm } from '../../protocol/transfer/downloads/swarm.ts';
import { SwarmPlanner } from '../../protocol/transfer/downloads/swarm-planner.ts';
import type { SwarmSource } from '../../protocol/transfer/downloads/swarm-source.ts';
import { VISIT_TIMES, type Visit } from '../../protocol/transfer/downloads/visit.ts';
import { parseRequestHead, type RequestHead } from '../../protocol/transfer/http-head.ts';
import { parseRange } from '../../protocol/transfer/range.ts';
import { EventQueue } from '../../sim/event-queue.ts';
import type { Line } from '../../sim/transfer/line.ts';
import { type DownloadEnd, VirtualDownload } from '../../sim/transfer/virtual-download.ts';
import { blockOf } from './captured-http.ts';
import { testIdentity, testMesh } from './shared-files.ts';
import { SeededRandom } from './virtual-network.ts';
import type { Answers, Said } from './visit-scene.ts';

export interface SwarmScenario {
  readonly sha1: Buffer | null;
  readonly root?: Buffer | null;
  /** That the user gave. */
  readonly size?: number | null;
  /** One source each. */
  readonly answers: readonly Answers[];
  /** Where they really are; by default where they are said to be. */
  readonly remotes?: readonly string[];
  /** How long the one thread takes to hash a range. */
  readonly hashMs?: number;
}

export interface SwarmEnd {
  readonly kind: DownloadEnd['kind'] | 'late';
  readonly reason: string | null;
}

const CONNECT_MS = 50;
const DONE: ExchangeEvent = { kind: 'done' };

export class SwarmScene {
  readonly swarm: Swarm;
  readonly requests: { at: number; port: number; head: RequestHead }[] = [];
  readonly #download: VirtualDownload;
  readonly #remotes: readonly string[];
  readonly #answers = new Map<number, Answers>();
  readonly #asked = new Map<number, number>();
  readonly #clock = { ms: 1000 };
  readonly #events = new EventQueue();

  constructor({ sha1, root = null, size = null, answers, remotes = [], hashMs = 0 }: SwarmScenario) {
    const map = new ChunkMap(size);
    this.#remotes = remotes;
    this.swarm = new Swarm({
      ...{ sha1, root, map },
      isSizeGiven: size !== null,
      planner: new SwarmPlanner({ map, random: new SeededRandom(7), hosts: null }),
      mesh: testMesh(),
      identity: testIdentity,
      times: VISIT_TIMES,
    });
    this.#download = new VirtualDownload({
      ...{ clock: this.#clock, events: this.#events, swarm: this.swarm, root, hashMs },
      dial: (visit, opened) => this.#dial(visit, opened),
      onDrop: () => this.drop(),
    });
    for (const each of answers) this.add(each);
  }

  get now(): number {
    return this.#clock.ms;
  }

  get disk(): Buffer {
    return this.#download.disk;
  }

  get resizes(): number {
    return this.#download.resizes;
  }

  add(answers: Answers): void {
    const number = this.#answers.size + 1;
    this.#answers.set(number, answers);
    this.swarm.addSource({ ...PLAIN_SOURCE, endpoint: { host: `192.0.2.${number}`, port: number } });
  }

  /** Bytes of it were wrong. */
  drop(): void {}

  /** Of the source with this number, from 0. */
  source(i: number): SwarmSource {
    const found = [...this.swarm.planner].find(({ source }) => source.endpoint.port === i + 1);
    if (found === undefined) throw new Error(`no source ${i}`);
    return found;
  }

  run(untilMs: number, eventsMax = 200_000): SwarmEnd {
    this.#download.start();
    for (let i = 0; this.#download.end === null; i++) {
      if (i > eventsMax) throw new Error(`${eventsMax} events were not enough`);
      const at = this.#events.nextAt;
      if (at > untilMs) return { kind: 'late', reason: null };
      this.#clock.ms = Math.max(this.now, at);
      this.#events.take()?.();
    }
    return this.#download.end;
  }

  #dial({ source }: Visit, opened: (line: Line) => void): void {
    const { port } = source.source.endpoint;
    const line = new ScriptedLine(
      this.#remotes[port - 1] ?? null,
      request => this.#hear(port, request),
      (ms, run) => this.#later(ms, run),
    );
    this.#later(CONNECT_MS, () => opened(line));
  }

  #later(ms: number, run: () => void): void {
    this.#events.add(this.now + ms, run);
  }

  #hear(port: number, request: Buffer): readonly Said[] {
    const head = parseRequestHead(blockOf(request.toString('latin1')));
    const number = this.#asked.get(port) ?? 0;
    this.#asked.set(port, number + 1);
    this.requests.push({ at: this.now, port, head });
    const answers = this.#answers.get(port);
    if (answers === undefined) throw new Error('nobody is there');
    return answers(head, number);
  }
}

/** The source says what a script has for each request. */
class ScriptedLine implements Line {
  readonly remote: string | null;
  /** What it still says. */
  readonly #coming: Said[] = [];
  readonly #answer: (request: Buffer) => readonly Said[];
  readonly #later: (ms: number, run: () => void) => void;

  constructor(
    remote: string | null,
    answer: (request: Buffer) => readonly Said[],
    later: (ms: number, run: () => void) => void,
  ) {
    this.remote = remote;
    this.#answer = answer;
    this.#later = later;
  }

  send(request: Buffer): void {
    for (const said of this.#answer(request)) this.#coming.push(said);
  }

  read(silenceMs: number, then: (event: ExchangeEvent) => void): void {
    const { ms, event } = this.#comes(silenceMs);
    this.#later(ms, () => then(event));
  }

  rest(ms: number | null, then: (event: ExchangeEvent) => void): void {
    if (ms !== null) this.#later(ms, () => then(DONE));
  }

  close(): void {}

  /** What comes next, and after how long. */
  #comes(silenceMs: number): { ms: number; event: ExchangeEvent } {
    for (let ms = 0; ; ) {
      const said = this.#coming.shift() ?? silenceMs;
      if (typeof said === 'string') return { ms, event: { kind: 'bytes', bytes: Buffer.from(said, 'latin1') } };
      if (Buffer.isBuffer(said)) return { ms, event: { kind: 'bytes', bytes: said } };
      if (typeof said !== 'number') {
        this.#coming.unshift(said);
        return { ms, event: { kind: said.end } };
      }
      ms += said;
      if (ms >= silenceMs) return { ms: silenceMs, event: { kind: 'silence' } };
    }
  }
}

/** Answers with what is asked for, in pieces of so many bytes, each so many milliseconds after the one before. `extra`: more headers. */
export function serving(content: Buffer, pieceBytes = 16 << 10, pieceMs = 100, extra = ''): Answers {
  return head => {
    const range = parseRange(head.headers.get('Range'), content.length);
    if (typeof range === 'string')
      return [`HTTP/1.1 416 No\r\nContent-Range: bytes */${content.length}\r\nContent-Length: 0\r\n\r\n`];
    const { start, end } = range ?? { start: 0, end: content.length };
    const said: Said[] = [
      `HTTP/1.1 206 OK\r\nContent-Range: bytes ${start}-${end - 1}/${content.length}\r\nContent-Length: ${end - start}\r\n${extra}\r\n`,
    ];
    for (let at = start; at < end; at += pieceBytes)
      said.push(pieceMs, content.subarray(at, Math.min(end, at + pieceBytes)));
    return said;
  };
}
