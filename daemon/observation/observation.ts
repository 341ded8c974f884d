// All that looks on and counts: streams, hooks, history, metrics. Nothing of it changes what the servent does.
import type { ApiCounters } from '../../api/app.ts';
import type { StatusView } from '../../api/control.ts';
import { EventStreams } from '../../api/event-stream.ts';
import type { StreamSources } from '../../api/streams.ts';
import { Drop } from '../../protocol/overlay/links/drops.ts';
import type { HookConfig } from '../../settings/hook-config.ts';
import type { Observation } from '../events/observation.ts';
import { Hooks } from '../hooks/hooks.ts';
import { logTail } from '../log.ts';
import { EventProgress } from './event-progress.ts';
import { History, readingOf } from './history.ts';
import { LogFeed } from './log-feed.ts';
import type { MetricParts } from './metric-table.ts';
import { Metrics } from './metrics.ts';
import { QueryFeed } from './query-feed.ts';

const SECOND_MS = 1000;

export type WatchedParts = Omit<MetricParts, 'events' | 'streams' | 'hooks' | 'api'>;

/** What looks at the parts once they are there. */
export class Watching {
  readonly history: History;
  readonly hooks: Hooks;
  readonly apiCounters: ApiCounters = { requests: 0, refused: {} };
  readonly streams: StreamSources;
  readonly #observation: Observation;
  readonly #parts: WatchedParts;
  readonly #queryFeed: QueryFeed;
  readonly #logFeed: LogFeed;
  readonly #metrics: Metrics;
  readonly #seconds: NodeJS.Timeout;

  constructor(observation: Observation, parts: WatchedParts) {
    const { events, options } = observation;
    const { store, clock, log } = options;
    const { monitor, servent } = parts;
    this.#observation = observation;
    this.#parts = parts;
    this.hooks = new Hooks({ feed: events, table: store.table('hooks'), clock, log: log.child({ mod: 'hooks' }) });
    this.history = new History(readingOf(parts), clock.now());
    const eventStreams = new EventStreams(events);
    this.#queryFeed = new QueryFeed(monitor, events);
    this.#logFeed = new LogFeed(logTail(log), events);
    this.#metrics = new Metrics({
      ...parts,
      events,
      streams: eventStreams,
      hooks: this.hooks,
      api: this.apiCounters,
    });
    this.streams = {
      events: eventStreams,
      exportQueries: ({ limit }) => monitor.export(limit),
      metrics: () => this.#metrics.text(),
    };
    this.#seconds = setInterval(() => {
      this.history.add(readingOf(parts), clock.now());
      monitor.stats.tick(clock.wallTime(), servent.overlay.drops.of(Drop.Duplicate));
    }, SECOND_MS).unref();
  }

  /** Everything listens by now; `status` is the servent at a glance. Gives what ends it. Rejects with StoreError. */
  async start(hooks: readonly HookConfig[], status: () => StatusView): Promise<() => Promise<void>> {
    const { events } = this.#observation;
    const { downloads, fileServer } = this.#parts;
    events.tell('status.started', status());
    const progress = new EventProgress({ events, downloads, uploads: fileServer, status });
    await this.hooks.use(hooks);
    return () => {
      // says so first: who listens hears of it
      events.tell('status.stopping', { uptime: status().uptime });
      progress.stop();
      return this.#stop();
    };
  }

  async #stop(): Promise<void> {
    clearInterval(this.#seconds);
    this.#queryFeed.stop();
    this.#logFeed.stop();
    this.streams.events.close();
    await this.hooks.stop();
    await this.#metrics.stop();
  }
}
