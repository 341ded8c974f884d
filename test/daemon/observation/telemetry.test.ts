// What a whole daemon tells of itself: events, hooks, counted queries, history, metrics.
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { history, queryStats } from '../../../api/schemas/monitor.ts';
import { signatureOf } from '../../../daemon/hooks/deliver.ts';
import { metrics } from '../../../daemon/observation/metric-table.ts';
import { hashed, type RunningServent, startServent, until } from '../../support/running-servent.ts';

interface Told {
  id: number;
  topic: string;
  type: string;
  data: Record<string, unknown>;
}

/** The events of a stream as they come; the array grows. */
async function listen(t: Test, { api, token }: RunningServent, query: string): Promise<Told[]> {
  const outgoing = request(`${api}/api/v1/events?${query}`, { headers: { Authorization: `Bearer ${token}` } });
  outgoing.on('error', () => undefined); // the daemon stops first
  outgoing.end();
  t.teardown(() => outgoing.destroy());
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  const told: Told[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (text + chunk).split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const data = /^data: (.*)$/m.exec(part)?.[1];
      if (data !== undefined) told.push(JSON.parse(data) as Told);
    }
  });
  return told;
}

const ofType = (told: readonly Told[], type: string) =>
  until(`${type} is told`, async () => told.find(event => event.type === type) ?? null);

async function get(t: Test, { api, token }: RunningServent, path: string): Promise<string> {
  const response = await fetch(`${api}${path}`, { headers: { Authorization: `Bearer ${token}` } });
  t.equal(response.status, 200, path);
  return response.text();
}

t.test('a search and a download, as events, hooks, counted queries and metrics tell of them', async t => {
  const folder = t.testdir({ a: { shared: { 'blue moon.ogg': 'la la la' } }, b: {}, secret: 'whsec', told: '' });
  const calls: { headers: IncomingMessage['headers']; body: string }[] = [];
  const receiver = createServer((incoming, response) => {
    let body = '';
    incoming.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    incoming.on('end', () => {
      calls.push({ headers: incoming.headers, body });
      response.statusCode = calls.length === 1 ? 503 : 204; // tried again
      response.end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  t.teardown(() => receiver.close());
  const { port } = receiver.address() as AddressInfo;
  const script = "process.stdin.pipe(require('fs').createWriteStream(process.argv[1]))";
  const hooks = [
    {
      name: 'web',
      types: ['download.finished'],
      url: `http://127.0.0.1:${port}/x`,
      secretFile: join(folder, 'secret'),
    },
    { name: 'run', types: ['download.added'], command: [process.execPath, '-e', script, join(folder, 'told')] },
  ];
  const a = await startServent(t, join(folder, 'a'), { 'downloads.folder': join(folder, 'a-downloads') });
  const b = await startServent(t, join(folder, 'b'), { hooks });
  await hashed(a.client, 1);
  const atA = await listen(t, a, 'topics=queries,peers,uploads');
  const atB = await listen(t, b, 'topics=searches,downloads,status,peers&interval=0.5');

  await b.client.connect({ address: a.address });
  t.match(await ofType(atB, 'link.opened'), { topic: 'peers', data: { address: a.address, direction: 'outgoing' } });
  const { id } = await b.client.startSearch({ text: 'blue moon' });
  const { data } = await ofType(atB, 'search.result');
  t.match(data, { search: id, result: { name: 'blue moon.ogg' } });
  t.match(await ofType(atA, 'query.passed'), { topic: 'queries', data: { text: 'blue moon', hops: 0, hits: 1 } });
  const { result } = data as { result: { id: string } };
  await b.client.startDownload({ search: id, result: result.id });
  const finished = await ofType(atB, 'download.finished');
  t.match(finished.data, { state: 'completed', name: 'blue moon.ogg' });
  await ofType(atA, 'upload.finished');
  await ofType(atB, 'status.now');
  const ids = atB.filter(({ type }) => !/progress|now$/.test(type)).map(event => event.id);
  t.strictSame(
    ids,
    [...ids].sort((one, other) => one - other),
    'ids of what is kept only grow',
  );

  const taken = await until('the hook was called again', async () => calls[1] ?? null);
  t.equal(JSON.parse(taken.body).id, finished.id);
  const signature = String(taken.headers['servent-signature']);
  t.equal(signature, signatureOf('whsec', Number(/t=(\d+)/.exec(signature)?.[1]), taken.body));
  const deliveries = await until('both deliveries are noted', async () => {
    const { items } = await b.client.deliveries({ id: 'web' });
    return items.length === 2 ? items : null;
  });
  t.strictSame(
    deliveries.map(({ state, attempt }) => [state, attempt]),
    [
      ['done', 2],
      ['failed', 1],
    ],
  );
  const told = await until('the command was told', async () => {
    const text = await readFile(join(folder, 'told'), 'utf8');
    return text.endsWith('\n') ? text : null;
  });
  t.equal(JSON.parse(told).type, 'download.added');
  await b.client.replay({ id: 'web', since: finished.id - 1 });
  t.equal(
    JSON.parse((await until('the delivery was repeated', async () => calls[2] ?? null)).body).id,
    finished.id,
    'delivered once more',
  );
  const refused: unknown = await b.client.changeConfig({ hooks: [] }).catch((error: unknown) => error);
  t.match(refused, { problem: { code: 'FORBIDDEN' } });

  const stats = await until('the query is counted', async () => {
    const view = queryStats.parse(await a.client.queryStats({ span: 'minute' }));
    return view.queries > 0 && view.words.length > 0 ? view : null;
  });
  t.match(stats, { privacy: 'full', queries: 1, answered: 1, hits: 1, sampled: 1 });
  t.strictSame(stats.words.map(({ key }) => key).sort(), ['blue', 'moon']);
  t.equal(stats.byHops[0], 1);
  t.match(JSON.parse(await get(t, a, '/api/v1/queries/export')), { text: 'blue moon' });
  const rings = await until('messages are in the rings', async () => {
    const view = history.parse(await a.client.history());
    return view.minute.messagesIn.some(rate => rate > 0) ? view : null;
  });
  t.equal(rings.minute.step, 1);
  t.ok(rings.minute.peers.includes(1));

  const { user, system } = process.cpuUsage();
  // At once and once more: the loop was not looked at before the first, nor between the two.
  for (const text of [await get(t, a, '/metrics'), await get(t, a, '/metrics')])
    for (const line of text.split('\n').filter(line => line !== '' && !line.startsWith('#'))) {
      const value = Number(line.slice(line.lastIndexOf(' ')));
      if (!Number.isFinite(value)) t.fail(line);
      if (line.startsWith('nodejs_eventloop_lag') && value > 86_400) t.fail(line);
    }
  const text = await get(t, a, '/metrics');
  for (const { name } of metrics) t.match(text, new RegExp(`^# TYPE ${name} `, 'm'));
  const cpu = Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1]);
  t.ok(cpu >= (user + system) / 1e6, 'what was used before anybody looked counts too');
  t.match(text, /^gnutella_queries_passed_total 1$/m);
  t.match(text, /^gnutella_links\{role="ultrapeer"\} 1$/m);
  t.match(text, /^gnutella_connections_in_total\{result="(accepted|overlay)"\} [1-9]/m);
  t.match(text, /^gnutella_datagrams_in_total\{end="malformed"\} 0$/m);
  t.match(text, /^gnutella_vendor_messages_in_total\{message="null\/10"\} 1$/m);
  t.match(text, /^gnutella_table_bytes\{table="routes"\} [1-9]/m);
  t.match(text, /^gnutella_routes\{kind="query"\} [1-9]/m);
  t.match(text, /^nodejs_eventloop_lag_p99_seconds /m);
});

t.test('privacy decides what is remembered, and changes at once', async t => {
  const folder = t.testdir({ a: {}, b: {} });
  const file = join(folder, 'a', 'servent.yaml');
  await mkdir(join(folder, 'a'), { recursive: true });
  await writeFile(file, 'queries:\n  privacy: hashed\n');
  const a = await startServent(t, join(folder, 'a'));
  const b = await startServent(t, join(folder, 'b'));
  await b.client.connect({ address: a.address });
  const words = async (text: string) => {
    const passed = async () => Number(/^gnutella_queries_passed_total (\d+)$/m.exec(await get(t, a, '/metrics'))?.[1]);
    const before = await passed();
    await b.client.startSearch({ text });
    await until('a query passed', async () => ((await passed()) > before ? true : null));
    return (await a.client.queries()).items.map(item => item.text);
  };
  const [obscured = ''] = await words('secret plan');
  t.match(obscured, /^[0-9a-f]{12} [0-9a-f]{12}$/);
  await a.client.changeConfig({ queries: { privacy: 'counts' } });
  t.strictSame(await words('another plan'), []);
  const stats = await until('a query is counted', async () => {
    const view = await a.client.queryStats({});
    return view.queries > 0 ? view : null;
  });
  t.match(stats, { privacy: 'counts', words: [] });
  t.equal(stats.peers.length, 1);
  await a.client.changeConfig({ queries: { privacy: 'off' } });
  t.strictSame(await words('a third plan'), []);
  t.equal((await a.client.queryStats({})).queries, 0);
});
