// A download without a network: sources bring ranges of a file or lies, in an order that a seed gives, until its SHA-1 is right.
import { createHash } from 'node:crypto';
import { encodeThex } from '../../protocol/digest/thex.ts';
import type { TigerTree } from '../../protocol/digest/tiger-tree.ts';
import { TigerTreeHasher } from '../../protocol/digest/tiger-tree-hasher.ts';
import { ChunkMap } from '../../protocol/transfer/downloads/chunk-map.ts';
import { thexTarget } from '../../protocol/transfer/downloads/thex-uri.ts';
import { type HashOrder, Verification } from '../../protocol/transfer/downloads/verification.ts';
import { formatBase32 } from '../../protocol/wire/urn.ts';

export interface SceneSource {
  /** The file, or another of the same size. */
  readonly content: Buffer;
  /** What it sends for a tree; null: it offers none. */
  readonly tree: TigerTree | null;
  /** Bytes of each answer. */
  readonly answerBytes: number;
}

export interface SceneEnd {
  readonly isRight: boolean;
  /** Nobody is left, or all fits the tree of the user, and not the SHA-1. */
  readonly isStuck: boolean;
  readonly fetchedBytes: number;
  /** Numbers of those that are dropped. */
  readonly dropped: readonly number[];
}

export const sha1Of = (bytes: Buffer): Buffer => createHash('sha1').update(bytes).digest();
export const treeOf = (bytes: Buffer): TigerTree => new TigerTreeHasher().update(bytes).finish();

const STEPS_MAX = 5000;

/** Roots of what was hashed before, by SHA-1, which is quicker: scenes hash the same bytes again and again. */
const roots = new Map<string, Buffer>();

function rootOf(bytes: Buffer): Buffer {
  const key = sha1Of(bytes).toString('latin1');
  const root = roots.get(key) ?? treeOf(bytes).root;
  roots.set(key, root);
  return root;
}

export class VerificationScene {
  readonly map: ChunkMap;
  readonly verification: Verification;
  readonly dropped = new Set<number>();
  readonly disk: Buffer;
  /** Wrong bytes, by source. */
  readonly wrong = new Map<number, number>();
  readonly #sources: readonly SceneSource[];
  readonly #sha1: Buffer;
  readonly #orders: HashOrder[] = [];
  #only: number | null = null;
  #fetchedBytes = 0;
  #isContradicted = false;

  constructor(content: Buffer, sources: readonly SceneSource[], asked: Buffer | null = null) {
    this.#sources = sources;
    this.#sha1 = sha1Of(content);
    this.disk = Buffer.alloc(content.length);
    this.map = new ChunkMap(content.length);
    this.verification = new Verification(this.map, this.#sha1, asked, {
      voterOf: source => `10.0.0.${source}`,
      trustIn: source => source,
      mostTrusted: except => {
        const last = this.#sources.findLastIndex((_, i) => !this.dropped.has(i) && !except.has(i));
        return last < 0 ? null : last;
      },
      onRight: () => undefined,
      onWrong: (source, bytes, isDropped) => {
        this.wrong.set(source, (this.wrong.get(source) ?? 0) + bytes);
        if (isDropped) this.dropped.add(source);
      },
      onPardoned: source => void this.dropped.delete(source),
      askOnly: source => {
        this.#only = source;
      },
      onSpace: () => undefined,
    });
    this.verification.start({ hash: order => this.#orders.push(order), drop: () => undefined });
  }

  /** `chance`: which source is next, as numbers from 0 to below 1. */
  run(chance: () => number): SceneEnd {
    let isRight = false;
    let isStuck = false;
    for (let step = 0; step < STEPS_MAX && !isRight && !isStuck; step++) {
      if (this.map.complete) {
        this.#hashAll();
        if (this.map.complete) isRight = this.#end();
        isStuck = this.#isContradicted;
        continue;
      }
      const able = this.#sources.map((_, i) => i).filter(i => !this.dropped.has(i) && this.#gapFor(i) !== null);
      const next = able[Math.floor(chance() * able.length)];
      if (next !== undefined) this.#visit(next);
      else {
        this.#hashAll();
        isStuck =
          this.#sources.every((_, i) => this.dropped.has(i) || this.#gapFor(i) === null) &&
          !this.verification.onDeadEnd(0);
      }
      if (chance() < 0.5) this.#hashAll();
    }
    return { isRight, isStuck, fetchedBytes: this.#fetchedBytes, dropped: [...this.dropped].sort() };
  }

  #gapFor(source: number): { start: number; end: number } | null {
    if (this.#only !== null && this.#only !== source) return null;
    const [first] = this.map.rangesOf('missing');
    return first ?? null;
  }

  #visit(number: number): void {
    const source = this.#sources[number];
    const gap = this.#gapFor(number);
    if (source === undefined || gap === null) return;
    const giver = { source: number, voter: `10.0.0.${number}` };
    const { tree } = source;
    if (tree !== null)
      this.verification.onTreeOffer(giver, `${thexTarget(this.#sha1, null)};${formatBase32(tree.root)}`);
    if (this.verification.treeWanted(number) !== null) {
      if (tree === null) this.verification.quest.onFailed(number, true);
      else this.verification.onTree(giver, encodeThex(tree), 0);
    }
    const end = Math.min(gap.end, gap.start + source.answerBytes);
    this.#fetchedBytes += end - gap.start;
    source.content.copy(this.disk, gap.start, gap.start, end);
    this.map.receive(gap.start, end, number);
    this.verification.onWritten(gap.start, end);
  }

  #hashAll(): void {
    for (let order = this.#orders.shift(); order !== undefined; order = this.#orders.shift()) {
      const bytes = this.disk.subarray(order.range.start, order.range.end);
      this.verification.onHashed(order, order.kind === 'sha1' ? sha1Of(bytes) : rootOf(bytes), 0);
    }
  }

  #end(): boolean {
    if (!this.verification.isSettled) throw new Error('complete, and something is neither hashed nor asked to be');
    if (!sha1Of(this.disk).equals(this.#sha1)) {
      this.#isContradicted = this.verification.onWrongFile(0) === 'contradicted';
      return false;
    }
    const digests = this.verification.disputed.map(({ start, end }) => sha1Of(this.disk.subarray(start, end)));
    this.verification.onRightFile(digests, 0);
    return true;
  }
}
