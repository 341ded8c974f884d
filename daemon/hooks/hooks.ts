// Runs webhooks and commands. Each has a stored cursor on the event log and gets events in order, one at a time.
import { setTimeout as wait } from 'node:timers/promises';
import type { EventFeed, FeedEvent } from '../../api/event-feed.ts';
import type { Topic } from '../../api/events.ts';
import type { HookConfig } from '../../settings/hook-config.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Table } from '../store/table.ts';
import { type Deliver, deliver } from './deliver.ts';

export interface HookRecord {
  /** Id of the last event delivered or given up. */
  cursor: number;
}

export interface HookStatus {
  /** Its name. */
  readonly id: string;
  /** The origin of the web address; null: it is a command. */
  readonly url: string | null;
  /** The program; null: it is a web address. */
  readonly command: string | null;
  readonly topics: Topic[];
  readonly types: string[];
  /** The last event that is done with. */
  readonly cursor: number;
  /** Ids between the cursor and the latest event. */
  readonly behind: number;
  /** Of the last delivery. */
  readonly error: string | null;
}

export interface Delivery {
  /** Id of the event. */
  readonly event: number;
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** From 1. */
  readonly attempt: number;
  readonly seconds: number;
  /** `failed` is tried again. */
  readonly state: keyof HookCounters;
  readonly error: string | null;
}

export interface HookCounters {
  done: number;
  /** Failed attempts. */
  failed: number;
  given_up: number;
}

export interface HooksOptions {
  feed: EventFeed;
  table: Table<HookRecord>;
  clock: Clock;
  log: Log;
  deliver?: Deliver;
  retry?: Retry;
}

interface Retry {
  firstMs: number;
  maxMs: number;
  attemptsMax: number;
}

/** Twelve attempts take about an hour. */
const RETRY: Retry = { firstMs: 1_000, maxMs: 600_000, attemptsMax: 12 };
/** Deliveries kept per hook. */
const DELIVERIES_MAX = 100;

export class Hooks {
  readonly counters: HookCounters = { done: 0, failed: 0, given_up: 0 };
  readonly #options: HooksOptions;
  /** By name; as many as are configured. */
  readonly #hooks = new Map<string, Hook>();

  constructor(options: HooksOptions) {
    this.#options = options;
  }

  /** Applies a configuration: hooks of the same name continue at their cursor, missing ones end. Rejects with StoreError. */
  async use(configs: readonly HookConfig[]): Promise<void> {
    await this.stop();
    this.#hooks.clear();
    for (const config of configs) {
      const hook = new Hook(config, this.#options, this.counters);
      this.#hooks.set(config.name, hook);
      await hook.start();
    }
  }

  /** Aborts running deliveries; they are repeated at the next start. */
  async stop(): Promise<void> {
    await Promise.all([...this.#hooks.values()].map(hook => hook.stop()));
  }

  list(): HookStatus[] {
    return [...this.#hooks.values()].map(hook => hook.status());
  }

  /** Newest first; null: no such hook. */
  deliveries(name: string): Delivery[] | null {
    return this.#hooks.get(name)?.deliveries() ?? null;
  }

  /** Delivers all kept events after `since` again; null: no such hook. */
  async replay(name: string, since: number): Promise<HookStatus | null> {
    const hook = this.#hooks.get(name);
    if (hook === undefined) return null;
    await hook.replay(since);
    return hook.status();
  }
}

class Hook {
  readonly #config: HookConfig;
  readonly #options: HooksOptions;
  readonly #counters: HookCounters;
  readonly #topics: ReadonlySet<Topic>;
  /** Newest last. */
  readonly #deliveries: Delivery[] = [];
  #cursor = 0;
  #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #stopListening: () => void = () => undefined;
  #wake: (() => void) | null = null;
  #error: string | null = null;

  constructor(config: HookConfig, options: HooksOptions, counters: HookCounters) {
    this.#config = config;
    this.#options = options;
    this.#counters = counters;
    this.#topics = new Set(config.topics);
  }

  async start(): Promise<void> {
    const { feed, table } = this.#options;
    const { name } = this.#config;
    const record = await table.get(name);
    // A new hook starts with the next event.
    this.#cursor = record?.cursor ?? feed.lastId;
    if (record === undefined) await this.#save();
    this.#run();
  }

  async stop(): Promise<void> {
    this.#stopListening();
    this.#abort.abort();
    this.#wake?.();
    await this.#running;
  }

  async replay(since: number): Promise<void> {
    await this.stop();
    this.#cursor = Math.min(since, this.#options.feed.lastId);
    await this.#save();
    this.#run();
  }

  status(): HookStatus {
    const { name, url, command, topics, types } = this.#config;
    const { lastId } = this.#options.feed;
    return {
      id: name,
      url: url === undefined ? null : withoutSecrets(url),
      command: command?.[0] ?? null,
      topics,
      types,
      cursor: this.#cursor,
      behind: Math.max(0, lastId - this.#cursor),
      error: this.#error,
    };
  }

  deliveries(): Delivery[] {
    return [...this.#deliveries].reverse();
  }

  #run(): void {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#stopListening = this.#options.feed.listen({
      topics: this.#topics,
      onEvent: ({ latestOf }) => {
        if (latestOf === null) this.#wake?.();
      },
    });
    this.#running = this.#loop(signal).catch((err: unknown) => {
      this.#error = err instanceof Error ? err.message : String(err);
      this.#options.log.error(
        { err, hook: this.#config.name },
        'a hook stopped after an internal error: restart the daemon to start it again',
      );
    });
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { feed, log } = this.#options;
    const { name, types } = this.#config;
    while (!signal.aborted) {
      const upTo = feed.lastId;
      const onMissed = ({ from, to }: { from: number; to: number }) =>
        log.warn({ hook: name, from, to }, 'a hook missed events: they are no longer stored');
      for await (const event of feed.kept(this.#topics, this.#cursor, upTo, onMissed)) {
        if (types.length === 0 || types.includes(event.view.type)) await this.#deliver(event, signal);
        if (signal.aborted) return;
        this.#cursor = event.view.id;
        await this.#save();
      }
      this.#cursor = Math.max(this.#cursor, upTo);
      if (feed.lastId === upTo) await this.#woken();
    }
  }

  /** Tries until the event is accepted, given up, or the hook is stopped. */
  async #deliver(event: FeedEvent, signal: AbortSignal): Promise<void> {
    const { clock, log, retry = RETRY } = this.#options;
    const { id, type } = event.view;
    for (let attempt = 1; ; attempt++) {
      const at = clock.wallTime();
      const started = clock.now();
      let error: string | null = null;
      try {
        await (this.#options.deliver ?? deliver)({ config: this.#config, event, at, signal });
      } catch (cause) {
        error = cause instanceof Error ? cause.message : String(cause);
      }
      if (signal.aborted) return;
      const done = error === null;
      const last = !done && attempt >= retry.attemptsMax;
      this.#error = error;
      this.#note({
        event: id,
        type,
        at,
        attempt,
        seconds: (clock.now() - started) / 1000,
        state: done ? 'done' : last ? 'given_up' : 'failed',
        error,
      });
      if (done) return;
      const level = last ? 'warn' : 'info';
      log[level]({ hook: this.#config.name, event: id, attempt, error }, 'a delivery failed');
      if (last) return;
      await pause(Math.min(retry.maxMs, retry.firstMs * 2 ** (attempt - 1)), signal);
      if (signal.aborted) return;
    }
  }

  #note(delivery: Delivery): void {
    this.#counters[delivery.state]++;
    this.#deliveries.push(delivery);
    if (this.#deliveries.length > DELIVERIES_MAX) this.#deliveries.shift();
  }

  #save(): Promise<void> {
    return this.#options.table.put(this.#config.name, { cursor: this.#cursor });
  }

  #woken(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
      if (this.#abort.signal.aborted) this.#wake();
    });
  }
}

/** Drops path and query of a webhook address, which often hold a key. */
function withoutSecrets(url: string): string {
  return new URL(url).origin;
}

/** Waits; resolves early when aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await Promise.allSettled([wait(ms, undefined, { signal, ref: false })]);
}
