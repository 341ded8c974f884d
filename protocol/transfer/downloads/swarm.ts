// The machine of one download while it runs: does what its planner decides, visits sources, and gives the bytes that they bring to the
// shell, each byte once.
import type { MeshLocation } from '../mesh/file-locations.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { QueueStatus } from '../queue-status.ts';
import { RangeSet } from '../range-set.ts';
import type { TransferIdentity } from '../transfer-identity.ts';
import type { ChunkMap } from './chunk-map.ts';
import type { SourceOffer } from './hit-sources.ts';
import { SizeVotes } from './size-votes.ts';
import { keyOf, type Source } from './source.ts';
import { sourceAt } from './source-locations.ts';
import { otherFileReason } from './source-reply.ts';
import { SwarmBlame, voterOf } from './swarm-blame.ts';
import type { SwarmCommand } from './swarm-command.ts';
import type { SwarmPlanner } from './swarm-planner.ts';
import type { SwarmSource } from './swarm-source.ts';
import type { TreeGiver } from './tree-quest.ts';
import { type HashOrder, Verification, type VerificationShell } from './verification.ts';
import { Visit, type VisitJob, type VisitTimes } from './visit.ts';

/** What it needs of the world while it runs. */
export interface SwarmShell extends VerificationShell {
  /** Connect to the source of the visit and carry out its commands, until it is over; then call `onOver`. */
  visit(visit: Visit): void;
  /** The visit has an order: its command `ready` is done. */
  resume(visit: Visit): void;
  /** Close the connection of the visit, which is over. */
  close(visit: Visit): void;
  /** Keep these bytes, which are a view. False: no room for more now. */
  write(offset: number, bytes: Buffer): boolean;
  /** What a source calls the file: a safe name. */
  onNamed(name: string): void;
  /** Look for more sources. */
  search(): void;
  /** Call `tick` soon, from the event loop. */
  wake(): void;
  /** Every source that is connected lets us wait in its queue, or not any more. */
  onRemoteQueue(isWaiting: boolean): void;
}

/** Why nothing more can be done now. `waiting`: until the time given, or, when it is null, for a new source. */
export type SwarmRest =
  | { readonly kind: 'complete' }
  /** Another size is believed: to be followed by `resize`, once all bytes are written. */
  | { readonly kind: 'resize' }
  | { readonly kind: 'waiting'; readonly until: number | null }
  | { readonly kind: 'failed'; readonly reason: string };

export interface SwarmParts {
  readonly sha1: Buffer | null;
  /** Root of the hash tree, where the user gave it. */
  readonly root: Buffer | null;
  /** The user gave the size that the map has. */
  readonly isSizeGiven: boolean;
  readonly map: ChunkMap;
  readonly planner: SwarmPlanner;
  readonly mesh: Mesh;
  readonly identity: TransferIdentity;
  readonly times: VisitTimes;
}

/** Another is asked for a second opinion when the first does not answer for so long. */
const SECOND_WAIT_MS = 60_000;

export class Swarm implements VisitJob {
  readonly sha1: Buffer | null;
  readonly map: ChunkMap;
  readonly planner: SwarmPlanner;
  readonly mesh: Mesh;
  readonly verification: Verification;
  readonly #sizes: SizeVotes;
  readonly #identity: TransferIdentity;
  readonly #times: VisitTimes;
  readonly #visits = new Map<SwarmSource, Visit>();
  /** Null: it does not run. */
  #shell: SwarmShell | null = null;
  #failure: string | null = null;
  #isInRemoteQueue = false;

  constructor({ sha1, root, isSizeGiven, map, planner, mesh, identity, times }: SwarmParts) {
    this.sha1 = sha1;
    this.map = map;
    this.planner = planner;
    this.mesh = mesh;
    this.#identity = identity;
    this.#times = times;
    this.#sizes = new SizeVotes(map.size, isSizeGiven);
    const blame = new SwarmBlame(planner, source => this.#leave(source));
    this.verification = new Verification(map, sha1, root, blame);
  }

  get size(): number | null {
    return this.map.size;
  }

  get isSizeGiven(): boolean {
    return this.#sizes.isGiven;
  }

  get doneBytes(): number {
    return this.map.bytes('received') + this.map.bytes('verified');
  }

  /** A copy. */
  get verified(): RangeSet {
    return this.map.rangesOf('verified');
  }

  /** Where the verified bytes from `offset` on end; `offset` when that byte is not verified. */
  verifiedFrom(offset: number): number {
    const { size } = this.map;
    if (size === null || offset >= size) return offset;
    return this.map.gap(offset, size, 'missing', 'assigned', 'received')?.start ?? size;
  }

  get servedBytes(): number {
    return this.map.bytes('verified');
  }

  /** To be followed by `tick`. */
  start(shell: SwarmShell): void {
    this.#shell = shell;
    this.#failure = null;
    this.#isInRemoteQueue = false;
    this.verification.start(shell);
  }

  /** Ends all visits. Idempotent. */
  stop(now: number): void {
    for (const visit of [...this.#visits.values()]) this.#end(visit, now);
    this.verification.stop();
    this.#shell = null;
  }

  /** Carries out what is to be done now. Null: goes on; see `nextAt`. */
  tick(now: number): SwarmRest | null {
    const shell = this.#shell;
    if (shell === null) return null;
    const { verification } = this;
    if (this.map.complete && verification.isSettled) return { kind: 'complete' };
    if (this.#sizeAt(now) !== this.map.size) return { kind: 'resize' };
    this.planner.trust.sliceBytes = verification.quest.tree?.sliceBytes ?? null;
    this.#watchSecond(now);
    for (const command of this.planner.next(now)) this.#obey(command, shell, now);
    this.#tellRemoteQueue(shell);
    if (this.#visits.size > 0 || !verification.isSettled) return null;
    if (this.#failure === null ? this.#isStranded && verification.pardonSuspects(now) : verification.onDeadEnd(now)) {
      this.#failure = null;
      shell.wake();
      return null;
    }
    if (this.#failure !== null && this.#sizes.onDeadEnd()) return { kind: 'resize' };
    if (this.#failure !== null) return { kind: 'failed', reason: this.#failure };
    return { kind: 'waiting', until: this.restsUntil(now) };
  }

  /** When `tick` has something to do, if nothing happens before; null: never. */
  nextAt(now: number): number | null {
    return earlier(this.planner.nextAt(now), this.#sizes.nextAt());
  }

  /** When it may go on, while it does not run; null: when there is a source. */
  restsUntil(now: number): number | null {
    return this.planner.size === 0 ? null : this.nextAt(now);
  }

  /** The connection of a visit is closed. */
  onOver(visit: Visit): void {
    if (this.#visits.get(visit.source) === visit) this.#visits.delete(visit.source);
    this.#shell?.wake();
  }

  onReady(visit: Visit, now: number): void {
    const tree = this.verification.treeWanted(visit.source.number);
    if (tree !== null) {
      this.planner.treeAskedAt = now;
      visit.order({ kind: 'tree', target: tree.target });
      return;
    }
    this.planner.onReady(visit.source, now);
    this.#shell?.wake();
  }

  onSize({ source }: Visit, size: number): void {
    this.#sizes.vote(voterOf(source), size);
    this.#shell?.wake();
    if (this.map.size !== null) return;
    this.map.settle(this.#sizes.size ?? size);
    this.verification.onSize();
  }

  /** All bytes came and were wrong, and are missing again. Gives whether the size was too, as far as can be known. It must not run. */
  onWrongFile(now: number): boolean {
    if (this.isSizeGiven) return false;
    const { size } = this.map;
    this.#sizes.believe(this.#sizes.onWrongFile());
    this.resize(now);
    return this.map.size !== size;
  }

  /**
   * Takes the size that is believed most: those who said it, and were dropped for it, are asked again, and those who said another are not.
   * Gives the bytes that do not count any more: theirs, and what lies beyond its end. It must not run, and all bytes must be written.
   */
  resize(now: number): RangeSet {
    const size = this.#sizeAt(now);
    this.#sizes.believe(size);
    this.planner.reset();
    for (const source of this.planner) {
      const theirs = this.#voteOf(source);
      if (size !== null && theirs !== null && theirs !== size && !source.corrupt)
        this.planner.onDropped(source, otherFileReason(theirs, size), now);
    }
    const gone = RangeSet.of();
    for (const { start, end, state, source } of [...this.map]) {
      if (state !== 'received' && state !== 'verified') continue;
      const by = source === null ? null : this.planner.get(source);
      const theirs = by === null ? null : this.#voteOf(by);
      const from = theirs === null || theirs === size ? Math.max(start, size ?? end) : start;
      if (from >= end) continue;
      gone.add(from, end);
      if (source !== null) this.planner.onWrong(source, end - from);
    }
    for (const { start, end } of gone) this.map.reject(start, end);
    this.map.unsettle();
    if (size !== null) this.map.settle(size);
    this.verification.onResize();
    this.planner.onSpace();
    return gone;
  }

  #sizeAt(now: number): number | null {
    const provenBytes = this.verification.quest.isFirm ? this.map.bytes('verified') : 0;
    return this.#sizes.next(this.doneBytes, provenBytes, now);
  }

  #voteOf(source: SwarmSource): number | null {
    return this.#sizes.voteOf(voterOf(source));
  }

  onBytes(visit: Visit, offset: number, bytes: Buffer, now: number): boolean {
    const shell = this.#shell;
    if (shell === null) return true;
    let hasRoom = true;
    for (const { start, end } of this.planner.onBytes(visit.source, offset, offset + bytes.length, now)) {
      const isAll = end - start === bytes.length;
      visit.bytes += end - start;
      hasRoom = shell.write(start, isAll ? bytes : bytes.subarray(start - offset, end - offset));
    }
    if (this.map.complete) shell.wake();
    return hasRoom;
  }

  onQueued(visit: Visit, status: QueueStatus | null, now: number): void {
    this.planner.onQueued(visit.source, status, now);
    this.#shell?.wake();
  }

  /** False: it is known, or the list is full. `hearsay`: another source named it. */
  addSource(source: Source, hearsay = false): boolean {
    const isNew = this.planner.add(keyOf(source), source, hearsay);
    if (!isNew) return false;
    this.#failure = null;
    this.#shell?.wake();
    return true;
  }

  /** What a query hit says of the file, with the root of its hash tree. Returns whether a source is new. */
  offer({ sources, hearsay, tigerRoot }: SourceOffer): boolean {
    let isNew = false;
    for (const source of sources) if (this.addSource(source)) isNew = true;
    for (const source of hearsay) if (this.addSource(source, true)) isNew = true;
    if (tigerRoot === null) return isNew;
    const keys = new Set([...sources, ...hearsay].map(keyOf));
    const teller = [...this.planner].find(({ key }) => keys.has(key));
    this.verification.quest.onHit(tigerRoot, teller?.number ?? null);
    return isNew;
  }

  /** Adds the locations that others named to us. */
  askMesh(now: number): void {
    if (this.sha1 !== null) this.onAlternates(this.mesh.ranked(this.sha1, now).map(({ location }) => location));
  }

  onAlternates(locations: readonly MeshLocation[]): void {
    for (const location of locations) {
      const source = sourceAt(location);
      if (source !== null) this.addSource(source, true);
    }
  }

  /** The queue in which we have the place of this id calls: gives the source, which is visited next. Null: none waits for it. */
  onCalled(id: string, now: number): Source | null {
    const called = this.planner.onCalled(id);
    if (called === null) return null;
    const visit = this.#visits.get(called);
    if (visit !== undefined) this.#end(visit, now);
    this.#shell?.wake();
    return called.source;
  }

  /** Only what of these ranges is written counts as received: the rest is fetched again. It must not run. */
  keepOnly(written: RangeSet): void {
    for (const { start, end, state } of [...this.map]) {
      if (state !== 'received' && state !== 'verified') continue;
      for (let gap = written.gapWithin(start, end); gap !== null; gap = written.gapWithin(gap.end, end))
        this.map.reject(gap.start, gap.end);
    }
    this.planner.onSpace();
  }

  /** The finished file is taken back: these of its bytes are to be looked through. It must not run. */
  takeBack(there: RangeSet): void {
    this.map.reject(0, this.map.size ?? 0);
    for (const { start, end } of there) this.map.found(start, end);
    this.planner.reset();
  }

  onNamed(name: string): void {
    this.#shell?.onNamed(name);
  }

  onTreeOffer({ source }: Visit, thexUri: string): void {
    this.verification.onTreeOffer(giver(source), thexUri);
  }

  onTree({ source }: Visit, thex: Buffer, now: number): void {
    this.verification.onTree(giver(source), thex, now);
    this.planner.treeAskedAt = null;
    this.#shell?.wake();
  }

  onNoTree({ source }: Visit, isFinal: boolean): void {
    this.verification.quest.onFailed(source.number, isFinal);
    this.planner.treeAskedAt = null;
  }

  /** Bytes that were given to the shell are on the disk. */
  onWritten(start: number, end: number): void {
    this.verification.onWritten(start, end);
    // what was still to be written may be all that the end waits for
    if (this.map.complete || this.#visits.size === 0) this.#shell?.wake();
  }

  /** The shell hashed what it was told to. */
  onHashed(order: HashOrder, digest: Buffer, now: number): void {
    this.verification.onHashed(order, digest, now);
    this.#shell?.wake();
  }

  #obey(command: SwarmCommand, shell: SwarmShell, now: number): void {
    switch (command.kind) {
      case 'connect': {
        this.#failure = null;
        const visit = new Visit(command.source, this, this.#identity, this.#times);
        this.#visits.set(command.source, visit);
        shell.visit(visit);
        return;
      }
      case 'ask': {
        const visit = this.#visits.get(command.source);
        visit?.order({ kind: 'range', range: command.range });
        if (visit !== undefined) shell.resume(visit);
        return;
      }
      case 'cut': {
        const visit = this.#visits.get(command.source);
        if (visit !== undefined) this.#end(visit, now);
        return;
      }
      case 'search':
        shell.search();
        return;
      case 'giveUp':
        this.#failure = command.reason;
    }
  }

  /** All that may be asked have failed, and wait longer and longer. */
  get #isStranded(): boolean {
    const left = [...this.planner].filter(({ state }) => state !== 'dropped');
    return left.every(({ state, failures, cuts }) => state === 'waiting' && failures + cuts > 0);
  }

  /** A source that alone is asked, and does not answer, holds up all. */
  #watchSecond(now: number): void {
    const { second } = this.verification;
    if (second === null) return;
    const source = this.planner.get(second);
    const isAway = source === null || source.state === 'dropped';
    if (isAway || (source.state === 'waiting' && source.until > now + SECOND_WAIT_MS)) this.verification.onSecondLost();
  }

  /** It is used no more. */
  #leave(source: SwarmSource): void {
    const visit = this.#visits.get(source);
    this.#sizes.withdraw(voterOf(source));
    if (visit === undefined) return;
    visit.stop();
    this.#visits.delete(source);
    this.#shell?.close(visit);
  }

  #end(visit: Visit, now: number): void {
    if (!visit.over) this.planner.onReleased(visit.source, now);
    visit.stop();
    this.#visits.delete(visit.source);
    this.#shell?.close(visit);
  }

  #tellRemoteQueue(shell: SwarmShell): void {
    let isWaiting = this.#visits.size > 0;
    for (const { state } of this.#visits.keys()) isWaiting &&= state === 'queued';
    if (isWaiting !== this.#isInRemoteQueue) shell.onRemoteQueue(isWaiting);
    this.#isInRemoteQueue = isWaiting;
  }
}

function earlier(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : Math.min(one, other);
}

function giver(source: SwarmSource): TreeGiver {
  return { source: source.number, voter: voterOf(source) };
}
