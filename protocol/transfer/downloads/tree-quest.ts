// Decides which hash tree of a file is believed, and which source is asked for it next.
//
// A root is named by the user, by query hits, or by X-Thex-URI of a source. That of the user is trusted: no other is looked at. Others are
// ranked by votes. An address that answered us has one vote, for the root it named last. Hits have one vote together, as
// any servent that answers a query can write any address into them. A root whose tree is refuted is never believed again.
import { parseThex } from '../../digest/thex.ts';
import { TigerTree } from '../../digest/tiger-tree.ts';
import { keptDepth } from '../../digest/tree-shape.ts';
import { ProtocolError } from '../../errors.ts';
import { formatBase32 } from '../../wire/urn.ts';
import { type ThexUri, thexTarget } from './thex-uri.ts';

export interface TreeRequest {
  readonly target: string;
  /** Null: whichever root the source has. */
  readonly root: Buffer | null;
}

export type TreeOutcome =
  | { readonly kind: 'taken'; readonly tree: TigerTree }
  /** `isLie`: the nodes do not lead to the root that was named, or the tree is that of another file. */
  | { readonly kind: 'refused'; readonly reason: string; readonly isLie: boolean };

/** A source as the quest knows it: its number in the plan, and the address that has its vote. */
export interface TreeGiver {
  readonly source: number;
  readonly voter: string;
}

interface Candidate {
  readonly root: Buffer;
  isInHit: boolean;
  readonly voters: Set<string>;
  /** By number of the source; at most SOURCES_MAX. */
  readonly offers: Map<number, { readonly target: string; attempts: number }>;
}

const ROOTS_MAX = 64;
const REFUTED_MAX = 64;
const VOTERS_MAX = 1000;
const SOURCES_MAX = 500;
/** To one source for one tree. */
const ATTEMPTS_MAX = 2;
/** For all trees of the file; `askAgain` begins anew. */
const REQUESTS_MAX = 64;
const ROUNDS_MAX = 2;

export class TreeQuest {
  readonly #sha1: Buffer | null;
  readonly #asked: Buffer | null;
  /** By root in base32, oldest first; at most ROOTS_MAX. */
  readonly #candidates = new Map<string, Candidate>();
  /** At most REFUTED_MAX; then no tree is believed. */
  readonly #refuted = new Set<string>();
  /** The candidate that an address voted for; at most VOTERS_MAX. */
  readonly #votes = new Map<string, string>();
  /** Sources that were asked for any tree. Null: such requests are not made. */
  #blind: Set<number> | null = null;
  #asking: { readonly source: number; readonly root: Buffer | null } | null = null;
  #tree: TigerTree | null = null;
  #giver: TreeGiver | null = null;
  #isConfirmed = false;
  #requests = 0;
  #rounds = 0;

  /** `asked`: the root that the user gave. */
  constructor(sha1: Buffer | null, asked: Buffer | null) {
    this.#sha1 = sha1;
    this.#asked = asked;
    if (asked !== null) this.#candidate(asked);
  }

  /** The tree by which slices are judged. */
  get tree(): TigerTree | null {
    return this.#tree;
  }

  /** Of the tree; before there is one, the root that is believed most. */
  get root(): Buffer | null {
    return this.#tree?.root ?? this.#ranked()[0]?.root ?? null;
  }

  /** The user gave its root. */
  get isAsked(): boolean {
    return this.#asked !== null;
  }

  /** Bytes of others than its giver fit the tree, or the user gave its root. */
  get isFirm(): boolean {
    return this.isAsked || this.#isConfirmed;
  }

  /** Who sent the tree; null: nobody, or it is from before a restart. */
  get giver(): TreeGiver | null {
    return this.#giver;
  }

  /** The source that is being asked. */
  get asking(): number | null {
    return this.#asking?.source ?? null;
  }

  /** A query hit named the root. `source`: of the hit, which then has the tree. */
  onHit(root: Buffer, source: number | null = null): void {
    const candidate = this.#candidate(root);
    if (candidate === null) return;
    candidate.isInHit = true;
    if (source !== null && this.#sha1 !== null) offer(candidate, source, thexTarget(this.#sha1, root));
  }

  /** A source answered with X-Thex-URI. */
  onOffer({ source, voter }: TreeGiver, { root, target }: ThexUri): void {
    const candidate = this.#candidate(root);
    if (candidate === null) return;
    this.#vote(voter, formatBase32(root));
    offer(candidate, source, target);
  }

  /** What to ask this source for before its next range; null: nothing. To be followed by `onTree` or `onFailed`. */
  next(source: number, size: number | null): TreeRequest | null {
    if (size === null || this.#tree !== null || this.#asking !== null || this.#requests >= REQUESTS_MAX) return null;
    if (keptDepth(size) === 0) return null;
    const request = this.#offered(source) ?? this.#blindly(source);
    if (request === null) return null;
    this.#requests++;
    this.#asking = { source, root: request.root };
    return request;
  }

  /** The source answered with these bytes. */
  onTree(giver: TreeGiver, bytes: Buffer, size: number): TreeOutcome {
    const root = this.#asking?.root ?? null;
    this.#asking = null;
    try {
      const tree = parseThex(bytes, { size, root });
      const candidate = this.#candidate(tree.root);
      if (candidate === null) return { kind: 'refused', reason: 'sent a tree that is not believed', isLie: false };
      this.#vote(giver.voter, formatBase32(tree.root));
      this.#believe(tree, giver);
      return { kind: 'taken', tree };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#withdraw(giver.source, root);
      return {
        kind: 'refused',
        reason: `sent a bad hash tree: ${error.message}`,
        isLie: error.code === 'THEX_MISMATCH',
      };
    }
  }

  /** The source did not send the tree. `isFinal`: it need not be asked again. */
  onFailed(source: number, isFinal: boolean): void {
    if (this.#asking?.source !== source) return;
    if (isFinal) this.#withdraw(source, this.#asking.root);
    this.#asking = null;
  }

  /**
   * The root of a file that has one slice is all of its tree. It is believed when the user gave it, or without a SHA-1, which
   * otherwise says as much of one slice, and for certain.
   */
  settle(size: number): void {
    if (this.#tree !== null || keptDepth(size) > 0 || (this.#asked === null && this.#sha1 !== null)) return;
    const [best] = this.#ranked();
    if (best !== undefined) this.#believe(new TigerTree(size, 0, best.root), null);
  }

  /** Takes up the tree of a stored record, unless the user gave another root. */
  restore(tree: TigerTree): void {
    if (this.#candidate(tree.root) !== null) this.#believe(tree, null);
  }

  /** A slice that these addresses alone brought (null: from before a restart) fits the tree. */
  onFit(voters: readonly (string | null)[]): void {
    if (voters.every(voter => voter !== null && voter !== this.#giver?.voter)) this.#isConfirmed = true;
  }

  /** Drops the tree for good; gives who sent it. That with the root of the user stays: it cannot be refuted. */
  refute(): TreeGiver | null {
    if (this.#tree === null || this.isAsked) return null;
    const giver = this.#giver;
    const key = formatBase32(this.#tree.root);
    this.#candidates.delete(key);
    for (const [voter, root] of this.#votes) if (root === key) this.#votes.delete(voter);
    this.#refuted.add(key);
    this.#tree = null;
    this.#giver = null;
    this.#isConfirmed = false;
    return giver;
  }

  /** The file has another size than the tree: it is asked for again. */
  forget(): void {
    this.#tree = null;
    this.#giver = null;
    this.#isConfirmed = false;
    for (const { offers } of this.#candidates.values()) for (const each of offers.values()) each.attempts = 0;
  }

  /** Every source may be asked once more, those that offered no tree too. False: that was done often enough. */
  askAgain(): boolean {
    if (this.#rounds >= ROUNDS_MAX || this.#refuted.size >= REFUTED_MAX) return false;
    this.#rounds++;
    this.#requests = 0;
    this.#blind = new Set();
    for (const { offers } of this.#candidates.values()) for (const each of offers.values()) each.attempts = 0;
    return true;
  }

  /** Whether `next` has something to ask of this source. */
  wants(source: number): boolean {
    if (this.#tree !== null || this.#requests >= REQUESTS_MAX) return false;
    const isOpen = [...this.#candidates.values()].some(
      ({ offers }) => (offers.get(source)?.attempts ?? ATTEMPTS_MAX) < ATTEMPTS_MAX,
    );
    return isOpen || (this.#blind !== null && this.#sha1 !== null && !this.#blind.has(source));
  }

  #offered(source: number): TreeRequest | null {
    const ranked = this.#ranked();
    const most = ranked[0] === undefined ? 0 : votesOf(ranked[0]);
    for (const candidate of ranked) {
      if (2 * votesOf(candidate) < most) return null;
      const known = candidate.offers.get(source);
      if (known === undefined || known.attempts >= ATTEMPTS_MAX) continue;
      known.attempts++;
      return { root: candidate.root, target: known.target };
    }
    return null;
  }

  #blindly(source: number): TreeRequest | null {
    if (this.#blind === null || this.#sha1 === null || this.#blind.has(source)) return null;
    if (this.#blind.size >= SOURCES_MAX) return null;
    this.#blind.add(source);
    return { root: this.#asked, target: thexTarget(this.#sha1, this.#asked) };
  }

  /** Null: the root is not believed, or there are too many. */
  #candidate(root: Buffer): Candidate | null {
    if (this.#asked !== null && !root.equals(this.#asked)) return null;
    const key = formatBase32(root);
    if (this.#refuted.has(key) || this.#refuted.size >= REFUTED_MAX) return null;
    const known = this.#candidates.get(key);
    if (known !== undefined) return known;
    if (this.#candidates.size >= ROOTS_MAX && !this.#forgetUnvoted()) return null;
    const candidate: Candidate = { root, isInHit: false, voters: new Set(), offers: new Map() };
    this.#candidates.set(key, candidate);
    return candidate;
  }

  /** Forged hits leave room for roots that sources name. */
  #forgetUnvoted(): boolean {
    for (const [key, { voters }] of this.#candidates) if (voters.size === 0) return this.#candidates.delete(key);
    return false;
  }

  #vote(voter: string, key: string): void {
    const before = this.#votes.get(voter);
    if (before === undefined && this.#votes.size >= VOTERS_MAX) return;
    if (before !== undefined) this.#candidates.get(before)?.voters.delete(voter);
    this.#votes.set(voter, key);
    this.#candidates.get(key)?.voters.add(voter);
  }

  /** Stable: the oldest of those with the same votes is first. */
  #ranked(): Candidate[] {
    return [...this.#candidates.values()].sort((a, b) => votesOf(b) - votesOf(a));
  }

  #believe(tree: TigerTree, giver: TreeGiver | null): void {
    this.#tree = tree;
    this.#giver = giver;
    this.#isConfirmed = false;
  }

  #withdraw(source: number, root: Buffer | null): void {
    if (root !== null) this.#candidates.get(formatBase32(root))?.offers.delete(source);
  }
}

function votesOf({ isInHit, voters }: Candidate): number {
  return voters.size + (isInHit ? 1 : 0);
}

function offer({ offers }: Candidate, source: number, target: string): void {
  const known = offers.get(source);
  if (known !== undefined || offers.size < SOURCES_MAX) offers.set(source, { target, attempts: known?.attempts ?? 0 });
}
