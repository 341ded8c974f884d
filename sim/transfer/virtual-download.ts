// The shell of one download on a virtual clock: its disk is memory, its threads hash at once or after a time, and it verifies the whole
// file as the daemon does.
import { createHash } from 'node:crypto';
import { TigerTreeHasher } from '../../protocol/digest/tiger-tree-hasher.ts';
import type { SourceOffer } from '../../protocol/transfer/downloads/hit-sources.ts';
import type { ExchangeEvent } from '../../protocol/transfer/downloads/source-exchange.ts';
import type { Swarm, SwarmRest, SwarmShell } from '../../protocol/transfer/downloads/swarm.ts';
import type { HashOrder } from '../../protocol/transfer/downloads/verification.ts';
import type { Visit, VisitCommand } from '../../protocol/transfer/downloads/visit.ts';
import type { EventQueue } from '../event-queue.ts';
import type { Dial, Line } from './line.ts';

export interface VirtualDownloadParts {
  readonly clock: { readonly ms: number };
  readonly events: EventQueue;
  readonly swarm: Swarm;
  /** Root of the hash tree that the whole file must have too; null: its SHA-1 is enough. */
  readonly root?: Buffer | null;
  readonly dial: Dial;
  /** How long the one thread takes to hash a range. */
  readonly hashMs?: number;
  /** Bytes were wrong. */
  readonly onDrop?: () => void;
  readonly onEnd?: (end: DownloadEnd) => void;
}

export interface DownloadEnd {
  /** `stopped`: from outside. */
  readonly kind: 'complete' | 'failed' | 'stopped';
  readonly reason: string | null;
}

interface Connection {
  /** Null while it is made. */
  line: Line | null;
  /** Of the command under way: what a command before it brings does not count. */
  command: number;
  isReady: boolean;
}

const DONE: ExchangeEvent = { kind: 'done' };

export class VirtualDownload implements SwarmShell {
  readonly swarm: Swarm;
  /** What was written, as far as the file goes. */
  disk: Buffer = Buffer.alloc(0);
  /** Where the bytes that were written end: beyond all that came. */
  writtenEnd = 0;
  readonly names: string[] = [];
  /** How often another size was believed. */
  resizes = 0;
  /** Null while it goes on. */
  end: DownloadEnd | null = null;
  /** It goes on then; null: it does not wait. */
  waitsUntil: number | null = null;
  readonly #parts: VirtualDownloadParts;
  readonly #connections = new Map<Visit, Connection>();
  #hashingUntil = 0;
  /** When the next tick is due. */
  #dueAt = Number.POSITIVE_INFINITY;
  #isRunning = false;

  constructor(parts: VirtualDownloadParts) {
    this.#parts = parts;
    this.swarm = parts.swarm;
  }

  get #now(): number {
    return this.#parts.clock.ms;
  }

  start(): void {
    this.#isRunning = true;
    this.end = null;
    this.waitsUntil = null;
    this.swarm.start(this);
    this.#tick();
  }

  /** What a hit says: one that had failed goes on with a new source. */
  offer(offer: SourceOffer): void {
    if (this.swarm.offer(offer) && this.end?.kind === 'failed') this.start();
  }

  /** Idempotent. */
  stop(reason: string): void {
    if (this.end !== null) return;
    this.#halt();
    this.#endWith({ kind: 'stopped', reason });
  }

  // --- SwarmShell

  visit(visit: Visit): void {
    const connection: Connection = { line: null, command: 0, isReady: false };
    this.#connections.set(visit, connection);
    this.#parts.dial(visit, line => {
      if (this.#connections.get(visit) !== connection) line?.close();
      else if (line === null) {
        visit.unreachable('nobody answers', this.#now);
        this.close(visit);
      } else {
        connection.line = line;
        this.#obey(visit, line, connection, visit.connected(null, line.remote, this.#now));
      }
    });
  }

  resume(visit: Visit): void {
    const connection = this.#connections.get(visit);
    if (connection?.isReady !== true) return;
    connection.isReady = false;
    this.#later(0, visit, connection);
  }

  close(visit: Visit): void {
    const connection = this.#connections.get(visit);
    if (connection === undefined) return;
    this.#connections.delete(visit);
    connection.line?.close();
    visit.stop();
    this.swarm.onOver(visit);
  }

  write(offset: number, bytes: Buffer): boolean {
    const end = offset + bytes.length;
    if (end > this.disk.length) this.disk = Buffer.concat([this.disk], Math.max(end, 2 * this.disk.length));
    bytes.copy(this.disk, offset);
    this.writtenEnd = Math.max(this.writtenEnd, end);
    this.#parts.events.add(this.#now, () => this.swarm.onWritten(offset, end));
    return true;
  }

  hash(order: HashOrder): void {
    const { kind, range } = order;
    this.#hashingUntil = Math.max(this.#hashingUntil, this.#now) + (this.#parts.hashMs ?? 0);
    this.#parts.events.add(this.#hashingUntil, () => {
      const bytes = this.disk.subarray(range.start, range.end);
      if (this.#isRunning) this.swarm.onHashed(order, kind === 'sha1' ? sha1Of(bytes) : rootOf(bytes), this.#now);
    });
  }

  drop(): void {
    this.#parts.onDrop?.();
  }

  onNamed(name: string): void {
    this.names.push(name);
  }

  search(): void {}

  onRemoteQueue(): void {}

  wake(): void {
    this.#tickAt(this.#now);
  }

  /** Whether what was written is the file; else the swarm is told. */
  isRight(): boolean {
    const { sha1, verification } = this.swarm;
    const { root = null } = this.#parts;
    const fits = sha1 === null || sha1Of(this.disk).equals(sha1);
    if (fits && (root === null || rootOf(this.disk).equals(root))) {
      verification.onRightFile(
        verification.disputed.map(({ start, end }) => sha1Of(this.disk.subarray(start, end))),
        this.#now,
      );
      return true;
    }
    if (verification.onWrongFile(this.#now) === 'startedOver') this.swarm.onWrongFile(this.#now);
    return false;
  }

  /** A tick is due then, unless one is due earlier. */
  #tickAt(at: number): void {
    if (!this.#isRunning || at >= this.#dueAt) return;
    this.#dueAt = at;
    this.#parts.events.add(at, () => at === this.#dueAt && this.#tick());
  }

  #tick(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    if (!this.#isRunning) return;
    const rest = this.swarm.tick(this.#now);
    if (rest !== null) {
      this.#rest(rest);
      return;
    }
    const at = this.swarm.nextAt(this.#now);
    if (at !== null) this.#tickAt(Math.max(at, this.#now));
  }

  #rest(rest: SwarmRest): void {
    this.#halt();
    // first what is still to be written
    this.#parts.events.add(this.#now, () => {
      if (this.end === null) this.#goOn(rest);
    });
  }

  #halt(): void {
    this.#isRunning = false;
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.swarm.stop(this.#now);
    for (const visit of [...this.#connections.keys()]) this.close(visit);
  }

  #goOn(rest: SwarmRest): void {
    switch (rest.kind) {
      case 'failed':
        this.#endWith({ kind: 'failed', reason: rest.reason });
        break;
      case 'waiting':
        this.#wait(rest.until);
        break;
      case 'resize':
        this.resizes++;
        this.swarm.resize(this.#now);
        this.start();
        break;
      case 'complete':
        this.disk = Buffer.from(this.disk.subarray(0, this.swarm.size ?? 0));
        if (this.isRight()) this.#endWith({ kind: 'complete', reason: null });
        else this.start();
    }
  }

  #wait(until: number | null): void {
    this.waitsUntil = until;
    if (until === null) this.#endWith({ kind: 'failed', reason: 'waits for a source' });
    else
      this.#parts.events.add(until, () => {
        if (this.end === null && !this.#isRunning) this.start();
      });
  }

  #endWith(end: DownloadEnd): void {
    this.end = end;
    this.#parts.onEnd?.(end);
  }

  #later(ms: number, visit: Visit, connection: Connection): void {
    const then = this.#after(visit, connection);
    this.#parts.events.add(this.#now + ms, () => then(DONE));
  }

  /** Tells the visit how its present command went, unless it was given another one, or is over. */
  #after(visit: Visit, connection: Connection): (event: ExchangeEvent) => void {
    const command = ++connection.command;
    return event => {
      const { line } = connection;
      if (this.#connections.get(visit) !== connection || connection.command !== command || line === null) return;
      this.#obey(visit, line, connection, visit.next(event, this.#now));
    };
  }

  #obey(visit: Visit, line: Line, connection: Connection, command: VisitCommand): void {
    connection.isReady = command.kind === 'ready';
    switch (command.kind) {
      case 'close':
        this.close(visit);
        break;
      case 'send':
        line.send(command.bytes);
        this.#later(0, visit, connection);
        break;
      case 'read':
        line.read(command.silenceMs, this.#after(visit, connection));
        break;
      case 'wait':
        line.rest(command.ms, this.#after(visit, connection));
        break;
      case 'ready':
        line.rest(null, this.#after(visit, connection));
        break;
      case 'room':
        this.#later(0, visit, connection);
    }
  }
}

const sha1Of = (bytes: Buffer): Buffer => createHash('sha1').update(bytes).digest();
const rootOf = (bytes: Buffer): Buffer => new TigerTreeHasher().update(bytes).finish().root;
