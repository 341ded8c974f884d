// One client's claim to a slot, known by a queue id. It may ask for any file: a slot is not a file.
import type { Endpoint } from '../../../wire/endpoint.ts';
import type { AddressLoad } from './address-load.ts';
import { EarlyPolls } from './early-polls.ts';

/** What the client knows of queues: nothing, X-Queue on its connection, or PARQ with ids that outlive connections. */
export type QueueLevel = 'none' | 'active' | 'parq';

export interface AskedFile {
  /** The same for the same content. */
  readonly key: string;
  readonly name: string;
  readonly size: number;
}

/**
 * `waiting`: in a lane. `sending`: a body is going out. `resting`: it has a slot between two requests. `guarded`: it has a slot and lost
 * its connection. `dead`: it missed its time; only its id is remembered.
 */
export type EntryState = 'waiting' | 'sending' | 'resting' | 'guarded' | 'dead';

/** Where a waiting entry stands in its lane. */
export interface Standing {
  /** From 1, among those that are not frozen. */
  readonly position: number;
  readonly length: number;
  /** Size of the files of those before it. */
  readonly bytesAhead: number;
  /** It does not compete: its address has its share of the slots, or it let its turn pass. */
  readonly frozen: boolean;
  /** A free slot is kept for it. */
  readonly next: boolean;
}

/** The slots that an entry waits for or has one of. */
export interface EntryPool {
  /** Of its group; empty: the common one. */
  readonly name: string;
  readonly slots: number;
  readonly free: number;
  classOf(entry: QueueEntry): number;
  insert(entry: QueueEntry): void;
  remove(entry: QueueEntry): void;
  want(entry: QueueEntry, file: AskedFile): void;
  passOver(entry: QueueEntry, passedOver: boolean): void;
  hold(entry: QueueEntry): void;
  release(entry: QueueEntry): void;
  standingOf(entry: QueueEntry): Standing;
}

export class QueueEntry {
  /** 32 hex digits. */
  readonly id: string;
  readonly load: AddressLoad;
  readonly level: QueueLevel;
  readonly agent: string | null;
  /** Among entries of the same rank, the earlier one is first. */
  readonly number: number;
  readonly early = new EarlyPolls();
  file: AskedFile;
  /** Where its client listens. */
  node: Endpoint | null = null;
  pool: EntryPool;
  state: EntryState = 'dead';
  connection: number | null = null;
  enteredAt: number;
  /** Its lane is ordered by this. */
  rank: number;
  /** End of the present state; while sending there is none. */
  until = Number.POSITIVE_INFINITY;
  /** Earliest next request. */
  retryAt = Number.NEGATIVE_INFINITY;
  /** The range asked for last goes to the end of the file. */
  asksEnd = false;
  /** The body sent last did not go out whole. */
  broken = false;
  brokenAt = Number.NEGATIVE_INFINITY;
  /** Since when a free slot is kept for it. */
  offeredAt: number | null = null;
  /** It let its turn pass: others go first until it asks again. */
  passedOver = false;
  /** In the last look through its lane: the turn of its address, -1 when it is frozen, and its standing. */
  turn = -1;
  position = 0;
  bytesAhead = 0;
  /** Calls to its client so far, and those in a row that no request followed. */
  calls = 0;
  callRefusals = 0;
  callAt = Number.NEGATIVE_INFINITY;

  constructor(
    given: Pick<QueueEntry, 'id' | 'load' | 'level' | 'agent' | 'number' | 'file' | 'pool'>,
    enteredAt: number,
  ) {
    this.id = given.id;
    this.load = given.load;
    this.level = given.level;
    this.agent = given.agent;
    this.number = given.number;
    this.file = given.file;
    this.pool = given.pool;
    this.enteredAt = enteredAt;
    this.rank = enteredAt;
  }

  comesAfter({ rank, number }: QueueEntry): boolean {
    return this.rank > rank || (this.rank === rank && this.number > number);
  }

  get holds(): boolean {
    return this.state === 'sending' || this.state === 'resting' || this.state === 'guarded';
  }
}
