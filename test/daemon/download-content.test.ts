// Bytes of downloads over the API of a whole daemon.
import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { encodeThex } from '../../protocol/digest/thex.ts';
import { formatBase32, formatSha1Urn } from '../../protocol/wire/urn.ts';
import { hashed, startServent, until } from '../support/running-servent.ts';
import { partial, rangeOf, ScriptedSource } from '../support/scripted-source.ts';
import { sha1Of, treeOf } from '../support/verification-scene.ts';

const content = randomBytes(400_000);
const urn = formatSha1Urn(createHash('sha1').update(content).digest());

t.test('a finished download is read by ranges until its file is gone', async t => {
  const dir = t.testdir({ a: {}, b: {}, share: { 'song.mp3': content } });
  const sharer = await startServent(t, join(dir, 'a'), { 'library.folders': [join(dir, 'share')] });
  const reader = await startServent(t, join(dir, 'b'));
  await hashed(sharer.client, 1);
  const { id } = await reader.client.startDownload({ urn, sources: [sharer.address], name: 'song.mp3' });
  const done = await until('it is complete', async () => {
    const download = await reader.client.download({ id });
    return download.state === 'completed' ? download : null;
  });
  const get = (headers: Record<string, string> = {}, of = id) =>
    fetch(`${reader.api}/api/v1/downloads/${of}/content`, {
      headers: { Authorization: `Bearer ${reader.token}`, ...headers },
    });
  const whole = await get();
  t.equal(whole.headers.get('content-type'), 'audio/mpeg');
  t.equal(whole.headers.get('etag'), `"${urn.slice('urn:sha1:'.length)}"`);
  t.ok(Buffer.from(await whole.arrayBuffer()).equals(content));
  const end = await get({ Range: 'bytes=-1000' }, id.slice(0, 8));
  t.equal(end.status, 206, 'the beginning of an id will do');
  t.ok(Buffer.from(await end.arrayBuffer()).equals(content.subarray(-1000)));
  await rm(done.path ?? '');
  const gone = await get();
  t.match([gone.status, await gone.json()], [404, { detail: /^the finished file cannot be read \(ENOENT / }]);
});

t.test(
  'a download that runs is read as it comes: what is verified at once, the rest when the source sends it',
  async t => {
    const film = randomBytes(2 << 20);
    const tree = treeOf(film);
    const thex = encodeThex(tree);
    const sentAtOnce = 1 << 20;
    let release = (): void => undefined;
    const released = new Promise<void>(resolve => (release = resolve));
    const source = await ScriptedSource.open(t, async asked => {
      const { head, socket } = asked;
      if (head.target.startsWith('/tree')) {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/dime\r\nContent-Length: ${thex.length}\r\n\r\n`);
        return socket.write(thex) || true;
      }
      const range = rangeOf(asked, film.length);
      const answer = partial(film, range, `X-Thex-URI: /tree;${formatBase32(tree.root)}\r\n`);
      const held = Math.max(0, range.end - Math.max(range.start, sentAtOnce));
      socket.write(answer.subarray(0, answer.length - held));
      if (held > 0) await released;
      return socket.write(answer.subarray(answer.length - held)) || true;
    });
    const { api, token, client } = await startServent(t, t.testdir());
    const { host, port } = source.source.endpoint;
    const { id } = await client.startDownload({
      ...{ urn: formatSha1Urn(sha1Of(film)), sources: [`${host}:${port}`], name: 'film.mp4', size: film.length },
    });
    const get = (range: string, wait?: number) =>
      fetch(`${api}/api/v1/downloads/${id}/content${wait === undefined ? '' : `?wait=${wait}`}`, {
        headers: { Authorization: `Bearer ${token}`, Range: range },
      });
    await until('the first half is verified', async () =>
      (await client.download({ id })).verified >= sentAtOnce ? true : null,
    );
    const first = await get('bytes=1000-99999', 0);
    t.match([first.status, first.headers.get('content-range')], [206, `bytes 1000-99999/${film.length}`]);
    t.ok(Buffer.from(await first.arrayBuffer()).equals(film.subarray(1000, 100_000)));
    const later = await get('bytes=1500000-', 0);
    t.match([later.status, later.headers.get('x-available-ranges')], [416, `bytes 0-${sentAtOnce - 1}`]);

    const rest = await get('bytes=1000000-');
    t.equal(rest.status, 206, 'begins before all of it is there');
    release();
    t.ok(Buffer.from(await rest.arrayBuffer()).equals(film.subarray(1_000_000)));
    await until('it is complete', async () => ((await client.download({ id })).state === 'completed' ? true : null));
  },
);
