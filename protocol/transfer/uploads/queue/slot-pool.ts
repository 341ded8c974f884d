// Slots that are shared out among the entries waiting for them: one lane for each size class, and in each lane the addresses by turns.
import type { EntryPool, QueueEntry, Standing } from './queue-entry.ts';
import { sizeClassOf } from './size-class.ts';

interface Lane {
  held: number;
  /** By rank. */
  readonly waiting: QueueEntry[];
  /** Of the last look: those that could have a slot now, and the rank of the first. */
  competing: number;
  firstRank: number;
}

const byTurn = (a: QueueEntry, b: QueueEntry): number => a.turn - b.turn || a.rank - b.rank || a.number - b.number;

/** More classes would be of files of some bytes. */
const CLASSES_MAX = 30;

export class SlotPool implements EntryPool {
  readonly name: string;
  held = 0;
  slots: number;
  /** Slots of one address; 0: no limit. */
  perAddress: number;
  #lanes: Lane[];

  constructor(name: string, slots: number, perAddress: number) {
    this.name = name;
    this.slots = slots;
    this.perAddress = perAddress;
    this.#lanes = lanesFor(slots);
  }

  get free(): number {
    return Math.max(0, this.slots - this.held);
  }

  /** As many size classes as slots: entries move when that changes. */
  resize(slots: number, perAddress: number, holders: Iterable<QueueEntry>): void {
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
    const { waiting } = this.#laneOf(entry);
    waiting.splice(placeIn(waiting, entry), 0, entry);
  }

  /** The rank and the file are those of insert(). */
  remove(entry: QueueEntry): void {
    const { waiting } = this.#laneOf(entry);
    const at = placeIn(waiting, entry) - 1;
    if (waiting[at] === entry) waiting.splice(at, 1);
  }

  hold(entry: QueueEntry): void {
    this.held++;
    this.#laneOf(entry).held++;
  }

  release(entry: QueueEntry): void {
    this.held--;
    this.#laneOf(entry).held--;
  }

  standingOf(entry: QueueEntry): Standing {
    const lane = this.#laneOf(entry);
    this.#lookThrough(lane);
    let position = 1;
    let bytesAhead = 0;
    let passed = false;
    for (const other of lane.waiting) {
      if (other === entry) passed = true;
      if (other.turn < 0) continue;
      const isAhead = entry.turn < 0 || other.turn === entry.turn ? !passed : other.turn < entry.turn;
      if (!isAhead) continue;
      position++;
      bytesAhead += other.file.size;
    }
    const frozen = entry.turn < 0;
    const next = this.#mayHave(entry) && this.free > 0 && position <= this.#shareOf(lane, position);
    return { position, length: lane.waiting.length, bytesAhead, frozen, next };
  }

  /** Of all that wait, in one look. */
  standings(): Map<QueueEntry, Standing> {
    const shares = this.#shares(null, 0);
    const standings = new Map<QueueEntry, Standing>();
    for (const [i, lane] of this.#lanes.entries()) {
      const { length } = lane.waiting;
      let [position, bytesAhead] = [1, 0];
      for (const entry of lane.waiting) {
        // one that is frozen is behind those that came before it
        if (entry.turn < 0) standings.set(entry, { position, length, bytesAhead, frozen: true, next: false });
        else {
          position++;
          bytesAhead += entry.file.size;
        }
      }
      [position, bytesAhead] = [1, 0];
      for (const entry of lane.waiting.filter(({ turn }) => turn >= 0).sort(byTurn)) {
        const next = this.#mayHave(entry) && position <= (shares[i] ?? 0);
        standings.set(entry, { position, length, bytesAhead, frozen: false, next });
        position++;
        bytesAhead += entry.file.size;
      }
    }
    return standings;
  }

  /** The entries for which the free slots are kept. */
  firsts(): QueueEntry[] {
    if (this.free === 0) return [];
    const shares = this.#shares(null, 0);
    return this.#lanes.flatMap((lane, i) =>
      lane.waiting
        .filter(entry => this.#mayHave(entry))
        .sort(byTurn)
        .slice(0, shares[i]),
    );
  }

  /** The last entry of an address that waits; null: none does. */
  lastOf(address: string): QueueEntry | null {
    let last: QueueEntry | null = null;
    for (const { waiting } of this.#lanes)
      for (const entry of waiting)
        if (entry.load.address === address && (last === null || entry.comesAfter(last))) last = entry;
    return last;
  }

  /** Gives each entry the turn of its address, counted from the slots that the address has. */
  #lookThrough(lane: Lane): void {
    const look = {};
    const { perAddress } = this;
    lane.competing = 0;
    for (const entry of lane.waiting) {
      const { load } = entry;
      if (load.look !== look) {
        load.look = look;
        load.turns = load.held;
      }
      if (entry.passedOver || (perAddress > 0 && load.held >= perAddress)) {
        entry.turn = -1;
        continue;
      }
      entry.turn = load.turns++;
      if (this.#mayHave(entry) && lane.competing++ === 0) lane.firstRank = entry.rank;
    }
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
