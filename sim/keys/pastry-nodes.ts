// The nodes of Pastry (Rowstron and Druschel, Middleware 2001): a key belongs to the node whose identifier is numerically closest. Each node has
// a table of prefixes, a leaf set of numerical neighbours, and a neighbourhood set of near nodes.
import type { SeededRandom } from '../seeded-random.ts';
import type { SharedFiles } from '../workload/shared-files.ts';
import { Circle, closestOf, NOBODY } from './identifiers.ts';
import { KeyOverlay, type Payload } from './key-overlay.ts';
import type { Route } from './key-routing.ts';
import { nearestOf } from './plane.ts';
import { Digits, fillPrefixTables, PrefixTables } from './prefix-tables.ts';

type Asked<Message> = { readonly want: 'place' } | { readonly want: 'delivery'; readonly message: Message };

type Own<Message> =
  | { readonly kind: 'join' }
  /** Nodes that the sender knows, for the tables of one that joins; the last of them come from the node of its key. */
  | { readonly kind: 'state'; readonly nodes: readonly number[]; readonly isLast: boolean }
  | { readonly kind: 'direct'; readonly message: Message }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'want leaves' }
  | { readonly kind: 'want entry'; readonly row: number; readonly column: number }
  /** Nodes in place of one that failed; each is pinged before it is believed. */
  | { readonly kind: 'others'; readonly nodes: readonly number[] };

/** What is built on Pastry, as the paper's section 2.2 has it. */
export interface PastryApplication<Message> {
  deliver(node: number, message: Message, key: number, from: number): void;
  /** Asked before it is passed on; true stops it there. */
  forward(node: number, message: Message, key: number, next: number): boolean;
  newLeafs(node: number, leaves: readonly number[]): void;
  /** What another node sent to this one itself. */
  receive?(node: number, message: Message, from: number): void;
}

export interface PastryOptions {
  /** Ascending. */
  readonly ids: Uint32Array;
  readonly random: SeededRandom;
  readonly digits?: Digits;
  /** Nodes of a leaf set, half of them below: L. */
  readonly leaves?: number;
  /** Nodes of a neighbourhood set: M. */
  readonly neighbours?: number;
  readonly latencyMs: (from: number, to: number) => number;
  /** Nodes that are looked at for the nearest one for a place of the table, when tables are built at once. */
  readonly candidates?: number;
  readonly files?: SharedFiles | undefined;
  readonly ackMs?: number;
  /** How often each node pings its leaves. */
  readonly pingMs?: number;
  /** The nodes that are there at first, ascending, with the tables that arrivals would lead to; absent: all. */
  readonly founders?: readonly number[];
}

const PONG_MS = 1_000;
/** How long a node that joins waits for states of the way, after the last one, until it tells all that it knows. */
const ARRIVAL_MS = 500;

export class PastryNodes<Message = never> extends KeyOverlay<Own<Message>, Asked<Message>> {
  readonly ids: Uint32Array;
  readonly digits: Digits;
  readonly table: PrefixTables;
  application: PastryApplication<Message> | null = null;
  readonly #circle: Circle;
  readonly latencyMs: (from: number, to: number) => number;
  readonly #half: number;
  /** Of each node: the leaves below it, nearest first, and then those above. */
  readonly #leaves: Uint32Array;
  readonly #neighbours: Uint32Array;
  readonly #neighbourCount: number;
  readonly #isMember: Uint8Array;
  readonly #pingMs: number;
  readonly #sessions: Uint16Array;
  /** Pings under way: number of the pinging node times nodes, plus the pinged one. */
  readonly #awaited = new Set<number>();

  constructor(options: PastryOptions) {
    const {
      ids,
      random,
      digits = new Digits(4, 8),
      leaves = 16,
      neighbours = 16,
      latencyMs,
      candidates = 8,
      files,
    } = options;
    const nodes = ids.length;
    super({ nodes, random, latencyMs, files, ackMs: options.ackMs });
    this.ids = ids;
    this.digits = digits;
    this.table = new PrefixTables(ids, digits);
    this.#circle = new Circle(digits.bits * digits.digits);
    this.latencyMs = latencyMs;
    this.#half = leaves / 2;
    this.#leaves = new Uint32Array(nodes * leaves).fill(NOBODY);
    this.#neighbours = new Uint32Array(nodes * neighbours).fill(NOBODY);
    this.#neighbourCount = neighbours;
    this.#isMember = new Uint8Array(nodes);
    this.#pingMs = options.pingMs ?? 30_000;
    this.#sessions = new Uint16Array(nodes);
    this.#found(Uint32Array.from(options.founders ?? ids.keys()), random.fork(), candidates);
  }

  #found(nodes: Uint32Array, random: SeededRandom, candidates: number): void {
    const choose = nearestOf(nodes, this.latencyMs, candidates, random);
    fillPrefixTables(this.table, this.digits, nodes, this.ids, choose);
    const reach = Math.min(this.#half, nodes.length - 1);
    for (const [i, node] of nodes.entries()) {
      this.#isMember[node] = 1;
      const beside: number[] = [];
      for (let step = 1; step <= reach; step++)
        beside.push(
          nodes[(i + nodes.length - step) % nodes.length] ?? NOBODY,
          nodes[(i + step) % nodes.length] ?? NOBODY,
        );
      this.setLeaves(node, beside);
      const near = Array.from({ length: 2 * this.#neighbourCount }, () => nodes[random.below(nodes.length)] ?? NOBODY);
      this.setNeighbours(node, near);
    }
  }

  /** Leaves of one side, the nearest first. */
  side(node: number, above: boolean): number[] {
    return untilNobody(this.#leaves, (node * 2 + (above ? 1 : 0)) * this.#half, this.#half);
  }

  leaves(node: number): number[] {
    return [...this.side(node, false), ...this.side(node, true)];
  }

  neighbours(node: number): number[] {
    return untilNobody(this.#neighbours, node * this.#neighbourCount, this.#neighbourCount);
  }

  /** The nearest by number of these, on each side. */
  setLeaves(node: number, candidates: readonly number[]): void {
    const id = this.#id(node);
    const others = [...new Set(candidates)].filter(other => other !== node && other !== NOBODY);
    const down = (other: number): number => this.#circle.distance(this.#id(other), id);
    const up = (other: number): number => this.#circle.distance(id, this.#id(other));
    const below = others.filter(other => down(other) <= up(other)).sort((a, b) => down(a) - down(b));
    const above = others.filter(other => up(other) < down(other)).sort((a, b) => up(a) - up(b));
    for (let i = 0; i < this.#half; i++) {
      this.#leaves[node * 2 * this.#half + i] = below[i] ?? NOBODY;
      this.#leaves[(node * 2 + 1) * this.#half + i] = above[i] ?? NOBODY;
    }
  }

  /** The nearest by latency of these. */
  setNeighbours(node: number, candidates: readonly number[]): void {
    const near = [...new Set(candidates)].filter(other => other !== node && other !== NOBODY);
    near.sort((a, b) => this.latencyMs(node, a) - this.latencyMs(node, b));
    for (let i = 0; i < this.#neighbourCount; i++)
      this.#neighbours[node * this.#neighbourCount + i] = near[i] ?? NOBODY;
  }

  #id(node: number): number {
    return this.ids[node] ?? 0;
  }

  override isMember(node: number): boolean {
    return this.network.isUp(node) && this.#isMember[node] === 1;
  }

  ownerOf(key: number): number {
    return closestOf(this.ids, key, this.#circle, node => this.isMember(node));
  }

  /** Whether the key lies between the outermost leaves, going over the node itself. */
  #isAmongLeaves(node: number, key: number): boolean {
    const [below, above] = [this.side(node, false), this.side(node, true)];
    if (below.length < this.#half || above.length < this.#half) return true; // it knows all
    const [lowest, highest] = [this.#id(below.at(-1) ?? node), this.#id(above.at(-1) ?? node)];
    return this.#circle.distance(lowest, key) <= this.#circle.distance(lowest, highest);
  }

  #closest(nodes: readonly number[], key: number): number {
    let [best, least] = [NOBODY, Number.POSITIVE_INFINITY];
    for (const node of nodes) {
      const distance = this.#circle.nearness(this.#id(node), key);
      if (distance < least || (distance === least && this.#id(node) < this.#id(best))) [best, least] = [node, distance];
    }
    return best;
  }

  /** The paper's section 2.3: by leaf set, else by table, else to any known node that is closer and shares as many digits. */
  next(at: number, { key }: { readonly key: number }): number {
    if (this.#isAmongLeaves(at, key)) return this.#closest([at, ...this.leaves(at)], key);
    const row = this.digits.shared(this.#id(at), key);
    const entry = this.table.get(at, row, this.digits.at(key, row));
    if (entry !== NOBODY) return entry;
    const known = [...this.leaves(at), ...this.table.of(at), ...this.neighbours(at)].filter(node => node !== NOBODY);
    return this.#closest([at, ...known.filter(node => this.digits.shared(this.#id(node), key) >= row)], key);
  }

  /** The application's route: the message goes to the node whose identifier is closest to the key. */
  route(from: number, key: number, message: Message): void {
    this.ask(from, key, { want: 'delivery', message });
  }

  /** A message of the application straight to a node that it knows. */
  send(from: number, to: number, message: Message): void {
    this.tell(from, to, { kind: 'direct', message });
  }

  /** Up to so many nodes that are closest to the key, of the node and its leaves. */
  closestLeaves(node: number, key: number, count: number): number[] {
    const nearness = (other: number): number => this.#circle.nearness(this.#id(other), key);
    return [node, ...this.leaves(node)].sort((a, b) => nearness(a) - nearness(b)).slice(0, count);
  }

  /** The paper's pastryInit: the node joins by way of a near node, whose neighbourhood it takes over. */
  join(node: number, known: number): void {
    this.#sessions[node] = (this.#sessions[node] ?? 0) + 1;
    this.#isMember[node] = 0;
    this.table.clear(node);
    this.setLeaves(node, []);
    this.setNeighbours(node, []);
    this.tell(node, known, { kind: 'join' });
  }

  /** Each node of the way sends the rows of its table that serve the one that joins. */
  protected override passes(node: number, route: Route<Payload<Asked<Message>>>, next: number): boolean {
    const { payload, key } = route;
    if (payload.kind !== 'asked') return false;
    if (payload.asked.want === 'delivery')
      return this.application?.forward(node, payload.asked.message, key, next) === true;
    this.tell(node, payload.by, { kind: 'state', nodes: this.#rowsFor(node, payload.by), isLast: false });
    return false;
  }

  #rowsFor(node: number, joining: number): number[] {
    const last = this.digits.shared(this.#id(node), this.#id(joining));
    const rows = Array.from({ length: last + 1 }, (_, row) =>
      row < this.table.rows ? [...this.table.row(node, row)] : [],
    );
    return [node, ...rows.flat().filter(entry => entry !== NOBODY)];
  }

  protected answer(
    node: number,
    asked: Asked<Message>,
    by: number,
    { key, from }: Route<Payload<Asked<Message>>>,
  ): void {
    if (asked.want === 'delivery') this.application?.deliver(node, asked.message, key, from);
    else if (by !== node)
      this.tell(node, by, { kind: 'state', nodes: [...this.#rowsFor(node, by), ...this.leaves(node)], isLast: true });
  }

  protected receive(to: number, message: Own<Message>, from: number): void {
    if (!this.isMember(to) && message.kind !== 'state') return;
    switch (message.kind) {
      case 'join':
        this.tell(to, from, { kind: 'state', nodes: [to, ...this.neighbours(to)], isLast: false });
        this.ask(to, this.#id(from), { want: 'place' }, from);
        return;
      case 'state':
        this.#onState(to, message.nodes, message.isLast);
        return;
      case 'direct':
        this.application?.receive?.(to, message.message, from);
        return;
      case 'ping':
        this.#learn(to, from);
        this.tell(to, from, { kind: 'pong' });
        return;
      case 'pong':
        this.#awaited.delete(to * this.ids.length + from);
        this.#learn(to, from);
        return;
      case 'want leaves':
        this.tell(to, from, { kind: 'others', nodes: this.leaves(to) });
        return;
      case 'want entry':
        this.tell(to, from, { kind: 'others', nodes: [this.table.get(to, message.row, message.column)] });
        return;
      case 'others':
        for (const other of message.nodes) if (this.#wants(to, other)) this.#ping(to, other);
    }
  }

  #onState(node: number, others: readonly number[], isLast: boolean): void {
    for (const other of others) this.#learn(node, other);
    if (!isLast) return;
    this.network.after(ARRIVAL_MS, () => {
      this.#isMember[node] = 1;
      const known = new Set([...this.leaves(node), ...this.table.of(node), ...this.neighbours(node)]);
      known.delete(NOBODY);
      for (const other of known) this.#ping(node, other);
      this.#keepPinging(node);
    });
  }

  /** Whether the other one would enter the leaf set, or an empty place of the table. */
  #wants(node: number, other: number): boolean {
    if (other === node || other === NOBODY) return false;
    const row = this.digits.shared(this.#id(node), this.#id(other));
    return this.table.get(node, row, this.digits.at(this.#id(other), row)) === NOBODY || this.#isNewLeaf(node, other);
  }

  #isNewLeaf(node: number, other: number): boolean {
    const [id, otherId] = [this.#id(node), this.#id(other)];
    const isAbove = this.#circle.distance(id, otherId) < this.#circle.distance(otherId, id);
    const side = this.side(node, isAbove);
    if (side.includes(other)) return false;
    const outermost = this.#id(side.at(-1) ?? node);
    return side.length < this.#half || this.#circle.nearness(id, otherId) < this.#circle.nearness(id, outermost);
  }

  #learn(node: number, other: number): void {
    if (other === node || other === NOBODY) return;
    const row = this.digits.shared(this.#id(node), this.#id(other));
    const column = this.digits.at(this.#id(other), row);
    const entry = this.table.get(node, row, column);
    if (entry === NOBODY || this.latencyMs(node, other) < this.latencyMs(node, entry))
      this.table.set(node, row, column, other);
    const near = this.neighbours(node);
    const isNear =
      near.length < this.#neighbourCount || this.latencyMs(node, other) < this.latencyMs(node, near.at(-1) ?? node);
    if (isNear && !near.includes(other)) this.setNeighbours(node, [...near, other]);
    if (!this.#isNewLeaf(node, other)) return;
    this.setLeaves(node, [...this.leaves(node), other]);
    if (this.isMember(node)) this.application?.newLeafs(node, this.leaves(node));
  }

  /** From now on each member pings its leaves. */
  keepUp(): void {
    for (let node = 0; node < this.ids.length; node++) if (this.isMember(node)) this.#keepPinging(node);
  }

  #keepPinging(node: number): void {
    const session = this.#sessions[node];
    this.network.every(node, this.#pingMs, () => {
      if (this.#sessions[node] !== session) return false;
      for (const leaf of this.leaves(node)) this.#ping(node, leaf);
      return true;
    });
  }

  #ping(node: number, other: number): void {
    const ping = node * this.ids.length + other;
    if (this.#awaited.has(ping)) return;
    this.#awaited.add(ping);
    this.tell(node, other, { kind: 'ping' });
    this.network.after(PONG_MS, () => {
      if (this.#awaited.delete(ping) && this.network.isUp(node)) this.forget(node, other);
    });
  }

  /** The paper's section 2.4, departure: leaves come from the outermost leaf of that side, entries from others of their row. */
  override forget(node: number, silent: number): void {
    const near = this.neighbours(node);
    if (near.includes(silent))
      this.setNeighbours(
        node,
        near.filter(other => other !== silent),
      );
    for (const place of this.table.remove(node, silent)) {
      const [row, column] = [Math.floor(place / this.digits.columns), place % this.digits.columns];
      const helper = this.table.row(node, row).find(other => other !== NOBODY);
      if (helper !== undefined) this.tell(node, helper, { kind: 'want entry', row, column });
    }
    const sides = [this.side(node, false), this.side(node, true)];
    if (!sides.some(side => side.includes(silent))) return;
    this.setLeaves(
      node,
      this.leaves(node).filter(leaf => leaf !== silent),
    );
    for (const side of sides) {
      const outermost = side.findLast(leaf => leaf !== silent);
      if (side.includes(silent) && outermost !== undefined) this.tell(node, outermost, { kind: 'want leaves' });
    }
    this.application?.newLeafs(node, this.leaves(node));
  }
}

/** Entries from the start on, at most so many. */
function untilNobody(table: Uint32Array, start: number, count: number): number[] {
  const entries: number[] = [];
  for (let i = start; i < start + count; i++) {
    const entry = table[i] ?? NOBODY;
    if (entry === NOBODY) break;
    entries.push(entry);
  }
  return entries;
}
