// Generates docs/metrics.md from the metric table.
import { metrics } from './metric-table.ts';

export function metricsDocument(): string {
  return [
    '# Metrics',
    '',
    '<!-- Written from daemon/observation/metric-table.ts by `npm run docs`: change it there. -->',
    '',
    '`GET /metrics`, at the root of the admin API, answers in the text format of Prometheus. Like every call it needs a token; a key with the',
    'scope `read` is enough. Values are read from the counters of the daemon at each scrape.',
    '',
    '[conf/prometheus](../conf/prometheus/prometheus.yml) has an example configuration and [alert rules](../conf/prometheus/alerts.yml),',
    '[conf/grafana](../conf/grafana/servent.json) a dashboard.',
    '',
    '| metric | type | label | meaning |',
    '| --- | --- | --- | --- |',
    ...metrics.map(
      ({ name, kind, label, help }) =>
        `| \`${name}\` | ${kind} | ${label === undefined ? '' : `\`${label}\``} | ${help} |`,
    ),
    '',
    "Counters start at 0 with the daemon. The output also has the metrics of Node.js and the process that every program with Prometheus' client for",
    'Node.js has: `nodejs_eventloop_lag_p99_seconds`, `nodejs_heap_size_used_bytes`, `nodejs_gc_duration_seconds`,',
    '`process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds` and so on. The event loop is measured every',
    '20 ms, and its lag includes that interval: 0.02 means idle.',
    '',
  ].join('\n');
}
