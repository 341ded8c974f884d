// A bucket of the routing table: the nodes whose KUIDs begin with its prefix, in three lists with the least recently seen first.

import type { KnownNode, NodeState } from './known-node.ts';
import { commonBits } from './kuid.ts';
import { networkOf } from './network-limits.ts';

/** Nodes in a list of a bucket, and nodes that keep a value: k of Kademlia. */
export const K = 20;

export class Bucket {
  readonly prefix: Buffer;
  /** Bits of the prefix. */
  readonly depth: number;
  /** Depth at which its path left ours; -1: our own KUID lies in it. */
  readonly leftAt: number;
  /** Nodes of one network. */
  readonly #ofNetworkMax: number;
  readonly good: KnownNode[] = [];
  readonly stale: KnownNode[] = [];
  readonly pending: KnownNode[] = [];
  /** When a lookup for a KUID in it ended last; -Infinity: never. */
  refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(prefix: Buffer, depth: number, leftAt: number, ofNetworkMax: number) {
    this.prefix = prefix;
    this.depth = depth;
    this.leftAt = leftAt;
    this.#ofNetworkMax = ofNetworkMax;
  }

  get isOurs(): boolean {
    return this.leftAt < 0;
  }

  get size(): number {
    return this.good.length + this.stale.length + this.pending.length;
  }

  covers(kuid: Buffer): boolean {
    return commonBits(this.prefix, kuid) >= this.depth;
  }

  find(kuid: Buffer): KnownNode | null {
    const head = kuid.readUInt32BE(0);
    for (const list of [this.good, this.stale, this.pending])
      for (const node of list) if (node.head === head && node.kuid.equals(kuid)) return node;
    return null;
  }

  /** Whether it takes another node of the network of that host. */
  hasRoomFor(host: string): boolean {
    if (this.#ofNetworkMax === Number.POSITIVE_INFINITY) return true;
    const network = `${networkOf(host)}.`; // nodes of the DHT have IPv4 addresses
    let count = 0;
    for (const list of [this.good, this.stale, this.pending])
      for (const { endpoint } of list) if (endpoint.host.startsWith(network)) count++;
    return count < this.#ofNetworkMax;
  }

  /** Puts the node where its time belongs, for it may come from another list. */
  add(node: KnownNode, state: NodeState): void {
    node.state = state;
    const list = this[state];
    let at = list.length;
    while (at > 0 && (list[at - 1] as KnownNode).seenAt > node.seenAt) at--;
    if (at === list.length) list.push(node);
    else list.splice(at, 0, node);
  }

  /** The node must be in it. */
  remove(node: KnownNode): void {
    const list = this[node.state];
    const at = list.lastIndexOf(node);
    if (at === list.length - 1) list.pop();
    else list.splice(at, 1);
  }

  move(node: KnownNode, state: NodeState): void {
    this.remove(node);
    this.add(node, state);
  }

  /** A node that has waited, when good and stale ones leave room: of the proven ones the last seen, else of the others. */
  nextPending(): KnownNode | null {
    if (this.good.length + this.stale.length >= K) return null;
    return this.pending.findLast(node => node.proven) ?? this.pending.findLast(node => !node.checking) ?? null;
  }

  *[Symbol.iterator](): Generator<KnownNode> {
    yield* this.good;
    yield* this.stale;
    yield* this.pending;
  }
}
