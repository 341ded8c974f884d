// Whole daemons in this process, over real sockets on loopback.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readApiToken } from '../../api/runtime-files.ts';
import { Type } from '../../protocol/constants.ts';
import { Frame, FrameReader, ReadResult } from '../../protocol/wire/frame-reader.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { parsePong } from '../../protocol/wire/pong.ts';
import { encodeQuery } from '../../protocol/wire/query.ts';
import { parseQueryHit } from '../../protocol/wire/query-hit.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import { random } from '../support/descriptors.ts';
import { dial, openSockets } from '../support/loopback.ts';
import { hashed, startServent, until } from '../support/running-servent.ts';

/** Descriptors out of a socket, one after another. */
async function* descriptors(socket: NodeJS.ReadableStream, first: Buffer): AsyncGenerator<Frame> {
  const reader = new FrameReader(65_535);
  const frame = new Frame();
  reader.push(first);
  while (reader.next(frame) === ReadResult.Frame) yield frame;
  for await (const chunk of socket) {
    reader.push(chunk as Buffer);
    while (reader.next(frame) === ReadResult.Frame) yield frame;
  }
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

t.test('two servents: connected, searched, downloaded, verified, and shared again', async t => {
  const ours = t.testdir({ seeker: {}, sharer: { shared: { 'harbour lights.txt': 'a round for two voices' } } });
  const sharer = await startServent(t, join(ours, 'sharer'));
  const seeker = await startServent(t, join(ours, 'seeker'));
  await hashed(sharer.client, 1);
  const peer = await seeker.client.connect({ address: sharer.address });
  t.match(peer, { role: 'ultrapeer', direction: 'outgoing', deflate: true });

  const search = await seeker.client.startSearch({ text: 'harbour lights' });
  const result = await until(
    'a result came',
    async () => (await seeker.client.results({ id: search.id })).items[0] ?? null,
  );
  t.match(result, { name: 'harbour lights.txt', size: 22, sources: [{ address: sharer.address }] });
  const { id } = await seeker.client.startDownload({ search: search.id, result: result.id });
  const download = await until('the download is complete', async () => {
    const now = await seeker.client.download({ id });
    return now.state === 'completed' ? now : null;
  });
  t.equal(await readFile(download.path ?? '', 'utf8'), 'a round for two voices');

  const { items: passed } = await sharer.client.queries();
  t.match(passed, [{ text: 'harbour lights', hops: 0, hits: 1 }]);
  await seeker.client.disconnect({ id: peer.id });
  await until('the sharer has lost its neighbour', async () =>
    (await sharer.client.peers()).items.length === 0 ? true : null,
  );
});

t.test('browsing lists what a servent shares', async t => {
  const ours = t.testdir({ seeker: {}, sharer: { shared: { 'one.txt': '1', 'two.txt': '22' } } });
  const sharer = await startServent(t, join(ours, 'sharer'));
  const seeker = await startServent(t, join(ours, 'seeker'));
  await hashed(sharer.client, 2);
  const { id } = await seeker.client.startSearch({ browse: sharer.address });
  await until('the host was browsed', async () =>
    (await seeker.client.search({ id })).state === 'finished' ? true : null,
  );
  const { items } = await seeker.client.results({ id });
  t.strictSame(items.map(({ name }) => name).sort(), ['one.txt', 'two.txt']);
});

t.test('a search without a word is refused with the field at fault, and goes to nobody', async t => {
  const { client } = await startServent(t, t.testdir({}));
  const refusal = (text: string) => client.startSearch({ text }).catch((error: unknown) => error);
  for (const text of ['...', '???', '- - -', '(*)', '★'])
    t.match(await refusal(text), { problem: { status: 400, field: 'text', detail: /there is no word in it/ } }, text);
  t.match(await refusal('u2'), { problem: { status: 400, field: 'text', detail: /too short/ } });
  t.match(await refusal('urn:ed2k:31d6cfe0d16ae931b73c59d7e0c089c0'), { problem: { status: 400, field: 'text' } });
  t.strictSame((await client.searches({})).items, []);
});

t.test('a search that is repeated begins with what was found before', async t => {
  const ours = t.testdir({ sharer: { shared: { 'harbour lights.txt': 'as before' } } });
  const sharer = await startServent(t, join(ours, 'sharer'));
  const seeker = await startServent(t, join(ours, 'seeker'));
  await hashed(sharer.client, 1);
  await seeker.client.connect({ address: sharer.address });
  const first = await seeker.client.startSearch({ text: 'harbour lights' });
  t.equal(first.askedBefore, null);
  await until('something was found', async () =>
    (await seeker.client.search({ id: first.id })).results > 0 ? true : null,
  );
  const second = await seeker.client.startSearch({ text: 'Harbour Lights!' });
  t.match(second, { results: 1, state: 'running', askedBefore: String });
  t.match((await seeker.client.results({ id: second.id })).items, [{ name: 'harbour lights.txt' }]);
  t.match(await seeker.client.startSearch({ text: 'harbour' }), { results: 0, askedBefore: null });
});

t.test('a 0.4 connection by hand: ping and pong, query and hit', async t => {
  const dataDir = t.testdir({ shared: { 'tide table.txt': 'high at 04:10' } });
  const servent = await startServent(t, dataDir);
  await hashed(servent.client, 1);
  const socket = await dial(t, servent.gnutella.port);
  socket.write('GNUTELLA CONNECT/0.4\n\n');
  const greeting = await new Promise<Buffer>(resolve => socket.once('data', resolve));
  const welcome = 'GNUTELLA OK\n\n';
  t.equal(greeting.subarray(0, welcome.length).toString(), welcome);

  const ping = random.guid();
  const query = random.guid();
  socket.write(encodeDescriptor(ping, Type.Ping, 1, 0, Buffer.alloc(0)));
  socket.write(encodeDescriptor(query, Type.Query, 7, 0, encodeQuery({ text: 'tide', flags: 0 })));
  let pong = false;
  for await (const frame of descriptors(socket, greeting.subarray(welcome.length))) {
    if (frame.type === Type.Pong && frame.guid().equals(ping)) {
      t.match(parsePong(frame.payload()), { endpoint: servent.gnutella, files: 1 });
      pong = true;
    }
    if (frame.type === Type.QueryHit && frame.guid().equals(query)) {
      const { hits, endpoint } = parseQueryHit(frame.payload());
      t.strictSame(endpoint, servent.gnutella);
      t.equal(hits[0]?.name, 'tide table.txt');
      t.equal(formatSha1Urn(hits[0]?.sha1 ?? Buffer.alloc(20)).length, 41);
      break;
    }
  }
  t.ok(pong, 'the pong came before the hit');
});

t.test('a rate of queries set over the API acts on open connections, and says so', async t => {
  const servent = await startServent(t, t.testdir({}));
  const { client } = servent;
  const socket = await dial(t, servent.gnutella.port);
  socket.write('GNUTELLA CONNECT/0.6\r\nUser-Agent: Test/1\r\nX-Ultrapeer: True\r\n\r\n');
  await new Promise(resolve => socket.once('data', resolve));
  socket.write('GNUTELLA/0.6 200 OK\r\n\r\n');
  const reader = descriptors(socket, Buffer.alloc(0));
  let asked = 0;
  /** So many queries at once, and a ping behind them: they have been judged when its pong is here. */
  const ask = async (count: number): Promise<void> => {
    const ping = random.guid();
    const queries = Array.from({ length: count }, () =>
      encodeDescriptor(random.guid(), Type.Query, 3, 1, encodeQuery({ text: `words ${asked++}` })),
    );
    socket.write(Buffer.concat([...queries, encodeDescriptor(ping, Type.Ping, 1, 0, Buffer.alloc(0))]));
    for (;;) {
      const { value: frame, done } = await reader.next();
      if (done === true) throw new Error('the servent hung up');
      if (frame.type === Type.Pong && frame.guid().equals(ping)) return;
    }
  };
  await ask(100);
  const [peer] = (await client.peers()).items;
  t.match(peer, { role: 'ultrapeer', dropped: 0 });
  const id = peer?.id ?? '';
  t.match(await client.explainPeer({ id }), { verdict: 'none of its queries came too fast', tests: [{ ok: true }] });

  const plan = await client.changeConfig({ gnutella: { queriesPerSecond: 1 } });
  t.match(plan, { restart: false, changes: [{ key: 'gnutella.queriesPerSecond', from: 0, to: 1, applied: true }] });
  await ask(100);
  const dropped = (await client.peers()).items[0]?.reasons['query_too_soon'] ?? 0;
  t.ok(dropped > 50 && dropped <= 90, `10 pass at once: ${dropped} of 100 dropped`);
  t.equal((await client.status()).messages.reasons['query_too_soon'], dropped);
  const told = await client.explainPeer({ id });
  t.equal(
    told.tests[0]?.value.replace(/\S*servent\.yaml[^)]*/, 'FILE'),
    `at most 1 query a second from this ultrapeer, up to 10 at once; ${dropped} of this connection were dropped (gnutella.queriesPerSecond: set by the file FILE)`,
  );
  const metrics = await (await fetch(`${servent.api}/metrics`, { headers: bearer(servent.token) })).text();
  t.match(metrics, new RegExp(`^gnutella_descriptors_dropped_total\\{reason="query_too_soon"\\} ${dropped}$`, 'm'));
  await t.rejects(client.changeConfig({ gnutella: { queriesPerSecond: -1 } }), {
    message: /gnutella\.queriesPerSecond: expected a whole number from 0 to 100000/,
  });

  await client.changeConfig({ gnutella: { queriesPerSecond: 0 } });
  await ask(100);
  t.equal((await client.peers()).items[0]?.reasons['query_too_soon'], dropped, '0 is no limit');
});

t.test(
  'a restart keeps the GUID and the token, knows the hosts, hashes nothing anew, and leaves no socket',
  async t => {
    const ours = t.testdir({ one: { shared: { 'a.txt': 'aaa' } }, two: {} });
    const dataDir = join(ours, 'one');
    const before = openSockets();
    const other = await startServent(t, join(ours, 'two'));
    const first = await startServent(t, dataDir);
    await hashed(first.client, 1);
    const status = await first.client.status();
    await first.client.connect({ address: other.address });
    const token = await readApiToken(dataDir);
    await first.stop();
    await first.stop();

    const second = await startServent(t, dataDir);
    const again = await second.client.status();
    t.equal(again.servent, status.servent);
    t.equal(await readApiToken(dataDir), token);
    t.match((await second.client.hosts()).items, [{ address: other.address }]);
    await second.stop();
    await other.stop();
    await until('all sockets are closed', async () => (openSockets() <= before ? true : null));
  },
);

t.test('a damaged database is kept aside and costs no finished file', async t => {
  const dataDir = t.testdir({ downloads: { 'finished.bin': 'content' } });
  const first = await startServent(t, dataDir);
  const { servent } = await first.client.status();
  await first.stop();
  await rename(join(dataDir, 'store', 'CURRENT'), join(dataDir, 'store', 'LOST'));
  await writeFile(join(dataDir, 'store', 'CURRENT'), 'MANIFEST-999999\n');
  const second = await startServent(t, dataDir);
  t.not((await second.client.status()).servent, servent, 'a new identity, since the old one was in the database');
  t.equal(await readFile(join(dataDir, 'downloads', 'finished.bin'), 'utf8'), 'content');
});

t.test('what cannot start says in one line what to do, and leaves nothing behind', async t => {
  const ours = t.testdir({ one: {}, two: {} });
  const one = await startServent(t, join(ours, 'one'));
  await t.rejects(startServent(t, join(ours, 'one')), { message: /another|already|in use/i });
  await t.rejects(startServent(t, join(ours, 'two'), { 'gnutella.port': one.gnutella.port }), {
    message: /is in use by another program: stop that one, or choose another --port/,
  });
  await startServent(t, join(ours, 'two')); // the failed start let go of the folder
});
