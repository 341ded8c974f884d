import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { command } from '../support/command.ts';
import { startServent, until } from '../support/running-servent.ts';

/** Takes connections and never answers. */
async function silentServer(t: Test): Promise<string> {
  const sockets = new Set<{ destroy(): unknown }>();
  const server = createServer(socket => void sockets.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

async function fleetOf(t: Test) {
  const dir = t.testdir({ one: { shared: { 'blue song.txt': 'la' } }, two: {}, three: {}, config: {} });
  const one = await startServent(t, join(dir, 'one'));
  const two = await startServent(t, join(dir, 'two'));
  const three = await startServent(t, join(dir, 'three'));
  const env = { XDG_CONFIG_HOME: join(dir, 'config') };
  const cli = (...words: string[]) => command(words, { env });
  for (const [name, { api, token }] of Object.entries({ one, two }))
    t.match(await cli('context', 'add', name, '--api', api, '--token', token), { code: 0, out: /^added / });
  t.match(await cli('context', 'add', 'three', '--data-dir', three.dataDir), { code: 0 });
  return { one, two, three, env, cli, dir };
}

t.test('contexts are kept for the owner alone, and name a daemon for every command', async t => {
  const { one, cli, env, dir } = await fleetOf(t);
  const file = join(dir, 'config', 'servent', 'contexts.json');
  t.equal((await stat(file)).mode & 0o777, 0o600);
  const listed = await cli('context', 'list');
  t.match(listed.out, /^NAME +API +TOKEN +DATA FOLDER\none +http:/);
  t.notMatch(listed.out, one.token, 'tokens are not shown');
  t.match((await cli('status', '--context', 'three')).out, /^servent:/m);
  t.match(await command(['status'], { env: { ...env, SERVENT_DATA_DIR: '', SERVENT_CONTEXT: 'one' } }), { code: 0 });
  t.match(await cli('status', '--context', 'four'), {
    code: 2,
    err: /there is no context four: there are one, two, three/,
  });
  t.match(await cli('context', 'add', 'one', '--data-dir', one.dataDir), { code: 0, out: /^replaced one/ });
  t.match(await cli('context', 'remove', 'two'), { code: 0, out: /^removed two/ });
  t.notMatch(await readFile(file, 'utf8'), /"two"/);
  for (const words of [
    ['a b', '--data-dir', '/x'],
    ['a'],
    ['a', '--api', 'http://127.0.0.1:1'],
    ['a', '--api', 'http://', '--token', 'x'],
  ])
    t.match(await cli('context', 'add', ...words), { code: 2, err: /expected/ });
});

t.test('without contexts a fleet says how to add them', async t => {
  const env = { XDG_CONFIG_HOME: t.testdir({}) };
  t.match(await command(['fleet'], { env }), { code: 1, err: /servent context add NAME/ });
  t.match(await command(['context', 'list'], { env }), { code: 0, err: /no contexts/ });
});

t.test('a fleet is one table; daemons that do not answer are rows of it within the time limit', async t => {
  const { one, two, cli } = await fleetOf(t);
  await two.client.connect({ address: one.address });
  await until('they are connected', async () => ((await one.client.peers()).items.length > 0 ? true : null));
  await cli('context', 'add', 'down', '--api', 'http://127.0.0.1:1', '--token', 'a-token-of-enough-letters');
  await cli('context', 'add', 'silent', '--api', await silentServer(t), '--token', 'a-token-of-enough-letters');
  await cli('context', 'add', 'wrong', '--api', one.api, '--token', 'a-token-of-enough-letters');

  // each waits for the one that is silent
  const [shown, json, strict, down, both, peers, peersJson] = await Promise.all([
    cli('fleet', '--wait', '5'),
    cli('fleet', '--json'),
    cli('fleet', '--strict', '--wait', '5'),
    cli('fleet', '--context', 'down'),
    cli('fleet', '--context', 'one', 'two', '--strict'),
    cli('fleet', 'peers', '--wait', '5'),
    cli('fleet', 'peers', '--json'),
  ]);
  t.equal(shown.code, 0, shown.err);
  const [title = '', ...rows] = shown.out.trim().split('\n');
  t.match(title, /^NAME +VERSION +MODE +UP +LEAVES +ULTRAPEERS +FILES +SIZE +QUERIES\/S +DOWN +UPLOAD +HEALTH$/);
  t.match(
    rows.map(row => row.split(/ +/)[0]),
    ['one', 'two', 'three', 'down', 'silent', 'wrong'],
  );
  t.match(rows[0], /ultrapeer .* ready/);
  t.match(rows[3], /no daemon answers at http:\/\/127.0.0.1:1 \(.*\)$/);
  t.match(rows[4], /- +(no answer within 5 s|no daemon answers)/);
  t.match(rows[5], /does not accept the token/);

  const { items } = json.json<{ items: Record<string, unknown>[] }>();
  t.match(items[0], { name: 'one', error: null, mode: 'ultrapeer', ultrapeers: 1, health: 'ok', troubles: [] });
  t.match(items[3], { name: 'down', error: /no daemon answers/, health: null });
  t.match(strict, { code: 1, err: /3 of 6 daemons gave no answer \(down, silent, wrong\)/ });
  t.match(down, { code: 1, err: /1 of 1 daemons/ });
  t.match(both, { code: 0 });

  t.match(peers.out, /^DAEMON +ID +ADDRESS/);
  t.match(peers.out, /^one +1 +127/m);
  t.match(peers.out, /^two +1 +127/m);
  t.match(peers.err, /^down: no daemon answers/m);
  const listed = peersJson.json<{ items: unknown[]; failures: unknown[] }>();
  t.match(listed.items, [{ daemon: 'one', role: 'ultrapeer' }, { daemon: 'two' }]);
  t.match(listed.failures, [{ daemon: 'down' }, { daemon: 'silent' }, { daemon: 'wrong' }]);
});

t.test('queries of all daemons come together, also as they arrive', async t => {
  const { one, two, three, env, cli } = await fleetOf(t);
  await two.client.connect({ address: one.address });
  await three.client.connect({ address: one.address });
  await until('they are connected', async () => ((await one.client.peers()).items.length === 2 ? true : null));
  const stop = new AbortController();
  let seen = '';
  const following = command(['fleet', 'queries', '--follow'], {
    env,
    signal: stop.signal,
    onOut: out => {
      seen = out;
    },
  });
  let word = 0;
  await until('the queries are seen at all of them', async () => {
    await one.client.startSearch({ text: `amber ${word++}`, duration: 1 });
    await two.client.startSearch({ text: `violet ${word++}`, duration: 1 });
    return /^one .* violet/m.test(seen) && /^two .* amber/m.test(seen) && /^three .* amber/m.test(seen) ? true : null;
  });
  stop.abort();
  t.equal((await following).code, 0);
  const listed = await cli('fleet', 'queries', '--filter', 'text~"amber"');
  t.match(listed.out, /^DAEMON +AT +FROM/);
  t.match(listed.out, /^two .*amber/m);
  t.notMatch(listed.out, /violet/);
  const { items } = (await cli('fleet', 'queries', '--json')).json<{ items: { daemon: string; at: string }[] }>();
  const times = items.map(({ at }) => at);
  t.strictSame(times, times.toSorted().reverse(), 'newest first');
});

const QUICK = ['--settle', '1', '--within', '6'];

t.test('a setting is planned for each daemon and rolled out one by one', async t => {
  const { one, two, three, cli } = await fleetOf(t);
  const leavesOf = async (client: typeof one.client) =>
    (await client.config()).settings.find(({ key }) => key === 'gnutella.maxLeaves')?.value;
  const dry = await cli('fleet', 'config', 'apply', 'gnutella.maxLeaves', '77', '--dry-run');
  t.match(dry, { code: 0, out: /^DAEMON +KEY +FROM +TO +WHEN\none +gnutella.maxLeaves +200 +77 +now\ntwo / });
  t.equal(await leavesOf(one.client), 200);
  await two.client.changeConfig({ gnutella: { maxLeaves: 77 } });

  const done = await cli('fleet', 'config', 'set', 'gnutella.maxLeaves', '77', ...QUICK);
  t.equal(done.code, 0, done.err);
  t.match(done.err, /^two: nothing changes\none: changed and healthy\nthree: changed and healthy\n$/);
  for (const { client } of [one, two, three]) t.equal(await leavesOf(client), 77);

  const json = await cli('fleet', 'config', 'apply', 'gnutella.maxLeaves', '--json', ...QUICK);
  t.match(json.json<{ items: unknown[] }>().items, [
    { daemon: 'one', state: 'applied' },
    { daemon: 'two', state: 'applied' },
    { daemon: 'three', state: 'applied' },
  ]);
  t.equal(await leavesOf(three.client), 200, 'without a value the default returns');
  t.match(await cli('fleet', 'config', 'apply', 'gnutella.maxLeafs', '1'), { code: 2, err: /did you mean/ });
  t.match(await cli('fleet', 'config', 'apply', 'gnutella.maxLeaves', 'many'), { code: 1, err: /one: .*maxLeaves/ });
  await cli('context', 'add', 'down', '--api', 'http://127.0.0.1:1', '--token', 'a-token-of-enough-letters');
  t.match(await cli('fleet', 'config', 'apply', 'gnutella.maxLeaves', '5'), {
    code: 1,
    err: /nothing was changed: down/,
  });
  t.equal(await leavesOf(one.client), 200);
});

t.test('a daemon that is not healthy with a setting gets its old value back, and the rollout stops', async t => {
  const { one, two, three, cli } = await fleetOf(t);
  await three.client.connect({ address: two.address });
  await until('they are connected', async () => ((await two.client.peers()).items.length === 1 ? true : null));
  await two.client.changeConfig({ gnutella: { block: ['192.0.2.1'] } });
  const blocked = async (client: typeof one.client) =>
    (await client.config()).settings.find(({ key }) => key === 'gnutella.block')?.value;

  // one has no peers to lose; two loses its only one
  const done = await cli('fleet', 'config', 'apply', 'gnutella.block', '127.0.0.0/8', ...QUICK);
  t.equal(done.code, 1);
  t.match(
    done.err,
    /^one: changed and healthy\ntwo: it has 0 peers of the 1 that it has to keep; the change is taken back\n/,
  );
  t.match(
    done.err,
    /stopped at two, taken back: it has 0 peers .*; changed before and still so: one; not touched: three\n$/,
  );
  t.strictSame(await blocked(two.client), ['192.0.2.1'], 'the value that stood in its file');
  t.strictSame(await blocked(three.client), []);

  const overruled = await cli('fleet', 'config', 'apply', 'gnutella.port', '7000', '--context', 'three', ...QUICK);
  t.match(overruled, { code: 1, err: /three: --port takes precedence: change it there\n.*nothing was changed/ });
  const later = await cli('fleet', 'config', 'apply', 'gnutella.interface', 'tun9', '--context', 'three', ...QUICK);
  t.match(later, { code: 0, err: /three: written; it takes effect at the next start/ });
});
