// The QRP table that we send: a leaf's own to its ultrapeers, an ultrapeer's union of its own and its leaves' to others.
// The whole table first, then what changed, a few messages at a time.
import { Type } from '../../constants.ts';
import type { Random } from '../../ports.ts';
import { urnHashes, type WordHash } from '../../qrp/hash.ts';
import { encodeTable } from '../../qrp/patch.ts';
import { QrpTable } from '../../qrp/table.ts';
import { INDEX_BITS_MAX } from '../../qrp/table-index.ts';
import { RateLimit } from '../../rate-limit.ts';
import type { Searchable } from '../../search/shared-file.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { keptCopy } from '../../wire/kept-copy.ts';
import { encodeRouteTableUpdate, QRP_SLOTS_MAX } from '../../wire/route-table-update.ts';
import type { OverlayLimits } from '../limits.ts';
import type { Link } from '../links/link.ts';
import { Priority } from '../links/send-queue.ts';
import type { NeighbourTables } from './neighbour-tables.ts';

/** gtk-gnutella's pace for one link. */
const MESSAGE_LIMIT = new RateLimit(200, 5);
/** Share of the send queue above which no table message is queued. */
const QUEUE_SHARE_MAX = 0.4;
/** Least time between two tables, and its largest share of the steady interval: in profile `local` that is shorter. */
const GAP_MS = 4_000;
const GAP_SHARE = 1 / 12;
/** Tables in a row at that gap before the steady interval holds: two minutes of changes in a library, 40 s of leaves that come and go. */
const OWN_BURST = 30;
const UNION_BURST = 10;
/**
 * Libraries up to so many files are found by hash alone as well. Neither gtk-gnutella nor LimeWire puts URNs into a table, though
 * both look them up, each in its own way: two slots a file. Past the largest table that would push the fill towards the 5 % at which
 * gtk-gnutella begins to leave queries out at random: words would be missed for the sake of hashes.
 */
const URN_FILES_MAX = 2_000;
/** Pause between two slices of a large table, for other work. */
const SLICE_REST_MS = 1;
/** Sequences kept encoded: nearly all links are at the same table. */
const ENCODED_MAX = 4;

/** An ultrapeer that gets our table. */
interface Peer {
  readonly link: Link;
  /** What it has once `frames` are sent. */
  sent: QrpTable | null;
  frames: readonly Buffer[];
  next: number;
  due: number;
}

interface Encoded {
  readonly before: QrpTable | null;
  readonly after: QrpTable;
  readonly deflate: boolean;
  readonly frames: readonly Buffer[];
}

export interface TableSenderParts {
  readonly library: Searchable;
  readonly tables: NeighbourTables;
  readonly random: Random;
  readonly limits: OverlayLimits;
}

export class TableSender {
  readonly #parts: TableSenderParts;
  readonly #ownPace: TablePace;
  readonly #unionPace: TablePace;
  /** As many as there are ultrapeers. */
  readonly #peers = new Map<Link, Peer>();
  #own: QrpTable | null = null;
  /** The next own table, as far as it has got. */
  #making: Generator<undefined, QrpTable> | null = null;
  #union: QrpTable | null = null;
  #libraryChanged = false;
  /** Revision of the neighbours' tables that are in the union. */
  #revision = -1;
  /** The own table is not in the union yet: it has waited for its own pace already. */
  #ownIsNew = false;
  #encoded: Encoded[] = [];

  constructor(parts: TableSenderParts) {
    this.#parts = parts;
    this.#ownPace = new TablePace(parts.limits.tableUpdateMs, OWN_BURST, parts.limits.largestTableMs);
    this.#unionPace = new TablePace(parts.limits.unionUpdateMs, UNION_BURST, parts.limits.largestTableMs);
  }

  /** Other files are shared than before. */
  onLibraryChanged(): void {
    this.#libraryChanged = true;
  }

  /** A new link: it gets the whole table if it can use one. */
  greet(link: Link, now: number): void {
    const { capabilities } = link;
    if (link.role !== 'ultrapeer' || this.#parts.limits.flooding) return;
    if (link.ourRole === 'leaf' ? capabilities.queryRouting === 0 : !capabilities.ultrapeerQueryRouting) return;
    const peer = { link, sent: null, frames: [], next: 0, due: 0 };
    this.#peers.set(link, peer);
    this.#serve(peer, now);
  }

  forget(link: Link): void {
    this.#peers.delete(link);
  }

  /** Sends what is due; when there will be more to do. */
  tick(now: number): number {
    if (this.#peers.size === 0) return Number.POSITIVE_INFINITY;
    this.#refresh(now);
    let next = this.#making === null ? this.#refreshesAt : now + SLICE_REST_MS;
    for (const peer of this.#peers.values()) next = Math.min(next, this.#serve(peer, now));
    return next;
  }

  /** When the pace lets something that has changed already into a new table. */
  get #refreshesAt(): number {
    const own = this.#libraryChanged ? this.#ownPace.admitsAt(this.#own) : Number.POSITIVE_INFINITY;
    const unionIsOld = this.#union !== null && this.#own !== null && this.#parts.tables.revision !== this.#revision;
    return unionIsOld ? Math.min(own, this.#unionPace.admitsAt(this.#union)) : own;
  }

  /** Makes tables anew when something changed and the last ones are old enough. */
  #refresh(now: number): void {
    const { tables } = this.#parts;
    if (this.#libraryChanged && this.#ownPace.admit(this.#own, now)) {
      this.#libraryChanged = false;
      this.#making = this.#makeOwn();
    }
    this.#makeOn();
    if (this.#union === null || this.#own === null || tables.revision === this.#revision) return;
    if (!this.#ownIsNew && !this.#unionPace.admit(this.#union, now)) return;
    this.#ownIsNew = false;
    const union = this.#makeUnion(this.#own);
    if (!union.equals(this.#union)) this.#union = union; // or every link would be sent nothing anew
  }

  /** Words and hashes of our files. */
  #makeOwn(): Generator<undefined, QrpTable> {
    const { library } = this.#parts;
    const hashes: WordHash[] = [];
    if (library.files <= URN_FILES_MAX) for (const { sha1 } of library.shared()) hashes.push(...urnHashes(sha1));
    return QrpTable.inSlices(library.words(), hashes);
  }

  /** One slice of the own table. Files that come and go meanwhile are seen or not; the next table has them. */
  #makeOn(): void {
    const { done, value } = this.#making?.next() ?? {};
    if (done !== true || value === undefined) return;
    this.#making = null;
    if (this.#own?.equals(value) === true) return;
    this.#own = value;
    this.#revision = -1;
    this.#ownIsNew = true;
  }

  /** Null while the first one is being made: then tick() brings it. */
  #ownTable(): QrpTable | null {
    if (this.#own === null && this.#making === null) {
      this.#making = this.#makeOwn();
      this.#makeOn();
    }
    return this.#own;
  }

  /** Never smaller than the one before: another size means to send all of it. */
  #makeUnion(own: QrpTable): QrpTable {
    const { tables } = this.#parts;
    const bits = Math.min(INDEX_BITS_MAX, Math.max(own.bits, tables.unionBits, this.#union?.bits ?? 0));
    const union = new QrpTable(2 ** bits);
    union.merge(own);
    tables.addUnionTo(union);
    this.#revision = tables.revision;
    return union;
  }

  #tableFor(link: Link): QrpTable | null {
    const own = this.#ownTable();
    if (link.ourRole === 'leaf' || own === null) return own;
    this.#union ??= this.#makeUnion(own);
    return this.#union;
  }

  #serve(peer: Peer, now: number): number {
    const { queue } = peer.link;
    if (peer.next >= peer.frames.length) {
      const table = this.#tableFor(peer.link);
      if (table === null) return now + SLICE_REST_MS;
      if (peer.sent === table) return Number.POSITIVE_INFINITY;
      peer.frames = this.#encode(peer.sent, table, !peer.link.deflateOut);
      peer.next = 0;
      peer.sent = table;
    }
    for (; peer.next < peer.frames.length; peer.next++) {
      const frame = peer.frames[peer.next];
      const due = MESSAGE_LIMIT.admit(peer.due, now);
      const full = queue.bytes > QUEUE_SHARE_MAX * this.#parts.limits.send.fullBytes;
      if (due < 0 || full || frame === undefined) return now + MESSAGE_LIMIT.intervalMs;
      peer.due = due;
      queue.enqueue(frame, Priority.Control); // nothing of a sequence may be shed
    }
    peer.frames = [];
    peer.next = 0;
    return Number.POSITIVE_INFINITY;
  }

  /** Compressed unless the link is. */
  #encode(before: QrpTable | null, after: QrpTable, deflate: boolean): readonly Buffer[] {
    const known = this.#encoded.find(e => e.before === before && e.after === after && e.deflate === deflate);
    if (known !== undefined) return known.frames;
    const frames = encodeTable(before, after, { deflate }).map(update =>
      keptCopy(encodeDescriptor(this.#parts.random.guid(), Type.Qrp, 1, 0, encodeRouteTableUpdate(update))),
    );
    this.#encoded = [{ before, after, deflate, frames }, ...this.#encoded].slice(0, ENCODED_MAX);
    return frames;
  }
}

/** When a new table may follow the last: after a gap, and at a steady interval once a burst is used up. */
class TablePace {
  readonly #limit: RateLimit;
  readonly #gapMs: number;
  readonly #largestGapMs: number;
  #due = 0;
  #at = Number.NEGATIVE_INFINITY;

  /** `largestTableMs`: the gap after a table of the most slots, which a neighbour may refuse more often. */
  constructor(steadyMs: number, burst: number, largestTableMs: number) {
    this.#limit = new RateLimit(steadyMs, burst);
    this.#gapMs = Math.min(GAP_MS, GAP_SHARE * steadyMs);
    this.#largestGapMs = largestTableMs;
  }

  /** Whether a table may follow `last` now; counts it if so. */
  admit(last: QrpTable | null, now: number): boolean {
    if (now < this.admitsAt(last)) return false;
    const due = this.#limit.admit(this.#due, now);
    if (due < 0) return false;
    this.#due = due;
    this.#at = now;
    return true;
  }

  admitsAt(last: QrpTable | null): number {
    const share = last === null ? 0 : 2 ** last.bits / QRP_SLOTS_MAX;
    return Math.max(this.#at + Math.max(this.#gapMs, share * this.#largestGapMs), this.#limit.admitsAt(this.#due));
  }
}
