// A visit without a socket, a disk or a clock: a source answers from a script, and time passes as the visit waits.
import { ChunkMap } from '../../protocol/transfer/downloads/chunk-map.ts';
import { PLAIN_SOURCE, type Source } from '../../protocol/transfer/downloads/source.ts';
import type { ExchangeEvent } from '../../protocol/transfer/downloads/source-exchange.ts';
import { SwarmPlanner } from '../../protocol/transfer/downloads/swarm-planner.ts';
import type { SwarmSource } from '../../protocol/transfer/downloads/swarm-source.ts';
import { Visit, type VisitCommand, type VisitJob } from '../../protocol/transfer/downloads/visit.ts';
import { parseRequestHead, type RequestHead } from '../../protocol/transfer/http-head.ts';
import type { MeshLocation } from '../../protocol/transfer/mesh/file-locations.ts';
import type { QueueStatus } from '../../protocol/transfer/queue-status.ts';
import { blockOf } from './captured-http.ts';
import { testIdentity, testMesh } from './shared-files.ts';

/** Milliseconds of silence, bytes, or how the connection ends. */
export type Said = number | Buffer | string | { readonly end: 'ended' | 'broken' };

/** What a source says to the request of that number, from 0. */
export type Answers = (request: RequestHead, number: number) => readonly Said[];

/** Waits are exact: no spread. */
const evenly = { below: () => 200, fill: () => undefined, guid: () => Buffer.alloc(16) };

/** A download in memory, whose planner orders. */
export class MemoryDownload implements VisitJob {
  readonly sha1: Buffer | null;
  readonly map: ChunkMap;
  readonly planner: SwarmPlanner;
  readonly mesh = testMesh();
  content = Buffer.alloc(0);
  servedBytes = 0;
  readonly isSizeGiven: boolean;
  readonly queued: (number | null)[] = [];
  readonly alternates: MeshLocation[] = [];
  readonly names: string[] = [];
  readonly offers: string[] = [];
  readonly trees: (Buffer | 'none' | 'not now')[] = [];
  /** A tree that is asked for first. */
  treeTarget: string | null = null;

  constructor(size: number | null = null, sha1: Buffer | null = null) {
    this.sha1 = sha1;
    this.isSizeGiven = size !== null;
    this.map = new ChunkMap(size);
    this.planner = new SwarmPlanner({ map: this.map, random: evenly, hosts: null });
  }

  get size(): number | null {
    return this.map.size;
  }

  get doneBytes(): number {
    return this.map.bytes('received');
  }

  /** A source that the planner has connected to. */
  source(source: Source): SwarmSource {
    const key = String(source.endpoint.port);
    this.planner.add(key, source);
    const found = [...this.planner].find(each => each.key === key);
    if (found === undefined) throw new Error('no room for a source');
    if (found.state === 'waiting') this.planner.reset();
    this.planner.next(0);
    if (found.state !== 'connecting') throw new Error(`it is ${found.state}`);
    return found;
  }

  onReady(visit: Visit, now: number): void {
    if (this.treeTarget !== null) visit.order({ kind: 'tree', target: this.treeTarget });
    else {
      this.planner.onReady(visit.source, now);
      for (const command of this.planner.next(now))
        if (command.kind === 'ask' && command.source === visit.source)
          visit.order({ kind: 'range', range: command.range });
    }
    this.treeTarget = null;
  }

  onSize(_visit: Visit, size: number): void {
    if (this.map.size === null) this.map.settle(size);
  }

  onBytes(visit: Visit, offset: number, bytes: Buffer, now: number): boolean {
    for (const { start, end } of this.planner.onBytes(visit.source, offset, offset + bytes.length, now)) {
      if (end > this.content.length) this.content = Buffer.concat([this.content], end);
      bytes.copy(this.content, start, start - offset, end - offset);
    }
    return true;
  }

  onQueued(visit: Visit, status: QueueStatus | null, now: number): void {
    this.queued.push(status?.position ?? null);
    this.planner.onQueued(visit.source, status, now);
  }

  onAlternates(locations: readonly MeshLocation[]): void {
    this.alternates.push(...locations);
  }

  onNamed(name: string): void {
    this.names.push(name);
  }

  onTreeOffer(_visit: Visit, thexUri: string): void {
    this.offers.push(thexUri);
  }

  onTree(_visit: Visit, thex: Buffer): void {
    this.trees.push(thex);
  }

  onNoTree(_visit: Visit, isFinal: boolean): void {
    this.trees.push(isFinal ? 'none' : 'not now');
  }
}

export class VisitScene {
  now = 0;
  readonly source: SwarmSource;
  readonly visit: Visit;
  readonly requests: { at: number; head: RequestHead }[] = [];
  readonly #answers: Answers;
  #coming: Said[] = [];
  #command: VisitCommand;

  /** `port`: tells the sources of one download apart. */
  constructor(download: MemoryDownload, answers: Answers, port = 6346, room: number | null = null) {
    this.#answers = answers;
    this.source = download.source({ ...PLAIN_SOURCE, endpoint: { host: '192.0.2.1', port }, index: 1, name: 'x' });
    this.visit = new Visit(this.source, download, testIdentity);
    this.#command = this.visit.connected(room, null, this.now);
  }

  get command(): VisitCommand['kind'] {
    return this.#command.kind;
  }

  get #rests(): boolean {
    return this.command === 'close' || this.command === 'ready';
  }

  /** Does one command; false when the visit is over, or waits for an order. */
  step(): boolean {
    if (this.#rests) return false;
    this.#command = this.visit.next(this.#obey(this.#command), this.now);
    return !this.#rests;
  }

  /** Until the visit is over or waits for an order, which comes within so many commands. */
  run(commandsMax = 100_000): this {
    for (let i = 0; this.step(); i++) if (i > commandsMax) throw new Error('the visit does not end');
    return this;
  }

  /** The source closes the connection while nothing is asked of it. */
  closed(): this {
    this.#command = this.visit.next({ kind: 'ended' }, this.now);
    return this;
  }

  #obey(command: VisitCommand): ExchangeEvent {
    switch (command.kind) {
      case 'send': {
        const head = parseRequestHead(blockOf(command.bytes.toString('latin1')));
        this.#coming.push(...this.#answers(head, this.requests.length));
        this.requests.push({ at: this.now, head });
        break;
      }
      case 'read':
        return this.#read(command.silenceMs);
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
