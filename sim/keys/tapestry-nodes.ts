// The nodes of Tapestry (Zhao, Kubiatowicz and Joseph 2001; Zhao et al., JSAC 2004): a message goes to a key digit by digit, and where no node has the
// digit, to the next digit that some node has: so each key has one root. Announcements leave a pointer at each node of their way to the root.
import type { SeededRandom } from '../seeded-random.ts';
import type { SharedFiles } from '../workload/shared-files.ts';
import { countBelow, NOBODY } from './identifiers.ts';
import { KeyOverlay, type Payload } from './key-overlay.ts';
import type { Route } from './key-routing.ts';
import { nearestOf } from './plane.ts';
import { type Digits, fillPrefixTables, PrefixTables } from './prefix-tables.ts';

type Own =
  | { readonly kind: 'join' }
  /** The rows of the surrogate that serve the one that joins. */
  | { readonly kind: 'place'; readonly nodes: readonly number[] }
  /** To each node that shares so many digits with the new one. */
  | { readonly kind: 'multicast'; readonly joining: number; readonly level: number }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'want entry'; readonly row: number; readonly column: number }
  | { readonly kind: 'entry'; readonly node: number };

export interface TapestryOptions {
  /** Ascending. */
  readonly ids: Uint32Array;
  readonly random: SeededRandom;
  readonly digits: Digits;
  readonly latencyMs: (from: number, to: number) => number;
  /** Nodes that are looked at for the nearest one for a place of the table, when tables are built at once. */
  readonly candidates?: number;
  readonly files?: SharedFiles | undefined;
  readonly ackMs?: number;
  /** How often each node pings the nodes of its table. */
  readonly pingMs?: number;
  /** The nodes that are there at first, ascending; absent: all. */
  readonly founders?: readonly number[];
}

const PONG_MS = 1_000;
const SEEK_ROUNDS = 3;
/** How long a node that joins waits for those that the multicast reaches. */
const ARRIVAL_MS = 1_000;

export class TapestryNodes extends KeyOverlay<Own, 'a place'> {
  readonly ids: Uint32Array;
  readonly table: PrefixTables;
  readonly latencyMs: (from: number, to: number) => number;
  readonly #digits: Digits;
  readonly #isMember: Uint8Array;
  readonly #pingMs: number;
  readonly #sessions: Uint16Array;
  readonly #awaited = new Set<number>();
  /** Places of each node's table whose node failed, and in how many rounds another one is asked for yet. */
  readonly #lost = new Map<number, Map<number, number>>();

  constructor({
    ids,
    random,
    digits,
    latencyMs,
    candidates = 8,
    files,
    ackMs = 0,
    pingMs = 30_000,
    founders,
  }: TapestryOptions) {
    super({ nodes: ids.length, random, latencyMs, files, ackMs });
    this.ids = ids;
    this.table = new PrefixTables(ids, digits);
    this.latencyMs = latencyMs;
    this.#digits = digits;
    this.#isMember = new Uint8Array(ids.length);
    this.#pingMs = pingMs;
    this.#sessions = new Uint16Array(ids.length);
    const nodes = Uint32Array.from(founders ?? ids.keys());
    for (const node of nodes) this.#isMember[node] = 1;
    fillPrefixTables(this.table, digits, nodes, ids, nearestOf(nodes, latencyMs, candidates, random.fork()));
  }

  #id(node: number): number {
    return this.ids[node] ?? 0;
  }

  override isMember(node: number): boolean {
    return this.network.isUp(node) && this.#isMember[node] === 1;
  }

  /** The key's root: digit by digit, the first digit from the key's on upwards, going round, that some member has. */
  ownerOf(key: number): number {
    let [from, to, prefix] = [0, this.ids.length, 0];
    for (let row = 0; row < this.#digits.digits; row++) {
      const step = 2 ** (this.#digits.bits * (this.#digits.digits - 1 - row));
      const wanted = this.#digits.at(key, row);
      for (let tried = 0; tried < this.#digits.columns; tried++) {
        const start = prefix + ((wanted + tried) % this.#digits.columns) * step;
        const [first, last] = [countBelow(this.ids, start, from, to), countBelow(this.ids, start + step, from, to)];
        if (!this.#hasMember(first, last)) continue;
        [from, to, prefix] = [first, last, start];
        break;
      }
    }
    return from;
  }

  #hasMember(from: number, to: number): boolean {
    for (let node = from; node < to; node++) if (this.isMember(node)) return true;
    return false;
  }

  /** Surrogate routing; the level counts the digits that are settled. */
  next(at: number, route: { readonly key: number; level: number }): number {
    for (; route.level < this.table.rows; route.level++) {
      const wanted = this.#digits.at(route.key, route.level);
      const own = this.#digits.at(this.#id(at), route.level);
      for (let tried = 0; tried < this.#digits.columns; tried++) {
        const column = (wanted + tried) % this.#digits.columns;
        if (column === own) break;
        const entry = this.table.get(at, route.level, column);
        if (entry === NOBODY) continue;
        route.level++;
        return entry;
      }
    }
    return at;
  }

  /** Pointers on the way: an announcement leaves one, a withdrawal takes it, and a search ends at the first. */
  protected override passes(node: number, { payload, from }: Route<Payload<'a place'>>): boolean {
    const { files } = this;
    if (files === null || payload.kind === 'asked' || payload.kind === 'probe') return false;
    if (payload.kind === 'find' && files.holdersAt(node, payload.file).length === 0) return false;
    files.deliver(node, from, payload);
    return payload.kind === 'find';
  }

  join(node: number, known: number): void {
    this.#sessions[node] = (this.#sessions[node] ?? 0) + 1;
    this.#isMember[node] = 0;
    this.table.clear(node);
    this.tell(node, known, { kind: 'join' });
  }

  /** The surrogate of the one that joins: it sends its rows, and lets all that share as many digits know of the new node. */
  protected answer(node: number, _asked: 'a place', joining: number): void {
    const level = this.#digits.shared(this.#id(node), this.#id(joining));
    const rows = Array.from({ length: Math.min(level + 1, this.table.rows) }, (_, row) => [
      ...this.table.row(node, row),
    ]);
    this.tell(node, joining, { kind: 'place', nodes: [node, ...rows.flat().filter(entry => entry !== NOBODY)] });
    this.#multicast(node, joining, level);
  }

  #multicast(node: number, joining: number, level: number): void {
    for (let row = level; row < this.table.rows; row++)
      for (const entry of this.table.row(node, row))
        if (entry !== NOBODY && entry !== joining)
          this.tell(node, entry, { kind: 'multicast', joining, level: row + 1 });
    this.#ping(node, joining);
  }

  protected receive(to: number, message: Own, from: number): void {
    if (!this.isMember(to) && message.kind !== 'place' && message.kind !== 'ping') return;
    switch (message.kind) {
      case 'join':
        this.ask(to, this.#id(from), 'a place', from);
        return;
      case 'place':
        this.#onPlace(to, message.nodes);
        return;
      case 'multicast':
        this.#multicast(to, message.joining, message.level);
        return;
      case 'ping':
        this.#learn(to, from);
        this.tell(to, from, { kind: 'pong' });
        return;
      case 'pong':
        this.#awaited.delete(to * this.ids.length + from);
        this.#learn(to, from);
        return;
      case 'want entry': {
        const node = this.table.get(to, message.row, message.column);
        if (node !== NOBODY && node !== from) this.tell(to, from, { kind: 'entry', node });
        return;
      }
      case 'entry':
        if (message.node !== to) this.#ping(to, message.node);
    }
  }

  #onPlace(node: number, others: readonly number[]): void {
    const session = this.#sessions[node];
    for (const other of others) this.#learn(node, other);
    this.network.after(ARRIVAL_MS, () => {
      if (this.#sessions[node] !== session || !this.network.isUp(node)) return;
      this.#isMember[node] = 1;
      for (const other of this.#entries(node)) this.#ping(node, other);
      this.#keepPinging(node);
    });
  }

  #entries(node: number): number[] {
    return Array.from(this.table.of(node)).filter(entry => entry !== NOBODY);
  }

  #learn(node: number, other: number): void {
    if (node === other) return;
    const row = this.#digits.shared(this.#id(node), this.#id(other));
    const column = this.#digits.at(this.#id(other), row);
    const entry = this.table.get(node, row, column);
    if (entry === NOBODY || this.latencyMs(node, other) < this.latencyMs(node, entry))
      this.table.set(node, row, column, other);
  }

  /** From now on each member pings the nodes of its table. */
  keepUp(): void {
    for (let node = 0; node < this.ids.length; node++) if (this.isMember(node)) this.#keepPinging(node);
  }

  #keepPinging(node: number): void {
    const session = this.#sessions[node];
    this.network.every(node, this.#pingMs, () => {
      if (this.#sessions[node] !== session) return false;
      for (const entry of this.#entries(node)) this.#ping(node, entry);
      this.#seekLost(node);
      return true;
    });
  }

  #ping(node: number, other: number): void {
    const ping = node * this.ids.length + other;
    if (node === other || this.#awaited.has(ping)) return;
    this.#awaited.add(ping);
    this.tell(node, other, { kind: 'ping' });
    this.network.after(PONG_MS, () => {
      if (this.#awaited.delete(ping) && this.network.isUp(node)) this.forget(node, other);
    });
  }

  override forget(node: number, silent: number): void {
    const lost = this.#lost.get(node) ?? new Map<number, number>();
    this.#lost.set(node, lost);
    for (const place of this.table.remove(node, silent)) {
      lost.set(place, SEEK_ROUNDS);
      this.#seek(node, place);
    }
  }

  /** Asks for the entry of an empty place: others of the row share as many digits, so that they may know a node for it. */
  #seek(node: number, place: number): void {
    const [row, column] = [Math.floor(place / this.#digits.columns), place % this.#digits.columns];
    for (const fellow of this.#entries(node).filter(
      entry => this.#digits.shared(this.#id(entry), this.#id(node)) >= row,
    ))
      this.tell(node, fellow, { kind: 'want entry', row, column });
  }

  #seekLost(node: number): void {
    const lost = this.#lost.get(node);
    for (const [place, rounds] of lost ?? []) {
      const isEmpty = this.table.of(node)[place] === NOBODY;
      if (!isEmpty || rounds === 0) lost?.delete(place);
      else {
        lost?.set(place, rounds - 1);
        this.#seek(node, place);
      }
    }
  }
}
