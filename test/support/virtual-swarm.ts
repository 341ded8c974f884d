// A download on a virtual clock: a planner, its map, and sources that behave as told. No byte is moved.
import { ChunkMap } from '../../protocol/transfer/downloads/chunk-map.ts';
import type { HostLimits } from '../../protocol/transfer/downloads/host-limits.ts';
import { PLAIN_SOURCE } from '../../protocol/transfer/downloads/source.ts';
import { SWARM_LIMITS, type SwarmCommand, type SwarmLimits } from '../../protocol/transfer/downloads/swarm-command.ts';
import { SwarmPlanner } from '../../protocol/transfer/downloads/swarm-planner.ts';
import type { SwarmSource } from '../../protocol/transfer/downloads/swarm-source.ts';
import type { ByteRange, RangeSet } from '../../protocol/transfer/range-set.ts';
import { SeededRandom } from './virtual-network.ts';

export interface Behaviour {
  /** Bytes per second. */
  rate: number;
  /** From a request to the first byte, and for a connect. */
  latencyMs: number;
  /** Null: the whole file. */
  available: RangeSet | null;
  /** Closes after each answer. */
  closes: boolean;
  /** Bytes of one answer at most. */
  answerMax: number;
  /** Answers start so many bytes later than asked, while that is within the range. */
  startsLater: number;
  /** Sends so many bytes of each answer, and then nothing. */
  stallsAfter: number | null;
  /** Every so many-th slice is wrong. */
  liesEvery: number | null;
  /** So many requests are answered with a place in the queue. */
  queuePolls: number;
  /** When it is there. */
  up: readonly ByteRange[];
  /** Named by others only. */
  hearsay: boolean;
  host: string;
}

export const PLAIN: Behaviour = {
  rate: 1 << 20,
  latencyMs: 50,
  available: null,
  closes: false,
  answerMax: Number.MAX_SAFE_INTEGER,
  startsLater: 0,
  stallsAfter: null,
  liesEvery: null,
  queuePolls: 0,
  up: [{ start: 0, end: Number.MAX_SAFE_INTEGER }],
  hearsay: false,
  host: '',
};

export interface Connection {
  readonly source: SwarmSource;
  readonly behaviour: Behaviour;
  /** What comes next, and when. */
  at: number;
  step: 'connect' | 'bytes' | 'poll' | 'silence' | 'idle';
  /** The answer under way. */
  offset: number;
  end: number;
  sent: number;
}

const SLICE_BYTES = 128 << 10;
const SILENCE_MS = 60_000;
const POLL_MS = 46_000;
const PIECE_MS = 500;

export class VirtualSwarm {
  readonly map: ChunkMap;
  readonly planner: SwarmPlanner;
  readonly size: number;
  now = 1000;
  readonly log: { at: number; command: SwarmCommand }[] = [];
  readonly connections = new Map<SwarmSource, Connection>();
  gaveUp = false;
  completedAt: number | null = null;
  /** Bytes that liars made us throw away. */
  wrongBytes = 0;
  /** Hosts charged with wrong bytes, and whether they were or are not any more. */
  readonly charges: [host: string, isCharged: boolean][] = [];
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #polls = new Map<SwarmSource, number>();
  /** Slices of which a byte came since they were looked at. */
  readonly #touched = new Set<number>();
  /** Is called after each step. */
  onStep: () => void = () => {};

  constructor(
    size: number,
    seed: number,
    limits: Partial<SwarmLimits> = {},
    hosts: HostLimits | null = null,
    told = true,
  ) {
    this.size = size;
    this.map = new ChunkMap(told ? size : null);
    this.planner = new SwarmPlanner({
      map: this.map,
      random: new SeededRandom(seed),
      limits: { ...SWARM_LIMITS, ...limits },
      hosts,
      onCharge: ({ endpoint }, isCharged) => this.charges.push([endpoint.host, isCharged]),
    });
    this.planner.trust.sliceBytes = SLICE_BYTES;
  }

  add(name: string, changes: Partial<Behaviour> = {}): SwarmSource | null {
    const behaviour = { ...PLAIN, host: name, ...changes };
    this.#behaviours.set(name, behaviour);
    const source = { ...PLAIN_SOURCE, endpoint: { host: behaviour.host, port: 6346 } };
    if (!this.planner.add(name, source, behaviour.hearsay)) return null;
    return [...this.planner].find(({ key }) => key === name) ?? null;
  }

  behaviourOf({ key }: SwarmSource): Behaviour {
    return this.#behaviours.get(key) ?? PLAIN;
  }

  /** Until the file is there, nothing more can happen, or the time is over. */
  run(untilMs: number, stepsMax = 100_000): void {
    for (let step = 0; step < stepsMax; step++) {
      this.#obey();
      this.onStep();
      if (this.map.allVerified) {
        this.completedAt ??= this.now;
        return;
      }
      const next = this.#nextAt();
      if (next === null || next > untilMs) return;
      this.now = Math.max(this.now, next);
      for (const connection of [...this.connections.values()]) if (connection.at <= this.now) this.#advance(connection);
      this.#verify();
    }
    throw new Error(`${stepsMax} steps were not enough`);
  }

  #nextAt(): number | null {
    let at = this.planner.nextAt(this.now);
    for (const connection of this.connections.values()) at = Math.min(at ?? Number.POSITIVE_INFINITY, connection.at);
    return at === Number.POSITIVE_INFINITY ? null : at;
  }

  #obey(): void {
    for (const command of this.planner.next(this.now)) {
      this.log.push({ at: this.now, command });
      if (command.kind === 'giveUp') this.gaveUp = true;
      else if (command.kind === 'connect') this.#connect(command.source);
      else if (command.kind === 'cut') this.connections.delete(command.source);
      else if (command.kind === 'ask') this.#ask(command.source, command.range);
    }
  }

  #connect(source: SwarmSource): void {
    if (this.connections.has(source)) throw new Error(`${source.key} is connected already`);
    const behaviour = this.behaviourOf(source);
    const at = this.now + behaviour.latencyMs;
    this.connections.set(source, { source, behaviour, at, step: 'connect', offset: 0, end: 0, sent: 0 });
  }

  #ask(source: SwarmSource, range: ByteRange): void {
    const connection = this.connections.get(source);
    if (connection?.step !== 'idle') throw new Error(`${source.key} cannot be asked now`);
    const { behaviour } = connection;
    connection.at = this.now + behaviour.latencyMs;
    connection.step = 'bytes';
    connection.sent = 0;
    connection.end = 0;
    const start =
      range.start + behaviour.startsLater < Math.min(range.end, this.size)
        ? range.start + behaviour.startsLater
        : range.start;
    const part = behaviour.available === null ? range : behaviour.available.at(start);
    connection.offset = start;
    connection.at += Math.min(PIECE_MS, ((range.end - start) * 1000) / behaviour.rate);
    connection.end = part === null ? start : Math.min(this.size, range.end, part.end, start + behaviour.answerMax);
  }

  #isUp({ up }: Behaviour): boolean {
    return up.some(({ start, end }) => start <= this.now && this.now < end);
  }

  #advance(connection: Connection): void {
    const { source, behaviour } = connection;
    if (!this.#isUp(behaviour)) {
      this.connections.delete(source);
      this.planner.onFailed(source, 'is gone', this.now);
      return;
    }
    if (connection.step === 'bytes') this.#answer(connection);
    else if (connection.step === 'silence') {
      this.connections.delete(source);
      this.planner.onFailed(source, 'sent nothing for too long', this.now);
    } else if (connection.step !== 'idle') {
      connection.step = 'idle';
      connection.at = Number.POSITIVE_INFINITY;
      this.planner.onReady(source, this.now);
    }
  }

  #answer(connection: Connection): void {
    const { source, behaviour } = connection;
    const polls = this.#polls.get(source) ?? 0;
    if (connection.sent === 0 && polls < behaviour.queuePolls) {
      this.#polls.set(source, polls + 1);
      connection.step = 'poll';
      connection.at = this.now + POLL_MS;
      const position = behaviour.queuePolls - polls;
      this.planner.onQueued(
        source,
        { position, length: 9, limit: 4, pollMinSeconds: 45, pollMaxSeconds: 120, etaSeconds: null, id: null },
        this.now,
      );
      return;
    }
    if (connection.sent === 0) {
      this.planner.onQueued(source, null, this.now);
      source.available = behaviour.available;
      if (this.map.size === null) this.map.settle(this.size);
    }
    if (connection.offset >= connection.end && connection.sent === 0) {
      this.connections.delete(source);
      this.planner.onUnavailable(source, 'has not got that', null, this.now);
      return;
    }
    const left = behaviour.stallsAfter === null ? Number.MAX_SAFE_INTEGER : behaviour.stallsAfter - connection.sent;
    const piece = Math.max(1, Math.round((behaviour.rate * PIECE_MS) / 1000));
    const end = Math.min(connection.end, connection.offset + Math.min(piece, left));
    const start = connection.offset;
    if (end > start) {
      for (const part of this.planner.onBytes(source, start, end, this.now)) this.#touch(part);
      connection.sent += end - start;
      connection.offset = end;
    }
    if (connection.offset < connection.end) {
      const isSilent = behaviour.stallsAfter !== null && connection.sent >= behaviour.stallsAfter;
      if (isSilent) connection.step = 'silence';
      connection.at =
        this.now + (isSilent ? SILENCE_MS : Math.min(PIECE_MS, ((connection.end - end) * 1000) / behaviour.rate));
      return;
    }
    this.planner.onAnswered(source, this.now);
    if (behaviour.closes) {
      this.connections.delete(source);
      this.planner.onClosing(source, 12_000, this.now);
      return;
    }
    connection.step = 'idle';
    connection.at = Number.POSITIVE_INFINITY;
    this.planner.onReady(source, this.now);
  }

  #touch({ start, end }: ByteRange): void {
    for (let slice = Math.floor(start / SLICE_BYTES); slice * SLICE_BYTES < end; slice++) this.#touched.add(slice);
  }

  /** Verifies the slices that are there; who alone brought a wrong one is dropped. */
  #verify(): void {
    for (const slice of this.#touched) {
      const start = slice * SLICE_BYTES;
      const end = Math.min(this.size, start + SLICE_BYTES);
      if (this.map.gap(start, end, 'missing', 'assigned') !== null) continue;
      this.#touched.delete(slice);
      const brought = this.map.contributions(start, end);
      const isWrong = brought.some(({ source }) => {
        const by = source === null ? null : this.planner.get(source);
        const every = by === null ? null : this.behaviourOf(by).liesEvery;
        return every !== null && slice % every === 0;
      });
      if (!isWrong) {
        this.map.verify(start, end);
        for (const { source } of brought) if (source !== null) this.planner.onRight(source, end - start);
        continue;
      }
      this.map.reject(start, end);
      this.planner.onSpace(start, end);
      for (const { source, bytes } of brought) {
        this.wrongBytes += bytes;
        const by = source === null ? null : this.planner.get(source);
        if (by === null) continue;
        this.planner.onWrong(by.number, bytes);
        if (brought.length > 1) continue;
        this.connections.delete(by);
        this.planner.onCorrupt(by, 'corrupt: wrong bytes', this.now);
      }
    }
  }
}
