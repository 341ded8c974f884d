// Upload admission: who gets a slot, who waits and at which place. Entries are known by id: with PARQ they outlive connections.
// Pure: time comes in.
import { LazyMap } from '../../lazy-map.ts';
import { LazySet } from '../../lazy-set.ts';
import type { Random } from '../../ports.ts';
import { ReasonCounts } from '../../reason-counts.ts';
import { formatGuid } from '../../wire/guid.ts';
import { AddressLoads } from './queue/address-load.ts';
import {
  type AbsentView,
  type Admission,
  QUEUE_VIOLATIONS,
  type QueuePlace,
  type QueueView,
  type QueueViolation,
  type SlotRequest,
} from './queue/admission.ts';
import { creditMs } from './queue/credit.ts';
import { EarlyPolls } from './queue/early-polls.ts';
import { EntryPools } from './queue/entry-pools.ts';
import { keepMsOf, lifetimeMsOf, retryMsOf } from './queue/poll-times.ts';
import { type EntryPool, QueueEntry, type Standing } from './queue/queue-entry.ts';
import { byPlace, type QueueRecord, recall, recordOf } from './queue/queue-record.ts';
import { absentViewOf, viewOf } from './queue/queue-view.ts';
import { type CallBack, SlotOffers } from './queue/slot-offers.ts';
import { SlotRate } from './queue/slot-rate.ts';
import { slotsInAll, UPLOAD_TIMES, type UploadLimits, type UploadTimes } from './queue/upload-limits.ts';

export interface QueuePorts {
  readonly random: Pick<Random, 'guid'>;
  /** Bytes that an address has given us; absent: not known. */
  readonly gave?: ((address: string) => number) | undefined;
  /** Told of each violation; bans are decided there. */
  readonly conduct?: { violated(violation: QueueViolation, address: string, now: number): void } | undefined;
  /** Calls a client without a connection for which a slot is kept; absent: nobody is called. */
  readonly callBack?: CallBack | undefined;
}

/** gtk-gnutella's; more only when the setting says so. */
const ENTRIES_MAX = 4_000;
/** Of one address that is somebody's own. */
const WAITING_PER_ADDRESS_MAX = 64;
const BUSY_RETRY_MS = 60_000;
/** A slot is kept so long for a client of PARQ whose connection broke while we sent; once in BREAKS_WITHIN_MS. */
const GUARD_MS = 45_000;
const BREAKS_WITHIN_MS = 120_000;
/** An id is remembered so long after its entry missed its time. */
const DEAD_MS = 600_000;
/** Time that waiting clients have to ask again after a restart; their requests found nobody for a while. */
const RETURN_MS = 600_000;
/** So many places beyond the free slots keep their connection; the first few always do. */
const ACTIVE_PLACES = 10;
const ACTIVE_PLACES_MIN = 5;
/** The rest of a file goes out without a slot when it takes no longer than this, to so many at a time. */
const QUICK_MS = 5_000;
const QUICK_BYTES_MAX = 1 << 20;
const QUICK_AT_ONCE = 2;

export class UploadQueue {
  /** Read at each request, as the values may change; a connection that has a slot keeps it. */
  readonly limits: UploadLimits;
  readonly violations = new ReasonCounts<QueueViolation>(QUEUE_VIOLATIONS);
  /** Bytes of all bodies so far; the shell that sends them adds to it. */
  bytesSent = 0;
  /** Takes the ids of entries that have changed or are gone, to be stored; null: nobody stores them. */
  changed: { add(id: string): unknown } | null = null;
  readonly #ports: QueuePorts;
  readonly #times: UploadTimes;
  readonly #entries = new LazyMap<string, QueueEntry>();
  readonly #byConnection = new LazyMap<number, QueueEntry>();
  readonly #loads = new AddressLoads();
  readonly #pools: EntryPools;
  readonly #rate = new SlotRate();
  /** Connections that are sent the rest of a file without a slot. */
  readonly #quick = new LazySet<number>();
  readonly #offers: SlotOffers;
  #waiting = 0;
  #lastNumber = 0;
  /** No entry's state ends before this. */
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(limits: UploadLimits, ports: QueuePorts, times: UploadTimes = UPLOAD_TIMES) {
    this.limits = limits;
    this.#ports = ports;
    this.#times = times;
    this.#pools = new EntryPools(limits, ports.gave ?? (() => 0));
    this.#offers = new SlotOffers(times.pollMaxMs, ports.callBack ?? null);
  }

  get sending(): number {
    let sending = 0;
    for (const entry of this.#byConnection.values()) if (entry.state === 'sending') sending++;
    return sending;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** All slots are taken: what query hits say. Those of groups do not count, as nobody knows who reads it. */
  busy(now: number): boolean {
    this.#follow(now);
    return this.#pools.free === 0;
  }

  /** Whether such a client can ever get a slot. */
  serves(address: string, agent: string | null): boolean {
    this.#pools.follow(this.limits, this.#entries);
    return this.#pools.poolOf(address, agent).slots > 0;
  }

  /** Group of a connection's entry; null: none. */
  groupOf(connection: number): string | null {
    return this.#byConnection.get(connection)?.pool.name || null;
  }

  /** A connection wants to send a body. */
  ask(request: SlotRequest, now: number): Admission {
    this.#follow(now);
    const known = this.#find(request, now);
    if (known === 'replayed') return busy();
    if (known?.holds === true) return this.#send(known, request);
    const isNew = known === null || known.state === 'dead';
    const entry = isNew ? this.#enter(known, request, now) : known;
    if (entry === null) return busy();
    if (!isNew) this.#update(entry, request, now);
    const standing = entry.pool.standingOf(entry);
    if (standing.next) {
      this.#stopWaiting(entry);
      this.#startHolding(entry);
      return this.#send(entry, request);
    }
    if (isNew && !this.#hasRoom(entry, now)) {
      this.#drop(entry);
      return busy();
    }
    if (this.#isQuick(request)) {
      this.#quick.add(request.connection);
      return { kind: 'granted', id: toldId(entry) };
    }
    if (entry.early.tooMany(entry.retryAt, now)) {
      const retryMs = Math.max(0, entry.retryAt - now);
      this.#drop(entry);
      this.#report('early_polls', request.address, now);
      return { kind: 'early', retryMs };
    }
    const early = isNew ? null : EarlyPolls.isEarly(entry.retryAt, now);
    return { kind: 'queued', place: this.#placeOf(entry, standing, request, now), early };
  }

  /** The body is sent, `broken`: not all of it. The connection may ask for more. */
  finish(connection: number, now: number, broken = false): void {
    if (this.#quick.delete(connection)) return;
    const entry = this.#byConnection.get(connection);
    if (entry?.state !== 'sending') return;
    entry.state = 'resting';
    entry.broken = broken;
    this.#endAt(entry, now + this.#times.graceMs);
  }

  /** The connection is gone. */
  leave(connection: number, now: number): void {
    this.#quick.delete(connection);
    const entry = this.#byConnection.get(connection);
    if (entry !== undefined) this.#part(entry, now);
  }

  /** Null for a connection that does not wait. */
  view(connection: number): QueueView | null {
    const entry = this.#byConnection.get(connection);
    return entry?.state === 'waiting' ? this.#viewOf(entry) : null;
  }

  /** Those that wait without a connection. */
  absent(): AbsentView[] {
    const absent = [...this.#pools.standings()].filter(([{ connection }]) => connection === null);
    return absent.map(([entry, standing]) => absentViewOf(entry, this.#viewOf(entry, standing)));
  }

  /** Gives up the place of an entry without a connection. False: there is none of that id. */
  cancel(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry?.state !== 'waiting' || entry.connection !== null) return false;
    this.#drop(entry);
    return true;
  }

  /** What to store of an entry; null: it is gone. `wallTime`: the same moment as `now`. */
  record(id: string, now: number, wallTime: number): QueueRecord | null {
    const entry = this.#entries.get(id);
    return entry?.level === 'parq' ? recordOf(entry, wallTime - now) : null;
  }

  /** Of all entries, those without a record too. */
  ids(): Iterable<string> {
    return this.#entries.keys();
  }

  /** Takes in the entries of an earlier run, before the first request. Each has its place; holders keep their slots for a while. */
  restore(records: readonly QueueRecord[], now: number, wallTime: number): void {
    for (const record of [...records].sort(byPlace)) {
      const { id, address, agent, key, name, size, state } = record;
      if (this.#entries.has(id) || !this.#makeRoom()) continue;
      const load = this.#loads.get(address);
      const pool = this.#pools.poolOf(address, agent);
      const given = { id, load, level: 'parq', agent, file: { key, name, size }, pool } as const;
      const entry = new QueueEntry({ ...given, number: ++this.#lastNumber }, record.enteredAt - (wallTime - now));
      recall(entry, record, wallTime - now, now);
      load.entries++;
      this.#entries.set(id, entry);
      entry.state = state;
      if (state === 'waiting') this.#startWaiting(entry);
      else if (state === 'guarded') this.#startHolding(entry);
      this.#endAt(entry, now + (state === 'guarded' ? GUARD_MS : RETURN_MS));
    }
  }

  /** Ends what is over, and lets others pass where a free slot was kept too long. When to be called again. */
  tick(now: number): number {
    this.#follow(now);
    const { sending } = this;
    const sampleAt = this.#rate.sample(this.bytesSent, sending, now);
    return Math.min(this.#dueAt, sampleAt, this.#offers.offer(this.#pools.firsts(), now));
  }

  /** Of the client's id, else of its connection, else the place that this client seems to have lost the id of. */
  #find(request: SlotRequest, now: number): QueueEntry | 'replayed' | null {
    const own = this.#byConnection.get(request.connection) ?? null;
    const named = this.#named(request, now);
    if (named === null) return own ?? this.#recognised(request);
    if (named === own) return named;
    if (named.state === 'sending') {
      this.#report('replayed_id', request.address, now);
      return 'replayed';
    }
    if (own !== null) this.#part(own, now);
    if (named.connection !== null) this.#byConnection.delete(named.connection);
    this.#bind(named, request.connection);
    return named;
  }

  #named({ id = null, address }: SlotRequest, now: number): QueueEntry | null {
    if (id === null) return null;
    const entry = this.#entries.get(id.toLowerCase());
    if (entry === undefined || entry.level !== 'parq') {
      this.#report('unknown_id', address, now);
      return null;
    }
    if (entry.load.address === address) return entry;
    this.#report('borrowed_id', address, now);
    return null;
  }

  /** Several clients may share an address where there is no limit for one: they are not taken for each other. */
  #recognised({ connection, level, address, agent = null, file }: SlotRequest): QueueEntry | null {
    if (level !== 'parq' || this.limits.slotsPerAddress === 0) return null;
    if (this.#loads.get(address).entries === 0) return null;
    for (const entry of this.#entries.values()) {
      const isIts = entry.load.address === address && entry.file.key === file.key && entry.agent === agent;
      if (!isIts || entry.connection !== null || entry.level !== 'parq') continue;
      this.#bind(entry, connection);
      return entry;
    }
    return null;
  }

  #bind(entry: QueueEntry, connection: number): void {
    entry.connection = connection;
    this.#byConnection.set(connection, entry);
  }

  /** Puts a new entry at the end of its lane, or one that missed its time. Null: there are too many. */
  #enter(known: QueueEntry | null, request: SlotRequest, now: number): QueueEntry | null {
    const entry = known ?? this.#create(request, now);
    if (entry === null) return null;
    entry.pool = this.#pools.poolOf(entry.load.address, entry.agent);
    entry.state = 'waiting';
    entry.enteredAt = now;
    entry.rank = now - this.#creditMs(entry.load.address);
    entry.file = request.file;
    entry.node = request.node ?? entry.node;
    this.#startWaiting(entry);
    this.#endAt(entry, now + this.#times.pollMaxMs);
    return entry;
  }

  #creditMs(address: string): number {
    return this.limits.credit === true ? creditMs(this.#ports.gave?.(address) ?? 0) : 0;
  }

  #create({ connection, address, level, agent = null, file }: SlotRequest, now: number): QueueEntry | null {
    if (!this.#makeRoom()) return null;
    const load = this.#loads.get(address);
    if (this.limits.slotsPerAddress > 0 && load.entries >= 2 * WAITING_PER_ADDRESS_MAX) {
      this.#report('too_many_entries', address, now);
      return null;
    }
    const id = formatGuid(this.#ports.random.guid());
    const pool = this.#pools.poolOf(address, agent);
    const entry = new QueueEntry({ id, load, level, agent, number: ++this.#lastNumber, file, pool }, now);
    load.entries++;
    this.#entries.set(id, entry);
    this.#bind(entry, connection);
    return entry;
  }

  /** Those that are only remembered make room. */
  #makeRoom(): boolean {
    if (this.#entries.size < Math.max(ENTRIES_MAX, this.limits.queue + slotsInAll(this.limits))) return true;
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'dead') continue;
      this.#drop(entry);
      return true;
    }
    return false;
  }

  /** Whether a new entry may stay to wait. When the queue is full, the address with most places gives up its last one for it. */
  #hasRoom(entry: QueueEntry, now: number): boolean {
    const { level, load } = entry;
    const { queue, slotsPerAddress } = this.limits;
    if (level === 'none' || queue === 0) return false;
    if (slotsPerAddress > 0 && load.waiting > WAITING_PER_ADDRESS_MAX) {
      this.#report('too_many_entries', load.address, now);
      return false;
    }
    if (this.#waiting <= queue) return true;
    const greediest = this.#loads.greediest();
    if (greediest === null || greediest.waiting <= load.waiting) return false;
    const last = this.#pools.lastOf(greediest.address);
    if (last === null || this.#waiting - 1 > queue) return false;
    this.#drop(last);
    return true;
  }

  /** It asks again, maybe for another file. */
  #update(entry: QueueEntry, request: SlotRequest, now: number): void {
    entry.pool.passOver(entry, false);
    entry.offeredAt = null;
    entry.callRefusals = 0;
    entry.node = request.node ?? entry.node;
    entry.pool.want(entry, request.file);
    this.#endAt(entry, now + this.#times.pollMaxMs);
  }

  #send(entry: QueueEntry, { file, toEnd }: SlotRequest): Admission {
    entry.pool.release(entry);
    entry.file = file;
    entry.pool.hold(entry);
    entry.state = 'sending';
    entry.until = Number.POSITIVE_INFINITY;
    entry.asksEnd = toEnd;
    entry.broken = false;
    this.#note(entry);
    return { kind: 'granted', id: toldId(entry) };
  }

  /** The rest of a file, of who waits in the queue with room to spare. */
  #isQuick({ level, bytes, toEnd }: SlotRequest): boolean {
    const rate = this.#rate.bytesPerSecond;
    if (level === 'none' || !toEnd || rate === null || this.#quick.size >= QUICK_AT_ONCE) return false;
    return bytes <= Math.min(QUICK_BYTES_MAX, (rate * QUICK_MS) / 1000);
  }

  #placeOf(entry: QueueEntry, standing: Standing, { crowded = false }: SlotRequest, now: number): QueuePlace {
    const { position, length, frozen } = standing;
    const { pollMinMs, pollMaxMs } = this.#times;
    const parq = entry.level === 'parq';
    const retryMs = parq ? retryMsOf(position, frozen) : pollMinMs;
    entry.retryAt = now + retryMs;
    this.#endAt(entry, now + (parq ? keepMsOf(retryMs) : pollMaxMs));
    const activePlaces = crowded ? ACTIVE_PLACES_MIN : ACTIVE_PLACES + entry.pool.free;
    return {
      id: toldId(entry),
      position,
      length,
      etaSeconds: this.#etaOf(entry.pool, standing),
      retryMs,
      lifetimeMs: parq ? lifetimeMsOf(retryMs) : pollMaxMs,
      active: !parq || position <= activePlaces,
    };
  }

  /** As if all slots served its lane: other lanes make it longer, files of which only parts are wanted shorter. */
  #etaOf({ slots }: EntryPool, { bytesAhead }: Standing): number | null {
    const rate = this.#rate.bytesPerSecond;
    return rate === null || slots === 0 ? null : Math.ceil(bytesAhead / (rate * slots));
  }

  #viewOf(entry: QueueEntry, standing = entry.pool.standingOf(entry)): QueueView {
    return viewOf(entry, standing, this.#etaOf(entry.pool, standing));
  }

  #startHolding(entry: QueueEntry): void {
    entry.pool.hold(entry);
    entry.load.held++;
  }

  #startWaiting(entry: QueueEntry): void {
    entry.pool.insert(entry);
    entry.load.waiting++;
    this.#waiting++;
  }

  #stopWaiting(entry: QueueEntry): void {
    entry.pool.remove(entry);
    entry.load.waiting--;
    this.#waiting--;
    entry.passedOver = false;
    entry.offeredAt = null;
  }

  /** Its connection is gone, or asks for another entry. */
  #part(entry: QueueEntry, now: number): void {
    const { connection, state, level } = entry;
    if (connection !== null) this.#byConnection.delete(connection);
    entry.connection = null;
    const broken = entry.broken || state === 'sending';
    const tooOften = broken && now - entry.brokenAt < BREAKS_WITHIN_MS;
    if (level !== 'parq' || (entry.holds && tooOften)) this.#drop(entry);
    else if (entry.holds && !broken && entry.asksEnd) this.#bury(entry, now);
    else if (entry.holds) this.#guard(entry, broken, now);
  }

  #guard(entry: QueueEntry, broken: boolean, now: number): void {
    entry.state = 'guarded';
    if (broken) entry.brokenAt = now;
    this.#endAt(entry, now + (broken ? GUARD_MS : this.#times.graceMs));
  }

  /** Only its id is remembered from now on. */
  #bury(entry: QueueEntry, now: number): void {
    this.#giveUp(entry);
    entry.state = 'dead';
    this.#endAt(entry, now + DEAD_MS);
  }

  #drop(entry: QueueEntry): void {
    this.#giveUp(entry);
    if (entry.connection !== null) this.#byConnection.delete(entry.connection);
    this.#entries.delete(entry.id);
    entry.load.entries--;
    this.#loads.forget(entry.load);
    this.#note(entry);
  }

  /** Place or slot. */
  #giveUp(entry: QueueEntry): void {
    if (entry.state === 'waiting') this.#stopWaiting(entry);
    if (!entry.holds) return;
    entry.pool.release(entry);
    entry.load.held--;
  }

  #endAt(entry: QueueEntry, until: number): void {
    entry.until = until;
    this.#dueAt = Math.min(this.#dueAt, until);
    this.#note(entry);
  }

  #note({ level, id }: QueueEntry): void {
    if (level === 'parq') this.changed?.add(id);
  }

  /** Follows the settings and the time. */
  #follow(now: number): void {
    this.#pools.follow(this.limits, this.#entries);
    if (now < this.#dueAt) return;
    this.#dueAt = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) {
      if (entry.until > now) this.#dueAt = Math.min(this.#dueAt, entry.until);
      else if (entry.state === 'dead' || entry.level !== 'parq') this.#drop(entry);
      else this.#bury(entry, now);
    }
  }

  #report(violation: QueueViolation, address: string, now: number): void {
    this.violations.count(violation);
    this.#ports.conduct?.violated(violation, address, now);
  }
}

const toldId = ({ level, id }: QueueEntry): string | null => (level === 'parq' ? id : null);

const busy = (): Admission => ({ kind: 'busy', retryMs: BUSY_RETRY_MS });
