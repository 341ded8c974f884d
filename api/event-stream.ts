// Server-sent events. Each subscriber is a cursor on the feed with a bounded buffer; a slow one is told which events were left out.
import type { ServerResponse } from 'node:http';
import type { LogLevel } from './control.ts';
import { ApiError } from './errors.ts';
import type { EventFeed, FeedEvent } from './event-feed.ts';
import type { EventGap, EventsInput, Topic } from './events.ts';
import { isAtLeast } from './log-level.ts';

export interface StreamTimes {
  /** Frames of so long go out together: 50 subscribers at 1,000 events a second would be 50,000 writes otherwise. */
  gatherMs: number;
  heartbeatMs: number;
  /** Without anything leaving. */
  stallMs: number;
}

const TIMES: StreamTimes = { gatherMs: 20, heartbeatMs: 15_000, stallMs: 60_000 };
const SUBSCRIBERS_MAX = 200;
/** Characters that wait for one subscriber, beside what its socket holds. */
const WAITING_MAX = 1 << 20;
/** Of a frame besides its data, about. */
const FRAME_CHARACTERS = 48;
/** Things under way of which the latest state waits for one subscriber. */
const LATEST_MAX = 2_000;
/** What a client waits before it comes back. */
const RETRY_MS = 2_000;

/** Who listens. */
export interface StreamListener {
  /** Of the caller. */
  readonly id: string;
  /** Asked at each heartbeat. */
  mayListen(): boolean;
}

export interface StreamCounters {
  subscribers: number;
  sent: number;
  /** Events left out for those who were too slow. */
  skipped: number;
  /** Subscribers given up. */
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
   * Takes the response over. `after`: the last event the client has seen, null for none. It ends when `listener` may not
   * listen any more. Throws TOO_MANY.
   */
  open(
    response: ServerResponse,
    { topics, interval, level, since }: EventsInput,
    after: number | null,
    listener: StreamListener,
  ): void {
    if (this.#subscribers.size >= SUBSCRIBERS_MAX)
      throw new ApiError('TOO_MANY', `${SUBSCRIBERS_MAX} listen to events already`);
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no', // nginx would gather them
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

  /** Ends all streams; clients come back by themselves. */
  close(): void {
    for (const subscriber of [...this.#subscribers]) subscriber.end();
  }
}

interface SubscriberOptions {
  listener: StreamListener;
  feed: EventFeed;
  topics: ReadonlySet<Topic>;
  /** Least important lines of the log. */
  level: LogLevel;
  intervalMs: number;
  times: StreamTimes;
  counters: StreamCounters;
  frames: Frames;
  onEnd: () => void;
}

/** The bytes of the same events, made once for all who get them at the same time. */
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
  /** To be written; at most WAITING_MAX characters and one frame. */
  #waiting: FeedEvent[] = [];
  #waitingCharacters = 0;
  /** By what they are the latest of; at most LATEST_MAX. */
  readonly #latest = new Map<string, FeedEvent>();
  #latestTimer: NodeJS.Timeout | null = null;
  #gather: NodeJS.Timeout | null = null;
  #stall: NodeJS.Timeout | null = null;
  /** What had to be left out and has not been said yet. */
  #skipped: { from: number; to: number; count: number } | null = null;
  /** The socket takes no more for now. */
  #full = false;
  /** Told before events that come while older ones are read. */
  #replaying = true;
  #ended = false;

  constructor(response: ServerResponse, options: SubscriberOptions) {
    this.#response = response;
    this.#options = options;
    this.topics = options.topics;
    this.callerId = options.listener.id;
    this.#heartbeat = setInterval(() => this.#beat(), options.times.heartbeatMs);
    response.on('close', () => this.end());
    response.on('error', () => this.end()); // gone in the middle of a write: 'close' follows
    response.on('drain', () => this.#onDrain());
  }

  async start(after: number | null): Promise<void> {
    const { feed } = this.#options;
    this.#write(`retry: ${RETRY_MS}\n\n`);
    const upTo = feed.lastId;
    this.#stopListening = feed.listen(this);
    if (after !== null) {
      // From another data folder: nothing here follows it.
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
          // The store has said why in the log; what follows cannot be promised to be complete.
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

  /** What waits is sent first, if the socket takes it. */
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
      if (event.latestOf !== null) return; // the next look has it again
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
    if (!this.#latest.has(key) && this.#latest.size >= LATEST_MAX) return; // the next look has it again
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
    // Asking again with `since` brings back what was left out, as far as it is kept.
    this.#write(gapFrame(null, { from, to, skipped: count, reason: 'slow' }));
  }

  #write(frames: string | Buffer): void {
    if (this.#ended || this.#response.destroyed) return;
    if (this.#response.write(frames)) return;
    this.#full = true;
    this.#stall ??= setTimeout(() => {
      this.#options.counters.stalled++;
      this.#response.destroy(); // a half-written frame is of no use to anybody
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
