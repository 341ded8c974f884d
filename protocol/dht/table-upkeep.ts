// Keeps the routing table alive: pings nodes that were silent, looks KUIDs of buckets up that nobody has looked into, and joins the network
// when the first nodes are known.

import type { Random } from '../ports.ts';
import { type Bucket, K } from './bucket.ts';
import type { ContactSeeds } from './contact-seeds.ts';
import { randomKuid } from './kuid.ts';
import type { Lookups } from './lookups.ts';
import type { Requests } from './requests.ts';
import { ALIVE_MS, type RoutingTable } from './routing-table.ts';

/** In the mean. */
const CHECK_MS = 30_000;
const PINGS_OF_CHECK = 20;
/** A node that is likely to be there still is not asked, unless it has not answered for so long. */
const LIKELY = 0.9;
const UNLIKELY = 0.5;
const ANSWER_MS = 60 * 60_000;
const REFRESH_MS = 60 * 60_000;
const OWN_REFRESH_MS = 15 * 60_000;
/** Of the nodes that a bucket should have by the size of the network; one with that many is refreshed seldom. */
const ENOUGH = 0.75;
const SELDOM_MS = 3 * REFRESH_MS;
/** Between two tries to find nodes around us when there are none. */
const REJOIN_MS = 60_000;
/** Refreshes under way at one time. */
const REFRESHES = 2;

export interface UpkeepParts {
  readonly table: RoutingTable;
  readonly lookups: Lookups;
  readonly requests: Requests;
  readonly seeds: ContactSeeds;
  readonly random: Random;
  /** Nodes of the network, estimated. */
  readonly networkSize: () => number;
}

export class TableUpkeep {
  readonly #parts: UpkeepParts;
  #checkAt: number;
  #refreshing = 0;
  #ownAt = Number.NEGATIVE_INFINITY;
  /** Good nodes at that time. */
  #ownNodes = 0;
  #joined = false;

  constructor(parts: UpkeepParts, now: number) {
    this.#parts = parts;
    this.#checkAt = now;
  }

  /** Our own surroundings have been looked up, and every bucket once. */
  get joined(): boolean {
    return this.#joined;
  }

  get nextAt(): number {
    return Math.min(this.#checkAt, this.#wantsSeeds ? this.#parts.seeds.nextAt : Number.POSITIVE_INFINITY);
  }

  /** A network of few nodes may be a part of a larger one that has begun elsewhere. */
  get #wantsSeeds(): boolean {
    return !this.#joined || this.#parts.table.goodNodes < K;
  }

  tick(now: number): void {
    const { seeds } = this.#parts;
    if (this.#wantsSeeds) seeds.tick(now);
    if (now < this.#checkAt) return;
    // nodes that have started together do not go on in step
    this.#checkAt = now + CHECK_MS / 2 + this.#parts.random.below(CHECK_MS);
    this.#check(now);
    this.#refresh(now);
  }

  /** A node is good now: the first ones start the lookup of our own KUID. */
  onGoodNode(now: number): void {
    if (!this.#joined && this.#refreshing === 0) this.#checkAt = Math.min(this.#checkAt, now);
  }

  #check(now: number): void {
    const { table, requests } = this.#parts;
    let pings = 0;
    table.merge();
    for (const bucket of table.buckets()) {
      for (const node of bucket.stale.filter(({ checking }) => !checking)) {
        if (node.aliveChance(now) < UNLIKELY && node.timeouts > 1) table.remove(node);
        else if (pings < PINGS_OF_CHECK && requests.check(node, now)) pings++;
      }
      const waiting = table.promote(bucket);
      if (waiting !== null && requests.check(waiting, now)) pings++;
      for (const node of [...bucket.good]) {
        if (pings >= PINGS_OF_CHECK || now - node.seenAt < ALIVE_MS) break;
        const isLikely = node.aliveChance(now) > LIKELY && now - node.answeredAt < ANSWER_MS;
        if (!isLikely && requests.check(node, now)) pings++;
      }
    }
  }

  #refresh(now: number): void {
    const { table } = this.#parts;
    const nodes = table.goodNodes;
    if (nodes === 0) {
      this.#joined = false;
      return;
    }
    // the first nodes may have known a part of the network only
    const grows = this.#ownNodes < K && nodes > this.#ownNodes;
    if (now - this.#ownAt >= (grows || (!this.#joined && nodes < K) ? REJOIN_MS : OWN_REFRESH_MS)) {
      this.#ownAt = now;
      this.#ownNodes = nodes;
      this.#lookUp(table.own, true, now);
      return; // buckets are seen better afterwards
    }
    if (this.#refreshing > 0) return;
    this.#next(now);
  }

  /** Looks up a KUID in each bucket that needs it, some at a time. */
  #next(now: number): void {
    const { table, random, networkSize } = this.#parts;
    const size = networkSize();
    const due = table.buckets().filter(bucket => isDue(bucket, size, now));
    while (this.#refreshing < REFRESHES) {
      const bucket = due.shift();
      if (bucket === undefined) break;
      bucket.refreshedAt = now;
      if (bucket.isOurs) continue; // by the lookup of our own KUID
      this.#lookUp(randomKuid(random, bucket.prefix, bucket.depth), false, now);
    }
    if (this.#refreshing === 0 && due.length === 0) this.#joined = true;
  }

  #lookUp(target: Buffer, ofNode: boolean, now: number): void {
    this.#refreshing++;
    this.#parts.lookups.start({ target, type: null, ofNode, kind: 'refresh' }, now, (_, at) => {
      this.#refreshing--;
      this.#next(at);
    });
  }
}

/**
 * A bucket that is full of nodes heard of within the hour needs no lookup, and one that has most of the nodes that there are few: half of
 * all buckets lie around us, where fewer than k nodes exist.
 */
function isDue({ good, depth, refreshedAt }: Bucket, networkSize: number, now: number): boolean {
  if (now - refreshedAt < REFRESH_MS) return false;
  const [first] = good;
  if (first === undefined || now - first.seenAt >= REFRESH_MS) return true;
  if (good.length >= K) return false;
  return now - refreshedAt >= SELDOM_MS || good.length < (ENOUGH * networkSize) / 2 ** depth;
}
