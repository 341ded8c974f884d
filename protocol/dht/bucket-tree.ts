// The tree of buckets: each KUID lies in one, and those around our own KUID are the deepest.
import { Bucket, K } from './bucket.ts';
import type { KnownNode } from './known-node.ts';
import { bitAt, commonBits, compareDistance } from './kuid.ts';

/** A bucket that has left our path may be split so many levels further, minus one: b of Kademlia. */
const B = 4;
/** Depth of all buckets of a node that answers no requests. */
const PASSIVE_DEPTH_MAX = 4;
const DEPTH_MAX = 159;

interface Fork {
  readonly depth: number;
  zero: Branch;
  one: Branch;
}
type Branch = Bucket | Fork;

export interface ClosestOptions {
  /** KUID that is left out. */
  readonly except?: Buffer;
  /** Stale nodes too. */
  readonly stale?: boolean;
}

export class BucketTree {
  readonly #own: Buffer;
  /** Nodes of one network in a bucket. */
  readonly #ofNetworkMax: number;
  readonly #active: boolean;
  #root: Branch;
  /** All of them, until the tree changes. */
  #buckets: readonly Bucket[] | null = null;

  constructor(own: Buffer, ofNetworkMax: number, active: boolean) {
    this.#own = own;
    this.#ofNetworkMax = ofNetworkMax;
    this.#active = active;
    this.#root = this.#bucket(Buffer.alloc(own.length), 0, -1);
  }

  bucketOf(kuid: Buffer): Bucket {
    let branch = this.#root;
    while (!(branch instanceof Bucket)) branch = bitAt(kuid, branch.depth) === 0 ? branch.zero : branch.one;
    return branch;
  }

  buckets(): readonly Bucket[] {
    this.#buckets ??= this.#collect();
    return this.#buckets;
  }

  #collect(): Bucket[] {
    const found: Bucket[] = [];
    const visit = (branch: Branch): void => {
      if (branch instanceof Bucket) found.push(branch);
      else {
        visit(branch.zero);
        visit(branch.one);
      }
    };
    visit(this.#root);
    return found;
  }

  /** Up to `count` nodes, nearest to `target` first: good ones, and stale ones too if wanted. */
  closest(target: Buffer, count: number, options: ClosestOptions = {}): KnownNode[] {
    const found: KnownNode[] = [];
    const head = target.readUInt32BE(0) | 0;
    const byDistance = (a: KnownNode, b: KnownNode): number =>
      ((a.head ^ head) >>> 0) - ((b.head ^ head) >>> 0) || compareDistance(target, a.kuid, b.kuid);
    const visit = (branch: Branch): void => {
      if (branch instanceof Bucket) {
        const nodes = options.stale === true ? [...branch.good, ...branch.stale] : branch.good.slice();
        for (const node of nodes.sort(byDistance)) {
          if (found.length >= count) return;
          if (options.except === undefined || !node.kuid.equals(options.except)) found.push(node);
        }
        return;
      }
      const [near, far] = bitAt(target, branch.depth) === 0 ? [branch.zero, branch.one] : [branch.one, branch.zero];
      visit(near);
      if (found.length < count) visit(far);
    };
    visit(this.#root);
    return found;
  }

  /** Whether the bucket may be split when it is full. */
  splits(bucket: Bucket): boolean {
    if (!this.#active) return bucket.depth < PASSIVE_DEPTH_MAX;
    if (bucket.depth >= DEPTH_MAX) return false;
    if (bucket.isOurs || bucket.depth + 1 - bucket.leftAt < B) return true;
    // all nodes around us are wanted: the nearer half of the branch that lies beside our own bucket
    const ours = this.bucketOf(this.#own).depth;
    if (commonBits(this.#own, bucket.prefix) < ours - 1) return false;
    return bucket.depth === ours || bitAt(bucket.prefix, bucket.depth - 1) === bitAt(this.#own, bucket.depth - 1);
  }

  split(bucket: Bucket): void {
    const depth = bucket.depth + 1;
    const onePrefix = Buffer.from(bucket.prefix);
    const byte = bucket.depth >> 3;
    onePrefix[byte] = onePrefix.readUInt8(byte) | (0x80 >> (bucket.depth & 7));
    const [zero, one] = [bucket.prefix, onePrefix].map(prefix => {
      const leftAt = bucket.isOurs ? (commonBits(prefix, this.#own) >= depth ? -1 : depth) : bucket.leftAt;
      const half = this.#bucket(prefix, depth, leftAt);
      half.refreshedAt = bucket.refreshedAt;
      return half;
    }) as [Bucket, Bucket];
    for (const node of bucket) (bitAt(node.kuid, bucket.depth) === 0 ? zero : one).add(node, node.state);
    this.#replace(bucket, { depth: bucket.depth, zero, one });
  }

  #replace(bucket: Bucket, fork: Fork): void {
    this.#buckets = null;
    let above: Fork | null = null;
    let branch = this.#root;
    while (!(branch instanceof Bucket)) {
      above = branch;
      branch = bitAt(bucket.prefix, branch.depth) === 0 ? branch.zero : branch.one;
    }
    if (above === null) this.#root = fork;
    else if (above.zero === bucket) above.zero = fork;
    else above.one = fork;
  }

  /** Joins sibling buckets that have emptied, so that they cost one refresh and not two. */
  merge(): void {
    const visit = (branch: Branch): Branch => {
      if (branch instanceof Bucket) return branch;
      branch.zero = visit(branch.zero);
      branch.one = visit(branch.one);
      const { zero, one } = branch;
      if (!(zero instanceof Bucket && one instanceof Bucket) || zero.size + one.size > K / 2) return branch;
      const leftAt = zero.isOurs || one.isOurs ? -1 : Math.min(zero.leftAt, zero.depth - 1);
      const joined = this.#bucket(zero.prefix, branch.depth, leftAt);
      joined.refreshedAt = Math.min(zero.refreshedAt, one.refreshedAt);
      this.#buckets = null;
      for (const node of [...zero, ...one]) joined.add(node, node.state);
      return joined;
    };
    this.#root = visit(this.#root);
  }

  #bucket(prefix: Buffer, depth: number, leftAt: number): Bucket {
    return new Bucket(prefix, depth, leftAt, this.#ofNetworkMax);
  }
}
