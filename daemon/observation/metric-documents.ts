// docs/metrics.md, written from the table of metrics.
import { metrics } from './metric-table.ts';

export function metricsDocument(): string {
  return [
    '# Metrics',
    '',
    '<!-- Written from daemon/observation/metric-table.ts by `npm run docs`: change it there. -->',
    '',
    '`GET /metrics`, at the root of the admin API, answers in the text format of Prometheus. It takes a token like every call: a key with the',
    'scope `read` will do. Values are read from the counters of the daemon when they are asked for, so that counting costs nothing extra.',
    '',
    '[conf/prometheus](../conf/prometheus/prometheus.yml) has a configuration to start from and [alert rules](../conf/prometheus/alerts.yml),',
    '[conf/grafana](../conf/grafana/servent.json) a dashboard.',
    '',
    '| metric | type | label | meaning |',
    '| --- | --- | --- | --- |',
    ...metrics.map(
      ({ name, kind, label, help }) =>
        `| \`${name}\` | ${kind} | ${label === undefined ? '' : `\`${label}\``} | ${help} |`,
    ),
    '',
    "Counters start at 0 with the daemon. Beside these there are those of Node.js and the process, as every program with Prometheus' client for",
    'Node.js has them: `nodejs_eventloop_lag_p99_seconds`, `nodejs_heap_size_used_bytes`, `nodejs_gc_duration_seconds`,',
    '`process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds` and so on. The event loop is looked at every',
    '20 ms, and its lag is counted from one look to the next: 0.02 is an idle one.',
    '',
  ].join('\n');
}
