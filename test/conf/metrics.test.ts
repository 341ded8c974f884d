// What is made for Prometheus and Grafana names metrics that there are.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import client from 'prom-client';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { endpoints } from '../../api/endpoints.ts';
import { streams } from '../../api/streams.ts';
import { metrics } from '../../daemon/observation/metric-table.ts';
import { projectRoot } from '../support/fixtures.ts';

const conf = (file: string): string => readFileSync(join(projectRoot, 'conf', file), 'utf8');

const known = new Map(metrics.map(metric => [metric.name, metric]));
const registry = new client.Registry();
client.collectDefaultMetrics({ register: registry });
const ofNode = new Set(registry.getMetricsAsArray().map(({ name }) => name));
t.teardown(() => registry.clear());

interface Dashboard {
  panels: { title: string; targets: { expr: string; legendFormat: string }[] }[];
  templating: { list: { name: string; query: string | { query: string } }[] };
}
interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
}

/** Names and the labels that are asked of them. */
function namesIn(expression: string): string[] {
  return expression.match(/\b(gnutella|nodejs|process)_[a-z0-9_]+/g) ?? [];
}

function check(t: Test, where: string, expression: string): void {
  for (const name of namesIn(expression)) t.ok(known.has(name) || ofNode.has(name), `${where}: there is ${name}`);
  for (const [, name = '', inner = ''] of expression.matchAll(/\b(gnutella_[a-z0-9_]+)\{([^}]*)\}/g))
    for (const [, label = ''] of inner.matchAll(/([a-z_]+)\s*=~?/g))
      t.ok(label === 'instance' || label === known.get(name)?.label, `${where}: ${name} has ${label}`);
  for (const name of namesIn(expression)) {
    if (known.get(name)?.kind !== 'counter') continue;
    t.match(
      expression,
      new RegExp(`(rate|increase)\\(${name}`),
      `${where}: ${name} is a counter, so its rate is asked`,
    );
  }
}

t.test('metrics are named and labelled as Prometheus advises', async t => {
  t.equal(known.size, metrics.length, 'no name twice');
  for (const { name, kind, help } of metrics) {
    t.match(name, /^gnutella_[a-z0-9_]+$/);
    t.equal(name.endsWith('_total'), kind === 'counter', name);
    t.match(help, /\.$/, `${name} has a sentence`);
  }
});

t.test('the dashboard asks for metrics that there are', async t => {
  const { panels, templating } = JSON.parse(conf('grafana/servent.json')) as Dashboard;
  t.ok(panels.length > 15);
  for (const { title, targets } of panels) for (const { expr } of targets) check(t, title, expr);
  for (const { query } of templating.list)
    for (const name of namesIn(typeof query === 'string' ? query : query.query)) t.ok(known.has(name), name);
  const asked = new Set(panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr))));
  const left = [...known.keys()].filter(
    name => !asked.has(name) && !namesIn(JSON.stringify(templating)).includes(name),
  );
  t.strictSame(
    left.sort(),
    [
      'gnutella_datagrams_unspoken_total',
      'gnutella_download_dials_put_off_total',
      'gnutella_event_subscribers',
      'gnutella_events_lost_total', // an alert
      'gnutella_library_bytes',
      'gnutella_library_hashing',
      'gnutella_library_treeless',
      'gnutella_link_ends_total',
      'gnutella_log_lines_lost_total', // an alert
      'gnutella_mode',
      'gnutella_month_budget_bytes', // an alert
      'gnutella_month_bytes', // an alert
      'gnutella_pushes_relayed_total',
      'gnutella_relayed_bytes_total',
      'gnutella_rudp_bytes_total',
      'gnutella_rudp_connections_total',
    ],
    'everything else is on the dashboard',
  );
});

t.test('alerts ask for metrics that there are', async t => {
  const { groups } = parse(conf('prometheus/alerts.yml')) as Rules;
  for (const { alert, expr, annotations } of groups.flatMap(({ rules }) => rules)) {
    check(t, alert, expr);
    t.match(annotations.summary, /./);
  }
  for (const [, path = ''] of conf('prometheus/alerts.yml').matchAll(/`GET (\/\S+?)`/g))
    t.ok(
      Object.values(endpoints).some(endpoint => endpoint.path === path),
      path,
    );
});

t.test('the configuration scrapes where the metrics are', async t => {
  const [job] = (parse(conf('prometheus/prometheus.yml')) as { scrape_configs: { metrics_path: string }[] })
    .scrape_configs;
  t.equal(job?.metrics_path, streams.metrics.path);
});

const promtool = spawnSync('promtool', ['--version']).error === undefined;
t.test(
  "Prometheus' own tool likes the alert rules",
  { skip: promtool ? false : 'promtool is not installed (Debian package prometheus)' },
  async t => {
    const said = execFileSync('promtool', ['check', 'rules', join(projectRoot, 'conf/prometheus/alerts.yml')]);
    t.match(said.toString(), 'SUCCESS');
  },
);
