// The files of servents that record into ClickHouse: they parse, and name settings, services and shards that exist.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { createProgram } from '../../cli/tree.ts';
import { settingsList, variableOf } from '../../settings/settings.ts';
import { CLUSTER } from '../support/clickhouse-server.ts';
import { projectRoot } from '../support/fixtures.ts';

const read = (file: string) => readFile(join(projectRoot, 'conf', file), 'utf8');
const variables = new Set<string>([...settingsList.map(({ key }) => variableOf(key)), 'SERVENT_TOKEN_FILE']);
const start = createProgram({
  stdout: { write: () => true },
  stderr: { write: () => true },
  env: {},
  cwd: '/',
}).commands.find(command => command.name() === 'start');
const flags = new Set(start?.options.map(({ long }) => long));

interface Service {
  image?: string;
  command?: string[];
  environment?: Record<string, string>;
  secrets?: string[];
  volumes?: string[];
  networks?: { default: { aliases: string[] } };
}

interface Compose {
  services: Record<string, Service>;
  secrets: Record<string, unknown>;
  volumes: Record<string, unknown>;
}

const shards = async (): Promise<string[]> =>
  [...(await read('clickhouse/cluster.xml')).matchAll(/<host>([^<]+)<\/host>/g)].map(([, host = '']) => host);

t.test('the compose file names services, volumes and settings that there are', async t => {
  const { services, secrets, volumes } = parse(await read('compose.recording.yaml'), { merge: true }) as Compose;
  const names = Object.keys(services);
  for (const [name, service] of Object.entries(services)) {
    for (const secret of service.secrets ?? []) t.ok(secret in secrets, `${name}: ${secret}`);
    for (const volume of service.volumes ?? [])
      t.ok(volume.startsWith('./') || (volume.split(':')[0] ?? '') in volumes, `${name}: ${volume}`);
    for (const variable of Object.keys(service.environment ?? {}))
      if (variable.startsWith('SERVENT_')) t.ok(variables.has(variable), variable);
  }
  const servents = Object.entries(services).filter(([name]) => name.startsWith('servent-'));
  t.equal(servents.length, 2);
  for (const [name, { command = [] }] of servents) {
    for (const word of command.filter(text => text.startsWith('--'))) t.ok(flags.has(word), word);
    t.equal(command[command.indexOf('--api-host-name') + 1], name, 'Prometheus asks for it by that name');
  }
  const aliases = Object.values(services).flatMap(({ networks }) => networks?.default.aliases ?? []);
  t.strictSame(aliases, await shards(), 'each shard of the cluster is a service');
  const urls = servents.map(([, { environment }]) => new URL(environment?.['SERVENT_RECORDING_URL'] ?? '').hostname);
  t.strictSame(urls, aliases, 'each servent has a shard of its own');
  const { scrape_configs: jobs } = parse(await read('prometheus/recording.yml')) as {
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  const targets = jobs.flatMap(job => job.static_configs.flatMap(one => one.targets));
  t.strictSame(
    targets.map(target => target.split(':')[0]),
    servents.map(([name]) => name),
  );
  t.ok(['prometheus', 'grafana'].every(name => names.includes(name)));
});

t.test('the manifests name settings and shards that there are', async t => {
  const text = await read('kubernetes/recording.yaml');
  const documents = parseAllDocuments(text);
  for (const document of documents) t.strictSame(document.errors, []);
  for (const [name] of text.matchAll(/SERVENT_[A-Z_]+/g)) t.ok(variables.has(name), name);
  const sets = documents
    .map(document => document.toJS() as { kind: string; metadata: { name: string }; spec: { replicas: number } })
    .filter(({ kind }) => kind === 'StatefulSet');
  const hosts = await shards();
  t.strictSame(
    sets.map(({ metadata, spec }) => [metadata.name, spec.replicas]),
    [
      ['clickhouse', hosts.length],
      ['servent-recording', hosts.length],
    ],
  );
  t.strictSame(
    hosts,
    hosts.map((_, shard) => `clickhouse-${shard}.clickhouse`),
    'hosts are the pods',
  );
});

t.test('the cluster is the one that the documents and tests name', async t => {
  t.match(await read('clickhouse/cluster.xml'), `<${CLUSTER}>`);
  t.match(await read('compose.recording.yaml'), `--cluster ${CLUSTER}`);
});
