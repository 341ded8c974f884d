// The pools of slots: one for each group of the settings, and a common one for all who belong to none.
import type { EntryPool, QueueEntry, Standing } from './queue-entry.ts';
import { type Looks, SlotPool } from './slot-pool.ts';
import { type Gave, membership, type UploadGroup } from './upload-group.ts';
import type { UploadLimits } from './upload-limits.ts';

interface GroupPool {
  readonly group: UploadGroup;
  readonly has: (address: string, agent: string | null) => boolean;
  readonly pool: SlotPool;
}

const NONE: readonly UploadGroup[] = [];

export class EntryPools {
  readonly #gave: Gave;
  readonly #looks: Looks = { round: 0 };
  readonly #common: SlotPool;
  #given: readonly UploadGroup[] = NONE;
  /** In the order of the settings: the first that fits counts. */
  #groups: readonly GroupPool[] = [];

  constructor(limits: UploadLimits, gave: Gave) {
    this.#gave = gave;
    this.#common = new SlotPool('', limits.slots, limits.slotsPerAddress, this.#looks);
    this.follow(limits, new Map());
  }

  /** Free slots of those who belong to no group. */
  get free(): number {
    return this.#common.free;
  }

  poolOf(address: string, agent: string | null): EntryPool {
    return this.#groups.find(({ has }) => has(address, agent))?.pool ?? this.#common;
  }

  /** Follows the settings; when groups have changed, each entry goes where it belongs now. */
  follow(limits: UploadLimits, entries: Pick<ReadonlyMap<string, QueueEntry>, 'values'>): void {
    const { groups = NONE, slots, slotsPerAddress } = limits;
    this.#common.resize(slots, slotsPerAddress, entries.values());
    if (groups !== this.#given) this.#regroup(groups, limits, entries.values());
    for (const { group, pool } of this.#groups)
      pool.resize(group.slots, group.maxPerAddress ?? slotsPerAddress, entries.values());
  }

  standings(): Map<QueueEntry, Standing> {
    return new Map([...this.#pools()].flatMap(pool => [...pool.standings()]));
  }

  /** The last entry of an address that waits; null: none does. */
  lastOf(address: string): QueueEntry | null {
    let last: QueueEntry | null = null;
    for (const pool of this.#pools()) {
      const entry = pool.lastOf(address);
      if (entry !== null && (last === null || entry.comesAfter(last))) last = entry;
    }
    return last;
  }

  /** The entries for which the free slots are kept. */
  firsts(): QueueEntry[] {
    return [...this.#pools()].flatMap(pool => pool.firsts());
  }

  *#pools(): Iterable<SlotPool> {
    yield this.#common;
    for (const { pool } of this.#groups) yield pool;
  }

  #regroup(groups: readonly UploadGroup[], { slotsPerAddress }: UploadLimits, entries: Iterable<QueueEntry>): void {
    this.#given = groups;
    this.#groups = groups.map(group => ({
      group,
      has: membership(group, this.#gave),
      pool: new SlotPool(group.name, group.slots, group.maxPerAddress ?? slotsPerAddress, this.#looks),
    }));
    for (const entry of entries) {
      const pool = this.poolOf(entry.load.address, entry.agent);
      if (entry.state === 'waiting') entry.pool.remove(entry);
      else if (entry.holds) entry.pool.release(entry);
      entry.pool = pool;
      if (entry.state === 'waiting') pool.insert(entry);
      else if (entry.holds) pool.hold(entry);
    }
  }
}
