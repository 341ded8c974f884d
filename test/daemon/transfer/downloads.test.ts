import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { PLAIN_SOURCE, type Source, sourceFromUrl } from '../../../protocol/transfer/downloads/source.ts';
import { parseRange } from '../../../protocol/transfer/range.ts';
import { type ByteRange, RangeSet } from '../../../protocol/transfer/range-set.ts';
import { formatSha1Urn } from '../../../protocol/wire/urn.ts';
import { DownloadRig, dialPlain, FAST, sha1 } from '../../support/download-rig.ts';
import { eventually } from '../../support/loopback.ts';
import { drip, honest, partial, rangeOf, ScriptedSource } from '../../support/scripted-source.ts';
import { SharedFiles, serve, testBytes } from '../../support/shared-files.ts';

const MIB = 1 << 20;
const sourceAt = (port: number): Source => ({ ...PLAIN_SOURCE, endpoint: { host: '127.0.0.1', port } });
/** Nobody listens on the discard port of a test machine. */
const NOBODY: Source = sourceAt(9);

t.test('a file from our own server: fetched, verified, in place, nothing left over', async t => {
  const files = new SharedFiles(t.testdir({ home: {} }));
  const content = testBytes(20 * MIB + 12_345);
  const file = files.add('song one.mp3', content);
  const { port, server } = await serve(t, files);
  const rig = await DownloadRig.open(t, join(files.folder, 'home'));
  const added = await rig.downloads.add({
    sha1: file.sha1,
    size: file.size,
    name: file.name,
    sources: [sourceAt(port)],
  });
  t.match(added, { state: /queued|active/, size: content.length, done: 0, path: null, sha1: file.sha1 });
  const { path, ...view } = await rig.ended(added.id);
  t.match(view, { state: 'completed', done: content.length, error: null, name: 'song one.mp3' });
  t.equal(path, join(rig.folder, 'song one.mp3'));
  t.ok(readFileSync(path ?? '').equals(content));
  await eventually('it is announced', () => rig.completed.length > 0);
  t.strictSame(rig.completed, [path]);
  t.strictSame(readdirSync(join(rig.folder, '.incomplete')), []);
  t.strictSame(rig.states.slice(-2), ['verifying', 'completed']);
  const [record] = await rig.records.all(silentLog);
  t.equal(record?.placed?.changedAt, statSync(path ?? '').ctimeMs, 'no change since, as the part file went before');
  const requests = server.outcomes.of('partial');
  t.ok(requests > 1 && requests < 20, `requests grow: ${requests} were made`);
});

for (const size of [0, 1, 8192, MIB, MIB + 1]) {
  for (const known of [true, false]) {
    t.test(`${size} bytes, size ${known ? 'known' : 'unknown'}`, async t => {
      const files = new SharedFiles(t.testdir({ home: {} }));
      const content = testBytes(size);
      const file = files.add('f', content);
      const { port } = await serve(t, files);
      const rig = await DownloadRig.open(t, join(files.folder, 'home'));
      const { id } = await rig.downloads.add({
        sha1: file.sha1,
        size: known ? size : null,
        name: 'f',
        sources: [sourceAt(port)],
      });
      const view = await rig.ended(id);
      t.match(view, { state: 'completed', size, done: size });
      t.ok(readFileSync(view.path ?? '').equals(content));
    });
  }
}

t.test('without a hash, by index and name; nothing to verify', async t => {
  const files = new SharedFiles(t.testdir({ home: {} }));
  const content = testBytes(5000);
  files.add('a b.txt', content);
  const { port } = await serve(t, files);
  const rig = await DownloadRig.open(t, join(files.folder, 'home'));
  const source = { ...sourceAt(port), index: 1, name: 'a b.txt' };
  const { id } = await rig.downloads.add({ sha1: null, size: null, name: 'a b.txt', sources: [source] });
  t.match(await rig.ended(id), { state: 'completed', size: 5000, sha1: null });
});

t.test('from a plain HTTP address of a magnet link: chunked, without ranges, until the end', async t => {
  const content = testBytes(50_000);
  const bodies: Record<string, (end: (text: string | Buffer) => void) => void> = {
    '/chunked': write => {
      write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let at = 0; at < content.length; at += 7000) {
        const chunk = content.subarray(at, at + 7000);
        write(`${chunk.length.toString(16)}\r\n`);
        write(chunk);
        write('\r\n');
      }
      write('0\r\n\r\n');
    },
    '/whole?x=1': write => {
      write(`HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n`);
      write(content);
    },
    '/old': write => {
      write('HTTP/1.0 200 OK\r\n\r\n');
      write(content);
    },
  };
  const source = await ScriptedSource.open(t, ({ head, socket }) => {
    bodies[head.target]?.(text => socket.write(text));
    return head.target !== '/old';
  });
  const rig = await DownloadRig.open(t, t.testdir());
  for (const target of Object.keys(bodies)) {
    const from = sourceFromUrl(`http://127.0.0.1:${source.source.endpoint.port}${target}`);
    if (from === null) throw new Error('not a source');
    const wanted = { sha1: sha1(content), size: null, name: 'x', sources: [from], again: true };
    const { id } = await rig.downloads.add(wanted);
    const view = await rig.ended(id);
    t.match(view, { state: 'completed', size: content.length }, target);
    t.ok(readFileSync(view.path ?? '').equals(content));
  }
  t.strictSame(readdirSync(rig.folder).sort(), ['.incomplete', 'x', 'x (1)', 'x (2)'], 'and never over another file');
});

t.test('what a request says', async t => {
  const content = testBytes(3 * MIB);
  const source = await ScriptedSource.open(t, honest(content));
  const rig = await DownloadRig.open(t, t.testdir());
  const hash = sha1(content);
  const { id } = await rig.downloads.add({ sha1: hash, size: content.length, name: 'x', sources: [source.source] });
  await rig.ended(id);
  t.equal(source.connections, 1, 'one connection for all ranges');
  const ranges = source.requests.map(({ headers }) => parseRange(headers.get('Range'), content.length) as ByteRange);
  t.strictSame(RangeSet.of(ranges).toPairs(), [[0, content.length]]);
  t.equal(
    ranges.reduce((sum, { start, end }) => sum + end - start, 0),
    content.length,
    'nothing is asked for twice',
  );
  const first = ranges[0]?.end ?? 0;
  t.strictSame(
    [...(source.requests[0]?.headers ?? [])],
    [
      ['Host', `127.0.0.1:${source.source.endpoint.port}`],
      ['User-Agent', 'servent-test/1.0'],
      ['Range', `bytes=0-${first - 1}`],
      ['X-Queue', '1.1'],
      ['X-Gnutella-Content-URN', formatSha1Urn(hash)],
      ['X-Downloaded', '0'],
      ['X-Features', 'browse/1.0, queue/1.1, fwalt/0.1'],
      ['X-Node', '127.0.0.1:6346'],
    ],
  );
  t.equal(source.requests[0]?.target, `/uri-res/N2R?${formatSha1Urn(hash)}`);
  t.equal(source.requests[1]?.headers.get('X-Downloaded'), String(first));
});

t.test('replies shorter than asked are the truth, as gtk-gnutella cuts its first at 512 KiB', async t => {
  const content = testBytes(3 * MIB);
  const source = await ScriptedSource.open(t, asked => {
    const { start, end } = rangeOf(asked, content.length);
    asked.socket.write(
      partial(content, { start, end: Math.min(end, start + (asked.number === 0 ? 512 * 1024 : 700_000)) }),
    );
    return true;
  });
  const rig = await DownloadRig.open(t, t.testdir());
  const { id } = await rig.downloads.add({
    sha1: sha1(content),
    size: content.length,
    name: 'x',
    sources: [source.source],
  });
  t.match(await rig.ended(id), { state: 'completed' });
  t.equal(source.connections, 1);
});

t.test(
  'a source that is cut, or closes after each range, is asked again for what is missing, and for no more',
  async t => {
    const content = testBytes(4 * MIB);
    const cut = await ScriptedSource.open(t, async asked => {
      const bytes = partial(content, rangeOf(asked, content.length));
      if (asked.number > 1) return asked.socket.write(bytes) || true;
      await drip(asked.socket, bytes.subarray(0, 300_000), () => 65_536);
      asked.socket.destroy();
      return false;
    });
    const rig = await DownloadRig.open(t, t.testdir());
    const { id } = await rig.downloads.add({
      sha1: sha1(content),
      size: content.length,
      name: 'x',
      sources: [cut.source],
    });
    t.match(await rig.ended(id), { state: 'completed' });
    const starts = cut.requests.map(({ headers }) => Number(/=(\d+)-/.exec(headers.get('Range') ?? '')?.[1]));
    t.equal(starts[0], 0);
    t.ok((starts[1] ?? 0) > 250_000 && (starts[2] ?? 0) > 500_000, `${starts}`);

    const other = testBytes(MIB / 2, 9); // the mesh knows who has the first; after 256 KiB as many are asked for even of a slow source
    const closing = await ScriptedSource.open(t, asked => {
      asked.socket.write(partial(other, rangeOf(asked, other.length), 'Connection: close\r\n'));
      return false;
    });
    const second = await rig.downloads.add({
      sha1: sha1(other),
      size: other.length,
      name: 'y',
      sources: [closing.source],
    });
    t.match(await rig.ended(second.id), { state: 'completed' });
    t.equal(closing.connections, 2, 'the second time for all the rest');
  },
);

t.test('what is wrong with a source, and the next one is asked', async t => {
  const content = testBytes(100_000);
  const other = formatSha1Urn(Buffer.alloc(20, 5));
  const wrong: [string, string, RegExp][] = [
    [
      'another hash',
      `HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nX-Gnutella-Content-URN: ${other}\r\n\r\n`,
      /another file/,
    ],
    ['another size', 'HTTP/1.1 206 OK\r\nContent-Range: bytes 0-9/10\r\n\r\n', /10 bytes, not 100000/],
    ['not found', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', /404/],
    ['gone', 'HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n', /410/],
    ['moved elsewhere', 'HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.2:80/x\r\nContent-Length: 0\r\n\r\n', /301/],
    ['encoded', 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n', /encodes the file/],
  ];
  const rig = await DownloadRig.open(t, t.testdir());
  const tellsAll = honest(content);
  for (const [what, reply, error] of wrong) {
    const bad = await ScriptedSource.open(t, ({ socket }) => socket.write(reply) || true);
    const good = await ScriptedSource.open(t, async asked => {
      const isDropped = () => rig.downloads.list().find(({ name }) => name === what)?.sources[0]?.state === 'dropped';
      await eventually('the other one is judged', isDropped);
      return tellsAll(asked);
    });
    const { id } = await rig.downloads.add({
      sha1: sha1(content),
      size: content.length,
      name: what,
      sources: [bad.source, good.source],
      again: true,
    });
    const view = await rig.ended(id);
    t.equal(view.state, 'completed', what);
    t.match(view.sources, [
      { state: 'dropped', error },
      { state: /idle|waiting/, error: null },
    ]);
    t.equal(bad.requests.length, 1, 'it is not asked again');
  }
});

t.test('one redirect to another path of the same server is followed, no second', async t => {
  const content = testBytes(1000);
  const moving = await ScriptedSource.open(t, asked => {
    if (asked.head.target === '/there') return honest(content)(asked);
    return asked.socket.write('HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n') || true;
  });
  const endless = await ScriptedSource.open(t, ({ socket, number }) =>
    socket.write(`HTTP/1.1 302 Found\r\nLocation: /${number}\r\nContent-Length: 0\r\n\r\n`),
  );
  const rig = await DownloadRig.open(t, t.testdir());
  const { id } = await rig.downloads.add({ sha1: sha1(content), size: 1000, name: 'x', sources: [moving.source] });
  t.match(await rig.ended(id), { state: 'completed' });
  t.equal(moving.connections, 1);
  const { id: lost } = await rig.downloads.add({ sha1: null, size: 1000, name: 'y', sources: [endless.source] });
  t.match(await rig.ended(lost), { state: 'failed', error: /answered 302 Found/ });
  t.equal(endless.requests.length, 2);
});

t.test('transient trouble: nobody there, garbage, silence, an early end; the other source does it', async t => {
  const content = testBytes(100_000);
  const noise = testBytes(20_000, 9);
  const troubles: Record<string, Source> = { nobody: NOBODY };
  const scripts: Record<string, (socket: import('node:net').Socket) => boolean> = {
    garbage: socket => socket.write(noise) || true,
    silence: () => true,
    'an early end': () => false,
    'half a head': socket => socket.write('HTTP/1.1 206 Par') && false,
    'half a body': socket => socket.write(partial(content, { start: 0, end: 50_000 }).subarray(0, 20_000)) || true,
    'server error': socket => socket.write('HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n') || true,
    'bytes without end': socket => {
      socket.write('HTTP/1.0 200 OK\r\n\r\n');
      const more = () => {
        while (!socket.destroyed && socket.write(noise));
      };
      socket.on('drain', more);
      more();
      return true;
    },
    forbidden: socket => socket.write('HTTP/1.1 403 Banned\r\nContent-Length: 0\r\n\r\n') || true,
  };
  for (const [what, script] of Object.entries(scripts)) {
    troubles[what] = (await ScriptedSource.open(t, ({ socket }) => script(socket))).source;
  }
  // on a busy machine an honest source is silent for as long at times: it is asked again and again
  const rig = await DownloadRig.open(t, t.testdir(), { times: { ...FAST, stallMs: 300, failuresMax: 1000 } });
  await Promise.all(
    Object.entries(troubles).map(async ([what, source], seed) => {
      const mine = testBytes(100_000, 100 + seed);
      const good = await ScriptedSource.open(t, honest(mine));
      const { id } = await rig.downloads.add({
        sha1: sha1(mine),
        size: mine.length,
        name: what,
        sources: [source, good.source],
      });
      const view = await rig.ended(id);
      t.match(view, { state: 'completed', error: null }, what);
      t.ok(readFileSync(view.path ?? '').equals(mine));
    }),
  );
});

t.test('no source left is a failure that says why; resuming tries again', async t => {
  const content = testBytes(1000);
  let there = false;
  const source = await ScriptedSource.open(t, asked => {
    if (there) return honest(content)(asked);
    return asked.socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n') || true;
  });
  const rig = await DownloadRig.open(t, t.testdir());
  const { id } = await rig.downloads.add({ sha1: sha1(content), size: 1000, name: 'x', sources: [source.source] });
  t.match(await rig.ended(id), { state: 'failed', error: /no source is left \(answered 404 Not Found\): resume/ });
  there = true;
  await rig.downloads.resume(id);
  t.match(await rig.until(id, ({ state }) => state === 'completed'), { error: null });
});

t.test('without a source a download waits for one', async t => {
  const content = testBytes(1000);
  const rig = await DownloadRig.open(t, t.testdir());
  const { id, error } = await rig.downloads.add({ sha1: sha1(content), size: null, name: 'x', sources: [] });
  t.equal(error, 'no source is known yet');
  const source = await ScriptedSource.open(t, honest(content));
  t.ok(await rig.downloads.addSource(id, source.source));
  t.notOk(await rig.downloads.addSource(id, source.source), 'known now');
  t.match(await rig.ended(id), { state: 'completed' });
  t.notOk(await rig.downloads.addSource('nobody', source.source));
});

t.test('a remote queue is waited in on the same connection, and takes no turn of ours', async t => {
  const content = testBytes(1000);
  const others = testBytes(2000);
  let otherDone = false;
  const busy = await ScriptedSource.open(t, asked => {
    if (!otherDone) {
      asked.socket.write(
        'HTTP/1.1 503 Busy\r\nX-Queue: position=2, pollMin=0, pollMax=60\r\nContent-Length: 3\r\n\r\nno!',
      );
    } else asked.socket.write(partial(content, rangeOf(asked, 1000)));
    return true;
  });
  const free = await ScriptedSource.open(t, honest(others));
  const rig = await DownloadRig.open(t, t.testdir(), { activeMax: 1 });
  const first = await rig.downloads.add({ sha1: sha1(content), size: 1000, name: 'x', sources: [busy.source] });
  const queued = await rig.until(first.id, ({ state, sources }) => state === 'queued' && sources[0]?.error !== null);
  t.match(queued.sources, [{ state: 'queued', error: 'queued at place 2', queue: { position: 2 } }]);
  const second = await rig.downloads.add({ sha1: sha1(others), size: 2000, name: 'y', sources: [free.source] });
  t.match(await rig.ended(second.id), { state: 'completed' });
  otherDone = true;
  t.match(await rig.ended(first.id), { state: 'completed' });
  t.equal(busy.connections, 1);
  t.ok(busy.requests.length >= 2);
});

t.test('a PARQ place is repeated with its id; Retry-After is kept', async t => {
  const content = testBytes(1000);
  const id = 'cc3b8051ce5d6ded19b1389e3f2800b1';
  const times: number[] = [];
  const source = await ScriptedSource.open(t, asked => {
    times.push(performance.now());
    const queued = `HTTP/1.1 503 Queued\r\nRetry-After: 1\r\nX-Queued: ID=${id}; position=5; lifetime=150\r\nContent-Length: 0\r\n\r\n`;
    asked.socket.write(asked.number === 0 ? queued : partial(content, rangeOf(asked, 1000)));
    return true;
  });
  const rig = await DownloadRig.open(t, t.testdir());
  const view = await rig.downloads.add({ sha1: sha1(content), size: 1000, name: 'x', sources: [source.source] });
  t.match(await rig.ended(view.id), { state: 'completed' });
  t.equal(source.requests[1]?.headers.get('X-Queued'), `position=5; ID=${id}`);
  t.ok((times[1] ?? 0) - (times[0] ?? 0) >= 1000);
});

t.test('a partial source is asked for what it has, a whole one for the rest', async t => {
  const content = testBytes(10_000);
  const part = await ScriptedSource.open(t, asked => {
    const { start, end } = rangeOf(asked, content.length);
    const available = 'X-Available-Ranges: bytes 4000-5999\r\n';
    if (start >= 4000 && end <= 6000) asked.socket.write(partial(content, { start, end }, available));
    else asked.socket.write(`HTTP/1.1 416 Not there\r\n${available}Content-Length: 0\r\n\r\n`);
    return true;
  });
  const whole = await ScriptedSource.open(t, honest(content));
  const rig = await DownloadRig.open(t, t.testdir(), {
    times: { ...FAST, unavailableMs: 60_000 }, // what it has not it is not asked for again meanwhile
    dial: async (endpoint, signal) => {
      if (endpoint.port === whole.source.endpoint.port)
        await eventually('the partial one was asked for its part', () => part.requests.length >= 2);
      return dialPlain(endpoint, signal);
    },
  });
  const { id } = await rig.downloads.add({
    sha1: sha1(content),
    size: 10_000,
    name: 'x',
    sources: [part.source, whole.source],
  });
  t.match(await rig.ended(id), { state: 'completed' });
  t.strictSame(
    part.requests.map(({ headers }) => headers.get('Range')),
    ['bytes=0-9999', 'bytes=4000-5999'],
  );
  t.ok(readFileSync(join(rig.folder, 'x')).equals(content));
});

t.test('alternate locations in an answer become sources', async t => {
  const content = testBytes(1000);
  const good = await ScriptedSource.open(t, honest(content));
  const alt = `X-Alt: 127.0.0.1:${good.source.endpoint.port}, bogus\r\n`;
  const busy = await ScriptedSource.open(
    t,
    ({ socket }) => socket.write(`HTTP/1.1 503 Busy\r\nRetry-After: 600\r\n${alt}Content-Length: 0\r\n\r\n`) || true,
  );
  const rig = await DownloadRig.open(t, t.testdir());
  const { id } = await rig.downloads.add({ sha1: sha1(content), size: 1000, name: 'x', sources: [busy.source] });
  t.match(await rig.ended(id), { state: 'completed', sources: [{ state: 'waiting' }, { state: 'idle' }] });
});

t.test('names from the wire stay in the folder and never replace a file', async t => {
  const content = testBytes(100);
  const source = await ScriptedSource.open(t, honest(content));
  const rig = await DownloadRig.open(t, t.testdir());
  mkdirSync(rig.folder, { recursive: true });
  writeFileSync(join(rig.folder, 'passwd'), 'mine');
  const { id } = await rig.downloads.add({
    sha1: sha1(content),
    size: 100,
    name: '../../etc/passwd',
    sources: [source.source],
  });
  const view = await rig.ended(id);
  t.equal(view.path, join(rig.folder, 'passwd (1)'));
  t.equal(readFileSync(join(rig.folder, 'passwd'), 'utf8'), 'mine');
});
