// Renders metrics in the text format of Prometheus: the metric table and Node's metrics. Loads the library at the first scrape.
import type { Counter, Gauge, Registry } from 'prom-client';
import type { Metric, MetricParts, Values } from './metric.ts';
import { metrics } from './metric-table.ts';

const LAGS = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(what => `nodejs_eventloop_lag_${what}_seconds`);
/** Greater values of the event loop lag are invalid. */
const LAG_SECONDS_MAX = 86_400;

export class Metrics {
  readonly #parts: MetricParts;
  #registry: Promise<Registry> | null = null;

  constructor(parts: MetricParts) {
    this.#parts = parts;
  }

  async text(): Promise<{ type: string; text: string }> {
    this.#registry ??= this.#load();
    const registry = await this.#registry;
    return { type: registry.contentType, text: await registry.metrics() };
  }

  /** Stops measuring the event loop. */
  async stop(): Promise<void> {
    (await this.#registry)?.clear();
  }

  async #load(): Promise<Registry> {
    const { default: client } = await import('prom-client');
    const registry = new client.Registry();
    client.collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 });
    // The library starts counting now.
    const { user, system } = process.cpuUsage();
    const before = { user, system, '': user + system };
    for (const [part, micros] of Object.entries(before)) {
      const name = `process_cpu_${part === '' ? '' : `${part}_`}seconds_total`;
      (registry.getSingleMetric(name) as Counter | undefined)?.inc(micros / 1e6);
    }
    for (const name of LAGS) hideUnknown(registry.getSingleMetric(name) as Gauge | undefined);
    const parts = this.#parts;
    for (const { name, help, kind, label, read } of metrics) {
      const config = { name, help, registers: [registry], labelNames: label === undefined ? [] : [label] };
      if (kind === 'gauge') {
        new client.Gauge({
          ...config,
          collect() {
            this.reset();
            each(label, read(parts), (labels, value) => this.set(labels, value));
          },
        });
      } else {
        new client.Counter({
          ...config,
          // The value is read from the daemon's own counter.
          collect() {
            this.reset();
            each(label, read(parts), (labels, value) => this.inc(labels, value));
          },
        });
      }
    }
    return registry;
  }
}

function each(
  label: Metric['label'],
  values: Values,
  set: (labels: Record<string, string>, value: number) => void,
): void {
  if (typeof values === 'number') set({}, values);
  else if (label !== undefined) for (const [name, value] of values) set({ [label]: name }, value);
}

/** Replaces NaN and 2^63 ns, which the library reports before the first measurement, by 0. */
function hideUnknown(gauge: Gauge | undefined): void {
  if (gauge === undefined) return;
  const set = gauge.set.bind(gauge) as (labels: object, value: number) => void;
  const known = (labels: object, value: number): void => set(labels, value <= LAG_SECONDS_MAX ? value : 0);
  gauge.set = known as Gauge['set'];
}
