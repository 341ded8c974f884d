// What api.md promises of conditional and repeated calls, of cursors and of bulk, kept by a whole daemon; an upload ended while it runs.
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { HttpClient } from '../support/http-client.ts';
import { type RunningServent, startServent, until } from '../support/running-servent.ts';

/** More than two sockets hold while nobody reads. */
const FILE_BYTES = 16 * 1024 * 1024;
const SEARCHES = 24;

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

async function call({ api, token }: RunningServent, method: string, path: string, more: RequestInit = {}) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...more.headers };
  const answer = await fetch(`${api}/api/v1${path}`, { method, ...more, headers });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? {} : JSON.parse(text) } as Answer;
}

t.test('the document is OpenAPI 3.1', async t => {
  const daemon = await startServent(t, t.testdir());
  const document = await daemon.client.openapi();
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document) as Record<string, unknown>);
  t.equal(valid, true, JSON.stringify(errors));
  t.equal(validator.version, '3.1');
  const spoilt = { ...(structuredClone(document) as object), paths: { '/x': { get: { responses: 'none' } } } };
  t.equal((await new Validator().validate(spoilt)).valid, false, 'it would tell');
});

t.test('tags: what has not changed is not sent again, what has changed since is not overwritten', async t => {
  const daemon = await startServent(t, t.testdir());
  const folders = await call(daemon, 'GET', '/library/folders');
  const known = { headers: { 'If-None-Match': folders.headers.get('etag') ?? '' } };
  t.equal((await call(daemon, 'GET', '/library/folders', known)).status, 304);
  await mkdir(join(daemon.dataDir, 'more'));
  await daemon.client.shareFolder({ path: join(daemon.dataDir, 'more') });
  t.equal((await call(daemon, 'GET', '/library/folders', known)).status, 200);

  const tag = (await call(daemon, 'GET', '/config')).headers.get('etag') ?? '';
  const patch = (slots: number) =>
    call(daemon, 'PATCH', '/config', {
      headers: { 'If-Match': tag },
      body: JSON.stringify({ uploads: { slots } }),
    });
  t.equal((await patch(3)).status, 200);
  t.match(await patch(4), { status: 412, body: { code: 'STALE' } }, 'seen before the first change');
  const { settings } = await daemon.client.config();
  t.match(
    settings.find(({ key }) => key === 'uploads.slots'),
    { value: 3 },
  );
});

t.test('a POST with a key is done once, also when it is repeated before it is done', async t => {
  const daemon = await startServent(t, t.testdir());
  const post = () =>
    call(daemon, 'POST', '/searches', { headers: { 'Idempotency-Key': 'k' }, body: '{"text":"blue moon"}' });
  const answers = await Promise.all([post(), post(), post()]);
  for (const { status } of answers) t.ok(status === 201 || status === 409, String(status));
  const last = await post();
  t.equal(last.status, 201);
  t.equal(last.headers.get('idempotency-replayed'), 'true');
  const { items } = await daemon.client.searches();
  t.strictSame(
    items.map(({ id }) => id),
    [last.body['id']],
  );
});

t.test('bulk: each operation has its own answer, those after a refused one are done all the same', async t => {
  const daemon = await startServent(t, t.testdir());
  const { items } = await daemon.client.bulk({
    operations: [
      { operation: 'removeSearch', input: { id: 'nobody' } },
      { operation: 'startSearch', input: { text: '' } },
      { operation: 'startSearch', input: { text: 'moon' } },
      { operation: 'searches', input: { filter: 'text=moon' } },
    ],
  });
  t.strictSame(
    items.map(({ status, problem }) => [status, problem?.code]),
    [
      [404, 'NOT_FOUND'],
      [400, 'INVALID'],
      [201, undefined],
      [200, undefined],
    ],
  );
  t.match(items[3]?.body, { items: [{ text: 'moon' }], next: null });
});

t.test('pages of a list that changes under them: each that stays comes once, in either order', async t => {
  const daemon = await startServent(t, t.testdir());
  const { client } = daemon;
  for (let n = 0; n < SEARCHES; n++) await client.startSearch({ text: `moon ${n}` });
  for (const order of [{}, { sort: '-text' }, { sort: 'startedAt' }]) {
    const before = (await client.searches({ limit: 1000 })).items.map(({ id }) => id);
    const removed = new Set<string>();
    const seen: string[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await client.searches({ ...order, limit: 5, ...(cursor == null ? {} : { cursor }) });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
      // The one that the cursor names, and a new one that may stand anywhere.
      const gone = page.items.at(-1)?.id ?? '';
      removed.add(gone);
      await client.removeSearch({ id: gone });
      await client.startSearch({ text: `moon new ${seen.length}` });
    } while (cursor !== null && seen.length < 10 * SEARCHES);
    t.equal(new Set(seen).size, seen.length, 'none twice');
    t.strictSame(
      before.filter(id => !removed.has(id) && !seen.includes(id)),
      [],
      'none left out',
    );
  }
});

t.test('an upload to a slow reader is cancelled while it runs', async t => {
  const folder = t.testdir({ shared: {} });
  const file = join(folder, 'shared', 'slow moon.bin');
  await writeFile(file, 'moon');
  await truncate(file, FILE_BYTES);
  const daemon = await startServent(t, folder);
  const { client } = daemon;
  const urn = await until('the file is hashed', async () => (await client.files()).items[0]?.urn ?? null);
  const reader = await HttpClient.open(t, Number(daemon.address.split(':').at(-1)));
  reader.send(`GET /uri-res/N2R?${urn} HTTP/1.1`, 'User-Agent: slow/1');
  const upload = await until('it is served', async () => {
    const [first] = (await client.uploads()).items;
    return first !== undefined && first.state === 'active' && first.sent > 0 ? first : null;
  });
  t.match(upload, { name: 'slow moon.bin', userAgent: 'slow/1', size: FILE_BYTES });
  t.ok(upload.sent < FILE_BYTES);
  await client.cancelUpload({ id: upload.id });
  await until('nothing is served', async () => ((await client.uploads()).items.length === 0 ? true : null));
  // Until the end, which comes early: what lay in the sockets, or nothing when the connection was reset.
  const came = await reader.bytes(FILE_BYTES).catch((error: NodeJS.ErrnoException) => {
    t.equal(error.code, 'ECONNRESET');
    return Buffer.alloc(0);
  });
  t.ok(came.length < FILE_BYTES, `${came.length} bytes came`);
  t.match(await client.cancelUpload({ id: upload.id }).catch((error: unknown) => error), {
    problem: { code: 'NOT_FOUND' },
  });
});
