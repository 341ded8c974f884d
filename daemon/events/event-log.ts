// Stores events in a bounded log with increasing ids, so that clients can resume. Writes in batches.
import type { EventFeed, FeedEvent, FeedListener, Missed } from '../../api/event-feed.ts';
import type { EventData, EventOf, EventType, ServentEvent, Topic } from '../../api/events.ts';
import { eventKinds } from '../../api/outline.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Change, Table } from '../store/table.ts';

/** A stored event; its id is the key. */
export type EventRecord = { [T in EventType]: Omit<EventOf<T>, 'id'> }[EventType];

/** Stored with the events: facts about ids that are no longer kept. */
export interface EventMark {
  /** Ids below this may have been used. */
  reserved: number;
  /** Id of the latest event that was dropped. */
  forgotten: number;
}

export interface EventLogOptions {
  table: Table<EventRecord>;
  marks: Table<EventMark>;
  clock: Clock;
  log: Log;
  eventsMax?: number;
  keptMs?: number;
  writeMs?: number;
}

const EVENTS_MAX = 10_000;
const KEPT_MS = 7 * 86_400_000;
const WRITE_MS = 250;
/** Ids reserved in the store at a time, before use, so that no id is used twice after a crash. */
const RESERVE = 1_000_000;
/** Most events waiting while the store fails; further events are not stored. */
const PENDING_MAX = 5_000;
const MARK = 'mark';

export class EventLog implements EventFeed {
  /** Events stored, and events lost because the store failed. */
  readonly counters = { kept: 0, lost: 0 };
  /** Why the latest events could not be stored; null: they were. */
  trouble: string | null = null;
  readonly #options: EventLogOptions;
  readonly #eventsMax: number;
  readonly #keptMs: number;
  readonly #listeners = new Set<FeedListener>();
  #heard: ReadonlySet<Topic> = new Set();
  /** Called when what hears() says may have changed. */
  onHeard: (() => void) | null = null;
  /** Ids and times of stored events, oldest first; at most eventsMax and one batch. */
  #stored: { id: number; at: number }[] = [];
  #pending: FeedEvent[] = [];
  #lastId = 0;
  /** Latest event id by topic, for topics that are not stored. */
  readonly #passedId = new Map<Topic, number>();
  #mark: EventMark = { reserved: 0, forgotten: 0 };
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#eventsMax = options.eventsMax ?? EVENTS_MAX;
    this.#keptMs = options.keptMs ?? KEPT_MS;
  }

  /** Rejects with StoreError. */
  async start(): Promise<void> {
    const { table, marks } = this.#options;
    this.#mark = (await marks.get(MARK)) ?? this.#mark;
    for await (const [key, { at }] of table.entries()) this.#stored.push({ id: Number(key), at: Date.parse(at) });
    this.#lastId = Math.max(this.#mark.reserved, this.#stored.at(-1)?.id ?? 0);
    // Events of unstored topics from before this start are lost.
    const kinds = Object.values(eventKinds);
    const kept = new Set<Topic>(kinds.filter(({ retention }) => retention === 'kept').map(({ topic }) => topic));
    if (this.#lastId > 0) for (const { topic } of kinds) if (!kept.has(topic)) this.#passedId.set(topic, this.#lastId);
    await this.#reserve();
  }

  /** Writes waiting events. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#flush();
  }

  get lastId(): number {
    return this.#lastId;
  }

  get size(): number {
    return this.#stored.length + this.#pending.length;
  }

  /** Whether the topic has listeners. Cheap; frequent events are made only when it has. */
  hears(topic: Topic): boolean {
    return this.#heard.has(topic);
  }

  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    this.#hear();
    return () => {
      this.#listeners.delete(listener);
      this.#hear();
    };
  }

  /** Calls all listeners at once and in order, and stores the event if its kind says so. Never throws. */
  tell<T extends EventType>(type: T, data: EventData<T>): void {
    const { topic, retention } = eventKinds[type];
    const latestOf = retention !== 'latest' ? null : 'id' in data ? `${type} ${data.id}` : type;
    const event = this.#eventOf(type, data, latestOf);
    if (retention === 'kept') this.#keep(event);
    else if (retention === 'passing') this.#passedId.set(topic, event.view.id);
    for (const listener of this.#listeners) {
      if (!listener.topics.has(topic)) continue;
      try {
        listener.onEvent(event);
      } catch (err) {
        this.#options.log.error({ err, type }, 'an event listener failed');
      }
    }
  }

  async *kept(
    topics: ReadonlySet<Topic>,
    after: number,
    upTo: number,
    onMissed: (missed: Missed) => void,
  ): AsyncGenerator<FeedEvent> {
    await this.#flush();
    let missedTo = Math.min(this.#mark.forgotten, upTo);
    for (const topic of topics) missedTo = Math.max(missedTo, Math.min(this.#passedId.get(topic) ?? 0, upTo));
    if (after < missedTo) onMissed({ from: after + 1, to: missedTo });
    for await (const [key, record] of this.#options.table.entries({ gt: keyOf(after), lte: keyOf(upTo) })) {
      if (!topics.has(record.topic)) continue;
      const view = { id: Number(key), ...record };
      yield { view, json: JSON.stringify(view), latestOf: null };
    }
  }

  #hear(): void {
    this.#heard = new Set([...this.#listeners].flatMap(({ topics }) => [...topics]));
    this.onHeard?.();
  }

  #eventOf<T extends EventType>(type: T, data: EventData<T>, latestOf: string | null): FeedEvent {
    const id = ++this.#lastId;
    if (id + RESERVE / 2 > this.#mark.reserved) this.#writeSoon();
    const at = new Date(this.#options.clock.wallTime()).toISOString();
    // The parameters pair type and data; the compiler cannot infer that for the object.
    const view = { id, at, topic: eventKinds[type].topic, type, data } as ServentEvent;
    return { view, json: JSON.stringify(view), latestOf };
  }

  #keep(event: FeedEvent): void {
    if (this.#pending.length >= PENDING_MAX) this.counters.lost++;
    else {
      this.#pending.push(event);
      this.counters.kept++;
    }
    this.#writeSoon();
  }

  #writeSoon(): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => void this.#flush(), this.#options.writeMs ?? WRITE_MS).unref();
  }

  /** Writes one batch at a time. Never rejects: a full disk must not stop the reporting parts. */
  #flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const batch = this.#pending;
    const forgotten = this.#outdated(batch.length);
    this.#pending = [];
    const changes: Change<EventRecord>[] = batch.map(({ view: { id, ...value } }) => ({
      type: 'put',
      key: keyOf(id),
      value,
    }));
    for (const { id } of forgotten) changes.push({ type: 'del', key: keyOf(id) });
    try {
      const last = forgotten.at(-1);
      if (last !== undefined) this.#mark.forgotten = last.id;
      if (last !== undefined || this.#lastId + RESERVE / 2 > this.#mark.reserved) await this.#reserve();
      await this.#options.table.batch(changes);
      this.trouble = null;
      for (const { view } of batch) this.#stored.push({ id: view.id, at: Date.parse(view.at) });
    } catch (err) {
      this.counters.lost += batch.length;
      this.trouble = err instanceof Error ? err.message : String(err);
      const { log } = this.#options;
      log.error({ err, events: batch.length }, 'events could not be stored');
    }
  }

  async #reserve(): Promise<void> {
    this.#mark = { ...this.#mark, reserved: this.#lastId + RESERVE };
    await this.#options.marks.put(MARK, this.#mark);
  }

  /** Removes the oldest events from the list and returns them. */
  #outdated(coming: number): { id: number }[] {
    const oldest = this.#options.clock.wallTime() - this.#keptMs;
    let count = Math.max(0, this.#stored.length + coming - this.#eventsMax);
    count = Math.min(count, this.#stored.length);
    while (count < this.#stored.length && (this.#stored[count]?.at ?? 0) < oldest) count++;
    return this.#stored.splice(0, count);
  }
}

/** Key that sorts like the number. */
function keyOf(id: number): string {
  return String(id).padStart(16, '0');
}
