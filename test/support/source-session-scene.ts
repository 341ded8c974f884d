// A visit without a socket, a disk or a clock: a source answers from a script, and time passes as the visit waits.

import { PLAIN_SOURCE, type Source } from '../../protocol/transfer/downloads/source.ts';
import type { ExchangeEvent } from '../../protocol/transfer/downloads/source-exchange.ts';
import { type PlannedSource, SourcePlan } from '../../protocol/transfer/downloads/source-plan.ts';
import {
  SourceSession,
  type SourceSessionCommand,
  type SourceSessionJob,
} from '../../protocol/transfer/downloads/source-session.ts';
import { parseRequestHead, type RequestHead } from '../../protocol/transfer/http-head.ts';
import type { MeshLocation } from '../../protocol/transfer/mesh/file-locations.ts';
import type { QueueStatus } from '../../protocol/transfer/queue-status.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import { blockOf } from './captured-http.ts';
import { testIdentity, testMesh } from './shared-files.ts';

/** Milliseconds of silence, bytes, or how the connection ends. */
export type Said = number | Buffer | string | { readonly end: 'ended' | 'broken' };

/** What a source says to the request of that number, from 0. */
export type Answers = (request: RequestHead, number: number) => readonly Said[];

/** Waits are exact: no spread. */
const evenly = { below: () => 200, fill: () => undefined, guid: () => Buffer.alloc(16) };

/** A download in memory. Bytes count as written when a visit flushes. */
export class MemoryDownload implements SourceSessionJob {
  readonly sha1: Buffer | null = null;
  readonly plan = new SourcePlan<Source>(evenly);
  readonly part = { done: RangeSet.of() };
  size: number | null;
  content = Buffer.alloc(0);
  bytes = 0;
  readonly queued: (QueueStatus | null)[] = [];
  readonly alternates: MeshLocation[] = [];
  readonly mesh = testMesh();
  servedBytes = 0;
  #unwritten: [number, number][] = [];

  constructor(size: number | null = null, sha1: Buffer | null = null) {
    this.size = size;
    this.sha1 = sha1;
  }

  onBytes(bytes: number): void {
    this.bytes += bytes;
  }

  onQueued(status: QueueStatus | null): void {
    this.queued.push(status);
  }

  onAlternates(locations: readonly MeshLocation[]): void {
    this.alternates.push(...locations);
  }

  put(offset: number, bytes: Buffer): void {
    const end = offset + bytes.length;
    if (end > this.content.length) this.content = Buffer.concat([this.content], end);
    bytes.copy(this.content, offset);
    this.#unwritten.push([offset, end]);
  }

  flush(): void {
    for (const [start, end] of this.#unwritten) this.part.done.add(start, end);
    this.#unwritten = [];
  }
}

export class SourceSessionScene {
  now = 0;
  readonly planned: PlannedSource<Source>;
  readonly session: SourceSession;
  readonly requests: { at: number; head: RequestHead }[] = [];
  readonly #download: MemoryDownload;
  readonly #answers: Answers;
  #coming: Said[] = [];
  #command: SourceSessionCommand;

  /** `port`: tells the sources of one download apart. */
  constructor(download: MemoryDownload, answers: Answers, port = 6346, room: number | null = null) {
    this.#download = download;
    this.#answers = answers;
    const source: Source = { ...PLAIN_SOURCE, endpoint: { host: '192.0.2.1', port }, index: 1, name: 'x' };
    download.plan.add(String(port), source);
    const planned = [...download.plan].find(each => each.key === String(port));
    if (planned === undefined) throw new Error('the plan has no room');
    this.planned = planned;
    this.session = new SourceSession(planned, download, testIdentity);
    this.#command = this.session.connected(room, this.now);
  }

  get over(): boolean {
    return this.#command.kind === 'close';
  }

  /** Does one command; false when the visit is over. */
  step(): boolean {
    if (this.over) return false;
    this.#command = this.session.next(this.#obey(this.#command), this.now);
    return !this.over;
  }

  /** To the end of the visit, which comes within so many commands. */
  run(commandsMax = 100_000): this {
    for (let i = 0; this.step(); i++) if (i > commandsMax) throw new Error('the session does not end');
    return this;
  }

  #obey(command: SourceSessionCommand): ExchangeEvent {
    switch (command.kind) {
      case 'send': {
        const head = parseRequestHead(blockOf(command.bytes.toString('latin1')));
        this.#coming.push(...this.#answers(head, this.requests.length));
        this.requests.push({ at: this.now, head });
        break;
      }
      case 'read':
        return this.#read(command.silenceMs);
      case 'put':
        this.#download.put(command.offset, command.bytes);
        break;
      case 'flush':
        this.#download.flush();
        break;
      case 'wait':
        this.now += command.ms;
    }
    return { kind: 'done' };
  }

  #read(silenceMs: number): ExchangeEvent {
    for (let waited = 0; ; ) {
      const said = this.#coming.shift() ?? silenceMs;
      if (typeof said === 'number') {
        const ms = Math.min(said, silenceMs - waited);
        this.now += ms;
        waited += ms;
        if (waited >= silenceMs) return { kind: 'silence' };
      } else if (typeof said === 'string') return { kind: 'bytes', bytes: Buffer.from(said, 'latin1') };
      else if (Buffer.isBuffer(said)) return { kind: 'bytes', bytes: said };
      else {
        this.#coming.unshift(said);
        return { kind: said.end };
      }
    }
  }
}
