// Copies values to a new node that is nearer to their keys than we are, when we are the nearest of those that kept them so far.
import { K } from './bucket.ts';
import type { KnownNode } from './known-node.ts';
import { compareDistance } from './kuid.ts';
import type { Requests } from './requests.ts';
import type { RoutingTable } from './routing-table.ts';
import { ValueDelivery } from './value-delivery.ts';
import type { StoredValue, ValueStore } from './value-store.ts';

/** Values for one new node, and in all that wait. */
const OF_NODE_MAX = 64;
const WAITING_MAX = 512;
const INTERVAL_MS = 1_000;
/** A node that has just come may go again at once. */
const PATIENCE_MS = 60_000;

export interface ReplicatorParts {
  readonly table: RoutingTable;
  readonly values: ValueStore;
  readonly requests: Requests;
}

interface Copy {
  readonly node: KnownNode;
  readonly value: StoredValue;
}

export class Replicator {
  readonly #parts: ReplicatorParts;
  readonly #newcomers: { readonly node: KnownNode; readonly at: number }[] = [];
  readonly #copies: Copy[] = [];
  /** Node and its token of the last copy. */
  #last: ValueDelivery | null = null;
  #busy = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  copied = 0;

  constructor(parts: ReplicatorParts) {
    this.#parts = parts;
  }

  get nextAt(): number {
    const [newcomer] = this.#newcomers;
    const next = this.#copies.length > 0 && !this.#busy ? this.#sentAt + INTERVAL_MS : Number.POSITIVE_INFINITY;
    return Math.min(next, newcomer === undefined ? Number.POSITIVE_INFINITY : newcomer.at + PATIENCE_MS);
  }

  onGoodNode(node: KnownNode, now: number): void {
    if (this.#parts.values.size > 0 && this.#newcomers.length < K) this.#newcomers.push({ node, at: now });
  }

  tick(now: number): void {
    const [newcomer] = this.#newcomers;
    if (newcomer !== undefined && newcomer.at + PATIENCE_MS <= now) {
      this.#newcomers.shift(); // one a tick, for all keys are gone through
      if (newcomer.node.state === 'good') this.#choose(newcomer.node, now);
    }
    if (this.#busy || this.#copies.length === 0 || now < this.#sentAt + INTERVAL_MS) return;
    const copy = this.#copies.shift();
    if (copy !== undefined && copy.node.state === 'good' && copy.value.expiresAt > now) this.#send(copy, now);
  }

  #choose(node: KnownNode, now: number): void {
    const { table, values } = this.#parts;
    let chosen = 0;
    for (const key of values.keysHeld()) {
      if (chosen >= OF_NODE_MAX || this.#copies.length >= WAITING_MAX) return;
      if (compareDistance(key, node.kuid, table.own) >= 0) continue;
      const [nearest] = table.closest(key, 1, { except: node.kuid });
      // another one is nearer and copies them
      if (nearest !== undefined && compareDistance(key, nearest.kuid, table.own) < 0) continue;
      for (const value of values.replicasOf(key, now)) {
        if (value.creator.kuid.equals(node.kuid)) continue;
        this.#copies.push({ node, value });
        chosen++;
      }
    }
  }

  #send({ node, value }: Copy, now: number): void {
    const token = this.#last?.target.kuid.equals(node.kuid) === true ? this.#last.token : null;
    this.#busy = true;
    this.#sentAt = now;
    const delivery = new ValueDelivery(node, token, value, this.#parts.requests, done => {
      this.#busy = false;
      this.#last = done;
      if (done.isStored) this.copied++;
    });
    delivery.start(now);
  }
}
