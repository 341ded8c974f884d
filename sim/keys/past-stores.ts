// PAST (Rowstron and Druschel, SOSP 2001): files with k replicas on the k nodes closest to a key of Pastry. A full node diverts its replica to
// one of its leaves, and a file whose replicas are not all taken is diverted to another part of the circle by another key.
import { hashed } from './identifiers.ts';
import type { PastryApplication, PastryNodes } from './pastry-nodes.ts';

export type PastMessage =
  | { readonly kind: 'insert'; readonly file: number; readonly size: number; readonly salt: number }
  | { readonly kind: 'look up'; readonly file: number; readonly client: number }
  | {
      readonly kind: 'store';
      readonly file: number;
      readonly size: number;
      readonly key: number;
      readonly root: number;
    }
  | {
      readonly kind: 'divert';
      readonly file: number;
      readonly size: number;
      readonly key: number;
      readonly root: number;
    }
  | {
      readonly kind: 'diverted';
      readonly file: number;
      readonly root: number;
      readonly isTaken: boolean;
      readonly free: number;
    }
  | { readonly kind: 'stored'; readonly file: number; readonly isTaken: boolean; readonly free: number }
  | { readonly kind: 'discard'; readonly file: number }
  | { readonly kind: 'inserted'; readonly file: number; readonly isTaken: boolean }
  | { readonly kind: 'copy'; readonly file: number; readonly size: number; readonly key: number }
  | { readonly kind: 'found'; readonly file: number };

export interface PastOptions {
  readonly pastry: PastryNodes<PastMessage>;
  /** Bytes of each node. */
  readonly capacity: Float64Array;
  readonly k: number;
  /** Largest share of its free space that a node gives to a replica of its own, and to a diverted one. */
  readonly primaryShare: number;
  readonly divertedShare: number;
  /** Other keys that are tried for a file. */
  readonly retries: number;
}

interface Replica {
  readonly size: number;
  readonly key: number;
}

export const keyOfFile = (file: number, salt: number): number => hashed(file, 0x7061_7374 + salt);

export class PastStores implements PastryApplication<PastMessage> {
  readonly used: Float64Array;
  readonly replicas: readonly Map<number, Replica>[];
  /** Where each node has diverted its replica of a file. */
  readonly pointers: readonly Map<number, number>[];
  readonly inserted = new Set<number>();
  readonly found = new Set<number>();
  fileDiversions = 0;
  replicaDiversions = 0;
  readonly #options: PastOptions;
  /** Replicas that a root waits for, by file. */
  readonly #inserts = new Map<
    number,
    { waiting: number; taken: number[]; refused: boolean; readonly client: number }
  >();
  readonly #own = new Map<number, { size: number; salt: number }>();
  /** Free bytes of each node, as each other node last heard; at first all that it has. */
  readonly #heardFree: Float64Array;

  constructor(options: PastOptions) {
    const { capacity, pastry } = options;
    this.#options = options;
    this.used = new Float64Array(capacity.length);
    this.replicas = Array.from(capacity, () => new Map());
    this.pointers = Array.from(capacity, () => new Map());
    this.#heardFree = Float64Array.from({ length: capacity.length ** 2 }, (_, i) => capacity[i % capacity.length] ?? 0);
    pastry.application = this;
  }

  /** The client's insert. */
  insert(client: number, file: number, size: number): void {
    this.#own.set(file, { size, salt: 0 });
    this.#options.pastry.route(client, keyOfFile(file, 0), { kind: 'insert', file, size, salt: 0 });
  }

  lookUp(client: number, file: number): void {
    const salt = this.#own.get(file)?.salt ?? 0;
    this.#options.pastry.route(client, keyOfFile(file, salt), { kind: 'look up', file, client });
  }

  /** Bytes of all nodes. */
  get space(): number {
    return this.#options.capacity.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Share of all bytes that is used. */
  get utilisation(): number {
    return this.used.reduce((sum, bytes) => sum + bytes, 0) / this.space;
  }

  #free(node: number): number {
    return (this.#options.capacity[node] ?? 0) - (this.used[node] ?? 0);
  }

  #tell(from: number, to: number, message: PastMessage): void {
    if (from === to) this.receive(to, message, from);
    else this.#options.pastry.send(from, to, message);
  }

  #take(node: number, file: number, replica: Replica, share: number): boolean {
    if (this.replicas[node]?.has(file) === true) return true;
    if (replica.size > share * this.#free(node)) return false;
    this.replicas[node]?.set(file, replica);
    this.used[node] = (this.used[node] ?? 0) + replica.size;
    return true;
  }

  #discard(node: number, file: number): void {
    const replica = this.replicas[node]?.get(file);
    if (replica !== undefined) this.used[node] = (this.used[node] ?? 0) - replica.size;
    this.replicas[node]?.delete(file);
    const pointer = this.pointers[node]?.get(file);
    this.pointers[node]?.delete(file);
    if (pointer !== undefined) this.#tell(node, pointer, { kind: 'discard', file });
  }

  /** The k nodes closest to the key, of those that the node knows. */
  #closest(node: number, key: number): number[] {
    const { pastry, k } = this.#options;
    return pastry.closestLeaves(node, key, k);
  }

  deliver(node: number, message: PastMessage, key: number, from: number): void {
    if (message.kind === 'look up') {
      if (this.#has(node, message.file)) this.#tell(node, from, { kind: 'found', file: message.file });
    } else if (message.kind === 'insert') {
      const { file, size } = message;
      const closest = this.#closest(node, key);
      this.#inserts.set(file, { waiting: closest.length, taken: [], refused: false, client: from });
      for (const other of closest) this.#tell(node, other, { kind: 'store', file, size, key, root: node });
    }
  }

  #has(node: number, file: number): boolean {
    return this.replicas[node]?.has(file) === true || this.pointers[node]?.has(file) === true;
  }

  /** A look-up ends at the first node of the way that has the file. */
  forward(node: number, message: PastMessage): boolean {
    if (message.kind !== 'look up' || !this.#has(node, message.file)) return false;
    this.#tell(node, message.client, { kind: 'found', file: message.file });
    return true;
  }

  receive(to: number, message: PastMessage, from: number): void {
    if ('free' in message) this.#heardFree[to * this.used.length + from] = message.free;
    const { file } = message;
    switch (message.kind) {
      case 'store':
        this.#store(to, message.file, message.size, message.key, message.root);
        return;
      case 'divert': {
        const isTaken = !this.#has(to, file) && this.#take(to, file, message, this.#options.divertedShare);
        this.#tell(to, from, { kind: 'diverted', file, root: message.root, isTaken, free: this.#free(to) });
        return;
      }
      case 'diverted':
        if (message.isTaken) this.pointers[to]?.set(file, from);
        if (message.isTaken) this.replicaDiversions++;
        this.#tell(to, message.root, { kind: 'stored', file, isTaken: message.isTaken, free: this.#free(to) });
        return;
      case 'stored':
        this.#onStored(to, from, file, message.isTaken);
        return;
      case 'discard':
        this.#discard(to, file);
        return;
      case 'inserted':
        this.#onInserted(to, file, message.isTaken);
        return;
      case 'copy':
        this.#take(to, file, message, 1);
        return;
      case 'found':
        this.found.add(file);
    }
  }

  /** One of the k closest takes the replica, or diverts it to the leaf that has most room, as far as it has heard. */
  #store(node: number, file: number, size: number, key: number, root: number): void {
    const { primaryShare, divertedShare, pastry } = this.#options;
    const isTaken = this.#take(node, file, { size, key }, primaryShare);
    const closest = isTaken ? [] : this.#closest(node, key);
    const room = (leaf: number): number => this.#heardFree[node * this.used.length + leaf] ?? 0;
    let best = -1;
    if (!isTaken && divertedShare > 0)
      for (const leaf of pastry.leaves(node))
        if (!closest.includes(leaf) && (best < 0 || room(leaf) > room(best))) best = leaf;
    if (best >= 0) this.#tell(node, best, { kind: 'divert', file, size, key, root });
    else this.#tell(node, root, { kind: 'stored', file, isTaken, free: this.#free(node) });
  }

  #onStored(root: number, from: number, file: number, isTaken: boolean): void {
    const insert = this.#inserts.get(file);
    if (insert === undefined) return;
    insert.waiting--;
    if (isTaken) insert.taken.push(from);
    else insert.refused = true;
    if (insert.waiting > 0) return;
    this.#inserts.delete(file);
    if (insert.refused) for (const node of insert.taken) this.#tell(root, node, { kind: 'discard', file });
    this.#tell(root, insert.client, { kind: 'inserted', file, isTaken: !insert.refused });
  }

  /** File diversion: the client tries again with another salt. */
  #onInserted(client: number, file: number, isTaken: boolean): void {
    const own = this.#own.get(file);
    if (isTaken) this.inserted.add(file);
    if (isTaken || own === undefined || own.salt >= this.#options.retries) return;
    own.salt++;
    this.fileDiversions++;
    const { size, salt } = own;
    this.#options.pastry.route(client, keyOfFile(file, salt), { kind: 'insert', file, size, salt });
  }

  /** Replicas go to nodes that are among the k closest now, and those that were diverted to a node that is gone are taken again. */
  newLeafs(node: number, leaves: readonly number[]): void {
    for (const [file, pointer] of this.pointers[node] ?? [])
      if (!leaves.includes(pointer)) this.pointers[node]?.delete(file);
    for (const [file, { size, key }] of this.replicas[node] ?? [])
      for (const other of this.#closest(node, key))
        if (other !== node) this.#tell(node, other, { kind: 'copy', file, size, key });
  }
}
