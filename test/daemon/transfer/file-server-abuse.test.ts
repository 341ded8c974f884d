import { readdirSync, readlinkSync } from 'node:fs';
import t, { type Test } from 'tap';
import { Bandwidth } from '../../../daemon/net/bandwidth.ts';
import { formatSha1Urn } from '../../../protocol/wire/urn.ts';
import { HttpClient } from '../../support/http-client.ts';
import { dial, eventually, readAll } from '../../support/loopback.ts';
import { SharedFiles, serve, testBytes } from '../../support/shared-files.ts';

const GET = 'GET /get/1/x.bin HTTP/1.1';

/** Every descriptor of this process: files and sockets. */
const descriptors = () => readdirSync('/proc/self/fd').length;

/** Open files of a folder. */
function openIn(folder: string): number {
  return readdirSync('/proc/self/fd').filter(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false; // the listing's own
      throw error;
    }
  }).length;
}

t.test('two hundred transfers cut short leave no descriptor, slot or memory behind', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('x.bin', testBytes(8 << 20));
  const { port, server, queue } = await serve(t, files, { limits: { slots: 50, slotsPerAddress: 0, queue: 0 } });
  const before = descriptors();
  for (let round = 0; round < 10; round++) {
    const clients = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const client = await HttpClient.open(t, port);
        client.send(GET);
        await client.bytes(1000 * (i + 1));
        return client;
      }),
    );
    t.ok(server.load.active > 0);
    // half of them with a reset, half with an end
    for (const [i, { socket }] of clients.entries()) i % 2 === 0 ? socket.resetAndDestroy() : socket.destroy();
    await eventually('all are over', () => server.load.active === 0 && server.list().length === 0);
  }
  await eventually('all descriptors are closed', () => descriptors() <= before);
  t.equal(server.outcomes.of('cut'), 200);
  t.notOk(queue.busy(performance.now()));
});

/** Counts the turns of the event loop until the test ends. */
function countTurns(t: Test): () => number {
  let turns = 0;
  let next = setImmediate(function count() {
    turns++;
    next = setImmediate(count);
  });
  t.teardown(() => clearImmediate(next));
  return () => turns;
}

t.test('hash trees are answered one in a turn of the event loop, however many ask together', async t => {
  const files = new SharedFiles(t.testdir());
  const file = files.add('x.bin', testBytes(1 << 20));
  const turn = countTurns(t);
  const answered: number[] = [];
  const treeOf = files.treeOf.bind(files);
  files.treeOf = async asked => {
    answered.push(turn());
    return treeOf(asked);
  };
  const { port } = await serve(t, files, { limits: { slots: 1, slotsPerAddress: 0, queue: 0 } });
  const clients = await Promise.all(Array.from({ length: 10 }, () => HttpClient.open(t, port)));
  const ask = `GET /uri-res/N2X?${formatSha1Urn(file.sha1)} HTTP/1.1\r\nHost: test\r\n\r\n`;
  for (const { socket } of clients) socket.write(ask.repeat(5));
  for (const client of clients) for (let n = 0; n < 5; n++) t.equal((await client.reply()).status, 200);
  t.equal(new Set(answered).size, 50);
});

t.test('requests that come in one packet are answered in as many turns of the event loop', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('x.bin', testBytes(1000));
  const turn = countTurns(t);
  const answered: number[] = [];
  const byIndex = files.byIndex.bind(files);
  files.byIndex = index => {
    answered.push(turn());
    return byIndex(index);
  };
  const { port } = await serve(t, files, { limits: { slots: 1, slotsPerAddress: 0, queue: 0 } });
  const client = await HttpClient.open(t, port);
  client.socket.write('HEAD /get/2/y.bin HTTP/1.1\r\nHost: test\r\n\r\n'.repeat(8));
  for (let n = 0; n < 8; n++) t.equal((await client.reply(false)).status, 404);
  t.equal(new Set(answered).size, 8);
});

t.test('a thousand requests in one packet, which open no file, do not hold up a request of somebody else', async t => {
  const files = new SharedFiles(t.testdir());
  const file = files.add('x.bin', testBytes(1 << 20));
  const other = files.add('y.bin', testBytes(1000));
  let onAnswer = () => {};
  let answered = 0;
  const answer = <Result>(result: Result): Result => {
    if (++answered === 1) onAnswer();
    return result;
  };
  const treeOf = files.treeOf.bind(files);
  files.treeOf = asked => answer(treeOf(asked));
  let before = Number.NaN;
  const open = files.open.bind(files);
  files.open = asked => {
    before = answered;
    return open(asked);
  };
  const changedAt = Date.UTC(2026, 0, 2);
  const { port } = await serve(t, files, { browse: () => [], browseChangedAt: () => answer(changedAt) });
  for (const [line, header, status] of [
    [`HEAD /uri-res/N2X?${formatSha1Urn(file.sha1)} HTTP/1.1`, 'Accept: application/dime', 200],
    ['HEAD / HTTP/1.1', `If-Modified-Since: ${new Date(changedAt).toUTCString()}`, 304],
  ] as const) {
    const [many, one] = [await HttpClient.open(t, port), await HttpClient.open(t, port)];
    answered = 0;
    onAnswer = () => one.send(`HEAD /uri-res/N2R?${formatSha1Urn(other.sha1)} HTTP/1.1`);
    many.socket.write(`${line}\r\nHost: x\r\n${header}\r\n\r\n`.repeat(1000));
    t.equal((await one.reply(false)).status, 200);
    t.ok(before < 20, `${before} of ${status} were answered before it`);
    for (let n = 0; n < 1000; n++) if ((await many.reply(false)).status !== status) t.fail(`answer ${n}`);
  }
});

t.test('slots, then places in the queue, then Retry-After', async t => {
  const files = new SharedFiles(t.testdir());
  const content = testBytes(16 << 20);
  files.add('x.bin', content);
  const { port, server, queue } = await serve(t, files, { limits: { slots: 1, slotsPerAddress: 0, queue: 1 } });
  const [holder, waiter, third, plain] = await Promise.all([0, 1, 2, 3].map(() => HttpClient.open(t, port)));
  if (!holder || !waiter || !third || !plain) throw new Error('four clients');
  holder.send(GET);
  await holder.bytes(1);
  t.ok(queue.busy(performance.now()));

  const queued = await waiter.ask(GET, 'X-Queue: 0.1');
  t.equal(queued.status, 503);
  t.equal(queued.head.headers.get('X-Queue'), 'position=1, pollMin=45, pollMax=120');
  t.equal(queued.head.headers.get('Connection'), 'Keep-Alive');
  t.equal(queued.head.headers.get('Retry-After'), '45');
  for (const [client, header] of [
    [third, 'X-Features: queue/0.1'],
    [plain, 'X-Nothing: 1'],
  ] as const) {
    const busy = await client.ask(GET, header);
    t.equal(busy.status, 503);
    t.equal(busy.head.headers.get('Retry-After'), '60');
    t.equal(busy.head.headers.get('X-Queue'), null);
    t.ok(await client.ended());
  }
  t.match(server.list(), [
    { state: 'active', position: null },
    { state: 'queued', position: 1, range: { start: 0, end: content.length } },
  ]);
  t.match(server.load, { active: 1, queued: 1 });

  holder.socket.destroy();
  await eventually('the slot is free', () => !queue.busy(performance.now()));
  const served = await waiter.ask(GET, 'X-Queue: 0.1');
  t.equal(served.status, 200);
  t.ok(served.body.equals(content));
});

t.test('one that waits without a connection is shown with its place, and can be removed', async t => {
  const files = new SharedFiles(t.testdir());
  const content = testBytes(16 << 20);
  files.add('x.bin', content);
  const { port, server } = await serve(t, files, { limits: { slots: 1, slotsPerAddress: 0, queue: 5 } });
  const holder = await HttpClient.open(t, port);
  holder.send(GET);
  await holder.bytes(1);
  const passive = await HttpClient.open(t, port);
  const answer = await passive.ask(GET, 'X-Queue: 1.0', 'Connection: close', 'User-Agent: gtk-gnutella/1.2');
  const id = /ID=([0-9a-f]{32})/i.exec(answer.head.headers.get('X-Queued') ?? '')?.[1]?.toLowerCase() ?? '';
  await eventually('its connection is gone', () => server.connected().length === 1);
  t.match(server.list(), [
    { state: 'active', queue: null },
    {
      ...{ id, state: 'queued', position: 1, userAgent: 'gtk-gnutella/1.2', remote: { host: '127.0.0.1', port: 0 } },
      ...{ file: { name: 'x.bin', size: content.length }, range: { start: 0, end: content.length } },
      queue: { id, position: 1, length: 1, why: 'slots_taken', active: false },
    },
  ]);
  t.ok(server.cancel(id));
  t.equal(server.list().length, 1);
  t.notOk(server.cancel(id));
});

t.test('an upload of a group has a slot and the bandwidth of its group', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('x.bin', testBytes(16 << 20));
  const bandwidth = new Bandwidth();
  const group = { name: 'home', addresses: ['127.0.0.0/8'], slots: 1, limit: 100_000 };
  bandwidth.limitGroups([group]);
  const limits = { slots: 0, slotsPerAddress: 0, queue: 0, groups: [group] };
  const { port, server } = await serve(t, files, { limits, bandwidth });
  const client = await HttpClient.open(t, port);
  client.send(GET);
  await client.bytes(1);
  t.match(server.list(), [{ state: 'active', group: 'home' }]);
  t.strictSame(
    [...bandwidth.slots].map(({ limited }) => limited),
    [true],
  );
  limits.groups = [];
  t.equal((await (await HttpClient.open(t, port)).ask(GET)).status, 403);
});

t.test('one address has its share of the slots', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('x.bin', testBytes(16 << 20));
  const { port } = await serve(t, files, { limits: { slots: 5, slotsPerAddress: 1, queue: 0 } });
  const first = await HttpClient.open(t, port);
  first.send(GET);
  await first.bytes(1);
  t.equal((await (await HttpClient.open(t, port)).ask(GET)).status, 503);
});

t.test('tiny requests need no slot, but not for ever', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('x.bin', testBytes(16 << 20));
  const { port } = await serve(t, files, { limits: { slots: 1, slotsPerAddress: 0, queue: 0 } });
  const holder = await HttpClient.open(t, port);
  holder.send(GET);
  await holder.bytes(1);
  const client = await HttpClient.open(t, port);
  t.equal((await client.ask(GET, 'Range: bytes=0-8000')).status, 206);
  t.equal((await client.ask('HEAD /get/1/x.bin HTTP/1.1')).status, 200);
  t.equal((await client.ask(GET, 'Range: bytes=0-8000')).status, 503);
});

t.test('no slots at all: uploads are forbidden, not awaited', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('x.bin', testBytes(10));
  const { port } = await serve(t, files, { limits: { slots: 0, slotsPerAddress: 0, queue: 0 } });
  t.equal((await (await HttpClient.open(t, port)).ask(GET)).status, 403);
});

t.test('an upload can be watched and cancelled', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('x.bin', testBytes(32 << 20));
  const happened: string[] = [];
  const { port, server } = await serve(t, files, {
    onStarted: ({ file: { name }, state }) => happened.push(`started ${name} ${state}`),
    onFinished: ({ file: { name } }, bytes) => happened.push(`finished ${name} ${bytes > 0 && bytes < 32 << 20}`),
  });
  const client = await HttpClient.open(t, port);
  client.send(GET, 'Range: bytes=100-', 'User-Agent: me\x01/1');
  await client.bytes(1);
  await eventually('some is sent', () => (server.list()[0]?.sent ?? 0) > 0);
  const [upload] = server.list();
  t.match(upload, {
    id: /^[0-9a-f-]{36}$/,
    remote: { host: '127.0.0.1' },
    userAgent: 'me?/1',
    state: 'active',
    file: { name: 'x.bin', size: 32 << 20 },
    range: { start: 100, end: 32 << 20 },
  });
  t.ok(Number.isFinite(upload?.bytesPerSecond));
  t.notOk(server.cancel('nobody'));
  t.ok(server.cancel(upload?.id ?? ''));
  await client.bytes(Number.POSITIVE_INFINITY);
  await eventually('it is over', () => happened.length === 2);
  t.strictSame(server.list(), []);
  t.strictSame(happened, ['started x.bin active', 'finished x.bin true']);
});

t.test('slow heads, silence and a reader that stops are cut by time', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('x.bin', testBytes(32 << 20));
  // one time of each server alone: on a busy machine the others would cut who is only late
  const patient = { headMs: 3_600_000, idleMs: 3_600_000, stallMs: 3_600_000 };
  const slow = await serve(t, files, { times: { ...patient, headMs: 150 } });
  const drip = await dial(t, slow.port);
  drip.write('GET /get');
  const dripping = setInterval(() => drip.write('x'), 10);
  t.teardown(() => clearInterval(dripping));
  t.match((await readAll(drip)).toString(), /^HTTP\/1\.1 408 /);

  t.equal(slow.server.outcomes.of('slow_head'), 1);

  const quiet = await serve(t, files, { times: { ...patient, idleMs: 500 } });
  const silent = await dial(t, quiet.port);
  t.equal((await readAll(silent)).length, 0);

  const lasting = await serve(t, files, { times: { ...patient, idleMs: 1000 } });
  const idle = await HttpClient.open(t, lasting.port);
  t.equal((await idle.ask('HEAD /get/1/x.bin HTTP/1.1')).status, 200);
  t.ok(await idle.ended());

  const { port, server } = await serve(t, files, { times: { ...patient, stallMs: 300 } });
  const stopped = await dial(t, port);
  stopped.pause();
  stopped.write(`${GET}\r\nHost: x\r\n\r\n`);
  await eventually('it is cut', () => server.outcomes.of('cut') === 1);
  t.strictSame(server.list(), []);
});

t.test('who asks and asks without reading is not answered further', async t => {
  const files = new SharedFiles(t.testdir());
  // long replies fill the pipe sooner
  const shared = ['é', 'ü'].map(letter => files.add(letter.repeat(120), testBytes(10)));
  const { port, server } = await serve(t, files, { times: { stallMs: 200 } });
  const client = await dial(t, port);
  client.pause();
  const pair = shared
    .map(({ index, name }) => `HEAD /get/${index}/${encodeURIComponent(name)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    .join('');
  const requests = Buffer.from(pair.repeat(1000));
  let over = false;
  client.once('close', () => {
    over = true;
  });
  const flood = () => {
    while (!over && client.write(requests));
  };
  client.on('drain', flood);
  flood();
  await eventually('it is cut', () => over, 30_000);
  t.ok(server.outcomes.of('head') > 100);
});

t.test('no more connections than allowed', async t => {
  const { port, server } = await serve(t, new SharedFiles(t.testdir()), { connectionsMax: 3 });
  const clients = [];
  for (let i = 0; i < 3; i++) {
    const client = await HttpClient.open(t, port);
    t.equal((await client.ask('GET /x HTTP/1.1')).status, 404);
    clients.push(client);
  }
  t.equal((await readAll(await dial(t, port))).length, 0);
  t.equal(server.outcomes.of('busy'), 1);
  t.equal((await clients[1]?.ask('GET /x HTTP/1.1'))?.status, 404);
});

t.test('garbage of every kind: the server lives and serves on', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('x.bin', testBytes(1000));
  const { port, server } = await serve(t, files);
  for (let seed = 1; seed <= 60; seed++) {
    const socket = await dial(t, port);
    const noise = testBytes(50 + seed * 37, seed);
    if (seed % 3 === 0) noise.set(Buffer.from('GET /'));
    if (seed % 3 === 1) noise.set(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n'));
    socket.end(noise);
    await readAll(socket);
  }
  t.equal((await (await HttpClient.open(t, port)).ask(GET)).status, 200);
  await eventually('only one is left', () => server.load.active === 0);
});

t.test('stopping cuts everybody and waits for the files to be closed', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('x.bin', testBytes(32 << 20));
  const { port, server } = await serve(t, files);
  const clients = await Promise.all(Array.from({ length: 4 }, () => HttpClient.open(t, port)));
  for (const client of clients) {
    client.send(GET);
    await client.bytes(1);
  }
  t.ok(openIn(files.folder) > 0);
  await server.stop();
  await server.stop();
  for (const client of clients) await client.bytes(Number.POSITIVE_INFINITY);
  t.equal(openIn(files.folder), 0);
  const late = await dial(t, port);
  t.equal((await readAll(late)).length, 0);
});
