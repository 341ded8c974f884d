// The routing table of Kademlia: a tree of buckets that is deep around our own KUID. Nodes become good by answering us; a message with a
// source that may be forged makes a node wait at most.
import type { Endpoint } from '../wire/endpoint.ts';
import { formatEndpoint } from '../wire/endpoint.ts';
import { type Bucket, K } from './bucket.ts';
import { BucketTree, type ClosestOptions } from './bucket-tree.ts';
import type { DhtContact } from './dht-contact.ts';
import { KnownNode, TIMEOUTS_MAX } from './known-node.ts';
import { NetworkCounts, type NetworkLimits, networkOf } from './network-limits.ts';

/** Of all lists together; what one address can fill is far below. */
const NODES_MAX = 4_096;
/** A node that was heard of since is not doubted when its bucket is full. */
export const ALIVE_MS = 5 * 60_000;

/** What became of a contact that sent us a message. */
export interface Sighting {
  /** Null: it got no place. */
  readonly node: KnownNode | null;
  /** The node that should be pinged now: the newcomer itself, or one that it contests or would replace. */
  readonly check: KnownNode | null;
}

const NO_PLACE: Sighting = { node: null, check: null };

export interface RoutingTableOptions {
  readonly own: Buffer;
  readonly limits: NetworkLimits;
  /** We answer requests: the table knows all nodes around us. */
  readonly active: boolean;
}

export class RoutingTable {
  readonly own: Buffer;
  readonly #limits: NetworkLimits;
  readonly #networks: NetworkCounts;
  /** By address, or by address and port: see NetworkLimits.oneKuidAnAddress. */
  readonly #byAddress = new Map<string, KnownNode>();
  readonly #tree: BucketTree;

  constructor({ own, limits, active }: RoutingTableOptions) {
    this.own = own;
    this.#limits = limits;
    this.#networks = new NetworkCounts(limits.table);
    this.#tree = new BucketTree(own, limits.bucket, active);
  }

  /** Nodes in all lists. */
  get size(): number {
    return this.#byAddress.size;
  }

  get goodNodes(): number {
    let count = 0;
    for (const bucket of this.buckets()) count += bucket.good.length;
    return count;
  }

  find(kuid: Buffer): KnownNode | null {
    return this.bucketOf(kuid).find(kuid);
  }

  at(endpoint: Endpoint): KnownNode | null {
    const node = this.#byAddress.get(this.#addressKey(endpoint));
    return node?.endpoint.port === endpoint.port ? node : null;
  }

  bucketOf(kuid: Buffer): Bucket {
    return this.#tree.bucketOf(kuid);
  }

  buckets(): readonly Bucket[] {
    return this.#tree.buckets();
  }

  /**
   * A valid message came from this contact, which must be neither firewalled nor leaving; `contact.endpoint` is where it came from.
   * `rttMs` of an answer to a request of ours, null for any other message.
   */
  heard(contact: DhtContact, instance: number, now: number, rttMs: number | null): Sighting {
    const bucket = this.bucketOf(contact.kuid);
    let known = bucket.find(contact.kuid);
    if (known !== null && rttMs !== null && !known.proven && !known.isAt(contact.endpoint)) {
      this.remove(known); // anybody may have said to have the KUID
      known = null;
    }
    if (known === null) return this.#newcomer(bucket, contact, instance, now, rttMs);
    if (!known.isAt(contact.endpoint)) return contest(known);
    if (instance !== 0 && known.instance !== instance) known.restarted(instance, now);
    known.vendor = contact.vendor;
    if (rttMs === null) known.seenAt = now;
    else known.answered(now, rttMs);
    bucket.remove(known);
    if (rttMs !== null && known.state !== 'good') return this.#settle(bucket, known, now);
    bucket.add(known, known.state);
    return { node: known, check: null };
  }

  #newcomer(bucket: Bucket, contact: DhtContact, instance: number, now: number, rttMs: number | null): Sighting {
    const { host } = contact.endpoint;
    if (contact.kuid.equals(this.own)) return NO_PLACE;
    const holder = this.#byAddress.get(this.#addressKey(contact.endpoint));
    if (holder !== undefined) {
      const isThere = holder.endpoint.port === contact.endpoint.port;
      if (!isThere && (rttMs === null || holder.proven)) return NO_PLACE;
      if (rttMs === null) return contest(holder);
      this.remove(holder); // its address has just answered with another KUID
    }
    if (!this.#hasRoom(bucket, host) && (rttMs === null || !this.#clearFor(bucket, host))) return NO_PLACE;
    const node = new KnownNode(contact, instance, now);
    if (rttMs !== null) {
      node.answered(now, rttMs);
      return this.#settle(bucket, node, now);
    }
    if (!makeRoom(bucket, this)) return NO_PLACE;
    this.#add(bucket, node, 'pending');
    const wanted = bucket.good.length + bucket.stale.length < K || this.#tree.splits(bucket);
    return { node, check: wanted ? node : doubtful(bucket, now) };
  }

  #hasRoom(bucket: Bucket, host: string): boolean {
    return this.size < NODES_MAX && this.#networks.hasRoom(host) && bucket.hasRoomFor(host);
  }

  /** Nodes that have proven nothing, such as forged sources, make room for one that has answered. False: they do not suffice. */
  #clearFor(bucket: Bucket, host: string): boolean {
    const network = networkOf(host);
    const isNear = (node: KnownNode): boolean => networkOf(node.endpoint.host) === network;
    for (const node of this.#byAddress.values()) {
      if (node.proven || (this.size < NODES_MAX && !isNear(node))) continue;
      if (!bucket.hasRoomFor(host) && this.bucketOf(node.kuid) !== bucket) continue;
      this.remove(node);
      if (this.#hasRoom(bucket, host)) return true;
    }
    return false;
  }

  /** Places a node that has answered and is in no list of the bucket. */
  #settle(bucket: Bucket, node: KnownNode, now: number): Sighting {
    let place = bucket;
    const isFull = (): boolean => place.good.length >= K / 2 && place.good.length + place.stale.length >= K;
    while (isFull() && place.stale.length === 0 && this.#tree.splits(place)) {
      this.#tree.split(place);
      place = this.bucketOf(node.kuid);
    }
    if (!isFull()) {
      this.#add(place, node, 'good');
      return { node, check: null };
    }
    if (!makeRoom(place, this)) {
      this.#forget(node);
      return { node: null, check: doubtful(place, now) };
    }
    this.#add(place, node, 'pending');
    return { node, check: doubtful(place, now) };
  }

  /**
   * A request to the node was not answered. Returns a node that waits for its place and should be pinged. With `removes` false a node is
   * doubted but stays, for it is we who seem to be cut off.
   */
  timedOut(node: KnownNode, removes = true): KnownNode | null {
    const bucket = this.bucketOf(node.kuid);
    if (bucket.find(node.kuid) !== node) return null;
    node.timeouts++;
    const isDead = node.contested || !node.proven || node.timeouts >= TIMEOUTS_MAX;
    if (isDead && removes) this.remove(node);
    else if (node.state === 'good') bucket.move(node, 'stale');
    node.contested = false;
    return this.promote(bucket);
  }

  /** The node says that it is leaving, which may be forged: it is doubted. */
  leaving(node: KnownNode): void {
    const bucket = this.bucketOf(node.kuid);
    if (node.state === 'good') bucket.move(node, 'stale');
  }

  remove(node: KnownNode): void {
    const bucket = this.bucketOf(node.kuid);
    if (bucket.find(node.kuid) !== node) return;
    bucket.remove(node);
    this.#forget(node);
  }

  /** Gives free places to nodes that wait; returns one that has to prove itself first, or null. */
  promote(bucket: Bucket): KnownNode | null {
    for (;;) {
      const next = bucket.nextPending();
      if (next === null || !next.proven) return next;
      bucket.move(next, 'good');
    }
  }

  /** Up to `count` nodes, nearest to `target` first: good ones, and stale ones too if wanted. */
  closest(target: Buffer, count: number, options?: ClosestOptions): KnownNode[] {
    return this.#tree.closest(target, count, options);
  }

  /** Joins sibling buckets that have emptied. */
  merge(): void {
    this.#tree.merge();
  }

  #add(bucket: Bucket, node: KnownNode, state: KnownNode['state']): void {
    const key = this.#addressKey(node.endpoint);
    if (this.#byAddress.get(key) !== node) {
      this.#byAddress.set(key, node);
      this.#networks.add(node.endpoint.host);
    }
    bucket.add(node, state);
  }

  /** The node is in no bucket any more. */
  #forget(node: KnownNode): void {
    const key = this.#addressKey(node.endpoint);
    if (this.#byAddress.get(key) !== node) return;
    this.#byAddress.delete(key);
    this.#networks.remove(node.endpoint.host);
  }

  #addressKey(endpoint: Endpoint): string {
    return this.#limits.oneKuidAnAddress ? endpoint.host : formatEndpoint(endpoint);
  }
}

function contest(node: KnownNode): Sighting {
  node.contested = true;
  return { node: null, check: node };
}

/** The node of a full bucket that has been silent longest, when that is long. */
function doubtful(bucket: Bucket, now: number): KnownNode | null {
  const [first] = bucket.good;
  return first !== undefined && now - first.seenAt >= ALIVE_MS ? first : null;
}

/** Makes room for one that waits; the oldest that has proven nothing goes. False: all have. */
function makeRoom(bucket: Bucket, table: RoutingTable): boolean {
  if (bucket.pending.length < K) return true;
  const oldest = bucket.pending.find(node => !node.proven && !node.checking);
  if (oldest === undefined) return false;
  table.remove(oldest);
  return true;
}
