// Verifies the bytes of one download as they come: has each slice of the hash tree hashed once it is written, charges who sent a wrong one,
// gives up a tree that lies, and without a tree finds the wrong part after a wrong SHA-1. Hashing is the shell's.
import { type ByteRange, RangeSet } from '../range-set.ts';
import type { ChunkMap } from './chunk-map.ts';
import { type Provenance, SecondOpinions } from './second-opinions.ts';
import { type Contribution, Suspects } from './suspects.ts';
import { parseThexUri } from './thex-uri.ts';
import { type TreeGiver, TreeQuest, type TreeRequest } from './tree-quest.ts';

/** A range to be hashed: the node of a hash tree above it, or its SHA-1. Told back with its digest. */
export interface HashOrder {
  readonly kind: 'node' | 'sha1';
  readonly range: ByteRange;
}

export interface VerificationShell {
  /** Hash these bytes, which are written and do not change meanwhile; then call `onHashed`. */
  hash(order: HashOrder): void;
  /** These bytes are wrong: they count as not written. */
  drop(start: number, end: number): void;
}

/** The plan of sources, as far as blame goes. */
export interface BlamedSources {
  /** The address that has the source's vote. Null: no such source. */
  voterOf(source: number): string | null;
  /** How far a source is trusted: more is better. */
  trustIn(source: number): number;
  /** The most trusted source that may be asked, these left out. Null: none. */
  mostTrusted(except: ReadonlySet<number>): number | null;
  /** A slice of so many bytes in which it had a part fits the tree. */
  onRight(source: number, bytes: number): void;
  /** So many bytes of it were wrong (0: its tree was). `isDropped`: it is used no more. */
  onWrong(source: number, bytes: number, isDropped: boolean, now: number): void;
  /** It was dropped by mistake. */
  onPardoned(source: number, now: number): void;
  /** No other is to be asked. Null: all may be asked. */
  askOnly(source: number | null): void;
  /** Bytes are missing again. */
  onSpace(start: number, end: number): void;
}

/**
 * What comes of a wrong SHA-1. `repairing`: what one source brought is fetched from others. `startedOver`: all bytes are missing again.
 * `contradicted`: all fits the tree that the user named.
 */
export type WrongFile = 'repairing' | 'startedOver' | 'contradicted';

/** Orders under way: two threads with some in reserve. */
const HASHING_MAX = 16;

export class Verification {
  readonly quest: TreeQuest;
  readonly suspects = new Suspects();
  readonly #map: ChunkMap;
  readonly #sources: BlamedSources;
  readonly #sha1: Buffer | null;
  /** Received or verified, and on the disk. */
  #written = RangeSet.of();
  /** Slices that are complete, by index. */
  readonly #due = new Set<number>();
  /** At most HASHING_MAX, with the index of the slice or block. */
  readonly #hashing = new Map<HashOrder, number>();
  #opinions = new SecondOpinions();
  /** The source that is asked for a second opinion, and those that could not give it. */
  #second: number | null = null;
  readonly #mute = new Set<number>();
  /** Digests of the blocks of the round, in order, while they are hashed. */
  #digests: (Buffer | null)[] | null = null;
  #blocksAsked = 0;
  #blocksHashed = 0;
  #shell: VerificationShell | null = null;

  /** `asked`: the root that the user gave. */
  constructor(map: ChunkMap, sha1: Buffer | null, asked: Buffer | null, sources: BlamedSources) {
    this.#map = map;
    this.#sha1 = sha1;
    this.#sources = sources;
    this.quest = new TreeQuest(sha1, asked);
  }

  /** Nothing is being hashed, or waits for it; with a tree, nothing is still to be written first. */
  get isSettled(): boolean {
    const isQuiet = this.#due.size === 0 && this.#hashing.size === 0 && this.#digests === null;
    return isQuiet && (this.quest.tree === null || this.#isWritten);
  }

  /** All bytes that came are on the disk. */
  get #isWritten(): boolean {
    return this.#written.bytes >= this.#map.bytes('received') + this.#map.bytes('verified');
  }

  /** The source that alone is asked, while a file is repaired without a tree. */
  get second(): number | null {
    return this.#second;
  }

  /** Blocks that were fetched again: their SHA-1s, once that of the file is right, tell who lied; see `onRightFile`. */
  get disputed(): readonly ByteRange[] {
    return this.#opinions.blocks;
  }

  /** What the map says to be received or verified is on the disk. */
  start(shell: VerificationShell): void {
    this.#shell = shell;
    this.#written = this.#map.rangesOf('received');
    for (const { start, end } of this.#map.rangesOf('verified')) this.#written.add(start, end);
    this.#look();
    this.#pump();
  }

  /** Everything is hashed again. */
  lookAgain(): void {
    this.#map.unverify(0, this.#map.size ?? 0);
    this.#look();
  }

  /** What is being hashed is not told any more. */
  stop(): void {
    this.#shell = null;
    this.#hashing.clear();
    this.#due.clear();
    if (this.#digests !== null) this.#endRounds();
  }

  onSize(): void {
    this.#look();
  }

  /** Another size is believed: a tree of the one before says nothing. It must not run. */
  onResize(): void {
    const { tree } = this.quest;
    if (tree === null || tree.size === this.#map.size) return;
    this.quest.forget();
    this.#map.unverify(0, this.#map.size ?? Number.MAX_SAFE_INTEGER);
  }

  /** Received bytes are on the disk. */
  onWritten(start: number, end: number): void {
    this.#written.add(start, end);
    const { tree } = this.quest;
    if (tree === null) return;
    for (let slice = tree.sliceAt(start); slice <= tree.sliceAt(end - 1); slice++) this.#consider(slice);
    this.#pump();
  }

  /** The value of X-Thex-URI. */
  onTreeOffer(giver: TreeGiver, text: string): void {
    const uri = parseThexUri(text);
    if (uri !== null) this.quest.onOffer(giver, uri);
  }

  /** The tree to ask a source for before its next range; null: none. */
  treeWanted(source: number): TreeRequest | null {
    return this.#map.allVerified ? null : this.quest.next(source, this.#map.size);
  }

  /** The source sent these bytes for a tree. */
  onTree(giver: TreeGiver, bytes: Buffer, now: number): void {
    const { size } = this.#map;
    if (size === null) {
      this.quest.onFailed(giver.source, false);
      return;
    }
    const outcome = this.quest.onTree(giver, bytes, size);
    if (outcome.kind === 'taken') {
      // it finds the wrong part better than a second opinion does
      this.#endRounds();
      this.#look();
    } else if (outcome.isLie) this.#charge(giver.source, 0, this.suspects.onBadTree(giver.source, false), now);
  }

  onHashed(order: HashOrder, digest: Buffer, now: number): void {
    const index = this.#hashing.get(order);
    if (index === undefined) return;
    this.#hashing.delete(order);
    if (order.kind === 'sha1') this.#onBlock(index, digest);
    else this.#onNode(index, order.range, digest, now);
    this.#pump();
  }

  /**
   * No source is left. True: some are used again, as they only had a part in wrong slices, or as the tree that dropped them may be a lie:
   * it is given up.
   */
  onDeadEnd(now: number): boolean {
    if (this.pardonSuspects(now)) return true;
    if (this.quest.tree === null || this.quest.isFirm || this.#sha1 === null) return false;
    const pardoned = this.suspects.onTreeGone();
    if (pardoned.length === 0) return false;
    this.#giveUpTree(pardoned, null, now);
    return true;
  }

  /** Nobody else answers: true when some are used again that only had a part in wrong slices. */
  pardonSuspects(now: number): boolean {
    const shared = this.suspects.onNoneLeft();
    for (const source of shared) this.#sources.onPardoned(source, now);
    return shared.length > 0;
  }

  /** All bytes are there, and their SHA-1 is another. */
  onWrongFile(now: number): WrongFile {
    if (this.quest.tree !== null) {
      if (this.quest.isAsked) return 'contradicted';
      this.#giveUpTree(this.suspects.onTreeGone(), true, now);
    }
    this.quest.askAgain();
    const contributors = this.#contributors();
    const [only] = contributors;
    // who brought everything is the liar, and there is nothing to compare
    if (contributors.length === 1 && only !== undefined && only.source !== null)
      this.#charge(only.source, only.ranges.bytes, true, now);
    this.#second ??= this.#sources.mostTrusted(this.#mute);
    const round =
      contributors.length > 1 && this.#second !== null ? this.#opinions.next(contributors, this.#second) : null;
    if (round === null) {
      this.#endRounds();
      if ((this.#map.size ?? 0) > 0) this.#drop(0, this.#map.size ?? 0);
      return 'startedOver';
    }
    this.#sources.askOnly(this.#second);
    this.#digests = round.blocks.map(() => null);
    this.#blocksAsked = 0;
    this.#blocksHashed = 0;
    this.#pump();
    return 'repairing';
  }

  /** The SHA-1 is right; `digests` are those of `disputed`: who brought other bytes is charged. All bytes are verified now. */
  onRightFile(digests: readonly Buffer[], now: number): void {
    for (const [source, bytes] of this.#opinions.liars(digests)) this.#charge(source, bytes, true, now);
    this.#endRounds();
    this.#map.verify(0, this.#map.size ?? 0);
  }

  /** The source that alone is asked cannot be asked now: another is. */
  onSecondLost(): void {
    if (this.#second === null) return;
    this.#mute.add(this.#second);
    this.#second = this.#sources.mostTrusted(this.#mute);
    this.#sources.askOnly(this.#second);
  }

  /** One that is dropped gives no second opinion any more. */
  #charge(source: number, bytes: number, isDropped: boolean, now: number): void {
    this.#sources.onWrong(source, bytes, isDropped, now);
    if (isDropped && source === this.#second) this.onSecondLost();
  }

  #endRounds(): void {
    this.#opinions = new SecondOpinions();
    this.#digests = null;
    this.#second = null;
    this.#mute.clear();
    this.#sources.askOnly(null);
  }

  /** Goes through all slices: the tree is new, or the shell is. */
  #look(): void {
    const { size } = this.#map;
    if (size === null) return;
    this.quest.settle(size);
    const { tree } = this.quest;
    if (tree === null || tree.size !== size) return;
    for (let slice = 0; slice < tree.sliceCount; slice++) this.#consider(slice);
    this.#pump();
  }

  #consider(slice: number): void {
    const range = this.quest.tree?.slice(slice);
    if (range === undefined || !this.#written.covers(range.start, range.end)) return;
    if (this.#map.gap(range.start, range.end, 'received') === null) return;
    for (const [{ kind }, index] of this.#hashing) if (kind === 'node' && index === slice) return;
    this.#due.add(slice);
  }

  #pump(): void {
    const shell = this.#shell;
    const { tree } = this.quest;
    if (shell === null) return;
    for (const slice of this.#due) {
      if (this.#hashing.size >= HASHING_MAX || tree === null) break;
      this.#due.delete(slice);
      this.#order(shell, { kind: 'node', range: tree.slice(slice) }, slice);
    }
    const blocks = this.#digests === null ? [] : (this.#opinions.round?.blocks ?? []);
    while (this.#hashing.size < HASHING_MAX) {
      const range = blocks[this.#blocksAsked];
      if (range === undefined) break;
      this.#order(shell, { kind: 'sha1', range }, this.#blocksAsked++);
    }
  }

  #order(shell: VerificationShell, order: HashOrder, index: number): void {
    this.#hashing.set(order, index);
    shell.hash(order);
  }

  #onNode(slice: number, { start, end }: ByteRange, digest: Buffer, now: number): void {
    const { tree } = this.quest;
    const { size } = this.#map;
    if (tree === null || size === null) return;
    const contributions = this.#map
      .contributions(start, end)
      .map(({ source, bytes }): Contribution => ({ source, bytes, voter: this.#voterOf(source) }));
    if (digest.equals(tree.leaf(slice))) {
      this.quest.onFit(contributions.map(({ voter }) => voter));
      this.suspects.onRight(start);
      for (const { source } of contributions) if (source !== null) this.#sources.onRight(source, end - start);
      this.#map.verify(start, end);
      return;
    }
    const { isAsked, isFirm } = this.quest;
    const blame = this.suspects.onWrong(start, digest, contributions, { size, isAsked, isFirm });
    if (blame.tree !== 'believed') {
      this.#giveUpTree(blame.pardoned, blame.tree === 'outvoted' ? false : null, now);
      return;
    }
    for (const { source, bytes, isDropped } of blame.charges) this.#charge(source, bytes, isDropped, now);
    for (const source of blame.pardoned) this.#sources.onPardoned(source, now);
    this.#drop(start, end);
  }

  /** The bytes stay, unverified. `isProven`: its giver is charged, at once or with the second bad tree; null: it is not. */
  #giveUpTree(pardoned: readonly number[], isProven: boolean | null, now: number): void {
    const giver = this.quest.refute();
    this.#due.clear();
    this.#hashing.clear();
    this.#map.unverify(0, this.#map.size ?? 0);
    for (const source of pardoned) this.#sources.onPardoned(source, now);
    if (giver !== null && isProven !== null)
      this.#charge(giver.source, 0, this.suspects.onBadTree(giver.source, isProven), now);
  }

  /** All digests of what a source brought are known: its bytes are dropped, to be fetched from others. */
  #onBlock(index: number, digest: Buffer): void {
    const { round } = this.#opinions;
    const digests = this.#digests;
    if (digests === null || round === null) return;
    digests[index] = digest;
    if (++this.#blocksHashed < digests.length) return;
    this.#digests = null;
    this.#opinions.onDigests(digests.filter(each => each !== null));
    for (const { start, end } of round.blocks) this.#drop(start, end);
  }

  #drop(start: number, end: number): void {
    this.#map.reject(start, end);
    this.#written.remove(start, end);
    this.#shell?.drop(start, end);
    this.#sources.onSpace(start, end);
  }

  #contributors(): Provenance[] {
    const ranges = new Map<number | null, RangeSet>();
    for (const { source, state, start, end } of this.#map) {
      if (state !== 'received') continue;
      const brought = ranges.get(source) ?? RangeSet.of();
      brought.add(start, end);
      ranges.set(source, brought);
    }
    return [...ranges].map(([source, brought]) => ({
      source,
      ranges: brought,
      trust: source === null ? 0 : this.#sources.trustIn(source),
    }));
  }

  #voterOf(source: number | null): string | null {
    return source === null ? null : this.#sources.voterOf(source);
  }
}
