// The durable, bounded log of what happened: ids that only grow, written in batches, read by clients that resume where they stopped.
import type { EventFeed, FeedEvent, FeedListener, Missed } from '../../api/event-feed.ts';
import type { EventData, EventOf, EventType, ServentEvent, Topic } from '../../api/events.ts';
import { eventKinds } from '../../api/outline.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Change, Table } from '../store/table.ts';

/** An event under its id. */
export type EventRecord = { [T in EventType]: Omit<EventOf<T>, 'id'> }[EventType];

/** Beside the events: what must be known of those that are gone. */
export interface EventMark {
  /** Ids below this may have been given away. */
  reserved: number;
  /** The latest event that is no longer kept. */
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
/** Written before they are used, so that no id is given away twice after a crash. */
const RESERVE = 1_000_000;
/** Waiting to be written while the store does not take any; more are not kept. */
const PENDING_MAX = 5_000;
const MARK = 'mark';

export class EventLog implements EventFeed {
  /** Kept at all, and refused for a store that did not take them. */
  readonly counters = { kept: 0, lost: 0 };
  /** Why the latest events could not be written; null: they were. */
  trouble: string | null = null;
  readonly #options: EventLogOptions;
  readonly #eventsMax: number;
  readonly #keptMs: number;
  readonly #listeners = new Set<FeedListener>();
  #heard: ReadonlySet<Topic> = new Set();
  /** Ids and times of what is stored, oldest first; at most eventsMax and one batch. */
  #stored: { id: number; at: number }[] = [];
  #pending: FeedEvent[] = [];
  #lastId = 0;
  /** The latest of each topic that only passes and is not kept. */
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
    // What only passed before this start cannot be had again.
    const kinds = Object.values(eventKinds);
    const kept = new Set<Topic>(kinds.filter(({ retention }) => retention === 'kept').map(({ topic }) => topic));
    if (this.#lastId > 0) for (const { topic } of kinds) if (!kept.has(topic)) this.#passedId.set(topic, this.#lastId);
    await this.#reserve();
  }

  /** Writes what waits. Idempotent. */
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

  /** Somebody listens to the topic: only then is what passes by the thousands worth an event. Cheap. */
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

  /** Tells all who listen, at once and in order, and keeps the event if the table of events says so. Never throws. */
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
        this.#options.log.error({ err, type }, 'telling of an event failed');
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
  }

  #eventOf<T extends EventType>(type: T, data: EventData<T>, latestOf: string | null): FeedEvent {
    const id = ++this.#lastId;
    if (id + RESERVE / 2 > this.#mark.reserved) this.#writeSoon();
    const at = new Date(this.#options.clock.wallTime()).toISOString();
    // The parameters hold type and data together; the compiler does not see that the object does too.
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

  /** One batch after the other. Never rejects: a full disk must not stop the parts that tell events. */
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
      log.error({ err, events: batch.length }, 'events could not be written and will not be kept');
    }
  }

  async #reserve(): Promise<void> {
    this.#mark = { ...this.#mark, reserved: this.#lastId + RESERVE };
    await this.#options.marks.put(MARK, this.#mark);
  }

  /** Takes them off the list of what is stored. */
  #outdated(coming: number): { id: number }[] {
    const oldest = this.#options.clock.wallTime() - this.#keptMs;
    let count = Math.max(0, this.#stored.length + coming - this.#eventsMax);
    count = Math.min(count, this.#stored.length);
    while (count < this.#stored.length && (this.#stored[count]?.at ?? 0) < oldest) count++;
    return this.#stored.splice(0, count);
  }
}

/** Sorts as the number does. */
function keyOf(id: number): string {
  return String(id).padStart(16, '0');
}
