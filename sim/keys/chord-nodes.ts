// The nodes of Chord (Stoica et al., SIGCOMM 2001): a key belongs to its successor, the first node at or above it on the circle. Each node has
// fingers, a list of successors and a predecessor, and stabilises them again and again.
import type { SeededRandom } from '../seeded-random.ts';
import type { SharedFiles } from '../workload/shared-files.ts';
import { Circle, NOBODY, successorOf } from './identifiers.ts';
import { KeyOverlay } from './key-overlay.ts';

/** The successor of a point: for a node that joins, or for one of the fingers of a node. */
type Asked = { readonly want: 'place' } | { readonly want: 'finger'; readonly finger: number };

type Own =
  | { readonly kind: 'join' }
  | { readonly kind: 'place'; readonly successors: readonly number[]; readonly fingers: readonly number[] }
  | { readonly kind: 'finger'; readonly finger: number }
  | { readonly kind: 'stabilise' }
  | { readonly kind: 'state'; readonly predecessor: number; readonly successors: readonly number[] }
  | { readonly kind: 'notify' }
  | { readonly kind: 'leaving'; readonly predecessor: number; readonly successors: readonly number[] };

export interface ChordOptions {
  /** Ascending. */
  readonly ids: Uint32Array;
  readonly random: SeededRandom;
  /** Length of the list of successors. */
  readonly successors?: number;
  readonly files?: SharedFiles | undefined;
  readonly ackMs?: number;
  readonly stabiliseMs?: number;
  /** The nodes that are there at first, with the tables that stabilisation would reach; absent: all. */
  readonly founders?: readonly number[];
}

const BITS = 32;
const ANSWER_MS = 1_000;
/** Fingers that a node looks up again in each round of stabilisation. */
const FINGERS_A_ROUND = 2;
/** A route's level: by the tables of the node before, this one has the key. */
const LAST = 1;
const circle = new Circle(BITS);

export class ChordNodes extends KeyOverlay<Own, Asked> {
  readonly predecessor: Uint32Array;
  /** Finger j of each node: the successor of the point 2^j above it. */
  readonly fingers: readonly Uint32Array[];
  /** Place j of each node's list of successors. */
  readonly successors: readonly Uint32Array[];
  readonly ids: Uint32Array;
  readonly #stabiliseMs: number;
  readonly #heardAt: Float64Array;
  readonly #predecessorHeardAt: Float64Array;
  readonly #nextFinger: Uint8Array;
  /** How often each node has joined, so that what a former session began ends. */
  readonly #sessions: Uint16Array;

  constructor(options: ChordOptions) {
    const { ids, random, successors = 16, files, ackMs = 0, stabiliseMs = 30_000, founders } = options;
    super({ nodes: ids.length, random, files, ackMs });
    const table = (): Uint32Array => new Uint32Array(ids.length).fill(NOBODY);
    this.ids = ids;
    this.predecessor = table();
    this.fingers = Array.from({ length: BITS }, table);
    this.successors = Array.from({ length: successors }, table);
    this.#stabiliseMs = stabiliseMs;
    this.#heardAt = new Float64Array(ids.length);
    this.#predecessorHeardAt = new Float64Array(ids.length);
    this.#nextFinger = new Uint8Array(ids.length);
    this.#sessions = new Uint16Array(ids.length);
    this.#found(founders ?? Array.from(ids.keys()));
  }

  /** Gives these nodes the tables that stabilisation would reach among them. */
  #found(nodes: readonly number[]): void {
    const count = nodes.length;
    const ids = Uint32Array.from(nodes, node => this.id(node));
    for (const [i, node] of nodes.entries()) {
      this.predecessor[node] = nodes[(i + count - 1) % count] ?? NOBODY;
      for (const [j, list] of this.successors.entries())
        if (j === 0 || j + 1 < count) list[node] = nodes[(i + 1 + j) % count] ?? NOBODY;
    }
    for (const [j, fingers] of this.fingers.entries()) {
      let at = 0; // of the first node, and then further round, since the points of the nodes ascend as the nodes do
      for (const [i, node] of nodes.entries()) {
        const id = ids[i] ?? 0;
        at = Math.max(at, i + 1);
        while (at < i + count && circle.distance(id, ids[at % count] ?? 0) < 2 ** j) at++;
        fingers[node] = nodes[at % count] ?? NOBODY;
      }
    }
  }

  id(node: number): number {
    return this.ids[node] ?? 0;
  }

  successor(node: number): number {
    return this.successors[0]?.[node] ?? NOBODY;
  }

  ownerOf(key: number): number {
    return successorOf(this.ids, key, node => this.isMember(node));
  }

  override isMember(node: number): boolean {
    return this.network.isUp(node) && this.successor(node) !== NOBODY;
  }

  next(at: number, route: { readonly key: number; level: number }): number | null {
    const { key } = route;
    const predecessor = this.predecessor[at] ?? NOBODY;
    if (route.level === LAST || (predecessor !== NOBODY && circle.isBetween(key, this.id(predecessor), this.id(at))))
      return at;
    const successor = this.successor(at);
    if (successor === NOBODY) return null;
    if (!circle.isBetween(key, this.id(at), this.id(successor))) return this.#closestPreceding(at, key);
    route.level = LAST;
    return successor;
  }

  /** Of the nodes that it knows between itself and the key, the one nearest to the key. */
  #closestPreceding(at: number, key: number): number {
    let [best, gain] = [this.successor(at), 0];
    const room = circle.distance(this.id(at), key);
    for (const table of [this.fingers, this.successors])
      for (let j = table.length - 1; j >= 0; j--) {
        const node = table[j]?.[at] ?? NOBODY;
        if (node === NOBODY) continue;
        const distance = circle.distance(this.id(at), this.id(node));
        if (distance < room && distance > gain) [best, gain] = [node, distance];
      }
    return best;
  }

  override forget(at: number, silent: number): void {
    for (const fingers of this.fingers) if (fingers[at] === silent) fingers[at] = NOBODY;
    if (this.predecessor[at] === silent) this.predecessor[at] = NOBODY;
    const list = this.#listOf(at);
    if (list.includes(silent))
      this.#setList(
        at,
        list.filter(node => node !== silent),
      );
  }

  #listOf(node: number): number[] {
    return this.successors.map(list => list[node] ?? NOBODY).filter(successor => successor !== NOBODY);
  }

  #setList(node: number, list: readonly number[]): void {
    const others = [...new Set(list)].filter(other => other !== node);
    for (const [j, successors] of this.successors.entries()) successors[node] = others[j] ?? NOBODY;
  }

  /** From now on each member stabilises its tables again and again. */
  keepUp(): void {
    for (let node = 0; node < this.ids.length; node++) if (this.isMember(node)) this.#keepStabilising(node);
  }

  #keepStabilising(node: number): void {
    const session = this.#sessions[node];
    this.network.every(node, this.#stabiliseMs, () => {
      if (this.#sessions[node] !== session) return false;
      this.#stabilise(node);
      for (let i = 0; i < FINGERS_A_ROUND; i++) this.#fixFinger(node);
      return true;
    });
  }

  /** Asks the successor for its predecessor, which may be a nearer one. */
  #stabilise(node: number): void {
    const silence = this.network.now - (this.#predecessorHeardAt[node] ?? 0);
    if (silence > 3 * this.#stabiliseMs) this.predecessor[node] = NOBODY;
    const successor = this.successor(node);
    if (successor === NOBODY || successor === node) return; // it is alone until another one joins
    const sentAt = this.network.now;
    this.tell(node, successor, { kind: 'stabilise' });
    this.network.after(ANSWER_MS, () => {
      if ((this.#heardAt[node] ?? 0) >= sentAt || !this.network.isUp(node) || this.successor(node) !== successor)
        return;
      this.forget(node, successor);
      this.#stabilise(node);
    });
  }

  #fixFinger(node: number): void {
    const finger = this.#nextFinger[node] ?? 0;
    this.#nextFinger[node] = (finger + 1) % BITS;
    this.ask(node, circle.plus(this.id(node), 2 ** finger), { want: 'finger', finger });
  }

  join(node: number, known: number): void {
    this.#sessions[node] = (this.#sessions[node] ?? 0) + 1;
    for (const table of [this.predecessor, ...this.fingers, ...this.successors]) table[node] = NOBODY;
    this.tell(node, known, { kind: 'join' });
  }

  /** The node leaves and says so to its neighbours, which close the circle at once. */
  leave(node: number): void {
    const [predecessor, successors] = [this.predecessor[node] ?? NOBODY, this.#listOf(node)];
    for (const neighbour of [predecessor, this.successor(node)])
      if (neighbour !== NOBODY) this.tell(node, neighbour, { kind: 'leaving', predecessor, successors });
    this.network.fail(node);
  }

  protected answer(node: number, asked: Asked, by: number): void {
    if (asked.want === 'finger') this.tell(node, by, { kind: 'finger', finger: asked.finger });
    else {
      const fingers = this.fingers.map(table => table[node] ?? NOBODY);
      this.tell(node, by, { kind: 'place', successors: this.#listOf(node), fingers });
    }
  }

  protected receive(to: number, message: Own, from: number): void {
    if (!this.isMember(to) && message.kind !== 'place') return; // old neighbours must notice that it was away
    switch (message.kind) {
      case 'join':
        this.ask(to, this.id(from), { want: 'place' }, from);
        return;
      case 'place':
        this.#setList(to, [from, ...message.successors]);
        for (const [j, fingers] of this.fingers.entries()) fingers[to] = message.fingers[j] ?? NOBODY;
        this.#stabilise(to);
        this.#keepStabilising(to);
        return;
      case 'finger': {
        const fingers = this.fingers[message.finger];
        if (fingers !== undefined) fingers[to] = from;
        return;
      }
      case 'stabilise':
        this.tell(to, from, {
          kind: 'state',
          predecessor: this.predecessor[to] ?? NOBODY,
          successors: this.#listOf(to),
        });
        return;
      case 'state':
        this.#onState(to, from, message.predecessor, message.successors);
        return;
      case 'notify':
        this.#onNotify(to, from);
        return;
      case 'leaving':
        this.#onLeaving(to, from, message.predecessor, message.successors);
    }
  }

  #onState(node: number, successor: number, between: number, successors: readonly number[]): void {
    this.#heardAt[node] = this.network.now;
    if (this.successor(node) !== successor) return;
    const isNearer =
      between !== NOBODY &&
      between !== node &&
      between !== successor &&
      circle.isBetween(this.id(between), this.id(node), this.id(successor));
    this.#setList(node, isNearer ? [between, successor, ...successors] : [successor, ...successors]);
    if (isNearer) this.#stabilise(node);
    else this.tell(node, successor, { kind: 'notify' });
  }

  /** `from` takes this node for its successor. */
  #onNotify(node: number, from: number): void {
    const before = this.predecessor[node] ?? NOBODY;
    if (this.successor(node) === node) this.#setList(node, [from]);
    if (before !== NOBODY && before !== from && !circle.isBetween(this.id(from), this.id(before), this.id(node)))
      return;
    this.predecessor[node] = from;
    this.#predecessorHeardAt[node] = this.network.now;
  }

  #onLeaving(node: number, leaving: number, predecessor: number, successors: readonly number[]): void {
    if (this.predecessor[node] === leaving) this.predecessor[node] = predecessor;
    const isSuccessor = this.successor(node) === leaving;
    this.forget(node, leaving);
    if (isSuccessor) this.#setList(node, successors);
  }
}
