// Server-sent events. Each subscriber is a cursor on the feed with a bounded buffer; a slow one is told which events were left out.
import type { ServerResponse } from 'node:http';
import type { LogLevel } from './control.ts';
import { ApiError } from './errors.ts';
import type { EventFeed, FeedEvent } from './event-feed.ts';
import type { EventGap, EventsInput, Topic } from './events.ts';
import { isAtLeast } from './log-level.ts';

export interface StreamTimes {
  /** Frames of this period are sent in one write: 50 subscribers at 1,000 events a second would need 50,000 writes. */
  gatherMs: number;
  heartbeatMs: number;
  /** A subscriber whose socket takes nothing for this long is closed. */
  stallMs: number;
}

const TIMES: StreamTimes = { gatherMs: 20, heartbeatMs: 15_000, stallMs: 60_000 };
const SUBSCRIBERS_MAX = 200;
/** Most characters buffered for one subscriber, besides those in its socket. */
const WAITING_MAX = 1 << 20;
/** Approximate size of a frame without its data. */
const FRAME_CHARACTERS = 48;
/** Most objects whose latest state is buffered for one subscriber. */
const LATEST_MAX = 2_000;
/** Reconnection time for clients. */
const RETRY_MS = 2_000;

/** Caller behind a stream. */
export interface StreamListener {
  /** Id of the caller. */
  readonly id: string;
  /** Whether its key is still valid; checked at each heartbeat. */
  mayListen(): boolean;
}

export interface StreamCounters {
  subscribers: number;
  sent: number;
  /** Events skipped for slow subscribers. */
  skipped: number;
  /** Subscribers closed because they read nothing. */
  stalled: number;
}

export class EventStreams {
  readonly counters: StreamCounters = { subscribers: 0, sent: 0, skipped: 0, stalled: 0 };
  readonly #feed: EventFeed;
  readonly #times: StreamTimes;
  /** At most SUBSCRIBERS_MAX. */
  readonly #subscribers = new Set<Subscriber>();
  readonly #frames = new Frames();

  constructor(feed: EventFeed, times: Partial<StreamTimes> = {}) {
    this.#feed = feed;
    this.#times = { ...TIMES, ...times };
  }

  /**
   * Starts a stream on the response. `after`: id of the last event the client has, null for none. Ends when the key of
   * `listener` becomes invalid. Throws TOO_MANY.
   */
  open(
    response: ServerResponse,
    { topics, interval, level, since }: EventsInput,
    after: number | null,
    listener: StreamListener,
  ): void {
    if (this.#subscribers.size >= SUBSCRIBERS_MAX)
      throw new ApiError('TOO_MANY', `there are ${SUBSCRIBERS_MAX} event streams already: close one first`);
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no', // turns buffering in nginx off
    });
    const subscriber = new Subscriber(response, {
      listener,
      feed: this.#feed,
      topics: new Set(topics),
      level,
      intervalMs: interval * 1000,
      times: this.#times,
      counters: this.counters,
      frames: this.#frames,
      onEnd: () => {
        this.#subscribers.delete(subscriber);
        this.counters.subscribers = this.#subscribers.size;
      },
    });
    this.#subscribers.add(subscriber);
    this.counters.subscribers = this.#subscribers.size;
    void subscriber.start(after ?? since ?? null);
  }

  /** Ends the streams of a caller whose key was removed. */
  endOf(callerId: string): void {
    for (const subscriber of [...this.#subscribers]) if (subscriber.callerId === callerId) subscriber.end();
  }

  /** Ends all streams; clients reconnect. */
  close(): void {
    for (const subscriber of [...this.#subscribers]) subscriber.end();
  }
}

interface SubscriberOptions {
  listener: StreamListener;
  feed: EventFeed;
  topics: ReadonlySet<Topic>;
  /** Lowest level of log lines to send. */
  level: LogLevel;
  intervalMs: number;
  times: StreamTimes;
  counters: StreamCounters;
  frames: Frames;
  onEnd: () => void;
}

/** Serializes the same events once for all subscribers. */
class Frames {
  #events: readonly FeedEvent[] = [];
  #bytes: Buffer = Buffer.alloc(0);

  of(events: readonly FeedEvent[]): Buffer {
    const same = events.length === this.#events.length && events.every((event, i) => event === this.#events[i]);
    if (!same) {
      this.#events = events;
      this.#bytes = Buffer.from(events.map(frameOf).join(''));
    }
    return this.#bytes;
  }
}

class Subscriber {
  readonly topics: ReadonlySet<Topic>;
  readonly callerId: string;
  readonly #options: SubscriberOptions;
  readonly #response: ServerResponse;
  readonly #heartbeat: NodeJS.Timeout;
  #stopListening: () => void = () => undefined;
  /** Events to write; at most WAITING_MAX characters and one frame. */
  #waiting: FeedEvent[] = [];
  #waitingCharacters = 0;
  /** Latest events by their `latestOf`; at most LATEST_MAX. */
  readonly #latest = new Map<string, FeedEvent>();
  #latestTimer: NodeJS.Timeout | null = null;
  #gather: NodeJS.Timeout | null = null;
  #stall: NodeJS.Timeout | null = null;
  /** Skipped events not yet reported in a `gap`. */
  #skipped: { from: number; to: number; count: number } | null = null;
  /** Whether the socket waits for `drain`. */
  #full = false;
  /** Whether older events are still being read; new ones wait. */
  #replaying = true;
  #ended = false;

  constructor(response: ServerResponse, options: SubscriberOptions) {
    this.#response = response;
    this.#options = options;
    this.topics = options.topics;
    this.callerId = options.listener.id;
    this.#heartbeat = setInterval(() => this.#beat(), options.times.heartbeatMs);
    response.on('close', () => this.end());
    response.on('error', () => this.end()); // connection lost during a write; 'close' follows
    response.on('drain', () => this.#onDrain());
  }

  async start(after: number | null): Promise<void> {
    const { feed } = this.#options;
    this.#write(`retry: ${RETRY_MS}\n\n`);
    const upTo = feed.lastId;
    this.#stopListening = feed.listen(this);
    if (after !== null) {
      // The id is of another data folder.
      if (after > upTo) this.#write(gapFrame(upTo, { from: after, to: upTo, skipped: null, reason: 'unknown' }));
      else {
        const onMissed = ({ from, to }: { from: number; to: number }) =>
          this.#write(gapFrame(to, { from, to, skipped: null, reason: 'forgotten' }));
        try {
          for await (const event of feed.kept(this.topics, after, upTo, onMissed)) {
            if (this.#ended) return;
            this.#write(frameOf(event));
            this.#options.counters.sent++;
            if (this.#full) await this.#drained();
          }
        } catch {
          // The store has logged the error; events may be missing.
          this.#write(gapFrame(upTo, { from: after, to: upTo, skipped: null, reason: 'unreadable' }));
        }
      }
    }
    this.#replaying = false;
    this.#gatherSoon();
  }

  onEvent(event: FeedEvent): void {
    const { view } = event;
    if (view.type === 'log.line' && !isAtLeast(view.data.level, this.#options.level)) return;
    if (event.latestOf !== null) {
      this.#noteLatest(event.latestOf, event);
      return;
    }
    this.#add(event);
  }

  /** Sends the buffered events if the socket accepts them, then ends the stream. */
  end(): void {
    if (this.#ended) return;
    this.#flush();
    this.#ended = true;
    this.#stopListening();
    clearInterval(this.#heartbeat);
    for (const timer of [this.#latestTimer, this.#gather, this.#stall]) if (timer !== null) clearTimeout(timer);
    this.#latest.clear();
    this.#waiting = [];
    this.#response.end();
    this.#options.onEnd();
  }

  #add(event: FeedEvent): void {
    const { counters } = this.#options;
    if (this.#skipped !== null || this.#waitingCharacters > WAITING_MAX) {
      if (event.latestOf !== null) return; // the next interval has it again
      const { id } = event.view;
      this.#skipped ??= { from: id, to: id, count: 0 };
      this.#skipped.to = id;
      this.#skipped.count++;
      counters.skipped++;
      return;
    }
    this.#waiting.push(event);
    this.#waitingCharacters += event.json.length + FRAME_CHARACTERS;
    counters.sent++;
    this.#gatherSoon();
  }

  #noteLatest(key: string, event: FeedEvent): void {
    if (!this.#latest.has(key) && this.#latest.size >= LATEST_MAX) return; // the next interval has it again
    this.#latest.set(key, event);
    this.#latestTimer ??= setTimeout(() => {
      this.#latestTimer = null;
      for (const latest of this.#latest.values()) this.#add(latest);
      this.#latest.clear();
    }, this.#options.intervalMs);
  }

  #gatherSoon(): void {
    if (this.#replaying || this.#full) return;
    this.#gather ??= setTimeout(() => {
      this.#gather = null;
      this.#flush();
    }, this.#options.times.gatherMs);
  }

  #flush(): void {
    if (this.#replaying || this.#full || this.#ended) return;
    if (this.#waiting.length > 0) {
      const events = this.#waiting;
      this.#waiting = [];
      this.#waitingCharacters = 0;
      this.#write(this.#options.frames.of(events));
    }
    if (this.#skipped === null) return;
    const { from, to, count } = this.#skipped;
    this.#skipped = null;
    // The client can request skipped events again with `since`.
    this.#write(gapFrame(null, { from, to, skipped: count, reason: 'slow' }));
  }

  #write(frames: string | Buffer): void {
    if (this.#ended || this.#response.destroyed) return;
    if (this.#response.write(frames)) return;
    this.#full = true;
    this.#stall ??= setTimeout(() => {
      this.#options.counters.stalled++;
      this.#response.destroy(); // the frame is incomplete
      this.end();
    }, this.#options.times.stallMs);
  }

  #onDrain(): void {
    this.#full = false;
    if (this.#stall !== null) clearTimeout(this.#stall);
    this.#stall = null;
    this.#flush();
  }

  #drained(): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        this.#response.off('drain', done);
        this.#response.off('close', done);
        resolve();
      };
      this.#response.on('drain', done);
      this.#response.on('close', done);
    });
  }

  #beat(): void {
    if (!this.#options.listener.mayListen()) this.end();
    else if (!this.#full && !this.#replaying) this.#write(':\n\n');
  }
}

/** Encodes an event. A `latest` one has no id: it was held back, so resuming at its id would repeat events that were sent meanwhile. */
function frameOf({ view, json, latestOf }: FeedEvent): string {
  return `${latestOf === null ? `id: ${view.id}\n` : ''}event: ${view.type}\ndata: ${json}\n\n`;
}

function gapFrame(id: number | null, gap: EventGap): string {
  return `${id === null ? '' : `id: ${id}\n`}event: gap\ndata: ${JSON.stringify(gap)}\n\n`;
}
