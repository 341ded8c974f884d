// Bytes of a download over HTTP: ranges, what is not there yet, and headers that are safe in a browser.
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { ContentReaders, type DownloadContent } from '../../api/download-content.ts';
import { notFound } from '../../api/errors.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import { serveFake, TOKEN } from '../support/api-server.ts';
import { eventually } from '../support/loopback.ts';

const SIZE = 600_000;
const TEXT = Array.from({ length: SIZE / 10 }, (_, i) => String(i).padStart(10)).join('');
const BYTES = Buffer.from(TEXT);
const PATH = '/api/v1/downloads/d1/content';

class FakeContent implements DownloadContent {
  name = 'blue moon.ogg';
  etag: string | null = '"SHA1"';
  size: number | null = SIZE;
  growing = true;
  verified = RangeSet.of([{ start: 0, end: SIZE }]);
  readonly sought: number[] = [];
  opened = 0;
  closed = 0;
  onSeek: (offset: number) => void = () => undefined;

  get available(): RangeSet {
    return this.verified.clone();
  }

  endFrom(offset: number): number {
    return this.verified.at(offset)?.end ?? offset;
  }

  async read(start: number, end: number): Promise<Buffer> {
    return BYTES.subarray(start, end);
  }

  seek(offset: number): void {
    if (this.sought.at(-1) !== offset) this.sought.push(offset);
    this.onSeek(offset);
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

async function scene(t: Test, more: Partial<FakeContent> = {}) {
  const content = Object.assign(new FakeContent(), more);
  const readers = new ContentReaders(async id => {
    if (id !== 'd1') throw notFound('download', id);
    content.opened++;
    return content;
  });
  const streams = { events: null as never, content: readers, exportQueries: () => [], metrics: null as never };
  const served = await serveFake(t, { streams });
  const get = (range: string | null, query = '', headers: Record<string, string> = {}, method = 'GET') =>
    served.raw({
      method,
      path: `${PATH}${query}`,
      headers: { ...(range === null ? {} : { Range: range }), ...headers },
    });
  return { ...served, content, get };
}

t.test('all of it, and parts of it', async t => {
  const { get, content } = await scene(t);
  const whole = await get(null);
  t.equal(whole.text, TEXT);
  t.match(whole, {
    status: 200,
    headers: {
      'content-type': 'audio/ogg',
      'content-length': String(SIZE),
      'content-disposition': 'inline; filename="blue moon.ogg"',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      etag: '"SHA1"',
    },
  });
  for (const [range, start, end] of [
    ['bytes=0-9', 0, 10],
    ['bytes=10-', 10, SIZE],
    ['bytes=-7', SIZE - 7, SIZE],
    [`bytes=599990-${SIZE + 5}`, 599_990, SIZE],
    ['bytes=3-4,100-200', 3, 5],
  ] as const) {
    const part = await get(range);
    t.match(part, { status: 206, headers: { 'content-range': `bytes ${start}-${end - 1}/${SIZE}` } }, range);
    t.equal(part.text, TEXT.slice(start, end), range);
  }
  t.match(await get('bytes=0-9', '', { 'If-Range': '"SHA1"' }), { status: 206 });
  t.match(await get('bytes=0-9', '', { 'If-Range': '"other"' }), { status: 200 }, 'of another version');
  t.match(await get('letters=a-b'), { status: 200 }, 'a range that is none is ignored');
  const head = await get('bytes=0-9', '', {}, 'HEAD');
  t.match(head, { status: 200, text: '', headers: { 'content-length': String(SIZE), 'accept-ranges': 'bytes' } });
  t.match(await get(`bytes=${SIZE}-`), {
    status: 416,
    headers: { 'content-range': `bytes */${SIZE}`, 'content-type': 'application/problem+json' },
    json: { code: 'RANGE_MISSING' },
  });
  await eventually('readers come and go', () => content.opened === content.closed);
});

t.test('a player looks at the end first, then at the start, and goes on while bytes come', async t => {
  const verified = RangeSet.of([
    { start: 0, end: 1000 },
    { start: 590_000, end: SIZE },
  ]);
  const { get, content } = await scene(t, { verified });
  const end = await get('bytes=595000-');
  t.match(end, { status: 206, text: TEXT.slice(595_000) });
  content.onSeek = offset => verified.add(offset, Math.min(SIZE, offset + 100_000));
  const all = await get('bytes=0-');
  t.match(all, { status: 206, headers: { 'content-range': `bytes 0-${SIZE - 1}/${SIZE}` } });
  t.equal(all.text, TEXT, 'every byte was awaited');
  t.strictSame(content.sought.slice(0, 3), [595_000, 0, 100_000], 'what is read next is fetched next');
});

t.test('bytes that are not there: 416 says what is', async t => {
  const verified = RangeSet.of([
    { start: 0, end: 1000 },
    { start: 5000, end: 6000 },
  ]);
  const { get, content } = await scene(t, { verified });
  const missing = {
    status: 416,
    headers: { 'content-range': `bytes */${SIZE}`, 'x-available-ranges': 'bytes 0-999, 5000-5999' },
    json: { code: 'RANGE_MISSING', status: 416 },
  };
  t.match(await get('bytes=1000-2000', '?wait=0'), missing);
  t.match(await get(null, '?wait=0'), missing, 'all of it cannot be sent');
  const part = await get('bytes=900-9999', '?wait=0');
  t.match(part, { status: 206, headers: { 'content-range': `bytes 900-999/${SIZE}` } }, 'what is there of the range');
  t.equal(part.text, TEXT.slice(900, 1000));
  t.notOk('content-disposition' in (await get('bytes=1000-', '?wait=0')).headers);
  content.growing = false;
  t.match(await get('bytes=1000-2000', '?wait=300'), missing, 'a download that does not run is not waited for');
  t.match((await get('bytes=1000-2000')).json?.['detail'], /does not run/);
});

t.test('bytes that do not come in time end the answer', async t => {
  const { get, content } = await scene(t, { verified: RangeSet.of([{ start: 0, end: 1000 }]) });
  await t.rejects(get('bytes=0-1999', '?wait=1'), 'the connection breaks: nothing else was promised');
  await eventually('readers come and go', () => content.opened === content.closed);
});

t.test('an unknown size is waited for', async t => {
  const { get, content } = await scene(t, { size: null });
  t.match(await get(null, '?wait=0'), { status: 416, headers: { 'content-range': 'bytes */*' } });
  t.match(await get(null, '', {}, 'HEAD'), { status: 416 });
  const whole = get(null);
  await eventually('readers come and go', () => content.opened === 3);
  content.size = SIZE;
  t.equal((await whole).text, TEXT);
});

t.test('what a browser could run is only saved, and a name is quoted', async t => {
  const { get, content } = await scene(t);
  for (const name of ['page.html', 'picture.svg', 'feed.xml', 'script.js', 'noname', 'a.exe']) {
    content.name = name;
    t.match((await get('bytes=0-9')).headers, {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${name}"`,
    });
  }
  content.name = 'ü"\n\u2028.mp4';
  const { headers } = await get('bytes=0-9');
  t.equal(headers['content-type'], 'video/mp4');
  t.match(
    headers['content-disposition'],
    /^inline; filename="[\x20-\xff]+"; filename\*=UTF-8''%C3%BC%22%0A%E2%80%A8\.mp4$/,
  );
});

t.test('who may read', async t => {
  const { get, raw } = await scene(t);
  t.match(await get(null, '', { Authorization: '' }), { status: 401 });
  t.match(await get(null, `?token=${TOKEN}`, { Authorization: '' }), { status: 401 }, 'no token in an address');
  t.match(await raw({ path: '/api/v1/downloads/d2/content' }), { status: 404, json: { code: 'NOT_FOUND' } });
  t.match(await get(null, '?wait=301'), { status: 400 });
  t.match(await raw({ method: 'POST', path: PATH }), { status: 405 });
});

t.test('readers are few, and one that goes makes room', async t => {
  const { get, content, server } = await scene(t, { verified: RangeSet.of() });
  const head = `GET ${PATH}?wait=300 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
  const sockets = Array.from({ length: 32 }, () =>
    connect(server.port, '127.0.0.1', function (this: Socket) {
      this.write(head);
    }),
  );
  await eventually('readers come and go', () => content.opened === 32);
  t.match(await get(null), { status: 429 });
  for (const socket of sockets) socket.destroy();
  await eventually('readers come and go', () => content.closed === 32);
  t.match(await get(null, '?wait=0'), { status: 416 });
});
