// ClickHouse servers for tests: on free ports of loopback, with folders of their own, shards of one cluster.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { projectRoot } from './fixtures.ts';
import { until } from './running-servent.ts';

export const CLUSTER = 'fleet';

const PROGRAMS = ['/usr/sbin/clickhouse-server', '/usr/bin/clickhouse-server'];
const program = PROGRAMS.find(path => existsSync(path)) ?? null;

/** Why tests of it are skipped; null: it is there. */
export function clickHouseMissing(): string | null {
  return program === null ? 'there is no clickhouse-server on this machine: apt-get install clickhouse-server' : null;
}

interface Ports {
  http: number;
  tcp: number;
}

export class ClickHouseServer {
  readonly url: string;
  readonly #folder: string;
  #child: ChildProcess | null = null;

  private constructor(folder: string, ports: Ports) {
    this.#folder = folder;
    this.url = `http://127.0.0.1:${ports.http}`;
  }

  /** As many shards as `count`, which run; they end with the test. */
  static async shards(t: Test, folder: string, count: number): Promise<ClickHouseServer[]> {
    const ports: Ports[] = [];
    for (let n = 0; n < count; n++) ports.push({ http: await freePort(), tcp: await freePort() });
    const servers = ports.map((own, n) => {
      const home = join(folder, `shard${n}`);
      for (const sub of ['data', 'tmp', 'files', 'schemas']) mkdirSync(join(home, sub), { recursive: true });
      writeFileSync(join(home, 'config.xml'), configOf(home, own, ports));
      writeFileSync(join(home, 'users.xml'), USERS);
      const server = new ClickHouseServer(home, own);
      t.teardown(() => server.kill());
      return server;
    });
    for (const server of servers) await server.start();
    return servers;
  }

  async start(): Promise<void> {
    if (program === null) throw new Error('no clickhouse-server');
    const child = spawn(program, [`--config-file=${join(this.#folder, 'config.xml')}`], {
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    this.#child = child;
    await until('ClickHouse answers', async () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`ClickHouse ended: ${readFileSync(join(this.#folder, 'error.log'), 'utf8').slice(-2000)}`);
      return this.query('SELECT 1').catch(() => null);
    });
  }

  /** As a crash. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Stops it where it is, or lets it go on. */
  pause(paused: boolean): void {
    this.#child?.kill(paused ? 'SIGSTOP' : 'SIGCONT');
  }

  async query(sql: string): Promise<string> {
    const numbers = 'output_format_json_quote_64bit_integers=0';
    const answer = await fetch(`${this.url}/?${numbers}`, { method: 'POST', body: sql });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text.trim();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function configOf(home: string, own: Ports, all: readonly Ports[]): string {
  return `<yandex>
<logger><level>warning</level><log>${home}/server.log</log><errorlog>${home}/error.log</errorlog></logger>
<http_port>${own.http}</http_port>
<tcp_port>${own.tcp}</tcp_port>
<listen_host>127.0.0.1</listen_host>
<path>${home}/data/</path>
<tmp_path>${home}/tmp/</tmp_path>
<user_files_path>${home}/files/</user_files_path>
<format_schema_path>${home}/schemas/</format_schema_path>
<users_config>users.xml</users_config>
<default_profile>default</default_profile>
<default_database>default</default_database>
<mark_cache_size>5368709</mark_cache_size>
<uncompressed_cache_size>1000000</uncompressed_cache_size>
${clusterOf(all)}
</yandex>
`;
}

/** The cluster of conf/ with the ports of this test; with other than its two shards, one of the same shape. */
function clusterOf(all: readonly Ports[]): string {
  const text = readFileSync(join(projectRoot, 'conf/clickhouse/cluster.xml'), 'utf8');
  const cluster = /<remote_servers>.*<\/remote_servers>/s.exec(text)?.[0] ?? '';
  const [shard = ''] = /<shard>.*<\/shard>/.exec(cluster) ?? [];
  const own = all.map(({ tcp }) =>
    shard.replace(/<host>[^<]*/, '<host>127.0.0.1').replace(/<port>[^<]*/, `<port>${tcp}`),
  );
  return cluster.replace(/<shard>.*<\/shard>/s, own.join(''));
}

const USERS = `<yandex>
<profiles><default><max_memory_usage>1000000000</max_memory_usage></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
<quotas><default></default></quotas>
</yandex>
`;
