// A real Prometheus with our configuration: it reaches a servent, and every query of dashboard and alerts means something to it.
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse, stringify } from 'yaml';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { random } from '../support/descriptors.ts';
import { projectRoot } from '../support/fixtures.ts';
import { type RunningServent, startServent, until } from '../support/running-servent.ts';

const conf = (file: string) => readFile(join(projectRoot, 'conf', file), 'utf8');
const missing = ['prometheus', 'promtool'].find(name => spawnSync(name, ['--version']).error !== undefined);

/** Nobody else takes it in the moment between. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Ours, with the target and the token of this test, and in a hurry. */
async function configuration(dir: string, { api, token }: RunningServent): Promise<string> {
  const config = parse(await conf('prometheus/prometheus.yml')) as {
    global: object;
    rule_files: string[];
    scrape_configs: { authorization: { credentials_file: string }; static_configs: { targets: string[] }[] }[];
  };
  const [job] = config.scrape_configs;
  if (job === undefined) throw new Error('prometheus.yml scrapes nothing');
  await writeFile(join(dir, 'token'), token);
  config.global = { scrape_interval: '500ms', evaluation_interval: '1s' };
  config.rule_files = config.rule_files.map(name => join(projectRoot, 'conf/prometheus', name));
  job.authorization.credentials_file = join(dir, 'token');
  job.static_configs = [{ targets: [new URL(api).host] }];
  const file = join(dir, 'prometheus.yml');
  await writeFile(file, stringify(config));
  return file;
}

interface Answer {
  status: string;
  error?: string;
  data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
}

type Ask = (expression: string) => Promise<Answer>;

async function prometheus(t: Test, dir: string, servent: RunningServent): Promise<Ask> {
  const file = await configuration(dir, servent);
  const checked = spawnSync('promtool', ['check', 'config', file], { encoding: 'utf8' });
  t.equal(checked.status, 0, checked.stdout + checked.stderr);
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(dir, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: 'ignore' },
  );
  t.teardown(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  });
  return async expression => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
    return (await (await fetch(url)).json()) as Answer;
  };
}

/** Type of the datagrams of transfers between firewalled servents. */
const RUDP = 0x41;

/** A datagram that is none, and one of a transfer between firewalled hosts: neither comes from servents that are just there. */
async function stray({ address }: RunningServent): Promise<void> {
  const socket = createSocket('udp4');
  const port = Number(address.split(':').at(-1));
  const ofRudp = encodeDescriptor(random.guid(), RUDP, 0, 0, Buffer.alloc(40));
  for (const bytes of [Buffer.from('nothing to understand'), ofRudp])
    await new Promise<void>(sent => socket.send(bytes, port, '127.0.0.1', () => sent()));
  socket.close();
}

/** What the dashboard shows is about: queries, hits, transfers, refusals, datagrams, events. */
async function live(one: RunningServent, other: RunningServent): Promise<void> {
  await meet(one, other);
  await stray(one);
  const search = await other.client.startSearch({ text: `blue ${Math.floor(performance.now())}`, duration: 1 });
  await one.client.startSearch({ text: 'blue song', duration: 1 });
  await other.client.removeSearch({ id: search.id });
  await (await fetch(`http://${one.address}/uri-res/N2R?urn:sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`)).text();
  await (await fetch(`${one.api}/api/v1/status`, { headers: { Authorization: 'Bearer nobody' } })).text();
}

/** Parts, and meets again: one handshake out, one in. */
async function meet(one: RunningServent, other: RunningServent): Promise<void> {
  for (const [from, to] of [
    [other, one],
    [one, other],
  ] as const) {
    for (const { id } of (await from.client.peers()).items) await from.client.disconnect({ id });
    for (const { client } of [from, to])
      await until('they have parted', async () => ((await client.peers()).items.length === 0 ? true : null));
    await from.client.connect({ address: to.address });
  }
}

t.test(
  'Prometheus scrapes a servent, and dashboard and alerts ask what it can answer',
  { skip: missing === undefined ? false : `${missing} is not installed (Debian package prometheus)` },
  async t => {
    const dir = t.testdir({ one: { shared: { 'blue song.txt': 'la' } }, other: {} });
    const hooks = [{ name: 'quiet', topics: ['searches'], command: ['true'] }];
    const one = await startServent(t, join(dir, 'one'), { hooks, 'recording.mode': 'files' });
    const other = await startServent(t, join(dir, 'other'));
    await mkdir(join(dir, 'prom'));
    const ask = await prometheus(t, join(dir, 'prom'), one);
    await meet(one, other);
    await until('Prometheus has reached the servent', async () => {
      const { data } = await ask('up{job="servent"} == 1').catch((): Answer => ({ status: 'not yet' }));
      return data?.result.length === 1 ? true : null;
    });

    const { panels, templating } = JSON.parse(await conf('grafana/servent.json')) as {
      panels: { title: string; targets: { expr: string }[] }[];
      templating: { list: { name: string }[] };
    };
    t.match(
      templating.list.map(({ name }) => name),
      ['datasource', 'instance'],
    );
    const filled = (expression: string): string =>
      expression.replaceAll('$__rate_interval', '10s').replaceAll('$instance', '.*');
    const empty = new Map(
      panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [filled(expr), title] as const)),
    );
    t.ok(empty.size > 30);
    await until('every panel has something to show', async () => {
      await live(one, other);
      const answers = await Promise.all([...empty.keys()].map(async text => [text, await ask(text)] as const));
      for (const [expression, { status, error, data }] of answers) {
        if (status !== 'success') throw new Error(`${empty.get(expression)}: ${expression}: ${error}`);
        if ((data?.result.length ?? 0) > 0) empty.delete(expression);
      }
      return empty.size === 0 ? true : null;
    }).catch((error: Error) => t.fail(error.message, { empty: [...empty] }));

    const rules = parse(await conf('prometheus/alerts.yml')) as {
      groups: { rules: { alert: string; expr: string }[] }[];
    };
    const alerts = rules.groups.flatMap(group => group.rules);
    /** Not all is well then, and the servent is not to blame. */
    const isBusyMachine = async (): Promise<boolean> =>
      ((await ask('nodejs_eventloop_lag_p99_seconds > 0.2')).data?.result.length ?? 0) > 0;
    for (const { alert, expr } of alerts) {
      const { status, error } = await ask(expr);
      t.equal(status, 'success', `${alert}: ${error ?? 'understood'}`);
      await until(`${alert} is silent while all is well`, async () =>
        (await ask(expr)).data?.result.length === 0 || (alert === 'ServentEventLoopSlow' && (await isBusyMachine()))
          ? true
          : null,
      );
    }
    await one.client.disconnect({ id: (await one.client.peers()).items[0]?.id ?? '' });
    const lonely = alerts.find(({ alert }) => alert === 'ServentWithoutNeighbours')?.expr ?? '';
    await until('the alert sees that nobody is left', async () =>
      ((await ask(lonely)).data?.result.length ?? 0) > 0 ? true : null,
    );
  },
);
