// Decides which downloads run now: by priority and order, within limits, at their times, where the disk has room.
//
// A download in the queue is in exactly one state:
//   held     by the user; it waits for release()
//   waiting  for its time (`at`; null: for release() or onSource()), and then for a turn
//   running  with a turn, or without one while it waits in a remote queue
// One that is finished leaves the queue. Room is known by volume: a download that its volume has no room for is `short`, which the
// shell is told as a pause, and again when there is room.
import { SortedList } from '../../sorted-list.ts';

export type Move = 'top' | 'up' | 'down' | 'bottom';

/** What a download waits for. `time`: to try again; `suspended`: all do. */
export type QueueWait = 'held' | 'room' | 'turn' | 'category' | 'time' | 'source' | 'suspended';

/** Bytes that a download will still write into a folder; null: not known. */
export interface RoomNeed {
  readonly folder: string;
  readonly bytes: number | null;
}

/** What a folder's volume says. */
export interface VolumeRoom {
  /** The same for all folders of the volume. */
  readonly volume: string;
  /** Bytes; null: the system does not tell, and the volume counts as one with room. */
  readonly free: number | null;
}

/** Why a download is short of room. */
export interface Shortage {
  readonly folder: string;
  readonly free: number;
  readonly reserve: number;
  /** Bytes that it still needs; null: not known. */
  readonly needed: number | null;
}

export interface QueueLimits {
  /** Most downloads that run at a time. */
  readonly active: number;
  /** Bytes that downloads leave free on a volume. */
  readonly reserve: number;
  /** Most that run of a category; absent: no limit of its own. */
  readonly categories: ReadonlyMap<string, number>;
}

export type QueueCommand =
  /** Run it, and call onStarted() at once. */
  | { readonly kind: 'start'; readonly id: string }
  /** Look how much is free, and call onRoom(). */
  | { readonly kind: 'measure'; readonly folder: string }
  /** Its volume has no room for it: end its run, if it has one, and say why. */
  | { readonly kind: 'pause'; readonly id: string; readonly shortage: Shortage }
  /** There is room again. */
  | { readonly kind: 'unpause'; readonly id: string };

export interface QueuedAs {
  priority: number;
  /** Null: behind all others. */
  place: number | null;
  category: string | null;
  held: boolean;
}

/** The room of a volume is looked at again after this time while a download runs or waits on it, ms. */
const LOOK_MS = 5000;
/** A download starts only when the room was looked at within this time, ms. */
const FRESH_MS = 1000;

interface Entry {
  readonly id: string;
  priority: number;
  place: number;
  category: string | null;
  state: 'held' | 'waiting' | 'running';
  /** Earliest time of the next run; null: not before a new event. Only while it waits. */
  at: number | null;
  /** It runs and is not in a remote queue. */
  hasTurn: boolean;
  shortage: Shortage | null;
  /** There is room for it, but not beside those that run. */
  isCrowded: boolean;
}

interface Room extends VolumeRoom {
  /** When it was measured. */
  at: number;
}

/** Whether it may start, for what it waits, or the folder to look at first. */
type Verdict = 'start' | 'short' | { readonly measure: string };

export class DownloadQueue {
  readonly #needsOf: (id: string) => readonly RoomNeed[];
  readonly #entries = new Map<string, Entry>();
  /** All of them, in order. */
  readonly #line = new SortedList<Entry>(inLine);
  /** Those waiting whose time has come, in order. */
  readonly #ready = new SortedList<Entry>(inLine);
  /** Those waiting for their time, the next first. */
  readonly #timed = new SortedList<Entry>((a, b) => (a.at ?? 0) - (b.at ?? 0) || inLine(a, b));
  readonly #running = new Set<Entry>();
  readonly #short = new Set<Entry>();
  /** By folder, with those of folders that no download uses any more. */
  readonly #rooms = new Map<string, Room>();
  readonly #measuring = new Set<string>();
  /** Commands found between two calls of next(). */
  #told: QueueCommand[] = [];
  #placeMin = 0;
  #placeMax = 0;
  /** While it is set nothing starts. */
  suspended = false;
  #limits: QueueLimits;

  /** `needsOf`: the folders a download writes into; the first is that of its part file, and others on the same volume need nothing. */
  constructor(limits: QueueLimits, needsOf: (id: string) => readonly RoomNeed[]) {
    this.#limits = limits;
    this.#needsOf = needsOf;
  }

  get limits(): QueueLimits {
    return this.#limits;
  }

  set limits(limits: QueueLimits) {
    this.#limits = limits;
    this.#rooms.clear(); // everything is looked at again
  }

  get size(): number {
    return this.#line.size;
  }

  /** One that is not held waits, and may start at once. Returns its place. */
  add(id: string, { priority, place, category, held }: QueuedAs): number {
    if (this.#entries.has(id)) throw new Error('the download is in the queue already');
    const entry: Entry = {
      ...{ id, priority, category },
      place: place ?? this.#placeMax + 1,
      state: held ? 'held' : 'waiting',
      at: Number.NEGATIVE_INFINITY,
      hasTurn: false,
      shortage: null,
      isCrowded: false,
    };
    this.#entries.set(id, entry);
    this.#mark(entry.place);
    this.#enqueue(entry);
    return entry.place;
  }

  /** Also for one that is finished. */
  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#dequeue(entry);
    this.#short.delete(entry);
    this.#running.delete(entry);
    this.#entries.delete(id);
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** From 1; null: not in the queue. */
  positionOf(id: string): number | null {
    const entry = this.#entries.get(id);
    return entry === undefined ? null : this.#line.indexOf(entry) + 1;
  }

  /** Why it waits: null when it runs, or is not in the queue. */
  waitOf(id: string): QueueWait | null {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.state === 'running') return null;
    if (entry.state === 'held') return 'held';
    if (entry.shortage !== null || entry.isCrowded) return 'room';
    if (entry.at === null) return 'source';
    if (this.#timed.indexOf(entry) >= 0) return 'time';
    if (this.suspended) return 'suspended';
    return this.#categoryIsFull(entry.category) ? 'category' : 'turn';
  }

  isHeld(id: string): boolean {
    return this.#entries.get(id)?.state === 'held';
  }

  /** Null: there is room for it, or it is not in the queue. */
  shortageOf(id: string): Shortage | null {
    return this.#entries.get(id)?.shortage ?? null;
  }

  /** The user paused it. The shell ends its run. */
  hold(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#become(entry, 'held', null);
  }

  /** The user wants it to run: it waits, and may start at once. Does nothing to one that runs. */
  release(id: string, now: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined && entry.state !== 'running') this.#become(entry, 'waiting', now);
  }

  /** Something that it waited for is there. Does nothing to one that runs or is held. */
  onSource(id: string, now: number): void {
    if (this.#entries.get(id)?.state === 'waiting') this.release(id, now);
  }

  onStarted(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Error('the download is not in the queue');
    this.#become(entry, 'running', null);
  }

  /** Its run is over; the next starts at `at` (null: at release() or onSource()). One that is held stays so. */
  onEnded(id: string, at: number | null): void {
    const entry = this.#entries.get(id);
    if (entry?.state === 'running') this.#become(entry, 'waiting', at);
  }

  /** A running one begins or ends waiting in a remote queue. False: nothing changed. */
  onRemoteQueue(id: string, waits: boolean): boolean {
    const entry = this.#entries.get(id);
    if (entry?.state !== 'running' || entry.hasTurn !== waits) return false;
    entry.hasTurn = !waits; // whose turn comes there takes one here, even above the limit
    return true;
  }

  setPriority(id: string, priority: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#relocate(entry, priority, entry.place);
  }

  setCategory(id: string, category: string | null): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.category = category;
  }

  /** Among those of the same priority. Returns the new places of all that moved. */
  move(id: string, to: Move): { id: string; place: number }[] {
    const entry = this.#entries.get(id);
    if (entry === undefined) return [];
    const { priority } = entry;
    const index = this.#line.indexOf(entry);
    const other = this.#line.at(to === 'up' || to === 'top' ? index - 1 : index + 1);
    if (other?.priority !== priority) return []; // it is there already
    if (to === 'top' || to === 'bottom') {
      const place = to === 'top' ? this.#placeMin - 1 : this.#placeMax + 1;
      this.#relocate(entry, priority, place);
      return [{ id, place }];
    }
    const [mine, theirs] = [entry.place, other.place];
    this.#line.remove(other); // two of one place would not be told apart
    const wasReady = this.#ready.remove(other);
    const wasTimed = this.#timed.remove(other);
    this.#relocate(entry, priority, theirs);
    other.place = mine;
    this.#line.add(other);
    if (wasReady) this.#ready.add(other);
    if (wasTimed) this.#timed.add(other);
    return [
      { id, place: theirs },
      { id: other.id, place: mine },
    ];
  }

  /** Answer to `measure`. */
  onRoom(folder: string, room: VolumeRoom, now: number): void {
    this.#measuring.delete(folder);
    // folders of one volume share what is the latest
    for (const known of this.#rooms.values())
      if (known.volume === room.volume) Object.assign(known, { free: room.free, at: now });
    this.#rooms.set(folder, { ...room, at: now });
    this.#look(folder);
  }

  /** What the shell shall do. */
  next(now: number): QueueCommand[] {
    const commands = this.#told;
    this.#told = [];
    for (let first = this.#timed.at(0); first !== undefined && (first.at ?? 0) <= now; first = this.#timed.at(0)) {
      this.#timed.remove(first);
      this.#ready.add(first);
    }
    if (!this.suspended) this.#fill(commands, now);
    for (const folder of this.#watched())
      if (now - (this.#rooms.get(folder)?.at ?? Number.NEGATIVE_INFINITY) >= LOOK_MS) this.#measure(folder, commands);
    return commands;
  }

  /** When next() has something to do by itself; null: never. */
  get nextAt(): number | null {
    if (this.#told.length > 0) return Number.NEGATIVE_INFINITY;
    let at = this.suspended ? null : (this.#timed.at(0)?.at ?? null);
    for (const folder of this.#watched()) {
      const room = this.#rooms.get(folder);
      if (room === undefined || this.#measuring.has(folder)) continue;
      at = Math.min(at ?? Number.POSITIVE_INFINITY, room.at + LOOK_MS);
    }
    return at;
  }

  #fill(commands: QueueCommand[], now: number): void {
    const turnsOf = new Map<string, number>();
    let turns = this.limits.active;
    const take = ({ category }: Entry): void => {
      turns--;
      if (category !== null) turnsOf.set(category, (turnsOf.get(category) ?? 0) + 1);
    };
    for (const entry of this.#running) if (entry.hasTurn) take(entry);
    if (turns <= 0 || this.#ready.size === 0) return;
    const promised = this.#promised();
    for (const entry of this.#ready) {
      if (turns <= 0) return;
      const { category } = entry;
      const most = category === null ? undefined : this.limits.categories.get(category);
      if (most !== undefined && (turnsOf.get(category ?? '') ?? 0) >= most) continue;
      const verdict = this.#verdict(entry, promised, now);
      entry.isCrowded = verdict === 'short';
      if (verdict === 'short') {
        this.#judge(entry, commands);
        continue;
      }
      take(entry); // also for one that starts as soon as the room is known
      if (verdict === 'start') commands.push({ kind: 'start', id: entry.id });
      else this.#measure(verdict.measure, commands);
    }
  }

  /** When it may start, what it needs is added to what is promised. */
  #verdict({ id }: Entry, promised: Map<string, number>, now: number): Verdict {
    const needs = this.#needsOf(id);
    for (const { folder, bytes } of needs) {
      if (bytes !== 0 && now - (this.#rooms.get(folder)?.at ?? Number.NEGATIVE_INFINITY) > FRESH_MS)
        return { measure: folder };
    }
    const missing = this.#missing(needs);
    for (const { volume, free, bytes } of missing)
      if (free !== null && free - this.limits.reserve - (promised.get(volume) ?? 0) < (bytes ?? 0)) return 'short';
    for (const need of missing) promise(need, promised);
    return 'start';
  }

  /** Bytes that those running will still write, by volume. */
  #promised(): Map<string, number> {
    const promised = new Map<string, number>();
    for (const { id } of this.#running) for (const need of this.#missing(this.#needsOf(id))) promise(need, promised);
    return promised;
  }

  /** What is needed on volumes that are known. */
  #missing(needs: readonly RoomNeed[]): (RoomNeed & Room)[] {
    const first = this.#rooms.get(needs[0]?.folder ?? '')?.volume;
    return needs.flatMap((need, i) => {
      const room = this.#rooms.get(need.folder);
      if (room === undefined || need.bytes === 0 || (i > 0 && room.volume === first)) return [];
      return { ...need, ...room };
    });
  }

  #measure(folder: string, commands: QueueCommand[]): void {
    if (this.#measuring.has(folder)) return;
    this.#measuring.add(folder);
    commands.push({ kind: 'measure', folder });
  }

  /** Folders whose room matters now. */
  #watched(): Set<string> {
    const folders = new Set<string>();
    for (const { id } of this.#running) for (const { folder } of this.#needsOf(id)) folders.add(folder);
    for (const { shortage } of this.#short) if (shortage !== null) folders.add(shortage.folder);
    return folders;
  }

  /** Finds those that have become short, or are short no longer, on the volume of a folder. */
  #look(measured: string): void {
    const volume = this.#rooms.get(measured)?.volume;
    for (const entry of this.#line) {
      const isThere = this.#needsOf(entry.id).some(({ folder }) => this.#rooms.get(folder)?.volume === volume);
      if (entry.state !== 'held' && isThere) this.#judge(entry, this.#told);
    }
  }

  /** A download is short when what is free would not do even for it alone; a running one, when the reserve is touched. */
  #judge(entry: Entry, commands: QueueCommand[]): void {
    const { reserve } = this.limits;
    const was = entry.shortage;
    entry.shortage = null;
    for (const { folder, bytes, free } of this.#missing(this.#needsOf(entry.id))) {
      const wanted = entry.state === 'running' ? 0 : (bytes ?? 0);
      if (free !== null && free - reserve < wanted) entry.shortage = { folder, free, reserve, needed: bytes };
    }
    const { id, shortage } = entry;
    if (shortage !== null) this.#short.add(entry);
    else this.#short.delete(entry);
    if (shortage !== null && was === null) commands.push({ kind: 'pause', id, shortage });
    if (shortage === null && was !== null) commands.push({ kind: 'unpause', id });
  }

  #categoryIsFull(category: string | null): boolean {
    const most = category === null ? undefined : this.limits.categories.get(category);
    if (most === undefined) return false;
    let running = 0;
    for (const entry of this.#running) if (entry.hasTurn && entry.category === category) running++;
    return running >= most;
  }

  #become(entry: Entry, state: Entry['state'], at: number | null): void {
    this.#dequeue(entry);
    this.#running.delete(entry);
    entry.state = state;
    entry.at = at;
    entry.hasTurn = state === 'running';
    entry.isCrowded = false;
    if (state !== 'waiting') {
      entry.shortage = null;
      this.#short.delete(entry);
    }
    this.#enqueue(entry);
  }

  #relocate(entry: Entry, priority: number, place: number): void {
    this.#dequeue(entry);
    Object.assign(entry, { priority, place });
    this.#mark(place);
    this.#enqueue(entry);
  }

  #enqueue(entry: Entry): void {
    this.#line.add(entry);
    if (entry.state === 'running') this.#running.add(entry);
    if (entry.state === 'waiting' && entry.at !== null) this.#timed.add(entry); // next() sees whether its time has come
  }

  #dequeue(entry: Entry): void {
    this.#line.remove(entry);
    this.#ready.remove(entry);
    this.#timed.remove(entry);
  }

  #mark(place: number): void {
    this.#placeMin = Math.min(this.#placeMin, place);
    this.#placeMax = Math.max(this.#placeMax, place);
  }
}

function promise({ volume, bytes }: RoomNeed & Room, promised: Map<string, number>): void {
  promised.set(volume, (promised.get(volume) ?? 0) + (bytes ?? 0));
}

/** Higher priority first, then by place; ids tell those of one place apart. */
function inLine(a: Entry, b: Entry): number {
  return b.priority - a.priority || a.place - b.place || (a.id < b.id ? -1 : Number(a.id > b.id));
}
