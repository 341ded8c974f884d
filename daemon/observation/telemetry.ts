// Runs the observers of the daemon: event streams, hooks, history, metrics. They do not change what the servent does.
import type { ApiCounters } from '../../api/app.ts';
import type { StatusView } from '../../api/control.ts';
import { EventStreams } from '../../api/event-stream.ts';
import type { StreamSources } from '../../api/streams.ts';
import { Drop } from '../../protocol/overlay/links/drops.ts';
import type { HookConfig } from '../../settings/hook-config.ts';
import type { EventRecorder } from '../events/event-recorder.ts';
import { Hooks } from '../hooks/hooks.ts';
import { logTail } from '../log.ts';
import { WriteBehind } from '../store/write-behind.ts';
import { exportedQueries } from '../views/queries.ts';
import { EventProgress } from './event-progress.ts';
import { History, readingOf, type StoredRing } from './history.ts';
import { LogFeed } from './log-feed.ts';
import type { MetricParts } from './metric.ts';
import { Metrics } from './metrics.ts';
import { QueryFeed } from './query-feed.ts';

const SECOND_MS = 1000;
/** Rates of a day and more are handed over every 10 minutes. */
const RINGS_WRITTEN_MS = 1000;

export type TelemetryParts = Omit<MetricParts, 'events' | 'streams' | 'hooks' | 'api'>;

export class Telemetry {
  readonly history: History;
  readonly hooks: Hooks;
  readonly apiCounters: ApiCounters = { requests: 0, refused: {} };
  readonly streams: Omit<StreamSources, 'content'>;
  readonly #recorder: EventRecorder;
  readonly #parts: TelemetryParts;
  readonly #queryFeed: QueryFeed;
  readonly #logFeed: LogFeed;
  readonly #metrics: Metrics;
  readonly #rings: WriteBehind<StoredRing>;
  readonly #seconds: NodeJS.Timeout;

  constructor(recorder: EventRecorder, parts: TelemetryParts) {
    const { events, options } = recorder;
    const { store, clock, log } = options;
    const { monitor, servent } = parts;
    this.#recorder = recorder;
    this.#parts = parts;
    this.hooks = new Hooks({ feed: events, table: store.table('hooks'), clock, log: log.child({ mod: 'hooks' }) });
    const rings = store.table<StoredRing>('rates');
    this.#rings = new WriteBehind(rings, log, RINGS_WRITTEN_MS);
    this.history = new History(readingOf(parts), clock, {
      get: name => rings.get(name),
      put: (name, ring) => this.#rings.put(name, ring),
    });
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
      exportQueries: ({ limit }) => exportedQueries(monitor, limit),
      metrics: () => this.#metrics.text(),
    };
    this.#seconds = setInterval(() => {
      this.history.add(readingOf(parts));
      monitor.stats.tick(clock.wallTime(), servent.overlay.drops.of(Drop.Duplicate));
    }, SECOND_MS).unref();
  }

  /** Reports the start and starts the hooks. Returns a function that reports the stop and stops. Rejects with StoreError. */
  async start(hooks: readonly HookConfig[], status: () => StatusView): Promise<() => Promise<void>> {
    const { events } = this.#recorder;
    const { downloads, fileServer, library } = this.#parts;
    events.tell('status.started', status());
    const progress = new EventProgress({ events, downloads, uploads: fileServer, library, status });
    await this.hooks.use(hooks);
    await this.history.start();
    return () => {
      // reported before the streams close
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
    this.history.keep();
    await this.#rings.stop();
    await this.hooks.stop();
    await this.#metrics.stop();
  }
}
