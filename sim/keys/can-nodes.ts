// The nodes of CAN (Ratnasamy, Francis, Handley, Karp, Shenker: SIGCOMM 2001): a key is a point of a torus, each node owns a zone of it and passes
// messages to the neighbour that is nearest to the point. A node that joins takes half of a zone; neighbours take over the zones of one that fails.
import type { SeededRandom } from '../seeded-random.ts';
import type { SharedFiles } from '../workload/shared-files.ts';
import { hashed } from './identifiers.ts';
import { KeyOverlay, type Payload } from './key-overlay.ts';
import type { Route } from './key-routing.ts';
import { Zones } from './zones.ts';

type Own = { readonly kind: 'join' | 'place' | 'update' | 'takeover' };

export interface CanOptions {
  readonly nodes: number;
  readonly dimensions: number;
  readonly random: SeededRandom;
  readonly files?: SharedFiles | undefined;
  readonly ackMs?: number;
  /** How often each node tells its neighbours that it lives. */
  readonly updateMs?: number;
  /** So many of the nodes are there at first; absent: all. */
  readonly founders?: number;
}

/** A neighbour that has been silent for so many updates has failed. */
const SILENT_UPDATES = 2.5;
/** Before it takes over, a node waits for its share of the torus times this, so that the smallest is first. */
const TAKEOVER_MS = 60_000;

export class CanNodes extends KeyOverlay<Own, 'a place'> {
  readonly zones: Zones;
  /** The node of each zone. A takeover is known to all neighbours at once; its messages are counted. */
  readonly owner: number[] = [0];
  readonly zonesOf: number[][];
  readonly #point: Float64Array;
  readonly #random: SeededRandom;
  readonly #isMember: Uint8Array;
  readonly #updateMs: number;
  readonly #sessions: Uint16Array;
  /** When a node last heard of another one, and nodes that it takes for failed; by number times nodes plus the other's. */
  readonly #heardAt = new Map<number, number>();
  readonly #silent = new Set<number>();

  constructor({ nodes, dimensions, random, files, ackMs = 0, updateMs = 30_000, founders = nodes }: CanOptions) {
    super({ nodes, random, files, ackMs });
    this.zones = new Zones(dimensions);
    this.zonesOf = Array.from({ length: nodes }, () => []);
    this.#point = new Float64Array(dimensions);
    this.#random = random.fork();
    this.#isMember = new Uint8Array(nodes).fill(1, 0, founders);
    this.#updateMs = updateMs;
    this.#sessions = new Uint16Array(nodes);
    this.zonesOf[0] = [0];
    for (let node = 1; node < founders; node++)
      this.#give(node, this.zones.split(this.#largestAt(this.#random.next())));
  }

  /** The volume check (the paper's section 3.7): of the zone of a point and those around it, the largest one. */
  #largestAt(key: number): number {
    let largest = this.zones.at(this.#pointOf(key));
    for (const zone of this.zones.neighbours[largest] ?? [])
      if (this.zones.volume(zone) > this.zones.volume(largest)) largest = zone;
    return largest;
  }

  #give(node: number, zone: number): void {
    const before = this.zonesOf[this.owner[zone] ?? -1];
    before?.splice(before.indexOf(zone), 1);
    this.owner[zone] = node;
    this.zonesOf[node]?.push(zone);
    const sibling = this.zones.sibling(zone);
    if (sibling === null || this.owner[sibling] !== node) return;
    const kept = this.zones.merge(zone, sibling);
    this.zonesOf[node] = (this.zonesOf[node] ?? []).filter(own => own !== zone && own !== sibling);
    this.owner[zone === kept ? sibling : zone] = -1;
    this.owner[kept] = -1;
    this.#give(node, kept);
  }

  /** One hash of the key for each dimension; the array is used again. */
  #pointOf(key: number): Float64Array {
    for (let i = 0; i < this.#point.length; i++) this.#point[i] = hashed(key, i) / 2 ** 32;
    return this.#point;
  }

  override isMember(node: number): boolean {
    return this.network.isUp(node) && this.#isMember[node] === 1;
  }

  ownerOf(key: number): number {
    return this.owner[this.zones.at(this.#pointOf(key))] ?? -1;
  }

  next(at: number, { key }: { readonly key: number }): number | null {
    const point = this.#pointOf(key);
    let [best, least] = [-1, Number.POSITIVE_INFINITY];
    for (const zone of this.zonesOf[at] ?? []) {
      if (this.zones.distance(zone, point) === 0) return at;
      for (const other of this.zones.neighbours[zone] ?? []) {
        const owner = this.owner[other] ?? at;
        const distance = this.zones.distance(other, point);
        if (distance >= least || owner === at || this.#silent.has(at * this.zonesOf.length + owner)) continue;
        [best, least] = [owner, distance];
      }
    }
    return best < 0 ? null : best;
  }

  /** Messages go round it until its zones are taken over or it is heard again. */
  override forget(at: number, silent: number): void {
    this.#silent.add(at * this.zonesOf.length + silent);
  }

  neighboursOf(node: number): number[] {
    const owners = (this.zonesOf[node] ?? []).flatMap(zone =>
      (this.zones.neighbours[zone] ?? []).map(other => this.owner[other] ?? node),
    );
    return [...new Set(owners)].filter(owner => owner !== node);
  }

  join(node: number, known: number): void {
    this.#sessions[node] = (this.#sessions[node] ?? 0) + 1;
    this.#isMember[node] = 0;
    this.tell(node, known, { kind: 'join' });
  }

  /** The node of the point gives a zone of its own away when it has several, and else half of the one it has. */
  protected answer(node: number, _asked: 'a place', joining: number, { key }: Route<Payload<'a place'>>): void {
    if (node === joining) return;
    const zone = this.zones.at(this.#pointOf(key));
    const hasMore = (this.zonesOf[node]?.length ?? 0) > 1;
    this.#give(joining, hasMore ? zone : this.zones.split(zone));
    this.tell(node, joining, { kind: 'place' });
  }

  protected receive(to: number, { kind }: Own, from: number): void {
    if (kind === 'place') {
      this.#isMember[to] = 1;
      this.#keepUpdating(to);
    }
    if (!this.isMember(to)) return;
    this.#heardAt.set(to * this.zonesOf.length + from, this.network.now);
    this.#silent.delete(to * this.zonesOf.length + from);
    if (kind === 'join') this.ask(to, this.#random.next(), 'a place', from);
  }

  /** From now on each member tells its neighbours that it lives. */
  keepUp(): void {
    for (let node = 0; node < this.zonesOf.length; node++) if (this.isMember(node)) this.#keepUpdating(node);
  }

  #keepUpdating(node: number): void {
    const session = this.#sessions[node];
    this.network.every(node, this.#updateMs, () => {
      if (this.#sessions[node] !== session) return false;
      for (const neighbour of this.neighboursOf(node)) {
        this.tell(node, neighbour, { kind: 'update' });
        this.#watch(node, neighbour);
      }
      return true;
    });
  }

  #watch(node: number, neighbour: number): void {
    const watched = node * this.zonesOf.length + neighbour;
    const heardAt = this.#heardAt.get(watched) ?? this.network.now;
    this.#heardAt.set(watched, heardAt);
    if (this.network.now - heardAt < SILENT_UPDATES * this.#updateMs) return;
    const volume = (this.zonesOf[node] ?? []).reduce((sum, zone) => sum + this.zones.volume(zone), 0);
    this.network.after(TAKEOVER_MS * volume, () => {
      if (this.isMember(node) && this.#heardAt.get(watched) === heardAt) this.#takeOver(node, neighbour);
    });
  }

  #takeOver(node: number, failed: number): void {
    const around = this.neighboursOf(failed);
    const near = new Set((this.zonesOf[node] ?? []).flatMap(zone => this.zones.neighbours[zone] ?? []));
    const taken = (this.zonesOf[failed] ?? []).filter(zone => near.has(zone));
    for (const zone of taken) this.#give(node, zone);
    if (taken.length > 0) for (const other of around) if (other !== node) this.tell(node, other, { kind: 'takeover' });
    this.#heardAt.delete(node * this.zonesOf.length + failed);
  }
}
