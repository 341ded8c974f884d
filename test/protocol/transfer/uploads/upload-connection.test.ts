import fc from 'fast-check';
import t from 'tap';
import { parseThex } from '../../../../protocol/digest/thex.ts';
import { TigerTree } from '../../../../protocol/digest/tiger-tree.ts';
import { ProtocolError } from '../../../../protocol/errors.ts';
import type { SharedFile } from '../../../../protocol/search/shared-file.ts';
import { ChunkedBody } from '../../../../protocol/transfer/chunked-body.ts';
import { parseRequestHead, type RequestHead } from '../../../../protocol/transfer/http-head.ts';
import { parseAltLocations } from '../../../../protocol/transfer/mesh/alt-locations.ts';
import { locationKey } from '../../../../protocol/transfer/mesh/file-locations.ts';
import type { UploadLimits } from '../../../../protocol/transfer/uploads/queue/upload-limits.ts';
import { UploadAnswerer, type UploadParts } from '../../../../protocol/transfer/uploads/upload-answerer.ts';
import type { UploadConnection, UploadVerdict } from '../../../../protocol/transfer/uploads/upload-connection.ts';
import { UploadQueue } from '../../../../protocol/transfer/uploads/upload-queue.ts';
import { formatBase32, formatSha1Urn, formatUrn, parseUrn } from '../../../../protocol/wire/urn.ts';
import {
  blockOf,
  gtkgReplies,
  limewireDownloadRequest,
  limewireReplies,
  split,
} from '../../../support/captured-http.ts';
import { testIdentity, testMesh } from '../../../support/shared-files.ts';
import { SeededRandom } from '../../../support/virtual-network.ts';

const DATE = Date.UTC(2026, 0, 2, 3, 4, 5);
const FREE: UploadLimits = { slots: 4, slotsPerAddress: 0, queue: 2 };

function sharedFile(index: number, name: string, size: number, urn?: string): SharedFile {
  const { sha1, tigerRoot } = urn === undefined ? { sha1: Buffer.alloc(20, index), tigerRoot: null } : parseUrn(urn);
  if (sha1 === null) throw new Error('no SHA-1');
  return { index, name, size, sha1, tigerRoot, modifiedAt: DATE };
}

const SONG = sharedFile(1, 'a song.ogg', 100_000);

function answerer(files: readonly SharedFile[] = [SONG], more: Partial<UploadParts> & { limits?: UploadLimits } = {}) {
  const { limits = FREE, ...parts } = more;
  return new UploadAnswerer({
    files: {
      byIndex: index => files.find(file => file.index === index) ?? null,
      bySha1: sha1 => files.find(file => file.sha1.equals(sha1)) ?? null,
      byTigerRoot: root => files.find(file => file.tigerRoot?.equals(root)) ?? null,
    },
    queue: new UploadQueue(limits, { random: new SeededRandom(1) }),
    identity: testIdentity,
    mesh: testMesh(),
    ...parts,
  });
}

function connect(to: UploadAnswerer, address = '192.0.2.1'): UploadConnection {
  const connection = to.connect(address, 0);
  if (connection === null) throw new Error('no room');
  return connection;
}

const headOf = (text: string): RequestHead => parseRequestHead(blockOf(text));
const get = (target: string, ...headers: string[]): RequestHead =>
  headOf(`${[`GET ${target} HTTP/1.1`, 'Host: x', ...headers].join('\r\n')}\r\n\r\n`);

/** The head that goes out; a file counts as sent whole. */
function answer(connection: UploadConnection, verdict: UploadVerdict) {
  if (verdict.kind === 'tree') return split(connection.treeFound(null).bytes).head;
  if (verdict.kind !== 'file') return split(verdict.bytes).head;
  const { head } = split(connection.opened().bytes);
  connection.sent('whole', 0);
  return head;
}

t.test('requests that were sent to gtk-gnutella and LimeWire get the status that those gave', t => {
  const files = [
    sharedFile(1, 'fixture alpha song.ogg', 3000, 'urn:sha1:PLKQGIZGSFAYIS2XQOHQNEAWXQNE7MEE'),
    sharedFile(2, 'alpha lime song.mp3', 3_146_505, 'urn:sha1:2GKUFDK4BLTSIUQ5QSWNHG4WEEEG6DA7'),
    sharedFile(3, 'small.txt', 5000, 'urn:sha1:MZSMIIT7BSI53F6TI7YHXSA27OGBRZTW'),
    sharedFile(4, 'beta_report-2026.pdf', 70_000, 'urn:sha1:FEE3XSJMQAUQ3TZU3QR6ZVBTGTS2VDID'),
  ];
  let compared = 0;
  for (const { label, request, head } of [
    ...gtkgReplies('http-get-whole'),
    ...gtkgReplies('http-get-range'),
    ...gtkgReplies('http-404'),
    ...gtkgReplies('http-10'),
    ...limewireReplies().filter(({ label }) => /^GET (range|open|suffix|bad|no range|unknown)|^HEAD/.test(label)),
  ]) {
    const connection = connect(answerer(files));
    const ours = answer(connection, connection.request(headOf(request), 0, DATE));
    // of a range beyond the end gtk-gnutella sends the last byte
    t.equal(
      ours.status,
      label.startsWith('beyond the end') ? 416 : head.status,
      `${label}: ${request.split('\r\n')[0]}`,
    );
    if (ours.status === 206)
      t.equal(ours.headers.get('Content-Range'), head.headers.get('Content-Range')?.replace('bytes=', 'bytes '));
    compared++;
  }
  t.ok(compared > 10, `${compared} captured requests`);
  t.end();
});

t.test('a request of LimeWire gets its whole file, and its name is known from then on', t => {
  const { request, urn, size } = limewireDownloadRequest();
  const file = sharedFile(7, 'x', size, urn);
  const all = answerer([file]);
  const connection = connect(all);
  t.match(connection.request(headOf(request), 0, DATE), { kind: 'file', file, range: { start: 0, end: size } });
  const { bytes, body } = connection.opened();
  t.ok(body);
  t.match(split(bytes).head, { status: 206 });
  t.equal(split(bytes).head.headers.get('Date'), 'Fri, 02 Jan 2026 03:04:05 GMT');
  t.ok(connection.sent('whole', 1));
  t.equal(all.outcomes.of('whole'), 1);
  t.equal(connection.userAgent, 'LimeWire/5.5.16');
  t.end();
});

t.test('what became of a file decides the outcome and whether another request may follow', t => {
  for (const [end, outcome, more] of [
    ['whole', 'partial', true],
    ['cut', 'cut', false],
    ['shrunk', 'unreadable', false],
    ['unreadable', 'unreadable', false],
  ] as const) {
    const all = answerer();
    const connection = connect(all);
    t.equal(connection.request(get('/get/1/a%20song.ogg', 'Range: bytes=10-50000'), 0, DATE).kind, 'file');
    connection.opened();
    t.equal(connection.sent(end, 0), more, end);
    t.equal(all.outcomes.of(outcome), 1);
    t.throws(() => connection.opened(), RangeError, 'nothing is being sent any more');
  }
  t.end();
});

t.test('a file that is gone when it is opened is not found, and the slot is free after the grace', t => {
  const all = answerer([SONG], { limits: { slots: 1, slotsPerAddress: 0, queue: 0 } });
  const connection = connect(all);
  t.equal(connection.request(get('/get/1/a%20song.ogg'), 0, DATE).kind, 'file');
  t.equal(all.queue.sending, 1);
  t.match(connection.missing(0), { status: 404, keepAlive: true });
  t.equal(all.queue.sending, 0);
  t.ok(all.queue.busy(14_999));
  t.notOk(all.queue.busy(15_000));
  t.end();
});

t.test('a place in the queue moves up, gets the slot, and is given back with the connection', t => {
  const all = answerer([SONG], { limits: { slots: 1, slotsPerAddress: 0, queue: 1 } });
  const [holder, waiter, third] = [connect(all), connect(all), connect(all)];
  const request = get('/get/1/a%20song.ogg', 'X-Queue: 0.1');
  t.equal(holder.request(request, 0, DATE).kind, 'file');
  t.equal(waiter.silenceMaxMs, 30_000);
  const queued = waiter.request(request, 0, DATE);
  t.match(queued, { kind: 'queued', file: SONG, range: { start: 0, end: SONG.size } });
  t.equal(answer(waiter, queued).headers.get('X-Queue'), 'position=1, pollMin=45, pollMax=120');
  t.equal(waiter.silenceMaxMs, 120_000, 'it may be silent until it has to ask again');
  t.equal(waiter.queueView?.position, 1);
  t.match(third.request(request, 0, DATE), { kind: 'reply', status: 503, keepAlive: false });
  holder.close(0);
  holder.close(0);
  t.equal(waiter.request(request, 45_000, DATE).kind, 'file');
  waiter.opened();
  t.equal(waiter.silenceMaxMs, 30_000);
  t.equal(waiter.queueView, null);
  waiter.close(45_000);
  t.notOk(all.queue.busy(45_001));
  t.end();
});

t.test('eight kilobytes a connection need no slot; ten refusals end it', t => {
  const all = answerer([SONG], { limits: { slots: 1, slotsPerAddress: 0, queue: 0 } });
  connect(all).request(get('/get/1/a%20song.ogg'), 0, DATE);
  const connection = connect(all);
  const small = get('/get/1/a%20song.ogg', 'Range: bytes=0-4095');
  for (const kind of ['file', 'file', 'reply']) {
    const verdict = connection.request(small, 0, DATE);
    t.equal(verdict.kind, kind);
    answer(connection, verdict);
  }
  const other = connect(all);
  for (let i = 1; i <= 10; i++) t.match(other.request(get('/x'), 0, DATE), { status: 404, keepAlive: i < 10 });
  t.end();
});

t.test('pushes are passed on with the time and the address that asks', t => {
  const asked: unknown[] = [];
  const all = answerer([], {
    passPush: (...what) => {
      asked.push(what);
      if (asked.length > 1) throw new ProtocolError('HTTP_MALFORMED', 'no servent GUID');
      return 202;
    },
  });
  const target = '/gnutella/push-proxy?ServerId=WEELTW3YXRHGJ75XG3ZAAONYAA';
  const ask = (to: UploadAnswerer) => connect(to).request(get(target, 'X-Node: 192.0.2.9:6346'), 77, DATE);
  t.match(ask(all), { status: 202, keepAlive: false });
  t.strictSame(asked, [[target, ['192.0.2.9:6346', null], '192.0.2.1', 77]]);
  t.match(ask(all), { status: 400 });
  t.match(ask(answerer()), { status: 410 }, 'who passes none on says so');
  t.strictSame([all.outcomes.of('push_passed'), all.outcomes.of('malformed')], [1, 1]);
  t.end();
});

t.test('while uploads are suspended, who asks is told to come back; without slots, that there are none', t => {
  const without = { slots: 0, slotsPerAddress: 0, queue: 2 };
  const ask = (limits: UploadLimits) =>
    connect(answerer([SONG], { limits })).request(get('/get/1/a%20song.ogg'), 0, DATE);
  const refused = ask({ ...without, suspended: true });
  t.match(refused, { kind: 'reply', status: 503 });
  if (refused.kind === 'reply') t.equal(split(refused.bytes).head.headers.get('Retry-After'), '3600');
  t.match(ask(without), { kind: 'reply', status: 403 });
  t.end();
});

t.test('browsing: four at once, each turn is given back', t => {
  const files = Array.from({ length: 25 }, (_, i) => sharedFile(i + 1, `file ${i}`, i));
  const all = answerer(files, { browse: () => files });
  const request = get('/', 'Accept: application/x-gnutella-packets');
  const ask = () => connect(all).request(request, 0, DATE);
  const first = connect(all);
  const verdict = first.request(request, 0, DATE);
  if (verdict.kind !== 'browse') throw new Error(verdict.kind);
  t.equal([...verdict.list].length, 3, 'ten files a hit');
  for (let i = 0; i < 3; i++) t.equal(ask().kind, 'browse');
  t.match(ask(), { status: 503 });
  first.browsed();
  t.equal(ask().kind, 'browse');
  t.match(connect(answerer(files)).request(request, 0, DATE), { status: 403 });
  t.end();
});

t.test('one address has one turn to browse where slots are limited by address', t => {
  const limits: UploadLimits = { slots: 4, slotsPerAddress: 2, queue: 2 };
  const all = answerer([SONG], { limits, browse: () => [SONG] });
  const ask = (address: string) => {
    const connection = connect(all, address);
    return { connection, verdict: connection.request(get('/', 'Accept: text/html'), 0, DATE) };
  };
  const first = ask('192.0.2.1');
  t.equal(first.verdict.kind, 'browse');
  t.match(ask('192.0.2.1').verdict, { status: 503 });
  t.equal(ask('192.0.2.2').verdict.kind, 'browse', 'another has its own');
  first.connection.browsed();
  t.equal(ask('192.0.2.1').verdict.kind, 'browse');
  t.end();
});

t.test('a browser gets a page of the files, from which nothing runs', async t => {
  const all = answerer([SONG], { browse: () => [SONG] });
  const verdict = connect(all).request(get('/', 'Accept: text/html,application/xml;q=0.9,*/*;q=0.8'), 0, DATE);
  if (verdict.kind !== 'browse') throw new Error(verdict.kind);
  const { head } = split(verdict.bytes);
  t.equal(head.status, 200);
  t.equal(head.headers.get('Content-Type'), 'text/html; charset=utf-8');
  t.equal(head.headers.get('Content-Security-Policy'), "default-src 'none'");
  t.equal(head.headers.get('Vary'), 'Accept, Accept-Encoding');
  t.equal(head.headers.get('Connection'), 'close');
  t.equal(head.headers.get('Last-Modified'), null, 'not known');
  const page = Buffer.concat([...verdict.list]).toString();
  const [, href = ''] = /<a href="([^"]*)">/.exec(page) ?? [];
  t.equal(connect(all).request(get(href), 0, DATE).kind, 'file', 'whose links lead to the files');
  const request = headOf('HEAD / HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n');
  const asked = connect(all).request(request, 0, DATE);
  t.match(asked, { kind: 'browse', list: [] });
  t.match(split(verdict.bytes).headText, /^HTTP\/1\.1 200 OK\r\n/);
});

t.test('a list is deflated where that is asked, and in chunks for who keeps the connection and can read them', t => {
  const ask = (...headers: string[]) => {
    const connection = connect(answerer([SONG], { browse: () => [SONG] }));
    const verdict = connection.request(get('/', 'Accept: application/x-gnutella-packets', ...headers), 0, DATE);
    if (verdict.kind !== 'browse') throw new Error(verdict.kind);
    const { head } = split(verdict.bytes);
    t.equal(verdict.keepAlive, head.headers.get('Connection') === null);
    return [head.headers.get('Content-Encoding'), head.headers.get('Transfer-Encoding')];
  };
  t.same(ask(), [null, null]);
  t.same(ask('Accept-Encoding: gzip, deflate, br'), ['deflate', 'chunked']);
  t.same(ask('Accept-Encoding: deflate;q=0, gzip'), [null, 'chunked']);
  t.same(ask('Accept-Encoding: deflate', 'Connection: close'), ['deflate', null]);
  t.same(ask('Accept-Encoding: deflate', 'User-Agent: LimeWire/5.5.16'), ['deflate', null]);
  t.end();
});

t.test('what clients rely on: replies name the mesh and us once, within the size that LimeWire reads', t => {
  const all = answerer();
  for (let i = 0; i < 60; i++) all.mesh.served(SONG.sha1, { host: `20.0.1.${i}`, port: 7000 + i, tls: i % 2 === 0 }, i);
  for (let i = 0; i < 60; i++) all.mesh.failed(SONG.sha1, { host: `20.0.2.${i}`, port: 7000 + i, tls: false }, i);
  const connection = connect(all, '20.0.0.1');
  const seen = new Set<string>();
  for (let i = 0; i < 4; i++) {
    const head = answer(
      connection,
      connection.request(get('/get/1/a%20song.ogg', 'X-Alt: 20.0.0.1, 20.0.0.2', 'Range: bytes=0-99'), 60, DATE),
    );
    const lines = [...head.headers];
    t.ok(lines.length <= 20 && lines.every(([name, value]) => name.length + value.length < 2000));
    t.equal(head.headers.has('X-Features'), i === 0);
    const locations = parseAltLocations(head.headers.get('X-Alt') ?? '');
    t.equal(locations.length, 10);
    t.ok(head.headers.has('X-NAlt'));
    for (const { host } of locations) {
      t.notOk(seen.has(host), 'each once');
      seen.add(host);
    }
  }
  t.notOk(seen.has('20.0.0.1'), 'not the peer');
  const [first] = all.mesh.ranked(SONG.sha1, 60).filter(({ location }) => locationKey(location) === '20.0.0.1:6346');
  t.ok(first?.good, 'a client that lists itself');
  t.end();
});

t.test('behind a firewall replies name our push proxies, again when they change', t => {
  let proxies = [{ host: '20.0.0.7', port: 6346 }];
  const identity = { ...testIdentity, firewalled: () => true, pushProxies: () => proxies };
  const connection = connect(answerer([SONG], { identity }));
  const ask = () =>
    answer(connection, connection.request(get('/get/1/a%20song.ogg', 'Range: bytes=0-9'), 0, DATE)).headers;
  const first = ask();
  t.equal(first.get('X-Push-Proxy'), '20.0.0.7:6346');
  t.equal(first.get('X-FW-Node-Info'), `${'AB'.repeat(16)};20.0.0.7:6346`);
  for (const name of ['X-Node', 'X-GUID', 'X-Host']) t.equal(first.get(name), null, name);
  t.notMatch(first.get('X-Features') ?? '', /fwalt/);
  t.equal(ask().get('X-Push-Proxy'), null);
  proxies = [{ host: '20.0.0.8', port: 6346 }];
  t.equal(ask().get('X-Push-Proxy'), '20.0.0.8:6346');
  const pushed = answerer().connect('20.0.0.1', 0, true);
  const head = pushed === null ? null : answer(pushed, pushed.request(get('/x'), 0, DATE));
  t.equal(head?.headers.get('X-Host'), '127.0.0.1:6346', 'the next connection needs no push');
  t.end();
});

t.test('an offer to upgrade is not taken up, and many or odd ranges give the first or a clear answer', t => {
  const ask = (...headers: string[]) => {
    const connection = connect(answerer());
    return answer(connection, connection.request(get('/get/1/a%20song.ogg', ...headers), 0, DATE));
  };
  t.equal(ask('Upgrade: TLS/1.0', 'Connection: Upgrade').status, 200);
  for (const [range, status, content] of [
    ['bytes=0-9,5-20,0-9', 206, 'bytes 0-9/100000'],
    [`bytes=0-0${',0-99999'.repeat(1500)}`, 206, 'bytes 0-0/100000'],
    ['bytes=0-9,abc', 206, 'bytes 0-9/100000'],
    [',0-9', 400, null],
    ['bytes=,0-9', 400, null],
    ['bytes=100000-,0-9', 416, 'bytes */100000'],
  ] as const) {
    const head = ask(`Range: ${range}`);
    t.equal(head.status, status, range.slice(0, 40));
    t.equal(head.headers.get('Content-Range'), content);
  }
  t.end();
});

t.test('who has the list is told when it has not changed', async t => {
  let changedAt = DATE - 60_500;
  const all = answerer([SONG], { browse: () => [SONG], browseChangedAt: () => changedAt });
  const ask = (date: number, ...headers: string[]) => {
    const connection = connect(all);
    const verdict = connection.request(get('/', 'Accept: application/x-gnutella-packets', ...headers), 0, date);
    if (verdict.kind === 'browse') connection.browsed();
    const { head } = split(verdict.kind === 'browse' || verdict.kind === 'reply' ? verdict.bytes : Buffer.alloc(0));
    return {
      status: head.status,
      modified: head.headers.get('Last-Modified'),
      length: head.headers.get('Content-Length'),
    };
  };
  const modified = 'Fri, 02 Jan 2026 03:03:04 GMT';
  t.strictSame(ask(DATE), { status: 200, modified, length: null });
  const since = `If-Modified-Since: ${modified}`;
  t.strictSame(ask(DATE, since), { status: 304, modified, length: null });
  t.equal(all.outcomes.of('unchanged'), 1);
  t.equal(ask(DATE, 'If-Modified-Since: Fri, 02 Jan 2026 03:03:03 GMT').status, 200, 'older');
  t.equal(ask(DATE, 'If-Modified-Since: Fri, 02 Jan 2026 03:04:06 GMT').status, 200, 'a date to come');
  t.equal(ask(DATE, 'If-Modified-Since: yesterday').status, 200, 'no date');
  changedAt = DATE + 100;
  t.strictSame(
    ask(DATE + 200, since),
    { status: 200, modified: null, length: null },
    'it may change again this second',
  );
  t.strictSame(ask(DATE + 1000, since), { status: 200, modified: 'Fri, 02 Jan 2026 03:04:05 GMT', length: null });
});

t.test('no more connections than allowed, until one is closed', t => {
  const all = answerer([], { connectionsMax: 2 });
  const first = connect(all);
  connect(all);
  t.equal(all.connect('192.0.2.1', 0), null);
  t.equal(all.outcomes.of('busy'), 1);
  first.close(0);
  t.ok(all.connect('192.0.2.1', 0));
  t.end();
});

t.test('any request heads in any order: one outcome each, and no slot is left behind', t => {
  const lines = fc.constantFrom(
    'GET /get/1/a%20song.ogg HTTP/1.1',
    `HEAD /uri-res/N2R?${formatSha1Urn(SONG.sha1)} HTTP/1.0`,
    'GET / HTTP/1.1',
    'POST / HTTP/1.1',
    'GET /get/1/../x HTTP/1.1',
    'GET /uri-res/N2R?urn:sha1:X HTTP/1.1',
    'GET /get/1/a%20song.ogg HTTP/3.9',
  );
  const headers = fc.subarray([
    'Host: x',
    'Range: bytes=5-',
    'X-Queue: 0.1',
    'Connection: close',
    'Content-Length: 0',
    'Accept: application/x-gnutella-packets',
    'X-Gnutella-Content-URN: urn:sha1:X, urn:md5:y',
  ]);
  const end = fc.constantFrom('whole', 'cut', 'shrunk', 'unreadable', 'missing');
  fc.assert(
    fc.property(fc.array(fc.tuple(lines, headers, end), { minLength: 1, maxLength: 20 }), requests => {
      const all = answerer([SONG], { limits: { slots: 1, slotsPerAddress: 0, queue: 1 }, browse: () => [SONG] });
      const connections = [connect(all), connect(all), connect(all)];
      requests.forEach(([line, fields, how], i) => {
        const connection = connections[i % 3] as UploadConnection;
        const head = headOf(`${[line, ...fields].join('\r\n')}\r\n\r\n`);
        const verdict = connection.request(head, i * 5000, DATE);
        if (verdict.kind === 'browse') connection.browsed();
        if (verdict.kind !== 'file') return;
        if (how === 'missing') connection.missing(i * 5000);
        else {
          connection.opened();
          connection.sent(how, i * 5000);
        }
      });
      const counted = Object.values(all.outcomes.toRecord()).reduce((sum, count) => sum + count, 0);
      for (const connection of connections) connection.close(1e6);
      return counted === requests.length && all.queue.sending === 0 && !all.queue.busy(0) && all.queue.waiting === 0;
    }),
  );
  t.end();
});

t.test('a large tree goes in chunks to a client that names codings, as a whole to others', t => {
  const size = 24 << 20;
  const tree = new TigerTree(size, 7, Buffer.alloc(96 * 24, 3));
  const file = { ...sharedFile(1, 'big.bin', size), tigerRoot: tree.root };
  const urn = formatSha1Urn(file.sha1);
  const ask = (request: RequestHead) => {
    const connection = connect(answerer([file]));
    t.match(connection.request(request, 0, DATE), { kind: 'tree', file });
    const { bytes, status, keepAlive } = connection.treeFound(tree);
    t.equal(status, 200);
    return { ...split(bytes), keepAlive };
  };
  const whole = ask(get(`/uri-res/N2X?${urn}`, 'Accept: application/dime'));
  t.equal(whole.head.headers.get('Content-Length'), String(whole.body.length));
  t.ok(whole.body.length > 4096 && whole.keepAlive);
  t.ok(parseThex(whole.body, { size, root: tree.root }).leaves.equals(tree.leaves));
  // as gtk-gnutella 1.2.3 asks, captured
  const gtkg = ['Accept: application/dime', 'Accept-Encoding: deflate', 'X-Queue: 1.1', 'X-Node: 5.5.1.3:6346'];
  const parts = ask(get(`/uri-res/N2X?${urn}`, 'X-Features: tls/1.0, browse/1.0, fwalt/0.1, queue/1.1', ...gtkg));
  t.equal(parts.head.headers.get('Transfer-Encoding'), 'chunked');
  t.notOk(parts.head.headers.has('Content-Length'));
  const body = new ChunkedBody();
  t.ok(Buffer.concat([...body.data(parts.body)]).equals(whole.body));
  t.ok(body.done);
  const old = ask(
    headOf(`GET /uri-res/N2X?${urn};${formatBase32(tree.root)} HTTP/1.0\r\nAccept-Encoding: deflate\r\n\r\n`),
  );
  t.notOk(old.head.headers.has('Transfer-Encoding'), 'HTTP/1.0 has no chunks');
  t.end();
});

t.test('a tree root that is not that of the file names nothing', t => {
  const file = { ...SONG, tigerRoot: Buffer.alloc(24, 5) };
  const statusOf = (target: string, ...headers: string[]) => {
    const connection = connect(answerer([file]));
    return answer(connection, connection.request(get(target, ...headers), 0, DATE)).status;
  };
  for (const [root, status] of [
    [file.tigerRoot, 200],
    [Buffer.alloc(24, 6), 404],
  ] as const) {
    t.equal(statusOf(`/uri-res/N2R?${formatUrn({ sha1: file.sha1, tigerRoot: root })}`), status);
    t.equal(statusOf(`/uri-res/N2R?${formatUrn({ sha1: null, tigerRoot: root })}`), status);
    const header = `X-Gnutella-Content-URN: ${formatUrn({ sha1: file.sha1, tigerRoot: root })}`;
    t.equal(statusOf('/get/1/a%20song.ogg', header), status);
    t.equal(statusOf(`/uri-res/N2R?${formatSha1Urn(file.sha1)}`, header), status);
  }
  t.equal(statusOf(`/uri-res/N2X?${formatSha1Urn(file.sha1)}`), 503, 'a tree that is not found');
  const [thex] = gtkgReplies('http-thex');
  const asked = headOf(thex?.request ?? '');
  t.match(
    connect(
      answerer([{ ...file, sha1: parseUrn('urn:sha1:OIPIV5RHG2F3ALABJNJKTP25WV2NETAV').sha1 ?? file.sha1 }]),
    ).request(asked, 0, DATE),
    { kind: 'tree' },
  );
  t.end();
});
