// Slots that are shared out among the entries waiting for them: one lane for each size class, and in each lane the addresses by turns.
import type { AskedFile, EntryPool, QueueEntry, Standing } from './queue-entry.ts';
import { sizeClassOf } from './size-class.ts';

interface Lane {
  held: number;
  /** By rank. */
  readonly waiting: QueueEntry[];
  /** The rest is of the last look; true as long as this is the present round of looks. */
  round: number;
  /** Those that are not frozen, in the order in which they get slots. */
  order: QueueEntry[];
  /** Size of their files. */
  bytes: number;
  /** Those that could have a slot now, the first of `order`, and the rank of the first by rank. */
  competing: number;
  firstRank: number;
}

/** What lanes remember is of one round: it ends when an address that waits gets or gives up a slot. */
export interface Looks {
  round: number;
}

/** More classes would be of files of some bytes. */
const CLASSES_MAX = 30;

export class SlotPool implements EntryPool {
  readonly name: string;
  held = 0;
  slots: number;
  /** Slots of one address; 0: no limit. */
  perAddress: number;
  #lanes: Lane[];
  readonly #looks: Looks;

  /** `looks`: the same for pools whose addresses may be the same. */
  constructor(name: string, slots: number, perAddress: number, looks: Looks = { round: 0 }) {
    this.name = name;
    this.#looks = looks;
    this.slots = slots;
    this.perAddress = perAddress;
    this.#lanes = lanesFor(slots);
  }

  get free(): number {
    return Math.max(0, this.slots - this.held);
  }

  /** As many size classes as slots: entries move when that changes. */
  resize(slots: number, perAddress: number, holders: Iterable<QueueEntry>): void {
    if (perAddress !== this.perAddress) this.#lookAgain();
    this.perAddress = perAddress;
    if (slots === this.slots) return;
    this.slots = slots;
    const waiting = this.#lanes.flatMap(lane => lane.waiting);
    this.#lanes = lanesFor(slots);
    for (const entry of waiting) this.insert(entry);
    for (const entry of holders) if (entry.pool === this && entry.holds) this.#laneOf(entry).held++;
  }

  classOf(entry: QueueEntry): number {
    return sizeClassOf(entry.file.size, this.#lanes.length);
  }

  insert(entry: QueueEntry): void {
    const lane = this.#laneOf(entry);
    const at = placeIn(lane.waiting, entry);
    const isLast = at === lane.waiting.length && lane.round === this.#looks.round;
    if (!isLast || !this.#append(lane, entry)) lane.round = -1;
    lane.waiting.splice(at, 0, entry);
  }

  /** The rank is that of insert(). */
  remove(entry: QueueEntry): void {
    const lane = this.#laneOf(entry);
    const at = placeIn(lane.waiting, entry) - 1;
    if (lane.waiting[at] === entry) lane.waiting.splice(at, 1);
    lane.round = -1;
  }

  /** A waiting entry wants another file now: mostly of the same class, so its place is the same. */
  want(entry: QueueEntry, file: AskedFile): void {
    const lane = this.#laneOf(entry);
    const stays = this.#lanes[sizeClassOf(file.size, this.#lanes.length) - 1] === lane;
    if (stays && file.size !== entry.file.size) lane.round = -1;
    if (!stays) this.remove(entry);
    entry.file = file;
    if (!stays) this.insert(entry);
  }

  passOver(entry: QueueEntry, passedOver: boolean): void {
    if (entry.passedOver === passedOver) return;
    entry.passedOver = passedOver;
    this.#laneOf(entry).round = -1;
  }

  hold(entry: QueueEntry): void {
    this.held++;
    this.#laneOf(entry).held++;
    if (entry.load.waiting > 0) this.#lookAgain();
  }

  release(entry: QueueEntry): void {
    this.held--;
    this.#laneOf(entry).held--;
    if (entry.load.waiting > 0) this.#lookAgain();
  }

  standingOf(entry: QueueEntry): Standing {
    const lane = this.#laneOf(entry);
    this.#lookThrough(lane);
    const { position, bytesAhead } = entry;
    const next = this.#mayHave(entry) && this.free > 0 && position <= this.#shareOf(lane, position);
    return { position, length: lane.waiting.length, bytesAhead, frozen: entry.turn < 0, next };
  }

  /** Of all that wait, in one look. */
  standings(): Map<QueueEntry, Standing> {
    const shares = this.#shares(null, 0);
    const standings = new Map<QueueEntry, Standing>();
    for (const [i, lane] of this.#lanes.entries()) {
      const { length } = lane.waiting;
      for (const entry of lane.waiting) {
        const { position, bytesAhead } = entry;
        const next = this.#mayHave(entry) && position <= (shares[i] ?? 0);
        standings.set(entry, { position, length, bytesAhead, frozen: entry.turn < 0, next });
      }
    }
    return standings;
  }

  /** The entries for which the free slots are kept. */
  firsts(): QueueEntry[] {
    if (this.free === 0) return [];
    const shares = this.#shares(null, 0);
    return this.#lanes.flatMap((lane, i) => lane.order.slice(0, shares[i]));
  }

  /** The last entry of an address that waits; null: none does. */
  lastOf(address: string): QueueEntry | null {
    let last: QueueEntry | null = null;
    for (const { waiting } of this.#lanes)
      for (const entry of waiting)
        if (entry.load.address === address && (last === null || entry.comesAfter(last))) last = entry;
    return last;
  }

  #lookAgain(): void {
    this.#looks.round++;
  }

  /** Gives each entry the turn of its address, counted from the slots that the address has, and with it its position. */
  #lookThrough(lane: Lane): void {
    if (lane.round === this.#looks.round) return;
    lane.round = this.#looks.round;
    lane.order = [];
    lane.bytes = 0;
    lane.competing = 0;
    const look = {};
    const byTurn: QueueEntry[][] = [];
    for (const entry of lane.waiting) {
      const { load } = entry;
      if (load.look !== look) {
        load.look = look;
        load.turns = load.held;
      }
      if (this.#isFrozen(entry)) {
        entry.turn = -1;
        entry.position = 1 + lane.order.length;
        entry.bytesAhead = lane.bytes;
        continue;
      }
      entry.turn = load.turns++;
      if (this.#mayHave(entry) && lane.competing++ === 0) lane.firstRank = entry.rank;
      this.#line(lane, entry);
      const turn = byTurn[entry.turn];
      if (turn === undefined) byTurn[entry.turn] = [entry];
      else turn.push(entry);
    }
    if (byTurn.length > 1) this.#inTurns(lane, byTurn);
  }

  /** Puts the entries in the order of their turns. */
  #inTurns(lane: Lane, byTurn: readonly QueueEntry[][]): void {
    lane.order = [];
    lane.bytes = 0;
    byTurn.forEach(entries => {
      for (const entry of entries) this.#line(lane, entry);
    });
  }

  #line(lane: Lane, entry: QueueEntry): void {
    lane.order.push(entry);
    entry.position = lane.order.length;
    entry.bytesAhead = lane.bytes;
    lane.bytes += entry.file.size;
  }

  /** A newcomer, the only entry of its address, saves a look when it is last in every respect. False: it is not. */
  #append(lane: Lane, entry: QueueEntry): boolean {
    const { load } = entry;
    if (load.waiting > 0 || this.#isFrozen(entry)) return false;
    const last = lane.order.at(-1);
    if (last !== undefined && last.turn > load.held) return false;
    entry.turn = load.held;
    if (this.#mayHave(entry) && lane.competing++ === 0) lane.firstRank = entry.rank;
    this.#line(lane, entry);
    return true;
  }

  #isFrozen({ passedOver, load }: QueueEntry): boolean {
    return passedOver || (this.perAddress > 0 && load.held >= this.perAddress);
  }

  /** Within the share of its address, when those before it get theirs. */
  #mayHave({ turn }: QueueEntry): boolean {
    return turn >= 0 && (this.perAddress === 0 || turn < this.perAddress);
  }

  /** How many of the free slots go to this lane; it stops to count at `enough`. */
  #shareOf(lane: Lane, enough: number): number {
    const at = this.#lanes.indexOf(lane);
    return this.#shares(at, enough)[at] ?? 0;
  }

  /** The free slots by lane: each goes to the lane with the fewest slots, and of those to the one whose first waits longest. */
  #shares(at: number | null, enough: number): number[] {
    let competing = 0;
    for (const lane of this.#lanes) {
      this.#lookThrough(lane);
      competing += lane.competing;
    }
    const shares = this.#lanes.map(() => 0);
    for (let left = Math.min(this.free, competing); left > 0; left--) {
      let best = -1;
      for (const [i, lane] of this.#lanes.entries()) {
        if ((shares[i] ?? 0) >= lane.competing) continue;
        if (best < 0 || this.#comesBefore(lane, shares[i] ?? 0, best, shares[best] ?? 0)) best = i;
      }
      shares[best] = (shares[best] ?? 0) + 1;
      if (best === at && shares[best] === enough) break;
    }
    return shares;
  }

  #comesBefore(lane: Lane, share: number, best: number, bestShare: number): boolean {
    const other = this.#lanes[best] as Lane;
    const more = lane.held + share - (other.held + bestShare);
    return more < 0 || (more === 0 && lane.firstRank < other.firstRank);
  }

  #laneOf(entry: QueueEntry): Lane {
    return this.#lanes[sizeClassOf(entry.file.size, this.#lanes.length) - 1] as Lane;
  }
}

function lanesFor(slots: number): Lane[] {
  return Array.from({ length: Math.min(Math.max(1, slots), CLASSES_MAX) }, () => ({
    held: 0,
    waiting: [],
    round: -1,
    order: [],
    bytes: 0,
    competing: 0,
    firstRank: 0,
  }));
}

/** Where the entry goes in, behind itself when it is in already. */
function placeIn(waiting: readonly QueueEntry[], entry: QueueEntry): number {
  let low = 0;
  let high = waiting.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((waiting[middle] as QueueEntry).comesAfter(entry)) high = middle;
    else low = middle + 1;
  }
  return low;
}
