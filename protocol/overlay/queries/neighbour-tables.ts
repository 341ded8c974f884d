// The QRP tables that neighbours send us: taken in message by message, kept small, asked for every query that passes.
import { ProtocolError } from '../../errors.ts';
import { LazyMap } from '../../lazy-map.ts';
import type { QueryHashes } from '../../qrp/hash.ts';
import { PackedTable } from '../../qrp/packed-table.ts';
import { TableReceiver } from '../../qrp/patch.ts';
import type { QrpTable } from '../../qrp/table.ts';
import { TableIndex } from '../../qrp/table-index.ts';
import { RateLimit } from '../../rate-limit.ts';
import { ByeCode } from '../../wire/bye.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { parseRouteTableUpdate, QRP_SLOTS_MAX, type RouteTableUpdate } from '../../wire/route-table-update.ts';
import type { Link } from '../links/link.ts';

/** A RESET with nothing behind it means an empty table: LimeWire sends no patch for one. */
const RESET_ALONE_MS = 10_000;
/** A sequence that gets no further for so long is given up; gtk-gnutella sends five messages a second. */
const STALLED_MS = 60_000;
/** Of all sequences that are not whole, over all links: 2,000 leaves arriving at once, or 80 hostile ones. */
const UNDER_WAY_BYTES_MAX = 64 * 1024 * 1024;
/** Of all tables of leaves at rest. A plain leaf's takes one or two KiB. */
const AT_REST_BYTES_MAX = 128 * 1024 * 1024;
/** Tables of the most slots at once: a servent sends its first, and three or so while it reads its library. */
const LARGEST_TABLES = 5;
/** However small a table is, a sequence costs as much as so many slots. */
const SEQUENCE_SLOTS = 4_096;
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
  /** In the index. */
  readonly owner: number;
  readonly table: PackedTable;
  counted: boolean;
}

export class NeighbourTables {
  readonly #end: (link: Link, code: number, text: string) => void;
  /** Made with the first table of a leaf: a leaf itself has no need of one. */
  #index: TableIndex | null = null;
  /** At most one a link. */
  readonly #inbound = new LazyMap<Link, Inbound>();
  readonly #leaves = new LazyMap<Link, Leaf>();
  readonly #byOwner: (Link | null)[] = [];
  readonly #limit: RateLimit;
  /** Scratch of leavesFor(). */
  readonly #owners: number[] = [];
  #underWayBytes = 0;
  #atRestBytes = 0;
  /** Counts up when the union of the leaves' tables is another. */
  revision = 0;

  constructor(largestTableMs: number, end: (link: Link, code: number, text: string) => void) {
    this.#limit = new RateLimit(largestTableMs, LARGEST_TABLES);
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

  /**
   * One RESET or PATCH. A peer that breaks the rules is shown out with Bye 413, one that sends too many tables with 410: to
   * leave some of them out would leave us with a wrong one. True when its table is a new one.
   */
  receive(link: Link, frame: Frame, now: number): boolean {
    if (link.role === 'legacy' || link.ourRole === 'leaf') return false; // a leaf passes nothing on
    try {
      const update = parseRouteTableUpdate(frame.payload());
      const inbound = this.#inbound.get(link) ?? this.#begin(link, update);
      inbound.lastAt = now;
      if (!this.#affords(link, inbound.receiver, update, now)) {
        this.#end(link, ByeCode.Excessive, 'QRP: too many tables');
        return false;
      }
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

  #begin(link: Link, { kind }: RouteTableUpdate): Inbound {
    const patched = kind === 'patch'; // a RESET does away with what was before
    const before = patched ? (link.routeTable ?? this.#leaves.get(link)?.table.unpack() ?? null) : null;
    const inbound = { receiver: new TableReceiver(before), lastAt: 0, bytes: 0 };
    this.#inbound.set(link, inbound);
    return inbound;
  }

  /** Charged once a sequence, with all that it goes through, and for a RESET. */
  #affords(link: Link, receiver: TableReceiver, { kind }: RouteTableUpdate, now: number): boolean {
    if (kind === 'patch' && receiver.midway) return true;
    const slots = kind === 'reset' ? SEQUENCE_SLOTS : Math.max(SEQUENCE_SLOTS, receiver.slots);
    const due = this.#limit.admit(link.tableDue, now, slots / QRP_SLOTS_MAX);
    if (due >= 0) link.tableDue = due;
    return due >= 0;
  }

  #account(inbound: Inbound): void {
    const { memoryBytes } = inbound.receiver;
    this.#underWayBytes += memoryBytes - inbound.bytes;
    inbound.bytes = memoryBytes;
    if (this.#underWayBytes <= UNDER_WAY_BYTES_MAX) return;
    // the link with the most bytes pending is ended: an honest table is small and soon whole
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
    const counted = link.queryHopsMax >= UNION_HOPS_MIN;
    const owner = this.#enter(before, packed, counted);
    if (owner === null) {
      this.#end(link, ByeCode.QrpSequence, 'QRP: too many tables held');
      return;
    }
    if (before !== undefined && owner !== before.owner) this.#unindex(before);
    else this.#atRestBytes -= before?.table.memoryBytes ?? 0;
    this.#leaves.set(link, { owner, table: packed, counted });
    this.#byOwner[owner] = link;
    this.#atRestBytes += packed.memoryBytes;
    this.revision++;
    if (this.#atRestBytes > AT_REST_BYTES_MAX) this.#end(link, ByeCode.QrpSequence, 'QRP: tables take too much memory');
  }

  /** Its number in the index: the one that it has, when its table only changes. No process has so many sockets that they run out. */
  #enter(before: Leaf | undefined, table: PackedTable, counted: boolean): number | null {
    this.#index ??= new TableIndex();
    if (before !== undefined && before.counted === counted) {
      if (this.#index.replace(before.owner, before.table, table, counted)) return before.owner;
    }
    return this.#index.add(table, counted);
  }

  #unindex(leaf: Leaf): void {
    this.#atRestBytes -= leaf.table.memoryBytes;
    this.#index?.remove(leaf.owner, leaf.table, leaf.counted);
    this.#byOwner[leaf.owner] = null;
    if (leaf.counted) this.revision++;
  }

  /** The link is gone. */
  forget(link: Link): void {
    this.#drop(link);
    link.routeTable = null;
    const leaf = this.#leaves.get(link);
    if (leaf === undefined) return;
    this.#leaves.delete(link);
    this.#unindex(leaf);
  }

  /** Hops flow is looked at once a tick: it may change back and forth as often as a peer likes. */
  #recount(link: Link, leaf: Leaf): void {
    const counted = link.queryHopsMax >= UNION_HOPS_MIN;
    if (leaf.counted === counted) return;
    leaf.counted = counted;
    this.#index?.setCounted(leaf.table, counted);
    this.revision++;
  }

  /** Appends the leaves that may have what is asked for. A leaf without a table has nothing. */
  leavesFor(hashes: QueryHashes, targets: Link[]): void {
    const owners = this.#owners;
    this.#index?.match(hashes, owners);
    for (const owner of owners) {
      const link = this.#byOwner[owner];
      if (link != null) targets.push(link);
    }
    owners.length = 0;
  }

  /** Leaves that understand What's New queries and share something. */
  sharersOfNews(targets: Link[]): void {
    for (const [link, { table }] of this.#leaves) if (link.whatsNew && table.count > 0) targets.push(link);
  }

  /** Whether this one leaf may. */
  leafMayMatch(link: Link, hashes: QueryHashes): boolean {
    return this.#leaves.get(link)?.table.unpack().mayMatch(hashes) ?? false;
  }

  /** log2 of the slots that the union of the leaves' tables needs; 0 without any. */
  get unionBits(): number {
    return this.#index?.bits ?? 0;
  }

  addUnionTo(table: QrpTable): void {
    this.#index?.addUnionTo(table);
  }

  /**
   * Ends sequences that got stuck, believes RESETs that stayed alone, clears up behind leaves that went, follows hops flow into
   * the union. Not meant to be called more than once a second; when to be called again.
   */
  tick(now: number): number {
    this.#index?.sweep();
    let next = this.#index?.swept === false ? now : Number.POSITIVE_INFINITY;
    for (const [link, leaf] of this.#leaves) this.#recount(link, leaf);
    for (const [link, inbound] of this.#inbound) {
      const quietMs = now - inbound.lastAt;
      if (inbound.receiver.midway) {
        if (quietMs > STALLED_MS) this.#end(link, ByeCode.QrpSequence, 'QRP: the sequence stopped');
      } else if (quietMs > RESET_ALONE_MS) this.#settle(link, inbound);
      if (this.#inbound.has(link)) {
        next = Math.min(next, inbound.lastAt + 1 + (inbound.receiver.midway ? STALLED_MS : RESET_ALONE_MS));
      }
    }
    return next;
  }
}
