// The QRP tables that neighbours send us: taken in message by message, kept small, asked for every query that passes.
import { ProtocolError } from '../errors.ts';
import type { QueryHashes } from '../qrp/hash.ts';
import { PackedTable } from '../qrp/packed-table.ts';
import { TableReceiver } from '../qrp/patch.ts';
import type { QrpTable } from '../qrp/table.ts';
import { INDEX_BITS_MAX, TableIndex } from '../qrp/table-index.ts';
import { ByeCode } from '../wire/bye.ts';
import type { Frame } from '../wire/frame-reader.ts';
import { parseRouteTableUpdate } from '../wire/route-table-update.ts';
import type { Link } from './link.ts';

/** A RESET with nothing behind it means an empty table: LimeWire sends no patch for one. */
const RESET_ALONE_MS = 10_000;
/** A sequence that gets no further for so long is given up; gtk-gnutella sends five messages a second. */
const STALLED_MS = 60_000;
/** Of all sequences that are not whole, over all links: 2,000 leaves arriving at once, or 80 hostile ones. */
const UNDER_WAY_BYTES_MAX = 64 * 1024 * 1024;
/** Of all tables of leaves at rest. A plain leaf's takes one or two KiB. */
const AT_REST_BYTES_MAX = 128 * 1024 * 1024;
/** Fuller tables say nothing and would fill the union: such a leaf gets what its queue takes, gtk-gnutella's idea. */
const USEFUL_FILL_MAX = 0.25;
/** A leaf that wants nearer queries only is left out of the union, as in gtk-gnutella. */
const UNION_HOPS_MIN = 3;

/** A table on its way; at rest there is none. */
interface Inbound {
  readonly receiver: TableReceiver;
  lastAt: number;
  bytes: number;
}

/** A leaf that has sent a whole table. */
interface Leaf {
  /** In the index; null when the table is too full to be there. */
  readonly owner: number | null;
  readonly table: PackedTable;
  counted: boolean;
}

export class NeighbourTables {
  readonly #end: (link: Link, code: number, text: string) => void;
  readonly #index = new TableIndex();
  /** At most one a link. */
  readonly #inbound = new Map<Link, Inbound>();
  readonly #leaves = new Map<Link, Leaf>();
  readonly #byOwner: (Link | null)[] = [];
  readonly #brimful = new Set<Link>();
  /** Scratch of leavesFor(). */
  readonly #owners: number[] = [];
  #underWayBytes = 0;
  #atRestBytes = 0;
  /** Counts up when the union of the leaves' tables is another. */
  revision = 0;

  constructor(end: (link: Link, code: number, text: string) => void) {
    this.#end = end;
  }

  /** Leaves with a table. */
  get leaves(): number {
    return this.#leaves.size;
  }

  /** Bytes of tables at rest and under way, without the index. */
  get memoryBytes(): number {
    return this.#atRestBytes + this.#underWayBytes;
  }

  /** One RESET or PATCH. A peer that breaks the rules is shown out with Bye 413. True when its table is a new one. */
  receive(link: Link, frame: Frame, now: number): boolean {
    if (link.role === 'legacy' || link.ourRole === 'leaf') return false; // a leaf passes nothing on
    const inbound = this.#inbound.get(link) ?? this.#begin(link);
    inbound.lastAt = now;
    try {
      const update = parseRouteTableUpdate(frame.payload());
      const changed = inbound.receiver.receive(update);
      this.#account(inbound);
      if (!changed || update.kind === 'reset') return false; // after a RESET the old table serves until the new one is whole
      this.#settle(link, inbound);
      return true;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#end(link, ByeCode.QrpSequence, error.message);
      return false;
    }
  }

  #begin(link: Link): Inbound {
    const before = link.routeTable ?? this.#leaves.get(link)?.table.unpack() ?? null;
    const inbound = { receiver: new TableReceiver(before), lastAt: 0, bytes: 0 };
    this.#inbound.set(link, inbound);
    return inbound;
  }

  #account(inbound: Inbound): void {
    const { memoryBytes } = inbound.receiver;
    this.#underWayBytes += memoryBytes - inbound.bytes;
    inbound.bytes = memoryBytes;
    if (this.#underWayBytes <= UNDER_WAY_BYTES_MAX) return;
    // whoever holds most is the one to blame: an honest table is small and soon whole
    let heaviest: Link | null = null;
    let bytes = 0;
    for (const [link, candidate] of this.#inbound) {
      if (candidate.bytes <= bytes) continue;
      heaviest = link;
      bytes = candidate.bytes;
    }
    if (heaviest !== null) this.#end(heaviest, ByeCode.QrpSequence, 'QRP: too much held');
  }

  #settle(link: Link, inbound: Inbound): void {
    this.#drop(link);
    const { table } = inbound.receiver;
    if (table === null) return;
    if (link.role === 'leaf') this.#keep(link, table);
    else link.routeTable = table;
  }

  #drop(link: Link): void {
    this.#underWayBytes -= this.#inbound.get(link)?.bytes ?? 0;
    this.#inbound.delete(link);
  }

  #keep(link: Link, table: QrpTable): void {
    const before = this.#leaves.get(link);
    const packed = new PackedTable(table);
    const folded = table.bits > INDEX_BITS_MAX ? packed.slots(INDEX_BITS_MAX).length / 2 ** INDEX_BITS_MAX : table.fill;
    const counted = folded <= USEFUL_FILL_MAX && link.queryHopsMax >= UNION_HOPS_MIN;
    const owner = folded <= USEFUL_FILL_MAX ? this.#enter(before, packed, counted) : null;
    if (before !== undefined && (owner === null || owner !== before.owner)) this.#unindex(link, before);
    else this.#atRestBytes -= before?.table.memoryBytes ?? 0;
    this.#leaves.set(link, { owner, table: packed, counted });
    if (owner === null) this.#brimful.add(link);
    else this.#byOwner[owner] = link;
    this.#atRestBytes += packed.memoryBytes;
    this.revision++;
    if (this.#atRestBytes > AT_REST_BYTES_MAX) this.#end(link, ByeCode.QrpSequence, 'QRP: tables take too much memory');
  }

  /** Its number in the index: the one that it has, when its table only changes. No process has so many sockets that they run out. */
  #enter(before: Leaf | undefined, table: PackedTable, counted: boolean): number | null {
    if (before?.owner != null && before.counted === counted) {
      if (this.#index.replace(before.owner, before.table, table, counted)) return before.owner;
    }
    return this.#index.add(table, counted);
  }

  #unindex(link: Link, leaf: Leaf): void {
    this.#atRestBytes -= leaf.table.memoryBytes;
    if (leaf.owner === null) this.#brimful.delete(link);
    else {
      this.#index.remove(leaf.owner, leaf.table, leaf.counted);
      this.#byOwner[leaf.owner] = null;
    }
    if (leaf.counted) this.revision++;
  }

  /** The link is gone. */
  forget(link: Link): void {
    this.#drop(link);
    link.routeTable = null;
    const leaf = this.#leaves.get(link);
    if (leaf === undefined) return;
    this.#leaves.delete(link);
    this.#unindex(link, leaf);
  }

  /** link.queryHopsMax has changed. */
  onHopsFlow(link: Link): void {
    const leaf = this.#leaves.get(link);
    const counted = link.queryHopsMax >= UNION_HOPS_MIN;
    if (leaf === undefined || leaf.owner === null || leaf.counted === counted) return;
    leaf.counted = counted;
    this.#index.setCounted(leaf.table, counted);
    this.revision++;
  }

  /** Appends the leaves that may have what is asked for. A leaf without a table has nothing. */
  leavesFor(hashes: QueryHashes, targets: Link[]): void {
    const owners = this.#owners;
    this.#index.match(hashes, owners);
    for (const owner of owners) {
      const link = this.#byOwner[owner];
      if (link != null) targets.push(link);
    }
    owners.length = 0;
    for (const link of this.#brimful) if (link.queue.size === 0) targets.push(link);
  }

  /** Leaves that understand What's New queries and share something. */
  sharersOfNews(targets: Link[]): void {
    for (const [link, { table }] of this.#leaves) if (link.whatsNew && table.count > 0) targets.push(link);
  }

  /** Whether this one leaf may. */
  leafMayMatch(link: Link, hashes: QueryHashes): boolean {
    const leaf = this.#leaves.get(link);
    return leaf !== undefined && (leaf.owner === null || leaf.table.unpack().mayMatch(hashes));
  }

  /** log2 of the slots that the union of the leaves' tables needs; 0 without any. */
  get unionBits(): number {
    return this.#index.bits;
  }

  addUnionTo(table: QrpTable): void {
    this.#index.addUnionTo(table);
  }

  /** Ends sequences that got stuck, believes RESETs that stayed alone, clears up behind leaves that went. Meant to be called about once a second. */
  tick(now: number): void {
    this.#index.sweep();
    for (const [link, inbound] of this.#inbound) {
      const quietMs = now - inbound.lastAt;
      if (inbound.receiver.midway) {
        if (quietMs > STALLED_MS) this.#end(link, ByeCode.QrpSequence, 'QRP: the sequence stopped');
      } else if (quietMs > RESET_ALONE_MS) this.#settle(link, inbound);
    }
  }
}
